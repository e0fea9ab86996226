"""Scores and tags that other programs stored: picobyte's db.json, toriato's json files, kohya's metadata, ranked captions.

Each becomes rows of (name of an image, tags with scores); which image a name means is `dataset.addresses`' to say.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdtui.dataset.caption import tag_words
from sdtui.dataset.metadata import Metadata
from sdtui.dataset.names import printable
from sdtui.dataset.tag_spelling import unescape
from sdtui.errors import UserError
from sdtui.tagging.tag_list import GENERAL, RATING, RATING_START, TagList, key

# picobyte's keys: SHA-256 of the image's pixels in hex, then the interrogator's name.
_HASH = 64
_RANKED = re.compile(r"\((.+):(\d(?:\.\d+)?)\)")


@dataclass
class Foreign:
    """What one tagger gave, by the name of each image.

    Attributes:
        tagger: what the other program calls it, or what kind of file it is.
        how: what is known of the preprocessing.
        rows: name of an image → tag → score.
        ratings: which of the tags are ratings.
        left_out: files that cannot be read, each with why.
    """

    tagger: str
    how: str
    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    ratings: set[str] = field(default_factory=set)
    left_out: list[UserError] = field(default_factory=list)

    def tags(self) -> TagList:
        """All tags in the order of the alphabet, ratings first; of spellings of one tag the first."""
        spelled: dict[str, str] = {}
        for tag in sorted({tag for row in self.rows.values() for tag in row}):
            if key(tag):
                spelled.setdefault(key(tag), tag)
        names = sorted(spelled.values(), key=lambda tag: (not self._rates(tag), tag))
        return TagList(tuple(names), tuple(RATING if self._rates(tag) else GENERAL for tag in names))

    def _rates(self, tag: str) -> bool:
        return tag in self.ratings or tag.startswith(RATING_START)


def read_foreign(path: Path) -> list[Foreign]:
    """What a file or folder holds, by tagger; the kind is told by what is in it.

    Args:
        path: picobyte's db.json, kohya's metadata (.json, .jsonl), or a folder of toriato's `<image>.json` files or of
            captions with ranks, `(tag:0.980)`.

    Raises:
        UserError: it is none of these, or cannot be read.
    """
    if path.is_dir():
        found = _read_folder(path)
    else:
        raw = _json(path) if path.suffix == ".json" else None
        picobyte = isinstance(raw, dict) and {"rating", "tag", "query"} <= raw.keys()
        found = _read_picobyte(path, raw) if picobyte and isinstance(raw, dict) else [_read_kohya(path)]
    found = [each for each in found if each.rows]
    if not found:
        raise UserError(
            "no scores or tags found",
            where=printable(path),
            remedy="Give picobyte's db.json, kohya's metadata, or a folder of toriato's json files or ranked captions",
        )
    return found


def decoded(stored: float) -> tuple[int, float]:
    """The number of the image and the score that picobyte keeps as their sum; a score is above 0 and at most 1."""
    number = math.ceil(stored) - 1
    return number, stored - number


def ranked(text: str) -> dict[str, float]:
    """Tags with the scores written beside them, `(long hair:0.981)`; others are none of the tagger's and left out."""
    found: dict[str, float] = {}
    for word in tag_words(text):
        if (match := _RANKED.fullmatch(word)) and float(match[2]) <= 1:
            found[unescape(match[1])] = float(match[2])
    return found


def _read_picobyte(path: Path, raw: Mapping[str, Any]) -> list[Foreign]:
    """`query` tells which number stands for which image and interrogator; each tag lists its sums of number and score."""
    images: dict[int, tuple[str, str]] = {}
    try:
        for entry, (name, number) in raw["query"].items():
            images[int(number)] = (entry[_HASH:], str(name))
        by_tagger: dict[str, Foreign] = {}
        for tagger, name in images.values():
            made = by_tagger.setdefault(tagger, Foreign(tagger or "picobyte", "picobyte's tagger"))
            made.rows.setdefault(name, {})
        for kind in ("rating", "tag"):
            for tag, sums in raw[kind].items():
                for number, score in map(decoded, sums):
                    if number in images:
                        tagger, name = images[number]
                        by_tagger[tagger].rows[name][tag] = score
                        if kind == "rating":
                            by_tagger[tagger].ratings.add(tag)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(f"a damaged db.json: {error}", where=printable(path)) from error
    return list(by_tagger.values())


def _read_kohya(path: Path) -> Foreign:
    metadata = Metadata.read(path)
    rows = {
        name: dict.fromkeys(tag_words(tags), 1.0)
        for name, row in metadata.rows.items()
        if isinstance(tags := row.get("tags"), str)
    }
    return Foreign("kohya-tags", "tags without scores from kohya's metadata", rows)


def _read_folder(path: Path) -> list[Foreign]:
    files = sorted(path.rglob("*.json"))
    toriato = Foreign("toriato-json", "toriato's tagger")
    for file in (file for file in files if ".sdtui" not in file.parts):
        try:
            pair = _json(file)
        except UserError as error:
            toriato.left_out.append(error)
            continue
        if not _is_pair(pair):
            continue
        ratings, tags = pair
        name = str(file.relative_to(path).with_suffix(""))
        toriato.rows[name] = {tag: float(score) for tag, score in (*ratings.items(), *tags.items())}
        toriato.ratings |= ratings.keys()
    captions = Foreign("ranked-captions", "scores written into captions")
    for file in sorted(path.rglob("*.txt")):
        try:
            scores = ranked(_text(file))
        except UserError as error:
            captions.left_out.append(error)
            continue
        if scores:
            captions.rows[str(file.relative_to(path).with_suffix(""))] = scores
    return [toriato, captions]


def _is_pair(found: object) -> bool:
    """Whether this is toriato's `[ratings, tags]`, each a score by tag."""
    return (
        isinstance(found, list)
        and len(found) == 2
        and all(isinstance(part, dict) and _are_scores(part.values()) for part in found)
    )


def _are_scores(values: Iterable[object]) -> bool:
    return all(isinstance(value, (int, float)) and 0 <= value <= 1 for value in values)


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"not JSON: {error}", where=printable(path)) from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"cannot read the scores: {error.strerror}", where=printable(path)) from error
    except UnicodeDecodeError as error:
        raise UserError("the file is not UTF-8", where=printable(path)) from error
