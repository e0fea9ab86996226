"""LoRA: which modules, how they start, what they compute, and that a checkpoint brings them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.errors import SdtuiError, UserError
from sdtui.formats.kohya import tensors
from sdtui.models.family import Model, Reading, load_model
from sdtui.profile.layer_names import key
from sdtui.profile.schema import Method, Profile
from sdtui.training.methods import METHODS
from sdtui.training.methods.adapters import Adapter
from sdtui.training.methods.lora import Lora, prepare
from tests.support.adapters import stir
from tests.support.families import tiny_folder
from tests.support.real_sizes import lent
from tests.support.tiny import tiny_pipeline

NAMES = Path(__file__).parents[1] / "formats/sd15_lora_names.txt"
BOTH = Method(rank=4, alpha=2.0, text_encoder=True)
Q = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(tiny_pipeline(tmp_path), None, torch.device("cpu"), torch.float32)


def predict(model: Model) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    noisy = torch.randn(2, 4, 8, 8, generator=generator)
    return model.predict(noisy, torch.tensor([3, 700]), model.encode_text(["a cat", "a dog"]))


@pytest.mark.parametrize(
    ("targets", "unet", "text"),
    [
        (["attention"], 128, 8),
        (["feed-forward"], 32, 4),
        (["projection"], 32, 0),
        (["attention", "feed-forward", "projection"], 192, 12),
    ],
)
def test_targets_choose_the_counts_kohya_has(model: Model, targets: list[str], unet: int, text: int) -> None:
    settings = Method.model_validate({"targets": targets, "text_encoder": text > 0})
    learned = prepare(model, settings, 0).export().layers
    assert len([module for module in learned if module.component == "unet"]) == unet
    assert len([module for module in learned if module.component == "text_encoder"]) == text


def test_the_real_sizes_have_the_stored_names_and_parameter_counts() -> None:
    """SD 1.5's UNet and CLIP-L without their weights: 192 + 72 names, 6.78 M + 2.65 M parameters at rank 16."""
    with lent("sd1") as model:
        learned = prepare(model, Method(rank=16, text_encoder=True), 0).export().layers
    assert sorted(key("sd1", module.component, module.path) for module in learned) == sorted(NAMES.read_text().split())
    sizes = {"unet": 0, "text_encoder": 0}
    for module in learned:
        sizes[module.component] += sum(tensor.numel() for tensor in module.tensors.values())
    assert sizes == {"unet": 6_782_976, "text_encoder": 2_654_208}


def test_training_starts_at_the_base_model(model: Model) -> None:
    before = predict(model)
    prepare(model, BOTH, 0)
    assert torch.equal(predict(model), before)


def test_down_starts_uniform_within_one_over_root_fan_in(model: Model) -> None:
    state = prepare(model, Method(rank=64), 0).state()
    for name, fan_in in ((f"{Q}.down", 32), ("unet.down_blocks.0.attentions.0.proj_in.down", 16)):
        bound = fan_in**-0.5
        assert 0.9 * bound < state[name].abs().max() <= bound
        assert state[name].std() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert all(not value.any() for name, value in state.items() if name.endswith(".up"))


def test_the_start_depends_on_seed_and_name_alone(tmp_path: Path) -> None:
    base = tiny_pipeline(tmp_path)

    def start(settings: Method, seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed * 31 + settings.rank)
        model = load_model(base, None, torch.device("cpu"), torch.float32)
        return prepare(model, settings, seed).state()

    plain, with_text = start(Method(rank=4), 7), start(BOTH, 7)
    attention = start(Method(rank=4, targets=("attention",)), 7)
    assert torch.equal(plain[f"{Q}.down"], with_text[f"{Q}.down"])
    assert torch.equal(plain[f"{Q}.down"], attention[f"{Q}.down"])
    assert not torch.equal(plain[f"{Q}.down"], start(Method(rank=4), 8)[f"{Q}.down"])
    assert not torch.equal(plain[f"{Q}.down"], plain[f"{Q.replace('attn1', 'attn2')}.down"])


def test_the_start_is_the_same_in_every_version(model: Model) -> None:
    first = prepare(model, Method(rank=4), 7).state()[f"{Q}.down"].flatten()[:3]
    assert first.tolist() == pytest.approx([0.0091715334, -0.0019410310, 0.0986323282], abs=1e-9)


def test_the_global_generator_is_left_alone(model: Model) -> None:
    before = torch.get_rng_state()
    prepare(model, BOTH, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_factors_learn_and_in_fp32_on_any_base(tmp_path: Path) -> None:
    model = load_model(tiny_pipeline(tmp_path), None, torch.device("cpu"), torch.bfloat16)
    trainable = prepare(model, BOTH, 0)
    learning = [
        weight
        for part in (model.unet, model.components["text_encoder"])
        for weight in part.parameters()
        if weight.requires_grad
    ]
    assert len(learning) == 2 * 204
    assert {weight.dtype for weight in learning} == {torch.float32}
    assert {value.dtype for value in trainable.state().values()} == {torch.float32}
    loss = predict(model).square().mean()
    loss.backward()  # type: ignore[no-untyped-call]
    ups = [weight for name, weight in model.unet.named_parameters() if name.endswith(".up")]
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in ups)


def test_the_change_is_alpha_over_rank_times_up_down(model: Model) -> None:
    trainable = prepare(model, Method(rank=4, alpha=2.0), 0)
    stir(trainable)
    layer = dict(named_layers(model))[Q.removeprefix("unet.")]
    state = trainable.state()
    x = torch.randn(5, 32)
    expected = layer.base(x) + 0.5 * x @ state[f"{Q}.down"].T @ state[f"{Q}.up"].T
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_dropout_acts_in_training_only(model: Model) -> None:
    stir(prepare(model, Method(rank=4, dropout=0.5), 0), scale=0.3)
    assert torch.equal(predict(model), predict(model))
    model.unet.train()
    assert not torch.equal(predict(model), predict(model))


def test_frozen_is_the_base_model_in_all_its_parts(model: Model) -> None:
    before = predict(model)
    trainable = prepare(model, BOTH, 0)
    stir(trainable)
    learned = predict(model)
    with trainable.frozen():
        assert torch.equal(predict(model), before)
    assert torch.equal(predict(model), learned)
    assert not torch.equal(learned, before)


def test_frozen_comes_to_an_end_with_an_error_too(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    stir(trainable)
    learned = predict(model)
    with pytest.raises(ZeroDivisionError), trainable.frozen():
        _ = 1 / 0
    assert torch.equal(predict(model), learned)


def test_frozen_leaves_what_learns_as_it_was(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    trainable.parameter_groups(profile(block_rates={"mid_block": 0.0}))
    before = {name: weight.requires_grad for name, weight in trainable._named()}
    with trainable.frozen():
        pass
    assert {name: weight.requires_grad for name, weight in trainable._named()} == before
    assert set(before.values()) == {True, False}


def named_layers(model: Model) -> list[tuple[str, Any]]:
    return [(name, module) for name, module in model.unet.named_modules() if isinstance(module, Adapter)]


def profile(text_rate: float = 0.0, **optimizer: Any) -> Profile:
    return Profile.model_validate(
        {
            "model": {"base": "x"},
            "training": {"steps": 1},
            "optimizer": {"learning_rate": 1e-3, "text_encoder_learning_rate": text_rate, **optimizer},
        }
    )


def test_groups_have_names_rates_and_all_parameters(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    groups = trainable.parameter_groups(profile(text_rate=5e-5))
    told = [(group["name"], len(group["params"]), group["lr"]) for group in groups]
    assert told == [("unet", 384, 1e-3), ("text_encoder", 24, 5e-5)]
    assert trainable.parameter_groups(profile())[1]["lr"] == 1e-3
    assert trainable.trains_text_encoder


def told(trainable: Lora, **optimizer: Any) -> dict[str, tuple[int, float]]:
    """Name → number of parameters and rate of each group."""
    groups = trainable.parameter_groups(profile(**optimizer))
    return {group["name"]: (len(group["params"]), group["lr"]) for group in groups}


def test_up_matrices_learn_faster_by_the_ratio_of_lora_plus(model: Model) -> None:
    groups = told(prepare(model, BOTH, 0), text_rate=5e-5, lora_plus_ratio=16.0)
    assert groups == {
        "unet": (192, 1e-3),
        "unet up": (192, 16e-3),
        "text_encoder": (12, 5e-5),
        "text_encoder up": (12, pytest.approx(8e-4)),
    }


def test_the_longest_block_that_fits_has_the_factor(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    blocks = {"down_blocks": 0.5, "unet.down_blocks.1": 2.0, "mid_block": 0.0, "text_encoder": 0.1}
    groups = told(trainable, block_rates=blocks)
    assert {name: rate for name, (_, rate) in groups.items()} == pytest.approx(
        {"unet": 1e-3, "unet.down_blocks": 5e-4, "unet.down_blocks.1": 2e-3, "text_encoder": 1e-4}
    )
    middle = [weight for name, weight in trainable._named() if name.startswith("unet.mid_block.")]
    assert sum(count for count, _ in groups.values()) == 384 + 24 - len(middle)
    assert middle
    assert not any(weight.requires_grad for weight in middle)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"down_block": 0.5}, "no trained layer is in unet.down_block; there are: .*unet.down_blocks"),
        ({"down_blocks.9": 0.5}, "no trained layer is in unet.down_blocks.9"),
        ({"text_encoder": 0.5}, "no trained layer is in text_encoder"),
        ({"unet": 0.0}, "nothing to train"),
    ],
)
def test_blocks_that_are_not_there_or_leave_nothing_are_refused(
    model: Model, blocks: dict[str, float], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        prepare(model, Method(), 0).parameter_groups(profile(block_rates=blocks))


def test_without_the_text_encoder_there_is_one_group(model: Model) -> None:
    trainable = prepare(model, Method(), 0)
    assert [group["name"] for group in trainable.parameter_groups(profile())] == ["unet"]
    assert not trainable.trains_text_encoder
    assert not any(weight.requires_grad for weight in model.components["text_encoder"].parameters())


def test_a_checkpoint_brings_the_adapter_back_bit_by_bit(tmp_path: Path, model: Model) -> None:
    first = prepare(model, BOTH, 0)
    stir(first)
    kept = first.state()
    other = load_model(tiny_pipeline(tmp_path / "other"), None, torch.device("cpu"), torch.float32)
    second = prepare(other, BOTH, 99)
    second.load_state(kept)
    assert torch.equal(predict(other), predict(model))
    assert all(torch.equal(kept[name], value) for name, value in second.state().items())


def test_a_kept_state_does_not_move_with_training(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    kept = trainable.state()
    stir(trainable)
    assert not kept[f"{Q}.up"].any()


def test_the_same_parameters_stay_in_the_optimizer_after_loading(model: Model) -> None:
    trainable = prepare(model, BOTH, 0)
    before = [id(weight) for weight in trainable.parameter_groups(profile())[0]["params"]]
    stir(trainable)
    assert [id(weight) for weight in trainable.parameter_groups(profile())[0]["params"]] == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop(f"{Q}.up"), f"{Q}.up is in one of the two only"),
        (lambda state: state.update({f"{Q}.up": torch.zeros(32, 8)}), r"is \[32, 8\], not \[32, 4\]"),
    ],
)
def test_another_adapter_s_checkpoint_is_refused(model: Model, change: Any, message: str) -> None:
    trainable = prepare(model, Method(rank=4), 0)
    state = trainable.state()
    change(state)
    with pytest.raises(SdtuiError, match=message):
        trainable.load_state(state)


def test_a_text_encoder_has_no_projections_to_train(model: Model) -> None:
    with pytest.raises(UserError, match="choose no module of the text encoder"):
        prepare(model, Method(targets=("projection",), text_encoder=True), 0)


def test_the_export_is_what_the_formats_write(model: Model) -> None:
    trainable = METHODS["lora"].prepare(model, BOTH, 0)
    assert isinstance(trainable, Lora)
    learned = trainable.export()
    first = learned.layers[0]
    assert (trainable.format, learned.family) == ("kohya", "sd1")
    assert (first.component, first.path, first.alpha) == ("unet", "down_blocks.0.attentions.0.proj_in", 2.0)
    assert {name: list(tensor.shape) for name, tensor in first.tensors.items()} == {
        "lora_down.weight": [4, 16, 1, 1],
        "lora_up.weight": [16, 4, 1, 1],
    }
    assert not any(tensor.requires_grad for tensor in first.tensors.values())


@pytest.mark.parametrize(
    ("changes", "message", "where"),
    [
        ({"block_ranks": {"mid_blok": 4}}, "no trained layer is in unet.mid_blok", "method.block_ranks"),
        ({"block_alphas": {"up_blocks.9": 4.0}}, "no trained layer is in unet.up_blocks.9", "method.block_alphas"),
        ({"include": ["*.attn3.*"]}, "choose no module of the unet .* with include and exclude", "method.targets"),
    ],
)
def test_blocks_and_patterns_that_fit_nothing_are_refused(
    model: Model, changes: dict[str, Any], message: str, where: str
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        prepare(model, Method.model_validate(changes), 0)
    assert refused.value.where == where


def test_blocks_have_ranks_and_alphas_of_their_own(model: Model) -> None:
    settings = Method(
        rank=4, alpha=2.0, block_ranks={"mid_block": 0, "up_blocks.1": 2}, block_alphas={"up_blocks": 8.0}
    )
    found = {
        layer.path.rpartition(".attentions")[0]: (len(layer.tensors["lora_down.weight"]), layer.alpha)
        for layer in prepare(model, settings, 0).export().layers
    }
    assert found == {
        **{f"down_blocks.{index}": (4, 2.0) for index in range(3)},
        "up_blocks.1": (2, 8.0), "up_blocks.2": (4, 8.0), "up_blocks.3": (4, 8.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("family", "clip_skip", "unread"),
    [
        ("sd1", 1, set()),
        ("sd1", 2, {"text_encoder.encoder.layers.2"}),
        # The sum of a text is of the second encoder's last layer; the first gives none.
        ("sdxl", 1, {"text_encoder.encoder.layers.2"}),
    ],
)
def test_a_layer_that_is_not_read_is_in_the_file_as_kohya_has_it_and_costs_no_step(
    tmp_path: Path, family: str, clip_skip: int, unread: set[str]
) -> None:
    """The last layers that a family or clip_skip leaves out: no gradient, so no state of the optimizer either."""
    model = load_model(tiny_folder(tmp_path, family), None, torch.device("cpu"), torch.float32)
    trainable = prepare(model, Method(rank=2, text_encoder=True, targets=("attention",)), 0)
    parameters = dict(trainable._named())
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-2)
    text = model.encode_text(["a cat"], Reading(clip_skip=clip_skip))
    noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    model.predict(noisy, torch.tensor([3]), text).square().mean().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    idle = {name for name, weight in parameters.items() if weight not in optimizer.state}
    assert {name.partition(".self_attn")[0] for name in idle} == unread
    assert len(idle) == 8 * len(unread)
    held = tensors(trainable.export(), "fp32")
    for layer in unread:
        number = layer.rpartition(".")[2]
        prefix = "lora_te1" if family == "sdxl" else "lora_te"
        ups = [
            held[f"{prefix}_text_model_encoder_layers_{number}_self_attn_{part}_proj.lora_up.weight"] for part in "qkv"
        ]
        assert not any(up.any() for up in ups)
