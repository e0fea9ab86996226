"""Modules, algorithms, layers, and what is given by block."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.models.configs import read_config
from sdtui.profile.factors import shapes
from sdtui.profile.kohya import blocks
from sdtui.profile.kohya.source import read_source
from sdtui.profile.kohya.taking import take
from sdtui.profile.kohya.text import profile_text
from sdtui.profile.schema import Profile
from sdtui.profile.size import is_chosen, trainable
from sdtui.profile.targets import strength
from tests.profile.kohya.helpers import taken


def _args(*items: str) -> str:
    return "network_args = [" + ", ".join(f'"{item}"' for item in items) + "]"


@pytest.mark.parametrize(
    ("module", "warning"),
    [
        ("networks.lora", None),
        ("networks.dylora", "there is no networks.dylora: a plain LoRA is trained in its place"),
        (None, "no network_module, and options of one: a plain LoRA is trained"),
    ],
)
def test_modules(module: str | None, warning: str | None, tmp_path: Path) -> None:
    text = f'network_module = "{module}"' if module else "network_dim = 8"
    draft, profile = taken(tmp_path, f"resolution = 512\n{text}")
    assert profile.method.algorithm == "lora"
    assert draft.warnings == ([warning] if warning else [])


def test_convolutions_beside_kohya_s_lora(tmp_path: Path) -> None:
    _, profile = taken(tmp_path, f'network_module = "networks.lora"\nnetwork_dim = 16\n{_args("conv_dim=8")}')
    assert profile.method.targets == ("attention", "feed-forward", "projection", "convolution")
    assert (profile.method.conv_rank, profile.method.conv_alpha) == (8, 1.0)


@pytest.mark.parametrize(
    ("preset", "layers", "text_encoder"),
    [
        # Counted over sd-scripts' UNet of 1.x by the rules of LyCORIS's config.py and kohya.py: 1×1 convolutions are always trained.
        ("full", 278 + 4, True),
        ("full-lin", 192 + 22 + 14 + 2, True),
        ("attn-mlp", 192, True),
        ("attn-only", 128, True),
        ("unet-only", 278 + 4, False),
        ("unet-transformer-only", 192, False),
        ("unet-convblock-only", 86 + 2, False),
        ("ia3", 16 * 5, True),
    ],
)
def test_presets_train_lycoris_s_layers(preset: str, layers: int, text_encoder: bool, tmp_path: Path) -> None:
    _, profile = taken(tmp_path, f'network_module = "lycoris.kohya"\n{_args(f"preset={preset}")}')
    unet = trainable(profile.method, {"unet": read_config("sd1", "unet")})["unet"]
    assert sum(is_chosen(profile.method, site) for site in unet) == layers
    assert profile.method.text_encoder is text_encoder


@pytest.mark.parametrize(
    ("preset", "layers"),
    [
        # sd-scripts' own UNet of XL has no modules by the edges' names. 70 blocks of 8 attention and 2 feed-forward layers,
        # 22 projections; 17 time embeddings, 11 1×1 and 38 3×3 convolutions.
        ("full", 788),
        ("full-lin", 722 + 17 + 11),
        ("attn-mlp", 722),
        ("attn-only", 560),
        ("unet-only", 788),
        ("unet-transformer-only", 722),
        ("unet-convblock-only", 66),
        ("ia3", 70 * 5),
    ],
)
def test_presets_train_lycoris_s_layers_of_xl(preset: str, layers: int, tmp_path: Path) -> None:
    form = f'{{"LoRA_type": "LyCORIS/LoHa", "sdxl": true, "LyCORIS_preset": "{preset}"}}'
    draft, profile = taken(tmp_path, form, "form.json")
    unet = trainable(profile.method, {"unet": read_config("sdxl", "unet")})["unet"]
    assert sum(is_chosen(profile.method, site) for site in unet) == layers
    assert not [each for each in draft.warnings if "preset" in each]


def test_edges_of_a_base_model_that_is_not_here_may_be_xl_s(tmp_path: Path) -> None:
    text = f'network_module = "lycoris.kohya"\n{_args("preset=full")}'
    warning = (
        "preset full: if the base model is of Stable Diffusion XL, take edges out of method.targets, which kohya does not "
        "train there"
    )
    assert warning in taken(tmp_path, text)[0].warnings
    assert warning not in taken(tmp_path, text.replace("full", "attn-mlp"))[0].warnings
    form = '{"LoRA_type": "LyCORIS/LoHa", "sdxl": false, "LyCORIS_preset": "full"}'
    assert not [each for each in taken(tmp_path, form, "form.json")[0].warnings if "preset" in each]


def test_ia3_has_layers_of_its_own(tmp_path: Path) -> None:
    _, profile = taken(tmp_path, f'network_module = "lycoris.kohya"\n{_args("preset=ia3", "algo=ia3")}')
    assert profile.method.include == ("*.to_k", "*.to_v", "*.ff.net.2", "*.k_proj", "*.v_proj", "*.fc2")


def test_rates_by_block_are_those_of_kohya_s_numbers(tmp_path: Path) -> None:
    down = ",".join(str(number) for number in range(12))
    draft, profile = taken(
        tmp_path, _args(f"down_lr_weight={down}", "mid_lr_weight=0.5", "up_lr_weight=zeros+0.1", "block_lr_zero_threshold=0.2")
    )  # fmt: skip
    assert profile.optimizer.block_rates == {
        # Number 1 is 1: the rate as it is.
        "down_blocks.0.attentions.1": 2.0,
        "down_blocks.1.attentions.0": 4.0,
        "down_blocks.1.attentions.1": 5.0,
        "down_blocks.2.attentions.0": 7.0,
        "down_blocks.2.attentions.1": 8.0,
        "mid_block": 0.5,
        **{f"up_blocks.{block}.attentions.{layer}": 0.0 for block in (1, 2, 3) for layer in (0, 1, 2)},
    }
    given = {one.kohya.removeprefix("network_args: ") for one in draft.mapped if one.key == "optimizer.block_rates"}
    assert given == {"down_lr_weight", "mid_lr_weight", "up_lr_weight", "block_lr_zero_threshold"}


@pytest.mark.parametrize(
    ("curve", "fourth"),
    # Block 3 of 0…11: 3 / 11, sin(π/2 · 3/11), sin(π/2 · 8/11), 8 / 11 and a lift.
    [("linear", 0.2727), ("sine", 0.4154), ("cosine", 0.9096), ("reverse_linear+0.25", 0.9773)],
)
def test_curves_over_the_blocks(curve: str, fourth: float, tmp_path: Path) -> None:
    _, profile = taken(tmp_path, _args(f"up_lr_weight={curve}"))
    assert profile.optimizer.block_rates["up_blocks.1.attentions.0"] == fourth
    # Block 11 is 1 with the curves that rise, and so not mentioned.
    assert ("up_blocks.3.attentions.2" in profile.optimizer.block_rates) is (curve not in {"linear", "sine"})


def test_blocks_that_are_not_listed_keep_their_rate(tmp_path: Path) -> None:
    _, profile = taken(tmp_path, _args("down_lr_weight=0.5,0.5"))
    assert profile.optimizer.block_rates == {"down_blocks.0.attentions.0": 0.5}


def test_ranks_and_alphas_by_block(tmp_path: Path) -> None:
    ranks = ",".join(str(number) for number in range(1, 26))
    _, profile = taken(tmp_path, _args(f"block_dims={ranks}", "block_alphas=" + ",".join(["2"] * 25)))
    assert profile.method.block_ranks["down_blocks.0.attentions.0"] == 2
    assert profile.method.block_ranks["mid_block"] == 13
    assert profile.method.block_ranks["up_blocks.3.attentions.2"] == 25
    assert set(profile.method.block_alphas.values()) == {2.0}


def test_lists_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, _args("block_dims=1,2,3"))
    assert profile.method.block_ranks == {}
    expected = "what is given by block cannot be read (block_dims has 3 values, not 25): all blocks are alike"
    assert expected in draft.warnings


def test_the_numbers_of_xl_are_others(tmp_path: Path) -> None:
    form = '{"LoRA_type": "Standard", "sdxl": true, "down_lr_weight": "0,1,1,1,0.5,1,1,1,1"}'
    draft, profile = taken(tmp_path, form, "form.json")
    assert profile.optimizer.block_rates == {}
    assert ("down_lr_weight", "blocks are numbered as Stable Diffusion 1.x has them") in [
        (left.kohya, left.reason) for left in draft.left
    ]


def test_one_ratio_for_unet_and_text_encoder(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, _args("loraplus_unet_lr_ratio=8", "loraplus_text_encoder_lr_ratio=4"))
    assert profile.optimizer.lora_plus_ratio == 8
    told = [(left.kohya, left.reason) for left in draft.left]
    assert told == [("network_args: loraplus_text_encoder_lr_ratio", "one ratio for UNet and text encoder: the UNet's")]


def test_a_table_by_path_as_kohya_s_numbers() -> None:
    numbered = blocks.numbered({"down_blocks.1": 0.5, "up_blocks.2.attentions.1": 2.0}, 1.0, convolutions=False)
    assert numbered is not None
    down, middle, up = numbered
    assert (down[4], down[5], down[1], middle, up[7], up[6]) == (0.5, 0.5, 1.0, [1.0], 2.0, 1.0)
    # The resnet beside it has the same number and another factor.
    assert blocks.numbered({"up_blocks.2.attentions.1": 2.0}, 1.0, convolutions=True) is None
    assert blocks.numbered({"down_blocks.0.attentions.0.transformer_blocks": 2.0}, 1.0, convolutions=False) is None


def test_lora_plus_has_no_effect_on_other_algorithms(tmp_path: Path) -> None:
    text = f'network_module = "lycoris.kohya"\n{_args("algo=loha", "loraplus_lr_ratio=4")}'
    draft, profile = taken(tmp_path, text)
    assert profile.optimizer.lora_plus_ratio == 1
    assert ("network_args: loraplus_lr_ratio", "it has no effect on loha") in [(x.kohya, x.reason) for x in draft.left]


def _oft(dim: int, *items: str) -> str:
    return f'resolution = 512\nnetwork_module = "networks.oft"\nnetwork_dim = {dim}\n{_args(*items)}\n'


@pytest.mark.parametrize(
    ("family", "items", "layers"),
    [
        ("sd1", (), 128),
        ("sd1", ("enable_conv=True",), 128 + 86),
        ("sdxl", (), 560),
        ("sdxl", ("enable_conv=True",), 560 + 66),
    ],
    ids=["1.x", "1.x with convolutions", "xl", "xl with convolutions"],
)
def test_kohya_s_oft_has_as_many_blocks_in_every_layer(
    family: str, items: tuple[str, ...], layers: int, tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text(_oft(64, *items) + "network_alpha = 0.001\nunet_lr = 1e-4\ntext_encoder_lr = 1e-5")
    draft = take(replace(read_source(tmp_path / "c.toml"), base_is_xl=family == "sdxl"), tmp_path)
    method = Profile.model_validate(tomllib.loads(profile_text(draft))).method
    assert (method.algorithm, method.text_encoder) == ("oft", False)
    unet = [
        site for site in trainable(method, {"unet": read_config(family, "unet")})["unet"] if is_chosen(method, site)
    ]
    ranks = [strength(method, site.component, site.path, spatial=site.spatial).rank for site in unet]
    made = [shapes(method, site, rank)["oft_blocks"] for site, rank in zip(unet, ranks, strict=True)]
    assert made == [(64, site.outputs // 64, site.outputs // 64) for site in unet]
    assert len(made) == layers
    assert [each for each in draft.warnings if "networks.oft" in each] == []
    assert [(left.kohya, left.reason) for left in draft.left] == [
        ("network_alpha", "to networks.oft the limit of a rotation, which has none here"),
        ("text_encoder_lr", "networks.oft trains the UNet"),
    ]


@pytest.mark.parametrize(
    ("dim", "items", "base_is_xl", "targets"),
    [
        # 4 blocks of 80: larger than their number. 48 do not divide 320. Feed-forward layers are 8 times as wide.
        (4, (), False, ("attention",)),
        (48, (), False, ("attention",)),
        (64, ("enable_all_linear=False",), False, ("attention", "feed-forward", "projection")),
        (64, (), None, ("attention",)),
    ],
    ids=["too large", "undivided", "of several widths", "of a family that is not known"],
)
def test_blocks_that_no_rank_makes_are_told(
    dim: int, items: tuple[str, ...], base_is_xl: bool | None, targets: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text(_oft(dim, *items, "conv_dim=8"))
    draft = take(replace(read_source(tmp_path / "c.toml"), base_is_xl=base_is_xl), tmp_path)
    method = Profile.model_validate(tomllib.loads(profile_text(draft))).method
    assert (method.algorithm, method.rank, method.block_ranks, method.targets) == ("oft", 16, {}, targets)
    (warning,) = [each for each in draft.warnings if "networks.oft" in each]
    assert warning.startswith(f"networks.oft cuts every layer into {dim} blocks; here method.rank is the largest size")
    assert [(left.kohya, left.reason) for left in draft.left] == [
        ("network_args: conv_dim", "networks.oft does not read it"),
        ("network_dim", "to networks.oft the number of blocks in a layer"),
    ]
    assert "network_dim" not in {one.kohya for one in draft.mapped}
