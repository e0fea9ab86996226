"""What the tagger may say of a picture: visible tags of the emoji, the colours of the very picture, and its style."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor

from sdtui.starter.build.artwork import STYLES

RATINGS = ("general", "sensitive", "questionable", "explicit")
STYLE_TAGS = tuple(f"{style} style" for style in STYLES)
# Hue in degrees where each colour ends; red goes on from 345.
HUES = ((15, "red"), (40, "orange"), (68, "yellow"), (165, "green"), (255, "blue"), (295, "purple"), (345, "pink"))
GREYS = ("black", "grey")
COLOURS = (*(name for _end, name in HUES), "brown", *GREYS, "monochrome")
COLOUR_SHARE = 0.2
# Twins: emoji that differ in these words only are drawn alike, so all are learned or all held out.
TWIN_WORDS = frozenset(
    {"man", "men", "woman", "women", "person", "people", "boy", "girl", "boys", "girls", "mr", "mrs"}
    | {"baby", "child", "adult", "older", "old", "large", "medium", "small", "medium-small", "heavy"}
    | {"red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey"}
    | {"light", "dark", "up", "down", "left", "right", "left-right", "up-down", "up-right", "up-left"}
    | {"down-right", "down-left", "facing", "pointing", "upwards", "downwards", "upper", "lower"}
)
SERIES = (
    (re.compile(r"o’clock|-thirty"), "clock face"),
    (re.compile(r"^keycap"), "keycap"),
    (re.compile(r"^globe"), "globe"),
    (re.compile(r"moon"), "moon"),
    (re.compile(r"^japanese .*button"), "japanese button"),
    (re.compile(r"^(family|kiss|couple with heart)"), "couples and families"),
    (re.compile(r"holding hands"), "couples and families"),
)


def family(name: str) -> str:
    """The name without what tells twins apart: `woman astronaut` and `astronaut` are one family, as are all clocks."""
    lowered = name.lower()
    for pattern, common in SERIES:
        if pattern.search(lowered):
            return common
    words = [word for word in re.findall(r"[\w’-]+", lowered) if word not in TWIN_WORDS]
    return " ".join(words) or lowered


def read_tags() -> dict[str, tuple[str, ...]]:
    """Tag to its sources, from `tags.txt`."""
    lines = Path(__file__).with_name("tags.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" = ") for line in lines if line and not line.startswith("#"))
    return {tag: tuple(sources.split(", ")) for tag, sources in pairs}


def holds(sources: Collection[str], keywords: Collection[str], subgroup: str) -> bool:
    """Whether an emoji with these keywords and this subgroup has the tag of these sources."""
    return any(subgroup.startswith(source[1:]) if source.startswith("@") else source in keywords for source in sources)


def colours_of(pixels: Tensor) -> set[str]:
    """Names of the colours that cover a fifth or more of what is drawn in `pixels` (3, h, w) uint8 on white."""
    red, green, blue = (pixels.float() / 255).flatten(1)
    high, low = torch.maximum(red, torch.maximum(green, blue)), torch.minimum(red, torch.minimum(green, blue))
    spread = high - low
    drawn = (low < 0.94).nonzero()[:, 0]
    if not len(drawn):
        return set()
    safe = spread.clamp(min=1e-6)
    hue = torch.where(
        high == red,
        (green - blue) / safe % 6,
        torch.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    found = [_name(*values) for values in torch.stack([60 * hue, spread, high], dim=1)[drawn].tolist()]
    names = {name for name in COLOURS if found.count(name) >= COLOUR_SHARE * len(found)}
    return names | ({"monochrome"} if float(spread[drawn].max()) < 0.1 else set())


def _name(hue: float, spread: float, high: float) -> str:
    """The colour of one pixel: hue in degrees, spread (highest less lowest channel) and highest channel in 0…1."""
    if spread < 0.12:
        return "black" if high < 0.3 else "grey" if high < 0.85 else "white"
    if 10 <= hue < 45 and high < 0.72:
        return "brown"
    return next((name for end, name in HUES if hue < end), "red")
