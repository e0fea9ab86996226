"""What keeps a sound profile from training on this machine: its base model's files, its device, its dataset."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sdtui.cli.output import count_text
from sdtui.dataset.class_caption import missing_trigger
from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.names import printable
from sdtui.dataset.problem import Kind, Problem
from sdtui.errors import UserError
from sdtui.models.hub import located
from sdtui.models.layout import base_problems, vae_problems
from sdtui.profile.check import check_file
from sdtui.profile.problem import Finding, ProfileError
from sdtui.profile.schema import Profile

# Without one of these no driver can be reached: NVIDIA's, its one for Jetson, Windows' for WSL, AMD's.
_GPU_NODES = ("nvidia[0-9]*", "nvhost-*", "nvgpu", "dxg", "kfd")

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


def checked(path: Path, overrides: list[str]) -> Profile:
    """A profile without errors in itself, its base model and device, warnings told; the dataset is for the collector.

    Raises:
        ProfileError: the profile has errors; all are listed.
        UserError: the file cannot be read.
    """
    report = check_file(path, overrides, (model_findings, device_findings))
    for problem in report.warnings:
        print(problem, file=sys.stderr)
    if report.profile is None:
        raise ProfileError(path, report.problems)
    return report.profile


def model_findings(profile: Profile) -> Iterator[Finding]:
    """What is wrong with the files of the base model and of the VAE in its place."""
    model = profile.model
    base = located(model.base)
    if base.is_absolute():  # else it will be downloaded, and is judged then
        yield from (_of_model("model.base", each) for each in base_problems(base, own_vae=not model.vae))
    if model.vae:
        yield from (_of_model("model.vae", each) for each in vae_problems(Path(model.vae)))


def device_findings(profile: Profile, devices: Path = Path("/dev")) -> Iterator[Finding]:
    """What can be said of the device without PyTorch: whether there can be one; what it can do, the trainer says."""
    training = profile.training
    apple = sys.platform == "darwin"
    gpu = any(next(devices.glob(node), None) for node in _GPU_NODES)
    if training.device.startswith("cuda") and (apple or not gpu):
        yield Finding(
            "no-device", "training.device", f"training.device is {training.device}, and this machine has no such GPU",
            'Set training.device = "auto" to train on what there is',
        )  # fmt: skip
    if training.device == "mps" and not apple:
        yield Finding(
            "no-device", "training.device", "training.device is mps, and this machine has no Apple GPU",
            'Set training.device = "auto" to train on what there is',
        )  # fmt: skip
    processor = training.device == "cpu" or (training.device == "auto" and not (apple or gpu))
    if training.precision == "fp16" and processor:
        yield Finding(
            "no-device", "training.precision", "fp16 needs a GPU, and the training runs on the processor",
            'Set training.precision = "bf16" or "fp32"',
        )  # fmt: skip


def dataset_findings(profile: Profile) -> Iterator[Finding]:
    """What is wrong with the dataset: one finding for each folder and kind, naming the first file."""
    collection = collect(profile)
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


def _of_model(key: str, problem: UserError) -> Finding:
    return Finding("bad-model", key, f"{key}: {problem.where}: {problem.message}", problem.remedy or "")


def _of_dataset(row: int, problems: list[Problem], blocking: set[Problem]) -> Finding:
    first = problems[0]
    more = f" (and {count_text(len(problems) - 1)} more)" if len(problems) > 1 else ""
    message = f"{printable(first.path)}: {first.message}{more}"
    key = f"dataset.folders[{row}].{_SETTING.get(first.kind, 'path')}"
    return Finding(first.kind, key, message, first.remedy, severity="error" if first in blocking else "warning")


def _row(profile: Profile, problem: Problem) -> int:
    """The first of the profile's folders that the problem lies in."""
    folders = [(Path(folder.masks or folder.path), Path(folder.path)) for folder in profile.dataset.folders]
    return next((row for row, places in enumerate(folders) if any(map(problem.path.is_relative_to, places))), 0)
