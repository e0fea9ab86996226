from __future__ import annotations

from pathlib import Path

import pytest

import sdtui
from sdtui.models.family import Reading
from sdtui.tools.picture import Picture
from sdtui.tools.stack import Worn

CITY, INK = Worn(Path("/l/city.safetensors"), 0.8, 0.8), Worn(Path("/l/ink.safetensors"), 1.0, 0.5)


def picture(prompt: str, text: str, negative: str = "", clip_skip: int = 1, worn: tuple[Worn, ...] = ()) -> Picture:
    return Picture(prompt, text, negative, 512, 768, 20, 7.0, 42, "euler_a", clip_skip, worn)


def test_parameters_as_the_web_ui_reads_them() -> None:
    made = picture("a <lora:city:0.8> cat", "a cat", "blurry, dark", 2, (CITY, INK))
    assert made.parameters("model, v1.safetensors") == (
        "a <lora:city:0.8> cat <lora:ink:0.5:1>\n"
        "Negative prompt: blurry, dark\n"
        'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x768, Model: "model, v1.safetensors", Clip skip: 2, '
        f"RNG: CPU, Version: sdtui {sdtui.__version__}"
    )
    assert picture("a cat", "a cat").parameters("sd15").splitlines()[1].startswith("Steps: 20, ")


def count(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(("words", "limit"), [(1, 75), (75, 75), (76, 150), (151, 225)])
def test_as_many_windows_as_the_longer_text_needs(words: int, limit: int) -> None:
    text = " ".join(["cat"] * words)
    assert picture(text, text, clip_skip=2).reading(count) == Reading(2, limit, weighted=True)
    assert picture("a", "a", negative=text).reading(count).max_tokens == limit
