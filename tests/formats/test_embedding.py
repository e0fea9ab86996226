"""Embedding files by the rules of those who read them: A1111's and Forge's check of pickles, kohya, diffusers."""

from __future__ import annotations

import pickletools
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from sdtui.errors import UserError
from sdtui.formats.embedding import (
    Embedding,
    read,
    read_bundle,
    write_card,
    write_diffusers,
    write_picture,
    write_safetensors,
    write_webui,
)
from sdtui.formats.kohya import write_bundle
from sdtui.formats.learned import Adapter, Learned

VALUES = torch.randn(3, 8, generator=torch.Generator().manual_seed(4))
WORD = Embedding("<cat-toy>", {"text_encoder": VALUES}, 400, "sd15", "6ce0161689")
XL = Embedding("toy", {"text_encoder": VALUES, "text_encoder_2": torch.ones(3, 12)})
# What A1111's loader lets a pickle name.
ALLOWED = {
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch FloatStorage",
    "torch HalfStorage", "torch BFloat16Storage",
}  # fmt: skip


def test_the_web_ui_s_file_to_the_letter(tmp_path: Path) -> None:
    file = tmp_path / "toy.pt"
    assert write_webui(file, WORD) == file.stat().st_size
    held = torch.load(file, weights_only=True)
    assert torch.equal(held["string_to_param"].pop("*"), VALUES)
    assert held == {
        "string_to_token": {"*": 265}, "string_to_param": {}, "name": "<cat-toy>", "step": 400,
        "sd_checkpoint": "6ce0161689", "sd_checkpoint_name": "sd15",
    }  # fmt: skip


def test_the_web_ui_s_check_lets_it_through(tmp_path: Path) -> None:
    """It refuses zip archives with members that it does not know, as newer PyTorch writes them, and names it does not allow."""
    file = tmp_path / "toy.pt"
    write_webui(file, WORD)
    assert not zipfile.is_zipfile(file)
    named: set[str] = set()
    with file.open("rb") as stream:
        # Magic number, protocol, sizes of the machine's types, the dictionary, the storages' keys.
        for _ in range(5):
            named |= {str(argument) for code, argument, _ in pickletools.genops(stream) if code.name == "GLOBAL"}
    assert named <= ALLOWED
    assert "torch FloatStorage" in named


def test_kohya_s_and_diffusers_files(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "toy.safetensors", WORD, {})
    assert {name: tensor.tolist() for name, tensor in load_file(tmp_path / "toy.safetensors").items()} == {
        "emb_params": VALUES.tolist()
    }
    write_diffusers(tmp_path / "learned_embeds.safetensors", WORD, {})
    assert list(load_file(tmp_path / "learned_embeds.safetensors")) == ["<cat-toy>"]
    for write in (write_safetensors, write_diffusers):
        write(tmp_path / "xl.safetensors", XL, {})
        assert {name: list(tensor.shape) for name, tensor in load_file(tmp_path / "xl.safetensors").items()} == {
            "clip_g": [3, 12], "clip_l": [3, 8],
        }  # fmt: skip


@pytest.mark.parametrize("ending", ["pt", "png"])
def test_what_was_written_is_read_with_all_it_says(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"other.{ending}"
    if ending == "pt":
        write_webui(file, WORD)
    else:
        write_picture(file, WORD, Image.new("RGB", (64, 64), "red"))
    found = read(file)
    assert torch.equal(found.vectors["text_encoder"], VALUES)
    assert (found.name, found.step, found.model, found.model_hash, found.count) == (
        "<cat-toy>",
        400,
        "sd15",
        "6ce0161689",
        3,
    )


@pytest.mark.parametrize(
    ("tensors", "name", "shapes"),
    [
        ({"emb_params": VALUES}, "m", {"text_encoder": (3, 8)}),
        ({"<new1>": torch.ones(8)}, "<new1>", {"text_encoder": (1, 8)}),
        ({"emb_params": VALUES.half()}, "m", {"text_encoder": (3, 8)}),
        ({"clip_l": VALUES, "clip_g": torch.ones(3, 12)}, "m", {"text_encoder": (3, 8), "text_encoder_2": (3, 12)}),
    ],
    ids=["kohya", "diffusers, one vector", "halves", "xl"],
)
def test_other_programs_files_are_read(
    tmp_path: Path, tensors: dict[str, torch.Tensor], name: str, shapes: dict[str, tuple[int, ...]]
) -> None:
    save_file(tensors, tmp_path / "m.safetensors")
    torch.save(tensors, tmp_path / "m.pt")
    for file in (tmp_path / "m.safetensors", tmp_path / "m.pt"):
        found = read(file)
        assert found.name == name
        assert {part: tuple(rows.shape) for part, rows in found.vectors.items()} == shapes
        assert {rows.dtype for rows in found.vectors.values()} == {torch.float32}


class Evil:
    def __reduce__(self) -> Any:
        return (Path.unlink, (Path("never"),))


def write_wrong(folder: Path, kind: str) -> Path:
    file = folder / "m.pt"
    contents: dict[str, Any] = {
        "two tensors": {"a": VALUES, "b": VALUES}, "a list": [VALUES], "a block": {"a": torch.ones(2, 2, 2)},
        "two words": {"string_to_param": {"*": VALUES, "+": VALUES}}, "code": {"string_to_param": {"*": Evil()}},
    }  # fmt: skip
    if kind in contents:
        torch.save(contents[kind], file)
    elif kind == "text":
        file.write_text("hello, this is no file of weights")
    elif kind == "three letters":
        file.write_bytes(b"abc")
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "a picture":
        file = folder / "m.png"
        Image.new("RGB", (40, 40), "red").save(file)
    elif kind == "no picture":
        file = folder / "m.png"
        file.write_bytes(b"abc")
    return file


@pytest.mark.parametrize(
    "kind",
    [
        "two tensors",
        "a list",
        "a block",
        "two words",
        "code",
        "text",
        "three letters",
        "empty",
        "a picture",
        "no picture",
        "nothing",
    ],
)
def test_what_holds_no_embedding_is_one_message(tmp_path: Path, kind: str) -> None:
    file = write_wrong(tmp_path, kind)
    with pytest.raises(UserError) as raised:
        read(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert "\n" not in str(raised.value)


def test_two_encoders_do_not_fit_into_the_web_ui_s_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one text encoder"):
        write_webui(tmp_path / "xl.pt", XL)
    assert not (tmp_path / "xl.pt").exists()


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("WEBP", "webp")])
def test_a_card_says_what_it_is_and_holds_the_vectors_in_its_pixels(tmp_path: Path, kind: str, ending: str) -> None:
    file = tmp_path / f"toy.{ending}"
    assert write_card(file, WORD, kind) == file.stat().st_size
    with Image.open(file) as card:
        assert (card.format, card.height) == (kind, 512)
        assert card.width > 512
        # Without its text, as programs that save it again leave it.
        card.convert("RGB").save(tmp_path / "again.png")
    for path in (file, tmp_path / "again.png"):
        found = read(path)
        assert torch.equal(found.vectors["text_encoder"], VALUES)
        assert (found.name, found.step, found.model) == ("<cat-toy>", 400, "sd15")


def test_a_card_shows_its_cover(tmp_path: Path) -> None:
    cover = tmp_path / "00.png"
    Image.new("RGB", (64, 96), (200, 100, 50)).save(cover)
    file = tmp_path / "toy.png"
    write_card(file, replace(WORD, cover=cover), "PNG")
    with Image.open(file) as card:
        assert card.height == 768
        # In the middle as it was, darker at the edges: half, but for what stands there.
        assert card.getpixel((card.width // 2, 384)) == (200, 100, 50)
        assert card.getpixel((card.width // 2, 0)) == (100, 50, 25)
        card.convert("RGB").save(tmp_path / "again.png")
    for path in (file, tmp_path / "again.png"):
        assert torch.equal(read(path).vectors["text_encoder"], VALUES)


def test_a_cover_that_cannot_be_read_keeps_nothing_from_being_written(tmp_path: Path) -> None:
    cover = tmp_path / "00.png"
    cover.write_bytes(b"\x89PNG cut short")
    for broken in (cover, tmp_path / "none.png"):
        write_card(tmp_path / "toy.png", replace(WORD, cover=broken), "PNG")
        assert torch.equal(read(tmp_path / "toy.png").vectors["text_encoder"], VALUES)


@pytest.mark.parametrize(
    ("word", "keys"), [(WORD, ["string_to_param.*"]), (XL, ["clip_g", "clip_l"])], ids=["sd1", "xl"]
)
def test_a_bundle_holds_words_beside_the_adapter(tmp_path: Path, word: Embedding, keys: list[str]) -> None:
    file = tmp_path / "toy.safetensors"
    layer = Learned(
        "unet", "conv_in", {"lora_down.weight": torch.ones(1, 4, 3, 3), "lora_up.weight": torch.ones(8, 1, 1, 1)}, 1.0
    )
    write_bundle(file, Adapter("sd1", [layer], [word]), {}, "fp16")
    held = load_file(file)
    of_word = sorted(name for name in held if name.startswith("bundle_emb."))
    assert of_word == [f"bundle_emb.{word.name}.{key}" for key in keys]
    assert {held[name].dtype for name in of_word} == {torch.float32}
    assert held["lora_unet_conv_in.lora_up.weight"].dtype == torch.float16
    (found,) = read_bundle(file)
    assert found.name == word.name
    assert {part: rows.tolist() for part, rows in found.vectors.items()} == {
        part: rows.tolist() for part, rows in word.vectors.items()
    }


def test_an_adapter_without_words_brings_none(tmp_path: Path) -> None:
    save_file({"lora_unet_conv_in.alpha": torch.ones(())}, tmp_path / "a.safetensors")
    assert read_bundle(tmp_path / "a.safetensors") == []
    save_file({"bundle_emb.toy.other": VALUES}, tmp_path / "b.safetensors")
    with pytest.raises(UserError, match="toy has 0 tensors"):
        read_bundle(tmp_path / "b.safetensors")
