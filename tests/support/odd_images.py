"""A folder of images as people have them: damaged, turned, deep, in odd colours."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

CUT_IN_HEADER = "cut in header.png"
CUT_SHORT = "cut short.jpg"
EMPTY = "zero.png"
SIZES = {
    "animated.gif": (448, 576),
    "cmyk.jpg": (640, 384),
    CUT_SHORT: (640, 384),
    "deep.png": (384, 640),
    "palette.png": (512, 512),
    "turned.jpg": (384, 640),
}
"""Width and height, as a viewer shows them, of those whose header is whole; the pixels of one are not."""


def make_odd_images(folder: Path) -> Path:
    """Truncated, CMYK, 16-bit, palette with transparency, turned by EXIF, animated and zero bytes, each with a caption."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(SIZES[CUT_SHORT], 80).save(folder / CUT_SHORT)
    whole = (folder / CUT_SHORT).read_bytes()
    (folder / CUT_SHORT).write_bytes(whole[: len(whole) // 2])
    (folder / CUT_IN_HEADER).write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0")
    (folder / EMPTY).write_bytes(b"")
    Image.new("CMYK", SIZES["cmyk.jpg"]).save(folder / "cmyk.jpg")
    Image.new("I;16", SIZES["deep.png"]).save(folder / "deep.png")
    palette = Image.new("P", SIZES["palette.png"])
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(folder / "palette.png", transparency=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", SIZES["turned.jpg"][::-1]).save(folder / "turned.jpg", exif=exif)
    frames = [Image.new("RGB", SIZES["animated.gif"], colour) for colour in ("red", "blue")]
    frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:])
    for path in list(folder.iterdir()):
        path.with_suffix(".txt").write_text("odd")
    return folder
