"""What is asked for on the Samples screen, row by row: a `SampleTask` that is edited one setting at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.profile import devices
from sdtui.profile.prompt_line import Fault, fault_of
from sdtui.profile.samplers import SAMPLER_NAMES, nearest, sampler_called
from sdtui.runs.parameters import Parameters
from sdtui.runs.sample_task import SampleTask

NO_MODEL = SampleTask("")
# Rows of which there may be any number: the field of the task, and what one of it is called.
MANY = {"loras": "adapter", "folders": "adapters in", "words": "embedding", "prompts": "prompt"}
AXES = ("seed", "steps", "cfg", "clip_skip", "sampler", "strength", "prompt", "checkpoint")
# Rows that one option of the command stands for, which names it in what it refuses.
ONE_EACH = ("vae", "count", "clip_skip", "sampler", "device")
CHOICES: dict[str, Sequence[str]] = {
    "sampler": ("", *SAMPLER_NAMES),
    "precision": ("auto", "fp32", "bf16", "fp16"),
    "device": ("auto", "cpu", "cuda", "mps"),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a number: its limits, the step of a key press, where one begins, and whether it may be left open."""

    least: float
    most: float
    step: float
    first: float
    whole: bool = True
    open: bool = False


NUMBERS = {
    "width": Number(8, 4096, 64, 512, open=True),
    "height": Number(8, 4096, 64, 512, open=True),
    "steps": Number(1, 1000, 1, 20),
    "cfg": Number(0, 100, 0.5, 7.5, whole=False),
    "seed": Number(0, 2**32 - 1, 1, 0, open=True),
    "count": Number(1, 10_000, 1, 1),
    "clip_skip": Number(1, 12, 1, 1, open=True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form: a heading, or a setting (its name in the task and, of several, which).

    Attributes:
        value: as it is shown; "" where nothing is set.
        open: what is meant where nothing is set.
        help: one sentence.
    """

    name: str = ""
    at: int = -1
    label: str = ""
    value: str = ""
    open: str = ""
    help: str = ""

    @property
    def heading(self) -> bool:
        """Whether it is only a heading."""
        return not self.name

    @property
    def key(self) -> tuple[str, int]:
        """What makes it the same row after an edit."""
        return self.name, self.at


def rows_of(task: SampleTask) -> list[Row]:
    """The form."""
    loras = [_lora_words(text) for text in task.loras]
    return [
        Row(label="draws with"),
        Row("source", -1, "model", _source_words(task.source), "choose one", "A run with what it has made, or a base model."),
        *_many("loras", loras, "All pictures wear it; tags such as <lora:name:0.8> put one on for a prompt."),
        *_many("folders", [Path(text).name for text in task.folders], "Where <lora:name> in a prompt finds its file."),
        *_many("words", [Path(text).name for text in task.words], "Prompts call it by the name of its file."),
        Row("vae", -1, "VAE", Path(task.vae).name if task.vae else "", "the model's own", "A VAE in place of the model's own."),
        Row(label="prompts"),
        *_many("prompts", task.prompts, "(word:1.2) weighs, <lora:name:0.8> puts on, --w --h --s --l --d --n --ss set."),
        *([] if task.prompts else [Row("prompts", 0, "prompt", "", _no_prompt(task), "What to draw; a run has prompts of its own.")]),
        Row("negative", -1, "negative", task.negative, "nothing", "What to keep out of the picture."),
        Row(label="pictures"),
        _number(task, "count", "count", "", "Pictures of each prompt, seeds counted up."),
        _number(task, "seed", "seed", "the run's, or 0", "Of the first picture."),
        _number(task, "width", "width", "the model's own", "Pixels, a multiple of 8."),
        _number(task, "height", "height", "the model's own", "Pixels, a multiple of 8."),
        _number(task, "steps", "steps", "", "Of the sampler."),
        _number(task, "cfg", "guidance", "", "How much the prompt counts; 1: the negative prompt does nothing."),
        Row("sampler", -1, "sampler", task.sampler, "the run's, or ddim", "Left and right go through them."),
        _number(task, "clip_skip", "clip skip", "the run's, or 1", "Layer of the text encoder, from the end."),
        Row(label="sheet"),
        Row("x", -1, "columns", task.x, "none", _AXIS),
        Row("y", -1, "rows", task.y, "none", _AXIS),
        Row(label="machine"),
        Row("device", -1, "device", task.device, "", "auto, cpu, cuda, cuda:1 or mps."),
        Row("precision", -1, "precision", task.precision, "", "Of the UNet: auto, fp32, bf16 or fp16."),
    ]  # fmt: skip


_AXIS = f"name=values: seed=1-4, cfg=5,7.5, strength=0-1 [5], checkpoint=all; {', '.join(AXES)}."


def _many(name: str, values: Sequence[str], help_text: str) -> list[Row]:
    label = MANY[name]
    several = name == "prompts" and len(values) > 1
    return [
        Row(name, at, f"{label} {at + 1}" if several else label, value, "", help_text)
        for at, value in enumerate(values)
    ]


def _number(task: SampleTask, name: str, label: str, left_open: str, help_text: str) -> Row:
    value = getattr(task, name)
    return Row(
        name, -1, label, "" if value is None else f"{value:g}" if name == "cfg" else str(value), left_open, help_text
    )


def _no_prompt(task: SampleTask) -> str:
    return "the run's own" if is_run(task.source) else "write one"


def is_run(source: str) -> bool:
    """Whether the source is a run's folder, by its place: no file is looked at."""
    return Path(source).parent.name == "runs" or re.search(r"-\d{8}-\d{6}(-\d+)?$", source) is not None


def _source_words(source: str) -> str:
    path = Path(source)
    return f"run {path.name}" if is_run(source) else path.name or source


def _lora_words(text: str) -> str:
    file, strength = split_lora(text)
    path = Path(file)
    # All checkpoints' files are called alike.
    of_run = path.name == "adapter.safetensors"
    name = f"{path.parent.name} of {path.parent.parent.parent.name}" if of_run else path.stem
    return f"{strength:g}  {name}"


def split_lora(text: str) -> tuple[str, float]:
    """`FILE:STRENGTH` in its parts."""
    file, _, number = text.rpartition(":")
    try:
        return (file, float(number)) if file else (text, 1.0)
    except ValueError:
        return text, 1.0


# -- editing ----------------------------------------------------------------------------------------------------------


def typed(task: SampleTask, row: Row, text: str) -> SampleTask:
    """The task with what was typed into a row; nothing typed takes it out.

    Raises:
        UserError: it cannot stand there.
    """
    text = text.strip()
    if row.name in MANY:
        return _put(task, row, text)
    if row.name in NUMBERS:
        return _with(task, row.name, _read_number(row, text))
    if row.name == "sampler" and text:
        known = sampler_called(text)
        if known is None:
            near = nearest(text)
            raise UserError(f"the sampler {text!r} is not known", remedy=f"Did you mean {near}?" if near else "")
        text = known
    if row.name in {"x", "y"} and text and text.partition("=")[0].strip().lower() not in AXES:
        raise UserError(f"the axis is {text!r}", remedy=f"Write name=values, name being one of {', '.join(AXES)}")
    if row.name == "device" and text and not re.match(devices.PATTERN, text):
        raise UserError(f"the device is {text!r}", remedy=f"Allowed: {devices.ALLOWED}")
    if row.name == "precision" and text and text not in CHOICES["precision"]:
        raise UserError(f"the precision is {text!r}", remedy=f"There are {', '.join(CHOICES['precision'])}")
    return _with(task, row.name, text or getattr(NO_MODEL, row.name))


def _put(task: SampleTask, row: Row, text: str) -> SampleTask:
    values = list(getattr(task, row.name))
    if row.name == "loras" and text:
        try:
            strength = float(text)
        except ValueError:
            strength = math.nan
        if not math.isfinite(strength):
            raise UserError(f"the strength {text!r} is no number", remedy="Write 0.8")
        text = f"{split_lora(values[row.at])[0]}:{strength:g}"
    values[row.at : row.at + 1] = [text] if text else []
    return _with(task, row.name, tuple(values))


def _read_number(row: Row, text: str) -> float | None:
    limits = NUMBERS[row.name]
    if not text:
        return None if limits.open else getattr(NO_MODEL, row.name)
    kind = "whole number" if limits.whole else "number"
    try:
        number = int(text) if limits.whole else float(text.replace(",", "."))
    except ValueError:
        number = limits.least - 1
    if not limits.least <= number <= limits.most or (row.name in {"width", "height"} and number % 8):
        of_eight = ", a multiple of 8" if row.name in {"width", "height"} else ""
        raise UserError(
            f"the {row.label} is {text!r}", remedy=f"Allowed: {kind} {limits.least:g}…{limits.most:.0f}{of_eight}"
        )
    return number


def turned(task: SampleTask, row: Row, by: int) -> SampleTask | None:
    """The next value of a row that has such; None for one that is only typed."""
    if row.name in CHOICES:
        values = CHOICES[row.name]
        now = getattr(task, row.name)
        at = values.index(now) if now in values else 0
        return _with(task, row.name, values[(at + by) % len(values)])
    if row.name == "loras":
        _, strength = split_lora(task.loras[row.at])
        return _put(task, row, f"{strength + by * 0.1:.2f}")
    limits = NUMBERS.get(row.name)
    if limits is None:
        return None
    now = getattr(task, row.name)
    number = limits.first if now is None else now + by * limits.step
    if now is None and by < 0:
        return task
    number = min(max(number, limits.least), limits.most)
    return _with(task, row.name, int(number) if limits.whole else number)


def without(task: SampleTask, row: Row) -> SampleTask:
    """The task without what stands in a row: of several, that one; else what it is by itself."""
    return typed(task, row, "") if row.at < 0 or row.at < len(getattr(task, row.name)) else task


def added(task: SampleTask, name: str, value: str) -> SampleTask:
    """The task with one more of what there may be several of; what is there already stays once."""
    values = getattr(task, name)
    return task if name != "prompts" and value in values else _with(task, name, (*values, value))


def _with(task: SampleTask, name: str, value: Any) -> SampleTask:
    changes = {name: value}
    return replace(task, **changes)


# -- what is wrong, and what pictures say -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a row from being drawn, and which of its characters."""

    key: tuple[str, int]
    message: str
    start: int = 0
    end: int = 0


def problems_of(task: SampleTask) -> list[Problem]:
    """What can be said without reading a file."""
    found = [] if task.source else [Problem(("source", -1), "choose what to draw with")]
    if not task.prompts and task.source and not is_run(task.source):
        found.append(Problem(("prompts", 0), "write what to draw"))
    faults: list[tuple[int, Fault]] = [(at, fault) for at, line in enumerate(task.prompts) if (fault := fault_of(line))]
    return found + [Problem(("prompts", at), *fault) for at, fault in faults]


def refused(task: SampleTask, message: str) -> Problem | None:
    """The row that the command's message is about; None where it is about none of them."""
    found = re.match(r"prompt(?: (\d+))?: (.*)", message, re.DOTALL)
    if found:
        at = int(found[1] or 1) - 1
        line = task.prompts[at] if at < len(task.prompts) else ""
        tag = re.match(r"<[^>]*>", found[2])
        start = line.find(tag[0]) if tag else -1
        return Problem(
            ("prompts", at), found[2], max(0, start), start + len(tag[0]) if tag and start >= 0 else len(line)
        )
    option = re.match(r"--([\w-]+): ", message)
    if option and (name := option[1].replace("-", "_")) in ONE_EACH:
        return Problem((name, -1), message[option.end() :])
    for at, text in enumerate(task.loras):
        if split_lora(text)[0] in message:
            return Problem(("loras", at), message)
    for name in ("x", "y"):
        axis = getattr(task, name).partition("=")[0].strip()
        if axis and re.search(rf"\b{re.escape(axis)}\b", message):
            return Problem((name, -1), message)
    return Problem(("source", -1), message) if task.source and task.source in message else None


def taken_over(task: SampleTask, said: Parameters) -> SampleTask:
    """The task with what a picture's own text says of it; what it leaves open stays as it is."""
    changes: dict[str, Any] = {"prompts": (" ".join(said.prompt.split()),) if said.prompt else task.prompts}
    changes |= {"negative": " ".join(said.negative.split()), "count": 1, "x": "", "y": ""}
    read: dict[str, Any] = {
        "steps": said.whole("Steps"), "cfg": said.number("CFG scale"), "seed": said.whole("Seed"),
        "sampler": said.sampler, "clip_skip": said.whole("Clip skip"),
    }  # fmt: skip
    if said.size and not any(side % 8 or side < 8 for side in said.size):
        read["width"], read["height"] = said.size
    return replace(task, **changes, **{name: value for name, value in read.items() if value is not None})


def as_drawn(asked: SampleTask, facts: dict[str, Any]) -> SampleTask:
    """The task that draws one picture of a folder again: what was asked for there, with what the picture's own facts say.

    An axis that no field stands for (strength, checkpoint) stays as the one value that the picture has.
    """
    names = {"width": "width", "height": "height", "steps": "steps", "guidance": "cfg", "seed": "seed"}
    names |= {"sampler": "sampler", "clip_skip": "clip_skip", "negative": "negative"}
    changes: dict[str, Any] = {ours: facts[theirs] for theirs, ours in names.items() if theirs in facts}
    changes["prompts"] = (str(facts.get("prompt", "")),)
    worn = facts.get("adapters") or [{}]
    for side in ("x", "y"):
        axis = getattr(asked, side).partition("=")[0].strip()
        step = re.search(r"step-0*(\d+)", str(worn[0].get("file", "")))
        kept = {"strength": worn[0].get("unet"), "checkpoint": step[1] if step else None}.get(axis)
        changes[side] = f"{axis}={kept}" if kept is not None else ""
    return replace(asked, **changes, count=1)
