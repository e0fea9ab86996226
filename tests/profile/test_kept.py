"""What autograd keeps of a step, counted from a UNet's config."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.models.configs import read_config
from sdtui.profile.kept import Kept, heads_of
from sdtui.profile.schema import Method, Profile
from sdtui.profile.sites import unet_sites

UNET = read_config("sd1", "unet")
# The storages that `saved_tensors_hooks` sees of SD 1.5's UNet with adapters of rank 8 on attention, feed-forward and
# projections, torch 2.13 for the processor, in values of fp32, by the side of the image.
SEEN = {
    "lora": {256: 116_882_912, 512: 460_919_168},
    "dora": {256: 168_369_632, 512: 659_677_568},
    "ia3": {256: 155_199_584, 512: 609_255_680},
    "oft": {256: 155_618_464, 512: 593_147_200},
    "boft": {256: 569_785_824, 512: 2_037_233_280},
    "lokr": {256: 364_181_760, 512: 706_601_376},
    "loha": {256: 897_887_200, 512: 1_240_306_816},
    "full": {256: 363_932_640, 512: 706_352_256},
}
WITHIN = {"ia3": 0.05, "oft": 0.11, "boft": 0.14}
# In bf16: fp32 and half bytes, MiB, at 512 px.
IN_HALF = {"lora": 886, "dora": 1265, "loha": 3385, "lokr": 1349, "full": 1348, "oft": 1147, "ia3": 1163}


def kept(name: str, side: int) -> Kept:
    data: dict[str, Any] = {"weight_decompose": True} if name == "dora" else {"algorithm": name}
    method = Profile.model_validate({"model": {"base": "x"}, "method": {"rank": 8, **data}}).method
    return Kept.of(unet_sites(UNET), (side, side), 4, method)


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("name", SEEN)
def test_kept_values_are_those_that_autograd_keeps(name: str, side: int) -> None:
    found = kept(name, side)
    assert found.all + found.products + found.sums == pytest.approx(SEEN[name][side], rel=WITHIN.get(name, 0.02))


@pytest.mark.parametrize("name", IN_HALF)
def test_in_half_precision_only_what_is_learned_from_is_whole(name: str) -> None:
    found = kept(name, 512)
    mib = (2 * (found.all + found.sums) + 4 * found.products) / 2**20
    assert mib == pytest.approx(IN_HALF[name], rel=0.08)


@pytest.mark.parametrize(("side", "values"), [(256, 19_353_984), (512, 76_632_192)])
def test_checkpointing_keeps_what_stands_between_blocks(side: int, values: int) -> None:
    assert kept("lora", side).checkpointed == pytest.approx(values, rel=0.07)


def test_a_wide_bucket_keeps_as_much_as_a_tall_one() -> None:
    sites = unet_sites(UNET)
    assert Kept.of(sites, (768, 512), 4) == Kept.of(sites, (512, 768), 4)
    # The deepest states of 576 px are 9 places wide, not 72 / 8 rounded down further.
    assert Kept.of(sites, (576, 512), 4).all == pytest.approx(1.125 * Kept.of(sites, (512, 512), 4).all, rel=1e-3)


def test_layers_that_are_not_chosen_write_nothing_out() -> None:
    data = {"algorithm": "loha", "targets": ["attention"]}
    method = Profile.model_validate({"model": {"base": "x"}, "method": data}).method
    sites = unet_sites(UNET)
    some, more = Kept.of(sites, (256, 256), 4, method), kept("loha", 256)
    assert 0 < some.products < more.products
    assert Kept.of(sites, (256, 256), 4) == Kept.of(sites, (256, 256), 4, Method())


def test_only_heads_that_are_narrow_keep_more_where_they_are_filled_up() -> None:
    sites = unet_sites(UNET)
    plain = Kept.of(sites, (256, 256), 4)
    assert Kept.of(sites, (256, 256), 4, None, heads_of(UNET)) == plain
    # In heads of 10, 20 and 40 the first level's five blocks, each of 1024 places and 320 channels, keep 0.6 of four tensors and of
    # two more, both answers once again, and 1.6 of keys and values of the 77 tokens.
    narrow = Kept.of(sites, (256, 256), 4, None, [32, 32, 32, 32])
    assert narrow.all - plain.all == 5 * round(320 * ((0.6 * 6 + 2) * 1024 + 2 * 1.6 * 77))
    assert narrow.widest - plain.widest == round(320 * ((0.6 * 6 + 2) * 1024 + 2 * 1.6 * 77))


@pytest.mark.parametrize(
    ("config", "heads"),
    [
        ({"attention_head_dim": 8}, [8, 8]),
        ({"attention_head_dim": [5, 10]}, [5, 10]),
        ({"attention_head_dim": 8, "num_attention_heads": 4}, [4, 4]),
        ({}, [8, 8]),
    ],
    ids=["one for all", "by level", "by their own name", "not told"],
)
def test_heads_of_each_level(config: dict[str, Any], heads: list[int]) -> None:
    assert list(heads_of({"block_out_channels": [320, 640], **config})) == heads
