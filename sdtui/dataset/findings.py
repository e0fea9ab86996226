"""The dataset's problems as findings about the profile's settings, and as lines with what comes of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from sdtui.dataset.class_caption import missing_trigger
from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.names import printable
from sdtui.dataset.problem import Kind, Problem
from sdtui.dataset.survey import folder_plans
from sdtui.dataset.words import word_findings
from sdtui.profile.plan import undivided_folders
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile

MOST = 20
"""So many problems of one kind in one folder are told one by one."""

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
    "stray-mask": "masks",
    "no-alpha": "alpha_mask",
}


def dataset_findings(profile: Profile) -> Iterator[Finding]:
    """What is wrong with the dataset, as `findings_of` has it."""
    yield from findings_of(profile, collect(profile))


def all_dataset_findings(profile: Profile) -> Iterator[Finding]:
    """The same for scripts, however many problems there are."""
    yield from findings_of(profile, collect(profile), most=None)


def findings_of(profile: Profile, collection: Collection, most: int | None = MOST) -> Iterator[Finding]:
    """What is wrong with a dataset that was looked at; of a folder's problems of one kind the first `most`, and how many more."""
    blocking = set(collection.blocking(profile))
    rows = sorted(collection.problems, key=lambda each: (_row(profile, each), each.kind))
    for (row, _), group in groupby(rows, key=lambda each: (_row(profile, each), each.kind)):
        yield from _of_kind(row, list(group), blocking, most)
    if not blocking and not collection.training:
        yield Finding("no-images", "dataset.folders", "the dataset has no image that can be trained")
    of_words = list(word_findings(profile, collection))
    yield from of_words
    if any(finding.code == "bad-template" for finding in of_words):
        return
    if missing := missing_trigger(profile, collection.training):
        yield Finding("no-trigger", "prior.trigger", missing, severity="warning")
    if undivided := undivided_folders(profile, list(folder_plans(collection))):
        yield Finding("not-divided", "validation.share", undivided, severity="warning")


def dataset_lines(profile: Profile, collection: Collection) -> list[str]:
    """The dataset's problems, a line each, with what comes of it under the profile's own settings."""
    blocking = set(collection.blocking(profile))
    return [_line(problem, stops=problem in blocking) for problem in collection.problems]


def _line(problem: Problem, *, stops: bool) -> str:
    if stops:
        return f"error: {problem}"
    outcome = _OUTCOME.get(problem.kind)
    return (
        f"warning: {problem}" if outcome is None else f"warning: {printable(problem.path)}: {problem.message}{outcome}"
    )


def _of_kind(row: int, problems: Sequence[Problem], blocking: set[Problem], most: int | None) -> Iterator[Finding]:
    yield from (_finding(row, problem, blocking) for problem in problems[:most])
    if most is not None and len(problems) > most:
        last = _finding(row, problems[-1], blocking)
        what = last.code.replace("-", " ")
        message = f"{len(problems) - most} more of the same kind ({what}); check --json lists all"
        yield Finding(last.code, last.key, message, severity=last.severity)


def _finding(row: int, problem: Problem, blocking: set[Problem]) -> Finding:
    key = f"dataset.folders[{row}].{_SETTING.get(problem.kind, 'path')}"
    message = f"{printable(problem.path)}: {problem.message}"
    return Finding(problem.kind, key, message, problem.remedy, severity="error" if problem in blocking else "warning")


def _row(profile: Profile, problem: Problem) -> int:
    """The first of the profile's folders that the problem lies in."""
    folders = [(Path(folder.masks or folder.path), Path(folder.path)) for folder in profile.dataset.folders]
    return next((row for row, places in enumerate(folders) if any(map(problem.path.is_relative_to, places))), 0)
