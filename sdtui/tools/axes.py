"""The sides of a grid of pictures: what changes from column to column and from row to row, in the words of A1111's X/Y plot."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.profile.samplers import SAMPLER_NAMES, nearest, sampler_called
from sdtui.tools.picture import Picture

Change = Callable[[Picture], Picture]
# 1-5, 1-5 (+2), 1-10 [5]: whole steps, steps of a size, so many values with both ends among them.
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})(?:\s*\(\s*([+-]\d+(?:\.\d+)?)\s*\)|\s*\[\s*(\d+)\s*\])?")
_MOST = 200
_NO_CHECKPOINTS = "Only runs have them, where saving.every_steps, every_epochs or every_minutes asked for some"
# Axes that are one number of a picture: its field, whether it is whole, the least and the most.
_FIELDS: dict[str, tuple[str, bool, float, float]] = {
    "seed": ("seed", True, 0, 2**32 - 1),
    "steps": ("steps", True, 1, 1000),
    "cfg": ("guidance", False, 0, 100),
    "clip_skip": ("clip_skip", True, 1, 12),
}
AXES = (*_FIELDS, "sampler", "strength", "prompt", "checkpoint")


@dataclass(frozen=True, slots=True)
class Axis:
    """One side: what its places are called, and what makes a picture that place's."""

    name: str
    places: Sequence[tuple[str, Change]]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A run's adapter and words in the states they were saved in.

    Args:
        finished: the file that a picture wears unless the axis says otherwise.
        steps: step → file, rising.
        words: embedding files by name, as a picture reads them unless the axis says otherwise.
        word_steps: step → the same.
    """

    finished: Path | None = None
    steps: Mapping[int, Path] = field(default_factory=dict)
    words: Mapping[str, Path] = field(default_factory=dict)
    word_steps: Mapping[int, Mapping[str, Path]] = field(default_factory=dict)


def parse_axis(text: str, checkpoints: Checkpoints) -> Axis:
    """Read `name=values`, such as `seed=1-4`, `cfg=5,7.5,10`, `strength=0-1 [5]`, `prompt=cat,dog` or `checkpoint=all`.

    Raises:
        UserError: the name is not known, or a value cannot be one of its.
    """
    name, equals, listed = text.partition("=")
    name = name.strip().lower()
    if name not in AXES or not equals:
        raise UserError(f"the axis is {text!r}", remedy=f"Write name=values, name being one of {', '.join(AXES)}")
    values = [value.strip() for value in next(csv.reader([listed], skipinitialspace=True), []) if value.strip()]
    if not values:
        raise UserError(f"the axis {name} has no values", remedy=f"Write {name}=…, values separated by commas")
    if name in _FIELDS:
        return Axis(name, _fields(name, values))
    if name == "sampler":
        return Axis(name, [(known, partial(_put, sampler=known)) for known in map(_sampler, values)])
    if name == "strength":
        return Axis(
            name, [(f"strength {number:.3g}", partial(_worn, strength=number)) for number in _numbers(name, values)]
        )
    if name == "checkpoint":
        return Axis(name, _steps(values, checkpoints))
    return Axis(name, [(word, partial(_said, sought=values[0], word=word)) for word in values])


def _fields(name: str, values: Sequence[str]) -> list[tuple[str, Change]]:
    key, whole, low, high = _FIELDS[name]
    places: list[tuple[str, Change]] = []
    for number in _numbers(name, values):
        if not low <= number <= high or (whole and number != int(number)):
            kind = "whole number" if whole else "number"
            raise UserError(f"{name} is {number:g}", remedy=f"Allowed: {kind} {low}…{high}")
        value: Any = int(number) if whole else number
        places.append((f"{name} {value}" if whole else f"{name} {value:g}", partial(_put, **{key: value})))
    return places


def _numbers(name: str, values: Sequence[str]) -> list[float]:
    numbers = [number for value in values for number in _expanded(name, value)]
    if len(numbers) > _MOST:
        raise UserError(f"the axis {name} has {len(numbers)} values", remedy=f"Choose up to {_MOST}")
    return numbers


def _expanded(name: str, text: str) -> list[float]:
    """A number, or the numbers of a range."""
    found = _RANGE.fullmatch(text)
    if found is None:
        try:
            return [float(text)]
        except ValueError:
            remedy = f"Write {name}=1,2,3 or {name}=1-5 or {name}=1-5 (+2) or {name}=1-10 [4]"
            raise UserError(f"{name} is {text!r}", remedy=remedy) from None
    first, last = float(found[1]), float(found[2])
    if found[4]:
        count = int(found[4])
        step = (last - first) / max(1, count - 1)
    else:
        step = float(found[3]) if found[3] else (1.0 if last >= first else -1.0)
        count = int((last - first) / step + 1e-9) + 1 if step else 0
    if not 0 < count <= _MOST:
        raise UserError(f"{name}: {text} is {max(count, 0)} values", remedy=f"Choose a range of 1…{_MOST}")
    return [round(first + step * at, 10) for at in range(count)]


def _sampler(text: str) -> str:
    known = sampler_called(text)
    if known is None:
        near = nearest(text)
        remedy = f"Did you mean {near}?" if near else f"There are {', '.join(SAMPLER_NAMES)}"
        raise UserError(f"the sampler {text!r} is not known", remedy=remedy)
    return known


def _steps(values: Sequence[str], checkpoints: Checkpoints) -> list[tuple[str, Change]]:
    known = checkpoints.steps or checkpoints.word_steps
    if not known:
        raise UserError("the axis checkpoint needs a run with checkpoints", remedy=_NO_CHECKPOINTS)
    chosen = list(known) if values == ["all"] else [int(value) if value.isdigit() else -1 for value in values]
    for step, value in zip(chosen, values, strict=False):
        if step not in known:
            there = ", ".join(map(str, known))
            raise UserError(f"the run has no checkpoint {value}", remedy=f"There are: {there}; or write all")
    return [(f"step {step}", partial(_of_step, checkpoints=checkpoints, step=step)) for step in chosen]


def _put(picture: Picture, **values: Any) -> Picture:
    return replace(picture, **values)


def _worn(picture: Picture, strength: float) -> Picture:
    if not picture.worn:
        raise UserError("the axis strength has no adapter to act on", remedy="Name one with --lora or in the prompt")
    return replace(picture, worn=tuple(one._replace(unet=strength, text=strength) for one in picture.worn))


def _of_step(picture: Picture, checkpoints: Checkpoints, step: int) -> Picture:
    """With the adapter and the words that the run had after so many steps."""
    old, new = checkpoints.finished, checkpoints.steps.get(step)
    worn = tuple(one._replace(file=new) if new and one.file == old else one for one in picture.worn)
    words = {**dict(picture.words), **checkpoints.word_steps.get(step, {})}
    return replace(picture, worn=worn, words=tuple(words.items()))


def _said(picture: Picture, sought: str, word: str) -> Picture:
    """The first value of the axis is looked for in the prompts, and each stands in its place in turn, itself among them."""
    if sought not in picture.prompt and sought not in picture.negative:
        raise UserError(f"the axis prompt looks for {sought!r}", remedy=f"It is not in {picture.prompt!r}")
    texts = {name: getattr(picture, name).replace(sought, word) for name in ("prompt", "text", "negative")}
    return replace(picture, **texts)
