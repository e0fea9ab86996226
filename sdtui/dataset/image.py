"""One image file: its size as a viewer shows it, its digest, and its pixels as plain RGB."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import warnings
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageColor, UnidentifiedImageError
from PIL.Image import Transpose

from sdtui.dataset.names import printable
from sdtui.errors import UserError

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"})

FOREIGN = frozenset({".heic", ".heif", ".jxl", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".psd", ".xcf", ".svg"})
"""Endings of images that cannot be read here and may be meant to be trained."""

# Pillow warns above 89 million pixels and refuses above twice that; the refusal is the line we report.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
# What its plugins grumble about (damaged EXIF, odd palettes) would otherwise be printed over the screen.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_ORIENTATION = 0x0112
# EXIF 2.3, tag Orientation: what turns the stored rows and columns into what the camera saw.
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})


class UnreadableImage(UserError):  # noqa: N818 - a state of the file, as people say it
    """An image file that cannot be opened or decoded; names the file and the cause."""


class ImageFacts(NamedTuple):
    """What the header of an image tells: width and height in pixels, after EXIF orientation."""

    path: Path
    width: int
    height: int


def open_regular(path: Path) -> BufferedReader:
    """Open for reading what is a regular file, or a link to one.

    Raises:
        OSError: it cannot be opened, or is a pipe, a socket or a device: reading one may never end.
    """
    # Before it is opened: a pipe's `open` waits for a writer, and a device's may do something.
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError("it is not a regular file")
    return open(path, "rb")


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken for an image: a known ending in any case, and not hidden."""
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in EXTENSIONS and name[0] != "."


def read_facts(path: Path) -> ImageFacts:
    """Size of the image from its header alone, without decoding a pixel.

    Raises:
        UnreadableImage: the file is missing, may not be read, or is not an image.
    """
    try:
        with open_regular(path) as stream, Image.open(stream) as image:
            width, height = image.size
            sideways = _orientation(image, stream) in _SIDEWAYS
    except Exception as error:
        raise _unreadable(path, error) from error
    return ImageFacts(path, height, width) if sideways else ImageFacts(path, width, height)


def open_rgb(path: Path, background: str = "white", at_least: int = 0) -> Image.Image:
    """The first frame as 8-bit RGB: turned upright, transparency laid on `background`, 16-bit greys scaled.

    `background` is a colour name or `#rrggbb`. Embedded colour profiles are not applied, as in the peer trainers. To be
    looked at, a JPEG need not be decoded whole: with `at_least`, so many pixels of each side are enough, and it may come
    at a half, a quarter or an eighth of its size.

    Raises:
        UnreadableImage: the file is damaged, cut short, too large, or of a kind that has no 8-bit meaning.
        UserError: `background` is no colour.
    """
    colour = background_colour(background)
    try:
        with open_regular(path) as stream, Image.open(stream) as image:
            turn = _TURNS.get(_orientation(image, stream))
            if at_least:
                image.draft(None, (at_least, at_least))
            image.load()
            upright: Image.Image = image.transpose(turn) if turn is not None else image
            return _flatten(upright, colour)
    except Exception as error:
        raise _unreadable(path, error) from error


def open_mask(path: Path) -> Image.Image:
    """A mask as 8-bit grey ("L"), turned upright: 255 where the loss counts; what is transparent does not count.

    Raises:
        UnreadableImage: as `open_rgb`.
    """
    return open_rgb(path, "black").convert("L")


def open_alpha(path: Path) -> Image.Image | None:
    """How opaque an image is, as 8-bit grey ("L") turned upright: 255 where it hides its background.

    None for an image that knows no transparency.

    Raises:
        UnreadableImage: as `open_rgb`.
    """
    try:
        with open_regular(path) as stream, Image.open(stream) as image:
            turn = _TURNS.get(_orientation(image, stream))
            image.load()
            if not image.has_transparency_data:
                return None
            layer = _sixteen_to_eight(image) if image.mode.startswith("I") else image
            alpha = layer.convert("RGBA").getchannel("A")
            return alpha.transpose(turn) if turn is not None else alpha
    except Exception as error:
        raise _unreadable(path, error) from error


def has_alpha(path: Path) -> bool:
    """Whether an image knows transparency, by its header; False where that cannot be read."""
    try:
        with open_regular(path) as stream, Image.open(stream) as image:
            return image.has_transparency_data
    except Exception:  # noqa: BLE001 - Pillow's plugins let a dozen types through; who reads the image tells of it
        return False


def background_colour(name: str) -> tuple[int, int, int]:
    """`white`, `#fff`, `rgb(1,2,3)` … as three bytes; raises UserError for anything else."""
    try:
        return ImageColor.getrgb(name)[:3]
    except ValueError:
        raise UserError(
            f"{name!r} is not a colour", where="dataset.background", remedy="Use a name such as white, or #rrggbb"
        ) from None


def content_digest(path: Path) -> str:
    """SHA-256 of the file's bytes in hex: the same image under another name has the same digest."""
    try:
        with open_regular(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _orientation(image: Image.Image, stream: BinaryIO) -> int:
    """EXIF orientation 1–8; 1 when there is none, it is damaged, or the plugin has already applied it."""
    if image.format == "TIFF":
        return 1  # Pillow turns TIFF itself, in the size as well as in the pixels
    try:
        if image.format == "PNG" and "exif" not in image.info:
            late = _png_exif_after_pixels(stream)
            if late:
                image.info["exif"] = late
        # The base method: PNG's own would decode all pixels to look for an eXIf chunk behind them.
        value = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except (ValueError, SyntaxError, OSError, struct.error, KeyError, IndexError, TypeError):
        return 1  # a damaged EXIF block says nothing; the pixels may still be whole
    return value if isinstance(value, int) else 1


def _png_exif_after_pixels(stream: BinaryIO) -> bytes:
    """The eXIf chunk wherever it stands, found by hopping over chunks; empty when there is none."""
    position = stream.tell()
    try:
        stream.seek(8)
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return b"Exif\0\0" + stream.read(length)
            if kind == b"IEND":
                break
            stream.seek(length + 4, os.SEEK_CUR)
        return b""
    finally:
        stream.seek(position)


def _flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode.startswith("I"):
        image = _sixteen_to_eight(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        canvas = Image.new("RGBA", layer.size, (*background, 255))
        canvas.alpha_composite(layer)
        return canvas.convert("RGB")
    if image.mode == "F":
        raise ValueError("it holds floating-point pixels; save it with 8 or 16 bits per channel")
    return image.convert("RGB")


def _sixteen_to_eight(image: Image.Image) -> Image.Image:
    """Greys 0…65535 to 0…255 by division; Pillow's own conversion clips everything above 255 to white."""
    wide = image.convert("I")
    low, high = wide.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple) or low < 0 or high > 65535:
        raise ValueError("it holds 32-bit pixels; save it with 8 or 16 bits per channel")
    grey = wide.point([round(value / 257) for value in range(65536)], "L")
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        opaque = [255] * 65536
        opaque[clear] = 0
        grey = Image.merge("LA", (grey, wide.point(opaque, "L")))
    return grey


def _unreadable(path: Path, error: Exception) -> UnreadableImage:
    """Pillow's plugins let a dozen exception types through; each becomes one sentence."""
    remedy = "Replace or remove the file"
    if isinstance(error, FileNotFoundError):
        cause, remedy = "the file does not exist", "Check the path"
    elif isinstance(error, PermissionError):
        cause, remedy = "no permission to read it", "Check the file's owner and mode"
    elif isinstance(error, IsADirectoryError):
        cause, remedy = "it is a folder", "Name an image file"
    elif isinstance(error, UnidentifiedImageError):
        cause = _not_an_image(path)
    elif isinstance(error, Image.DecompressionBombError):
        cause, remedy = "it has more than 178 million pixels", "Scale it down"
    elif isinstance(error, MemoryError):
        cause, remedy = "it does not fit in memory", "Scale it down"
    else:
        cause = str(error) or type(error).__name__
    return UnreadableImage(f"cannot read the image: {cause}", where=printable(path), remedy=remedy)


def _not_an_image(path: Path) -> str:
    try:
        empty = path.stat().st_size == 0
    except OSError:
        empty = False
    return "the file is empty" if empty else "its contents are not an image of a known kind"
