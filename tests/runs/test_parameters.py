"""A1111's text of a picture, read back: as its web UI writes it, as we do, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from sdtui.errors import UserError
from sdtui.runs.parameters import parse_parameters, read_parameters

WEB_UI = """\
a (red:1.2) cat, city <lora:ink:0.8>
in two lines
Negative prompt: fog,
blurry: very
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 4120, Size: 512x768, Model hash: 6ce0161689, \
Model: "v1-5, pruned", Clip skip: 2, Lora hashes: "ink: 1a2b3c, two: 4d", Version: v1.10.1"""


def test_what_a_web_ui_writes() -> None:
    said = parse_parameters(WEB_UI)
    assert said.prompt == "a (red:1.2) cat, city <lora:ink:0.8>\nin two lines"
    assert said.negative == "fog,\nblurry: very"
    assert (said.whole("Steps"), said.number("CFG scale"), said.whole("Seed")) == (28, 6.5, 4120)
    assert (said.size, said.sampler, said.whole("Clip skip")) == ((512, 768), "dpmsolver++_karras", 2)
    assert (said.fields["Model"], said.fields["Lora hashes"]) == ("v1-5, pruned", "ink: 1a2b3c, two: 4d")


@pytest.mark.parametrize(
    ("text", "prompt", "negative", "fields"),
    [
        ("", "", "", 0),
        ("a cat", "a cat", "", 0),
        ("time: noon, place: town", "time: noon, place: town", "", 0),
        ("Negative prompt: fog", "", "fog", 0),
        ("Steps: 2, Seed: x, Size: 1x1", "", "", 3),
    ],
    ids=["nothing", "a prompt", "colons", "only the negative", "only settings"],
)
def test_what_may_be_missing(text: str, prompt: str, negative: str, fields: int) -> None:
    said = parse_parameters(text)
    assert (said.prompt, said.negative, len(said.fields)) == (prompt, negative, fields)
    assert (said.whole("Seed"), said.sampler) == (None, None)


def test_a_sampler_of_another_program_is_none_of_ours() -> None:
    assert parse_parameters("a\nSteps: 2, Sampler: Restart, Seed: 1").sampler is None
    assert parse_parameters("a\nSteps: 2, Sampler: Euler a, Schedule type: Automatic, Seed: 1").sampler == "euler_a"


def test_a_file_is_read_or_refused(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "a cat\nSteps: 2, Seed: 4, Size: 64x64")
    Image.new("RGB", (8, 8)).save(tmp_path / "with.png", pnginfo=text)
    Image.new("RGB", (8, 8)).save(tmp_path / "without.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert parse_parameters(read_parameters(tmp_path / "with.png")).whole("Seed") == 4
    assert read_parameters(tmp_path / "without.png") == ""
    with pytest.raises(UserError, match="cannot be read"):
        read_parameters(tmp_path / "broken.png")
