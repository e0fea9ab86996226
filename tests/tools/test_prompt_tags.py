from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.tools.prompt_tags import library, split
from sdtui.tools.stack import Worn

CITY, INK = Path("/l/city.safetensors"), Path("/l/ink_v2.safetensors")
KNOWN = {"city": CITY, "ink_v2": INK}


@pytest.mark.parametrize(
    ("prompt", "text", "worn"),
    [
        ("a red cat", "a red cat", []),
        ("a  cat,  spaced", "a  cat,  spaced", []),
        ("a cat <lora:city>", "a cat", [Worn(CITY, 1, 1)]),
        ("a cat <lora:city:0.8>, night", "a cat , night", [Worn(CITY, 0.8, 0.8)]),
        ("<lora:city:0.5:1> a <lyco:ink_v2:-0.3> cat", "a cat", [Worn(CITY, 1, 0.5), Worn(INK, -0.3, -0.3)]),
        ("<lora:city:te=0:unet=0.7>x", "x", [Worn(CITY, 0.7, 0)]),
        ("<lora:city:unet=0.7>x", "x", [Worn(CITY, 0.7, 1)]),
        ("<lora:city.safetensors:2>x", "x", [Worn(CITY, 2, 2)]),
        ("a < b > c <3", "a < b > c <3", []),
    ],
)
def test_tags_as_the_web_ui_reads_them(prompt: str, text: str, worn: list[Worn]) -> None:
    assert split(prompt, KNOWN) == (text, worn)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("<lora:citty:1>", "<lora:citty:1>: no adapter is called 'citty'. Did you mean city?"),
        ("<lora:quux>", "no adapter is called 'quux'. Say with --loras in which folder it lies"),
        ("<lora:city:much>", "the strength 'much' is no number"),
        ("<lora:city:dyn=4>", "dyn is not known"),
        ("a cat <hypernet:ink:0.6>", "<hypernet:ink:0.6>: hypernetworks are not read here. Leave the tag out"),
    ],
)
def test_what_cannot_be_meant(prompt: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        split(prompt, KNOWN)
    assert message in str(raised.value)


def test_the_library_is_by_name_and_what_is_named_comes_first(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("deep/city.safetensors", "ink.pt", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    own = tmp_path / "elsewhere" / "city.safetensors"
    assert library([tmp_path], [own]) == {"city": own, "ink": tmp_path / "ink.pt"}
