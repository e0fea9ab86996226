"""Stage `images`: the demo's dataset, in a style that the base model never saw, and a folder of flawed files."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from sdtui.files import open_atomic, write_atomic
from sdtui.starter.build import artwork
from sdtui.starter.build.artwork import NEW_STYLE, Concept, slug

SIZE = 128
# Lines, areas, round and angular, animals and things; the demo's previews draw none of these.
SUBJECTS = {
    "fox": "animal, face",
    "owl": "animal, bird",
    "butterfly": "animal, insect, wings",
    "crab": "animal, sea, claws",
    "elephant": "animal, trunk",
    "penguin": "animal, bird",
    "rabbit": "animal, long ears",
    "turtle": "animal, shell",
    "red apple": "food, fruit",
    "grapes": "food, fruit",
    "mushroom": "plant, cap",
    "rose": "plant, flower",
    "palm tree": "plant, tree",
    "ice cream": "food, dessert",
    "hot beverage": "drink, cup, steam",
    "birthday cake": "food, dessert, candles",
    "automobile": "vehicle, wheels",
    "sailboat": "vehicle, boat, sea",
    "rocket": "vehicle, space",
    "guitar": "instrument, music",
    "key": "tool, metal",
    "umbrella with rain drops": "weather, rain",
    "light bulb": "lamp, glass",
    "robot": "face, machine",
    "dolphin": "animal, sea",
    "snail": "animal, shell",
    "hammer": "tool, metal",
}
FLAWED = ("dolphin", "snail", "hammer")
SIDEWAYS, TRUNCATED, UNCAPTIONED = FLAWED
QUARTER_TURN_RIGHT = 6
ORIENTATION = 0x0112


def write_images(work: Path, target: Path) -> None:
    """Write `<target>/images` (24 pictures with captions) and `<target>/flawed` (three, each with one flaw)."""
    by_name = {concept.name: concept for concept in artwork.load(work).concepts}
    sources = artwork.Sources(work / "packages")
    (target / "images").mkdir(parents=True, exist_ok=True)
    (target / "flawed").mkdir(parents=True, exist_ok=True)
    for name in [name for name in SUBJECTS if name not in FLAWED]:
        path = target / "images" / f"{slug(name)}.png"
        _write_picture(path, sources, by_name[name])
        write_atomic(path.with_suffix(".txt"), caption(name) + "\n")
    _write_flawed(target / "flawed", sources, by_name)


def caption(name: str) -> str:
    """Tags: the trigger, the name, and what else is to be seen.

    The trigger comes first because CLIP reads from left to right: only words after it can lose the colours they had.
    """
    return f"{NEW_STYLE} style, {name}, {SUBJECTS[name]}"


def _write_flawed(folder: Path, sources: artwork.Sources, by_name: dict[str, Concept]) -> None:
    sideways = folder / f"{SIDEWAYS}.jpg"
    orientation = Image.Exif()
    orientation[ORIENTATION] = QUARTER_TURN_RIGHT
    with open_atomic(sideways) as stream:
        upright = _picture(sources, by_name[SIDEWAYS])
        upright.transpose(Image.Transpose.ROTATE_90).save(stream, "JPEG", quality=90, exif=orientation)
    truncated = folder / f"{TRUNCATED}.png"
    _write_picture(truncated, sources, by_name[TRUNCATED])
    whole = truncated.read_bytes()
    write_atomic(truncated, whole[: len(whole) * 6 // 10])
    _write_picture(folder / f"{UNCAPTIONED}.png", sources, by_name[UNCAPTIONED])
    for path, name in ((sideways, SIDEWAYS), (truncated, TRUNCATED)):
        write_atomic(path.with_suffix(".txt"), caption(name) + "\n")


def _write_picture(path: Path, sources: artwork.Sources, concept: Concept) -> None:
    with open_atomic(path) as stream:
        _picture(sources, concept).save(stream, "PNG", optimize=True)


def _picture(sources: artwork.Sources, concept: Concept) -> Image.Image:
    drawn = sources.draw(concept, NEW_STYLE)
    assert drawn is not None, concept.name
    return artwork.on_white(drawn, SIZE).convert("L")
