from __future__ import annotations

import torch

from sdtui.tagging.taggers.deepdanbooru_net import STAGES, DeepDanbooru, Stage, empty


def published() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published file's tensors, from the list of its layers (kernel, in, out)."""
    layers = [(7, 3, 64)]

    def block(before: int, inner: int, width: int) -> list[tuple[int, int, int]]:
        return [(1, before, inner), (3, inner, inner), (1, inner, width)]

    layers += [(1, 64, 256), *block(64, 64, 256), *block(256, 64, 256) * 2]
    layers += [(1, 256, 512), *block(256, 128, 512), *block(512, 128, 512) * 7]
    layers += [(1, 512, 1024), *block(512, 256, 1024), *block(1024, 256, 1024) * 19]
    # Here, and nowhere else, the shortcut is numbered last: n_Conv_100.
    layers += [*block(1024, 256, 1024), (1, 1024, 1024), *block(1024, 256, 1024) * 19]
    layers += [(1, 1024, 2048), *block(1024, 512, 2048), *block(2048, 512, 2048) * 2]
    layers += [(1, 2048, 4096), *block(2048, 1024, 4096), *block(4096, 1024, 4096) * 2]
    layers += [(1, 4096, 9176)]
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (kernel, before, after) in enumerate(layers):
        shapes[f"n_Conv_{number}.weight"] = (after, before, kernel, kernel)
        if number < 178:
            shapes[f"n_Conv_{number}.bias"] = (after,)
    return shapes


def test_all_tensors_have_the_published_names_and_shapes() -> None:
    found = {name: tuple(value.shape) for name, value in empty().state_dict().items()}
    assert found == published()
    assert len(found) == 179 * 2 - 1


def test_only_the_first_block_of_a_later_stage_strides() -> None:
    net = empty()
    strided = [name for name, layer in net.named_modules() if getattr(layer, "stride", None) == (2, 2)]
    numbers = [0, 11, 13, 36, 38, 98, 100, 158, 160, 168, 170]
    assert strided == [f"n_Conv_{number}" for number in numbers]


def test_a_full_size_network_scores_an_image() -> None:
    torch.manual_seed(0)
    net = empty().to_empty(device="cpu").eval()
    with torch.inference_mode():
        for value in net.parameters():
            value.normal_(0, 0.01)
        scores = net(torch.rand(1, 128, 128, 3))
    assert scores.shape == (1, 9176)
    assert scores.min() > 0
    assert scores.max() < 1


def test_the_network_computes_what_its_layers_say() -> None:
    """A net of one stage by hand: an identity block on the pooled stem, the mean, a sigmoid."""
    net = DeepDanbooru((Stage(1, 1, 64, 1),), tags=1).eval()
    with torch.inference_mode():
        for value in net.parameters():
            value.zero_()
        # The stem takes the red channel at its centre; the shortcut copies; the last layer sums channel 0.
        weights = dict(net.named_parameters())
        weights["n_Conv_0.weight"][0, 0, 3, 3] = 1
        weights["n_Conv_1.weight"][0, 0] = 1
        weights["n_Conv_5.weight"][0, 0] = 1
        image = torch.zeros(1, 8, 8, 3)
        image[0, 3, 3, 0] = 1.0
        # With two rows padded before it, the stem's window is centred on 2·i + 1: the 3 is row 1 of 4. A maximum of three
        # with step two, padded at the end, sees row 1 in its first window alone: one of four means. 1 / 4 in all.
        assert net(image).item() == torch.sigmoid(torch.tensor(0.25)).item()


def test_stages_hold_57_blocks() -> None:
    assert sum(stage.blocks for stage in STAGES) == 57
