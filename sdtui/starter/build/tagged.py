"""The tagger's pictures: every emoji there is, people and flags too, in every style that has it, with its tags."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sdtui.starter.build import artwork, vocabulary
from sdtui.starter.build.artwork import STYLES, Concept
from sdtui.starter.build.fetch import NAMES

HELD_OUT_PERCENT = 20
# Of 300 splits the one that leaves the most tags with 10 emoji to learn from and 2 to measure on.
SPLIT = 248
CHECK_SPLIT = 1
LEAST_EMOJI = 10


@dataclass(frozen=True)
class TaggedPictures:
    """Pixels (N, 3, 64, 64) uint8, labels (N, tags) of 0 and 1, which emoji each shows (N,), and two masks (N,).

    `held_out` are for measuring only. `checked` are a fifth of the rest, on which the tags worth having are found.

    `tags` are those that at least ten emoji of the training part have.
    """

    pixels: Tensor
    labels: Tensor
    emoji: Tensor
    held_out: Tensor
    checked: Tensor
    tags: list[str]


def load(work: Path) -> TaggedPictures:
    """Read `<work>/tagged.pt`, rendering it first if it is not there; labels follow the vocabulary as it is now."""
    path = work / "tagged.pt"
    if not path.exists():
        _render(work, path)
    stored: dict[str, Any] = torch.load(path, weights_only=True)
    concepts, emoji, style = stored["concepts"], stored["emoji"], stored["style"]
    sources = vocabulary.read_tags()
    rows = []
    for number, of_style, seen in zip(emoji.tolist(), style.tolist(), stored["colours"], strict=True):
        concept = concepts[number]
        visible = {
            tag for tag, places in sources.items() if vocabulary.holds(places, concept["keywords"], concept["subgroup"])
        }
        rows.append(visible | set(seen) | {vocabulary.STYLE_TAGS[of_style]})
    tags = [*sources, *vocabulary.COLOURS, *vocabulary.STYLE_TAGS]
    labels = torch.tensor([[float(tag in row) for tag in tags] for row in rows])
    apart = torch.tensor([is_held_out(concept["name"]) for concept in concepts])[emoji]
    checked = torch.tensor([_is_drawn(concept["name"], CHECK_SPLIT) for concept in concepts])[emoji] & ~apart
    kept = [
        column for column in range(len(tags)) if len(emoji[~apart & (labels[:, column] > 0)].unique()) >= LEAST_EMOJI
    ]
    return TaggedPictures(stored["pixels"], labels[:, kept], emoji, apart, checked, [tags[column] for column in kept])


def is_held_out(name: str) -> bool:
    """Whether the emoji is kept for measuring, together with all its twins: decided by a checksum of the family."""
    return _is_drawn(name, SPLIT)


def _is_drawn(name: str, split: int) -> bool:
    return zlib.crc32(f"{split} {vocabulary.family(name)}".encode()) % 100 < HELD_OUT_PERCENT


def _render(work: Path, target: Path) -> None:
    sources = artwork.Sources(work / "packages")
    concepts, pixels, owner, colours = [], [], [], []
    for row in _emoji(work / "packages"):
        drawn = list(_draw(sources, row))
        if not drawn:
            continue
        concepts.append(row)
        for style, picture in drawn:
            pixels.append(picture)
            owner.append((len(concepts) - 1, style))
            colours.append(sorted(vocabulary.colours_of(picture)))
    index = torch.tensor(owner)
    print(f"tagger: {len(concepts)} emoji, {len(pixels)} pictures", flush=True)
    torch.save(
        {
            "concepts": concepts,
            "pixels": torch.stack(pixels),
            "emoji": index[:, 0].clone(),
            "style": index[:, 1].clone(),
            "colours": colours,
        },
        target,
    )


def _emoji(packages: Path) -> Iterator[dict[str, Any]]:
    english = packages / NAMES.folder / "package" / "en"
    subgroups = {row["order"]: row["key"] for row in json.loads((english / "messages.json").read_bytes())["subgroups"]}
    for row in json.loads((english / "data.json").read_bytes()):
        if "subgroup" in row:
            yield {
                "name": row["label"],
                "hexcode": row["hexcode"],
                "keywords": sorted(row.get("tags", ())),
                "subgroup": subgroups[row["subgroup"]],
            }


def _draw(sources: artwork.Sources, row: dict[str, Any]) -> Iterator[tuple[int, Tensor]]:
    concept = Concept(row["name"], row["hexcode"], "", (), known=False, held_out=False)
    # Where an emoji comes in skin tones, the artwork's plain one has a file name of its own.
    plain = replace(concept, name=f"{row['name']} default")
    for number, style in enumerate(STYLES):
        picture = sources.draw(concept, style) or sources.draw(plain, style)
        if picture is not None:
            yield number, artwork.as_tensor(picture)
