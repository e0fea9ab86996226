from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from sdtui.dataset.image import (
    UnreadableImage,
    background_colour,
    content_digest,
    is_image_name,
    open_alpha,
    open_mask,
    open_rgb,
    read_facts,
)
from sdtui.errors import UserError

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# Upright, the picture is 2×3 with these corners: top left, top right, bottom left, bottom right.
CORNERS = (RED, GREEN, BLUE, WHITE)
# Where EXIF orientation n stores them: the transposition that undoes what a viewer does.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upright() -> Image.Image:
    image = Image.new("RGB", (2, 3), (9, 9, 9))
    for place, colour in zip([(0, 0), (1, 0), (0, 2), (1, 2)], CORNERS, strict=True):
        image.putpixel(place, colour)
    return image


def stored(orientation: int) -> tuple[Image.Image, bytes]:
    turn = STORED[orientation]
    image = upright() if turn is None else upright().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return image, exif.tobytes()


def corners(image: Image.Image) -> tuple[object, ...]:
    return tuple(image.getpixel(place) for place in [(0, 0), (1, 0), (0, 2), (1, 2)])


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int, ending: str) -> None:
    path = tmp_path / f"photo{ending}"
    image, exif = stored(orientation)
    image.save(path, exif=exif, lossless=True)
    assert read_facts(path) == (path, 2, 3)
    opened = open_rgb(path)
    assert (opened.mode, opened.size) == ("RGB", (2, 3))
    assert corners(opened) == CORNERS


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_orientation(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "photo.JPG"
    tall = Image.new("RGB", (32, 48))
    tall.paste(RED, (0, 0, 16, 16))
    turn = STORED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tall if turn is None else tall.transpose(turn)).save(path, "JPEG", quality=100, subsampling=0, exif=exif)
    assert read_facts(path)[1:] == (32, 48)
    pixel = open_rgb(path).getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 240
    assert max(pixel[1:]) < 15


def test_png_exif_behind_the_pixels_counts_without_decoding_them(tmp_path: Path) -> None:
    image, exif = stored(6)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data = buffer.getvalue()
    end = data.index(b"IEND") - 4
    path = tmp_path / "late.png"
    path.write_bytes(data[:end] + chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")) + data[end:])
    assert read_facts(path)[1:] == (2, 3)
    assert corners(open_rgb(path)) == CORNERS


def test_facts_come_from_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    buffer = io.BytesIO()
    Image.effect_noise((200, 100), 50).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue()[:200])
    assert read_facts(path) == (path, 200, 100)


def test_a_damaged_exif_block_is_no_reason_to_refuse_the_image(tmp_path: Path) -> None:
    path = tmp_path / "odd.jpg"
    Image.new("RGB", (4, 6)).save(path, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert read_facts(path)[1:] == (4, 6)
    assert open_rgb(path).size == (4, 6)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_the_background(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "clear.png"
    Image.new(mode, (2, 1), (200, 0) if mode == "LA" else (255, 0, 0, 0)).save(path)
    assert open_rgb(path).getpixel((0, 0)) == WHITE
    assert open_rgb(path, "#0000ff").getpixel((0, 0)) == BLUE
    half = tmp_path / "half.png"
    Image.new("RGBA", (1, 1), (255, 0, 0, 128)).save(half)
    assert open_rgb(half, "black").getpixel((0, 0)) == (128, 0, 0)


def test_transparent_colours_of_palettes_and_greys(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "p.png", transparency=0)
    palette.save(tmp_path / "p.gif", transparency=0)
    for name in ("p.png", "p.gif"):
        image = open_rgb(tmp_path / name, "blue")
        assert [image.getpixel((x, 0)) for x in (0, 1)] == [BLUE, GREEN]
    Image.new("L", (1, 1), 7).save(tmp_path / "l.png", transparency=7)
    assert open_rgb(tmp_path / "l.png", "blue").getpixel((0, 0)) == BLUE


def test_sixteen_bit_greys_are_scaled_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "depth.png"
    wide = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 300, 30000, 65535)):
        wide.putpixel((x, 0), value)
    wide.save(path)
    image = open_rgb(path)
    assert [image.getpixel((x, 0)) for x in range(4)] == [(0, 0, 0), (1, 1, 1), (117, 117, 117), WHITE]
    wide.save(tmp_path / "depth.tif")
    assert open_rgb(tmp_path / "depth.tif").getpixel((2, 0)) == (117, 117, 117)


def test_sixteen_bit_grey_with_a_transparent_value(tmp_path: Path) -> None:
    path = tmp_path / "depth.png"
    header = struct.pack(">IIBBBBB", 2, 1, 16, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" + struct.pack(">HH", 30000, 65535))
    transparent = chunk(b"tRNS", struct.pack(">H", 30000))
    body = chunk(b"IHDR", header) + transparent + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    image = open_rgb(path, "red")
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_an_8_bit_meaning_are_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "measure.tif"
    Image.new(mode, (2, 2), 100_000).save(path)
    with pytest.raises(UnreadableImage, match="save it with 8 or 16 bits per channel"):
        open_rgb(path)


def test_cmyk_one_bit_and_animations(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=100)
    pixel = open_rgb(tmp_path / "print.jpg").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 250
    assert max(pixel[1:]) < 5
    Image.new("1", (2, 2), 1).save(tmp_path / "bit.png")
    assert open_rgb(tmp_path / "bit.png").getpixel((0, 0)) == WHITE
    frames = [Image.new("RGB", (3, 3), colour) for colour in (RED, BLUE)]
    for name in ("moving.gif", "moving.webp", "moving.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert open_rgb(tmp_path / name).getpixel((1, 1)) == RED


def truncated(path: Path) -> None:
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_a_file_cut_short_is_named_with_the_cause(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"short{ending}"
    truncated(path)
    with pytest.raises(UnreadableImage) as caught:
        open_rgb(path)
    assert caught.value.where == str(path)
    assert caught.value.message.startswith("cannot read the image: ")
    assert len(caught.value.message) > len("cannot read the image: ")


@pytest.mark.parametrize(
    ("content", "cause"),
    [(b"", "the file is empty"), (b"<html>", "its contents are not an image of a known kind")],
)
def test_what_is_no_image(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(content)
    for read in (read_facts, open_rgb):
        with pytest.raises(UnreadableImage, match=cause):
            read(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="the file does not exist"):
        read_facts(tmp_path / "no.png")
    with pytest.raises(UnreadableImage, match="it is a folder"):
        open_rgb(tmp_path)
    with pytest.raises(UnreadableImage, match="the file does not exist"):
        content_digest(tmp_path / "no.png")


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(UnreadableImage, match="178 million pixels"):
        read_facts(path)


def test_a_text_chunk_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 2_000_000, zip=True)
    Image.new("RGB", (1, 1)).save(path, pnginfo=info)
    with pytest.raises(UnreadableImage, match=r"[Dd]ecompressed data too large"):
        open_rgb(path)


@pytest.mark.parametrize("name", ["a b[1].png", "žluťoučký.png", "*?.png", os.fsdecode(b"caf\xe9.png")])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.new("RGB", (5, 4)).save(path)
    assert read_facts(path)[1:] == (5, 4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.Jpg", True),
        ("a.JFIF", True),
        ("a.avif", True),
        ("a.txt", False),
        ("._a.png", False),
        (".png", False),
        ("png", False),
    ],
)
def test_names_taken_for_images(name: str, expected: bool) -> None:
    assert is_image_name(name) is expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_are_grey_and_upright(tmp_path: Path, orientation: int) -> None:
    image, exif = stored(orientation)
    image.save(tmp_path / "mask.png", exif=exif)
    mask = open_mask(tmp_path / "mask.png")
    assert (mask.mode, mask.size) == ("L", (2, 3))
    # ITU-R 601: 0.299 red, 0.587 green, 0.114 blue.
    assert corners(mask) == (76, 150, 29, 255)


def test_what_is_transparent_in_a_mask_does_not_count(tmp_path: Path) -> None:
    mask = Image.new("RGBA", (2, 1), (255, 255, 255, 255))
    mask.putpixel((1, 0), (255, 255, 255, 0))
    mask.save(tmp_path / "mask.png")
    assert open_mask(tmp_path / "mask.png").tobytes() == b"\xff\x00"


@pytest.mark.parametrize("mode", ["1", "I;16"])
def test_masks_of_one_and_of_sixteen_bits(tmp_path: Path, mode: str) -> None:
    mask = Image.new(mode, (2, 1), 0)
    mask.putpixel((1, 0), 1 if mode == "1" else 65535)
    mask.save(tmp_path / "mask.png")
    assert open_mask(tmp_path / "mask.png").tobytes() == b"\x00\xff"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_alpha_is_turned_upright_with_its_image(tmp_path: Path, orientation: int) -> None:
    image, exif = stored(orientation)
    upright_alpha = Image.new("L", (2, 3), 200)
    upright_alpha.putpixel((1, 2), 7)
    turn = STORED[orientation]
    image.putalpha(upright_alpha if turn is None else upright_alpha.transpose(turn))
    image.save(tmp_path / "image.png", exif=exif)
    alpha = open_alpha(tmp_path / "image.png")
    assert alpha is not None
    assert (alpha.mode, alpha.size) == ("L", (2, 3))
    assert corners(alpha) == (200, 200, 200, 7)


def test_alpha_of_palettes_and_of_images_without_any(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "palette.png", transparency=1)
    alpha = open_alpha(tmp_path / "palette.png")
    assert alpha is not None
    assert alpha.tobytes() == b"\xff\x00"
    Image.new("RGB", (2, 1)).save(tmp_path / "plain.png")
    assert open_alpha(tmp_path / "plain.png") is None


@pytest.mark.parametrize("read", [open_mask, open_alpha])
def test_damaged_masks_are_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    (tmp_path / "mask.png").write_bytes(b"")
    with pytest.raises(UnreadableImage, match="the file is empty"):
        read(tmp_path / "mask.png")


def test_backgrounds() -> None:
    assert background_colour("white") == WHITE
    assert background_colour("#00f") == BLUE
    with pytest.raises(UserError, match="'whit' is not a colour"):
        background_colour("whit")


def test_content_digest_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert content_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("read", [read_facts, open_rgb, content_digest])
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(UnreadableImage, match="it is not a regular file"):
        read(tmp_path / "x.png")


def test_a_jpeg_to_be_looked_at_is_decoded_only_as_large_as_needed(tmp_path: Path) -> None:
    image = Image.new("RGB", (640, 480), "teal")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    image.save(tmp_path / "a.png")
    assert open_rgb(tmp_path / "a.jpg", at_least=100).size == (120, 160)
    assert open_rgb(tmp_path / "a.jpg", at_least=200).size == (240, 320)
    assert open_rgb(tmp_path / "a.jpg").size == (480, 640)
    assert open_rgb(tmp_path / "a.png", at_least=100).size == (640, 480)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:900])
    with pytest.raises(UnreadableImage):
        open_rgb(tmp_path / "cut.jpg", at_least=100)
