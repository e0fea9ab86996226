"""What of a profile's words the base model cannot have, found without PyTorch: names that it knows, files of another family."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from sdtui.errors import UserError
from sdtui.models.recognise import Found
from sdtui.models.tokens import token_ids
from sdtui.models.weights import read_contents
from sdtui.profile.naming import PICTURE_TENSOR, PICTURE_TEXT
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile
from sdtui.profile.sections.method import Word

_PICTURES = (".png", ".webp")
_ONE_TABLE = ("webui", "webui-png", "webui-webp")


def word_findings(profile: Profile, found: Found, configs: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether each word is new to the model and starts with vectors that fit it, and is written in a way that has room."""
    widths = [configs[each.component].get("hidden_size") for each in found.family.encoders]
    for number, word in enumerate(profile.method.words):
        key = f"method.words[{number}]"
        if len(token_ids(word.name)) == 1:
            message, remedy = known_word(word.name)
            yield Finding("known-word", f"{key}.name", f"{key}.name: {message}", remedy)
        if word.continue_from and all(widths):
            yield from _of_file(word, [int(width) for width in widths if width], f"{key}.continue_from")
    if profile.method.words and len(widths) > 1:
        for index, layout in enumerate(profile.saving.word_formats):
            if layout in _ONE_TABLE:
                where = "saving.word_formats"
                message = f'"{layout}" in {where} has room for one text encoder, and {found.family.title} has two'
                yield Finding("contradiction", where, message, 'Write "kohya"', '"kohya"', at=f"{where}[{index}]")


def known_word(name: str) -> tuple[str, str]:
    """What is wrong with the name of a word that is in the vocabulary, and what to do."""
    return f'"{name}" is a word of the text encoder already', f'Choose one that it does not know, such as "my-{name}"'


def unfit(name: str, found: Sequence[int], widths: Sequence[int]) -> tuple[str, str]:
    """What is wrong with vectors of these lengths for text encoders of other `widths`, and what to do."""
    has, needs = (" and ".join(map(str, each)) for each in (found, widths))
    return (
        f"the vectors of {name!r} have {has} values, and the model's text encoder {needs}",
        "An embedding works with models of the family it was trained on: SD 1 has 768, SD 2 1024, XL 768 and 1280",
    )


def _of_file(word: Word, widths: Sequence[int], key: str) -> Iterator[Finding]:
    """What is wrong with the file that a word goes on from."""
    path = Path(word.continue_from)
    if not path.is_file():
        return
    try:
        shapes = _pictured(path) if path.suffix.lower() in _PICTURES else _stored(path)
    except UserError as error:
        yield Finding("bad-embedding", key, f"{key}: {path.name}: {error.message}", error.remedy or "")
        return
    if shapes is None:
        return
    sides = [(1, *shape) if len(shape) == 1 else shape for shape in shapes]
    if not sides or any(len(side) != 2 for side in sides):
        yield Finding("bad-embedding", key, f"{key}: {path.name} holds no embedding", "Name another file")
    elif [side[1] for side in sides] != list(widths):
        message, remedy = unfit(word.name, [side[1] for side in sides], widths)
        yield Finding("bad-embedding", key, f"{key}: {message}", remedy)
    elif sides[0][0] != word.vectors:
        message = f"{key}: {path.name} has {sides[0][0]} vectors, and vectors is {word.vectors}"
        yield Finding("bad-embedding", key, message, f"Set vectors = {sides[0][0]}")


def _stored(path: Path) -> list[tuple[int, ...]]:
    """Shapes of what a file of tensors holds: clip_l stands before clip_g, as the text encoders do."""
    contents = read_contents(path, word=True)
    return [contents.shape(name) or () for name in sorted(contents.weights, reverse=True)]


def _pictured(path: Path) -> list[tuple[int, ...]] | None:
    """The same of a picture, by the text beside its pixels; None without such a text: the trainer reads the pixels."""
    try:
        with Image.open(path) as image:
            text = image.info.get(PICTURE_TEXT)
        (vectors,) = json.loads(base64.b64decode(text))["string_to_param"].values() if text else (None,)
        return None if vectors is None else [(len(vectors[PICTURE_TENSOR]), len(vectors[PICTURE_TENSOR][0]))]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []
