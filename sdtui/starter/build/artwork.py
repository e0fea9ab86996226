"""Stage `render`: every emoji in four styles as 64×64 pixels on white, with names and tags, in one file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from sdtui.starter.build.fetch import FLUENT, FLUENT_3D, NAMES, NOTO

SIZE = 64
BASE_STYLES = ("flat", "3d", "noto")
NEW_STYLE = "linocut"
STYLES = (*BASE_STYLES, NEW_STYLE)
# Signs, flags, people and body parts vary too little or too much to be drawn at 64 pixels.
LEFT_OUT_GROUPS = {"component", "flags", "people-body"}
HELD_OUT_EVERY = 20


@dataclass(frozen=True)
class Concept:
    """One emoji: its name, keyword tags, and whether the base model learns it or the autoencoder is tested on it."""

    name: str
    hexcode: str
    group: str
    tags: tuple[str, ...]
    known: bool
    held_out: bool


@dataclass(frozen=True)
class Artwork:
    """All pictures: `pixels` (N, 3, 64, 64) uint8; `concept` and `style` (N,) index into `concepts` and STYLES."""

    concepts: list[Concept]
    pixels: torch.Tensor
    concept: torch.Tensor
    style: torch.Tensor

    def rows(self, keep: Callable[[Concept, str], bool]) -> torch.Tensor:
        """Row numbers of the pictures that `keep` says yes to."""
        chosen = [
            row
            for row, (concept, style) in enumerate(zip(self.concept.tolist(), self.style.tolist(), strict=True))
            if keep(self.concepts[concept], STYLES[style])
        ]
        return torch.tensor(chosen)


def as_float(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels in 0…255 as the model's −1…1."""
    return pixels.float() / 127.5 - 1


def render(work: Path) -> None:
    """Render to `<work>/artwork.pt` unless it is there."""
    target = work / "artwork.pt"
    if target.exists():
        return
    sources = Sources(work / "packages")
    concepts: list[Concept] = []
    pictures: list[torch.Tensor] = []
    owner: list[tuple[int, int]] = []
    for concept in _concepts(work / "packages"):
        drawn = [sources.draw(concept, style) for style in STYLES]
        if any(picture is None for picture in drawn):
            continue
        concepts.append(concept)
        for style, picture in enumerate(drawn):
            assert picture is not None
            pictures.append(as_tensor(picture))
            owner.append((len(concepts) - 1, style))
    unknown = _wanted() - {concept.name for concept in concepts}
    print(f"{len(concepts)} concepts, {len(pictures)} pictures; in the list but not in every style: {sorted(unknown)}")
    index = torch.tensor(owner)
    torch.save(
        {
            "concepts": [vars(concept) for concept in concepts],
            "pixels": torch.stack(pictures),
            "concept": index[:, 0].clone(),
            "style": index[:, 1].clone(),
        },
        target,
    )


def load(work: Path) -> Artwork:
    """The rendered pictures."""
    stored: dict[str, Any] = torch.load(work / "artwork.pt", weights_only=True)
    concepts = [Concept(**{**row, "tags": tuple(row["tags"])}) for row in stored["concepts"]]
    return Artwork(concepts, stored["pixels"], stored["concept"], stored["style"])


def _wanted() -> set[str]:
    lines = Path(__file__).with_name("concepts.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def _concepts(packages: Path) -> list[Concept]:
    english = packages / NAMES.folder / "package" / "en"
    groups = {row["order"]: row["key"] for row in json.loads((english / "messages.json").read_bytes())["groups"]}
    wanted = _wanted()
    found = []
    for position, row in enumerate(json.loads((english / "data.json").read_bytes())):
        group = groups.get(row.get("group"), "component")
        known = row["label"] in wanted
        if group in LEFT_OUT_GROUPS and not known:
            continue
        held_out = not known and position % HELD_OUT_EVERY == 0
        found.append(Concept(row["label"], row["hexcode"], group, tuple(row.get("tags", ())), known, held_out))
    return found


class Sources:
    """Where each style's pictures lie in the unpacked packages, and how they are drawn."""

    def __init__(self, packages: Path) -> None:
        self.fluent = packages / FLUENT.folder / "package" / "icons"
        self.glossy = _by_code_point(packages / FLUENT_3D.folder / "package" / "assets", ".webp")
        self.noto = _by_code_point(packages / NOTO.folder / "package" / "img" / "google" / "64", ".png")

    def draw(self, concept: Concept, style: str) -> Image.Image | None:
        """The picture, or None where the package lacks it."""
        if style in {"flat", NEW_STYLE}:
            folder = self.fluent / ("flat" if style == "flat" else "high-contrast")
            path = folder / f"{slug(concept.name)}.svg"
            return _vector(path) if path.exists() else None
        raster = (self.glossy if style == "3d" else self.noto).get(_plain(concept.hexcode))
        return Image.open(raster) if raster else None


def _plain(hexcode: str) -> str:
    # FE0F only asks for the colourful variant; packages disagree on writing it.
    return hexcode.lower().replace("-fe0f", "")


def _by_code_point(folder: Path, ending: str) -> dict[str, Path]:
    return {_plain(path.stem): path for path in sorted(folder.glob(f"*{ending}"))}


def _vector(path: Path) -> Image.Image:
    import resvg_py

    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=256, height=256))))


def slug(name: str) -> str:
    """The name as the packages' file names write it."""
    return name.lower().replace(" ", "-").replace("’", "").replace(":", "").replace(".", "")


def on_white(picture: Image.Image, size: int) -> Image.Image:
    """The picture on white, `size` × `size` pixels."""
    rgba = picture.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return flat.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def as_tensor(picture: Image.Image) -> torch.Tensor:
    """The picture on white as pixels (3, 64, 64) uint8."""
    import numpy as np

    return torch.from_numpy(np.asarray(on_white(picture, SIZE)).copy()).permute(2, 0, 1)  # (3, 64, 64)
