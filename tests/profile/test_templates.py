"""Starting profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.profile.check import check_text
from sdtui.profile.templates import KINDS, describe, new_profile


@pytest.mark.parametrize("kind", KINDS)
def test_sound_but_for_the_paths(kind: str, workspace: Path) -> None:
    text = new_profile(kind)
    assert [problem.code for problem in check_text(text, workspace / "new.toml").problems] == ["no-such-path"] * 2
    filled = text.replace("path/to/stable-diffusion-v1-5", "model").replace("path/to/images", "images")
    assert check_text(filled, workspace / "new.toml").problems == ()


def test_each_setting_has_its_help_above() -> None:
    assert "# Chance that a caption is replaced by the empty one in a step" in new_profile("lora")
    assert max(map(len, new_profile("lora").splitlines())) <= 100


def test_an_unknown_kind_lists_what_there_is() -> None:
    with pytest.raises(UserError) as caught:
        new_profile("lorra")
    there = (
        "lora, locon, dreambooth, finetune, lora-character, lora-city-photos, lora-style, pivotal, textual-inversion-character, "
        "textual-inversion-style, textual-inversion"
    )
    assert str(caught.value) == f"there is no starting profile 'lorra'. Did you mean \"lora\"? There is: {there}"


def test_a_locon_trains_convolutions_too(workspace: Path) -> None:
    filled = new_profile("locon").replace("path/to/stable-diffusion-v1-5", "model").replace("path/to/images", "images")
    profile = check_text(filled, workspace / "new.toml").profile
    assert profile is not None
    method = profile.method
    assert (method.kind, method.algorithm, method.rank, method.conv_rank, method.conv_alpha) == (
        "lora",
        "lora",
        16,
        8,
        8.0,
    )
    assert "convolution" in method.targets


def test_a_kind_in_a_few_words() -> None:
    assert describe("lora") == "A LoRA for Stable Diffusion 1.x"
    assert describe("lora-city-photos").startswith("One city in photos of three kinds")


def test_the_demo_is_not_offered() -> None:
    assert "demo" not in KINDS
