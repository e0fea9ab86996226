"""The dataset's problems as findings about the profile's settings, and as lines with what comes of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sdtui.dataset.class_caption import missing_trigger
from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.names import printable
from sdtui.dataset.problem import Kind, Problem
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile

# What comes of a problem that the profile tolerates.
_OUTCOME: dict[Kind, str] = {
    "unreadable-image": ": the image is skipped",
    "unreadable-mask": ": its image is skipped",
    "missing-caption": ": trained with an empty caption",
    "empty-caption": ": trained with an empty caption",
}

# Which setting of the folder a problem is about, where it is not the folder itself.
_SETTING: dict[Kind, str] = {
    "bad-layout": "layout",
    "bad-masks": "masks",
    "mask-shape": "masks",
    "unreadable-mask": "masks",
}


def dataset_findings(profile: Profile) -> Iterator[Finding]:
    """What is wrong with the dataset: one finding for each folder and kind, naming the first file."""
    yield from findings_of(profile, collect(profile))


def findings_of(profile: Profile, collection: Collection) -> Iterator[Finding]:
    """The same of a dataset that was looked at before."""
    blocking = set(collection.blocking(profile))
    rows = sorted(collection.problems, key=lambda each: (_row(profile, each), each.kind))
    for (row, _), group in groupby(rows, key=lambda each: (_row(profile, each), each.kind)):
        yield _of_dataset(row, list(group), blocking)
    if not collection.problems and not collection.training:
        yield Finding("no-images", "dataset.folders", "the dataset has no image that can be trained")
    if missing := missing_trigger(profile, collection.training):
        yield Finding("no-trigger", "prior.trigger", missing, severity="warning")


def dataset_lines(profile: Profile, collection: Collection) -> list[str]:
    """The dataset's problems, a line each, with what comes of it under the profile's own settings."""
    blocking = set(collection.blocking(profile))
    return [_line(problem, stops=problem in blocking) for problem in collection.problems]


def _line(problem: Problem, *, stops: bool) -> str:
    if stops:
        return f"error: {problem}"
    return f"warning: {printable(problem.path)}: {problem.message}{_OUTCOME.get(problem.kind, '')}"


def _of_dataset(row: int, problems: list[Problem], blocking: set[Problem]) -> Finding:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"{printable(first.path)}: {first.message}{more}"
    key = f"dataset.folders[{row}].{_SETTING.get(first.kind, 'path')}"
    return Finding(first.kind, key, message, first.remedy, severity="error" if first in blocking else "warning")


def _row(profile: Profile, problem: Problem) -> int:
    """The first of the profile's folders that the problem lies in."""
    folders = [(Path(folder.masks or folder.path), Path(folder.path)) for folder in profile.dataset.folders]
    return next((row for row, places in enumerate(folders) if any(map(problem.path.is_relative_to, places))), 0)
