"""Class images that the base model draws (DreamBooth): what they are made of, where they lie, which are still to be drawn.

A folder that asks for so many images (`generate`) counts those that the user has put into it, and the base model draws
the rest into a folder inside it. That folder's name tells base model, prompt and all else that decides about the
pictures: another base or prompt draws its own, and finds its own again. A picture follows from its number alone, so
whichever process draws it, and however often that was killed, it is the same one. Numbers are never used a second time
while a higher one is there: instead of a picture that its owner threw away another one is drawn.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.layout import Layout, Part
from sdtui.dataset.library import Library
from sdtui.dataset.problem import Problem
from sdtui.dataset.scan import Listing
from sdtui.profile.folder_rules import resolutions_of
from sdtui.profile.hub import cached_model, is_hub_name
from sdtui.profile.schema import Folder, Profile

CODE_VERSION = 1
"""Raised whenever the same picture would be drawn differently than before."""

_PREFIX = "generated-"
_NAME = re.compile(r"(\d{6})\.png")
_WEIGHTS = (".safetensors", ".ckpt", ".pt", ".bin")
# Parts of a model whose weights decide about a picture.
_PARTS = ("unet", "text_encoder", "text_encoder_2", "vae")
# Of a file of weights: so many pieces of so many bytes, from its beginning to its end.
_PIECES, _PIECE = 32, 1 << 14


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the pictures of one folder are made of; each has its number as its seed."""

    prompt: str
    negative: str
    side: int
    steps: int
    guidance: float
    sampler: str
    clip_skip: int
    max_tokens: int
    weighted: bool


class Missing(NamedTuple):
    """A picture that is to be drawn."""

    row: int  # of dataset.folders
    number: int
    path: Path


class Stock(NamedTuple):
    """A folder's own images, those that the base model drew for it, and those that it has yet to draw.

    Args:
        own: images that the user put there; positions in their library.
        drawn: of the pictures that are there, as many as are asked for.
        missing: pictures that are not.
    """

    own: tuple[Part, Library, tuple[int, ...]]
    drawn: tuple[Part, Library, tuple[int, ...]]
    missing: tuple[Missing, ...]


def recipe_of(profile: Profile, row: int) -> Recipe:
    """What the pictures of `dataset.folders[row]` are made of, but for the base model."""
    prior, captions = profile.prior, profile.captions
    return Recipe(
        prompt=profile.dataset.folders[row].class_tokens,
        negative=prior.generate_negative,
        side=max(resolutions_of(profile, row)) // 8 * 8,
        steps=prior.generate_steps,
        guidance=prior.generate_guidance,
        sampler=prior.generate_sampler,
        clip_skip=captions.clip_skip,
        max_tokens=captions.max_tokens,
        weighted=captions.weighted,
    )


def layout_of(profile: Profile, row: int) -> Layout:
    """A folder with class images: itself, and inside it the folder of those that are drawn; neither need be there."""
    folder = profile.dataset.folders[row]
    own = Part(Path(folder.path), folder.path, folder.repeats, folder.class_tokens)
    inside = os.path.join(folder.path, _PREFIX + _key(profile, row))
    drawn = Part(Path(inside), inside, folder.repeats, folder.class_tokens)
    return Layout(row, folder.path, "flat", (own, drawn))


def stock_of(profile: Profile, layout: Layout, problems: list[Problem]) -> Stock:
    """What there is of a folder's class images and what is to be drawn.

    Raises:
        DatasetError: a folder is there and may not be read, or is none.
    """
    folder, (own, drawn) = profile.dataset.folders[layout.row], layout.parts
    supplied = _listed(own.path, profile, recursive=folder.recursive)
    problems += [
        Problem("unreadable-folder", own.path / inner, "no permission to read the folder", "Check its owner and mode")
        for inner in supplied.unreadable_folders
    ]
    mine = tuple(at for at in range(len(supplied)) if not supplied[at].relative.startswith(_PREFIX))
    pictures = _listed(drawn.path, profile, recursive=False)
    numbered = {int(found[1]): at for at, name in enumerate(pictures.names) if (found := _NAME.fullmatch(name))}
    wanted = max(0, folder.generate - len(mine))
    kept = tuple(at for _, at in sorted(numbered.items())[:wanted])
    after = max(numbered, default=0)
    missing = tuple(
        Missing(layout.row, after + more, drawn.path / f"{after + more:06d}.png")
        for more in range(1, wanted - len(kept) + 1)
    )
    return Stock((own, supplied, mine), (drawn, pictures, kept), missing)


def generating(folder: Folder) -> bool:
    """Whether class images are drawn into this folder."""
    return folder.generate > 0


def fingerprint(files: Iterable[Path]) -> str:
    """What tells files of weights from others: their sizes and pieces of each, as reading all takes seconds a gigabyte."""
    state = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            state.update(size.to_bytes(8, "big"))
            for piece in range(_PIECES):
                stream.seek(max(0, size - _PIECE) * piece // (_PIECES - 1))
                state.update(stream.read(_PIECE))
    return state.hexdigest()


def _listed(path: Path, profile: Profile, *, recursive: bool) -> Library:
    if not path.exists():
        return Library(Listing(path, ()))
    return Library.scan(path, recursive=recursive, extension=profile.captions.extension)


def _key(profile: Profile, row: int) -> str:
    """A name for all that decides about the pictures."""
    made_from = [
        CODE_VERSION,
        _weights(profile.model.base),
        _weights(profile.model.vae),
        asdict(recipe_of(profile, row)),
    ]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:12]


def _weights(base: str) -> str:
    """What tells one model from another; the name of one that is not here yet."""
    place = cached_model(base) if is_hub_name(base) and not os.path.exists(base) else Path(base)
    if not base or place is None or not place.exists():
        return base
    if place.is_file():
        return fingerprint([place])
    folders = [place / part for part in _PARTS if (place / part).is_dir()] or [place]
    return fingerprint(
        sorted(file for folder in folders for file in folder.iterdir() if file.suffix in _WEIGHTS and file.is_file())
    )
