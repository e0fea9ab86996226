"""What `sdtui sample` was asked for, kept in the folder it draws into.

A process of its own can then do it, anyone can go on with it, and the screen can take its settings over.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.files import write_atomic

KIND = "sample"
TASK = "task.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class SampleTask:
    """The options of the command; what is None or empty was not given. Paths are absolute.

    Attributes:
        source: a run's folder, or a base model.
        prompts: lines in kohya's syntax; none: the run's own.
        loras: adapters as `FILE:STRENGTH`.
        folders: where `<lora:…>` finds its files.
        words: embeddings, or folders of them.
        x, y: the axes of sheets.
    """

    source: str
    prompts: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    negative: str = ""
    width: int | None = None
    height: int | None = None
    steps: int = 20
    cfg: float = 7.5
    sampler: str = ""
    seed: int | None = None
    count: int = 1
    clip_skip: int | None = None
    x: str = ""
    y: str = ""
    vae: str = ""
    device: str = "auto"
    precision: str = "auto"

    def arguments(self) -> list[str]:
        """The command line that asks for it, without the program and `sample`."""
        many = (("--lora", self.loras), ("--loras", self.folders), ("--embeddings", self.words))
        given = {name: value for name, value in asdict(self).items() if name in _OPTIONS and value not in {None, ""}}
        options = [part for flag, values in many for value in values for part in (flag, value)]
        options += [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
        return [*options, "--", self.source, *self.prompts]


_OPTIONS = frozenset(field.name for field in fields(SampleTask)) - {"source", "prompts", "loras", "folders", "words"}
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("width", "height", "seed", "clip_skip"), (int, type(None))),
    **dict.fromkeys(("steps", "count"), (int,)),
    "cfg": (int, float),
}


def write_task(folder: Path, task: SampleTask) -> None:
    """Leave it in `folder`."""
    told = json.dumps({"schema": SCHEMA, **asdict(task)}, ensure_ascii=False, indent=2)
    write_atomic(folder / TASK, f"{told}\n")


def read_task(folder: Path) -> SampleTask:
    """What was asked for in `folder`.

    Raises:
        UserError: nothing is known of it, it is damaged, or a newer sdtui wrote it.
    """
    where = str(folder / TASK)
    try:
        told = json.loads((folder / TASK).read_bytes())
        schema = told.pop("schema")
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=where) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UserError("is damaged", where=where) from None
    if schema != SCHEMA:
        raise UserError("was written by a newer sdtui", where=where, remedy="Upgrade sdtui")
    task = task_of_json(told, where)
    if not task.source:
        raise UserError("is damaged: it names no model", where=where)
    return task


def task_of_json(told: dict[str, Any], where: str) -> SampleTask:
    """The task with these values; those that are missing have their defaults.

    Raises:
        UserError: a value is none that could stand there.
    """
    known = {"source": "", **told}
    names = [field.name for field in fields(SampleTask) if field.name in known]
    return SampleTask(**{name: _value(name, known[name], where) for name in names})


def is_sample_folder(folder: Path) -> bool:
    """Whether `sdtui sample` has drawn here and said what it was asked for."""
    return (folder / TASK).is_file() and not (folder / "profile.toml").exists()


def _value(name: str, value: Any, where: str) -> Any:
    if name in {"prompts", "loras", "folders", "words"}:
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
    elif isinstance(value, _TYPES.get(name, (str,))) and not isinstance(value, bool):
        return value
    raise UserError(f"is damaged: {name} is {value!r}", where=where)
