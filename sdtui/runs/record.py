"""run.json: what a run is and how far it is, replaced in one step by whoever holds the run's lock."""

from __future__ import annotations

import dataclasses
import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sdtui.errors import UserError
from sdtui.files import write_atomic
from sdtui.runs.layout import SCHEMA, RunFolder

State = Literal["queued", "starting", "running", "paused", "finished", "failed", "stopped"]
ENDED: frozenset[str] = frozenset({"finished", "failed", "stopped"})


class UnreadableRecordError(UserError):
    """The record is missing, damaged, or not what this version expects."""


class NewerSchemaError(UnreadableRecordError):
    """The folder was written by a newer sdtui: it may be listed, never steered."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The content of run.json; times are unix seconds."""

    schema: int = SCHEMA
    kind: str = "run"
    state: State = "queued"
    reason: str = ""
    host: str = field(default_factory=socket.gethostname)
    pid: int = 0
    created: float = field(default_factory=time.time)
    launched: float = 0.0
    launches: int = 0
    ended: float = 0.0
    step: int = 0
    steps_total: int = 0
    loss: float | None = None
    validation_loss: float | None = None
    device: str = ""
    threads: int = 0  # of each process, on a processor; 0 before a trainer has begun
    dataset_digest: str = ""
    queue: str = ""
    at_once: dict[str, list[int]] = field(default_factory=dict)  # by bucket; see training.fitting
    versions: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


def read(run: RunFolder) -> RunRecord:
    """The record of `run`.

    Raises:
        NewerSchemaError: the folder is from a newer version.
        UnreadableRecordError: run.json is missing or damaged; the message says how.
    """
    try:
        found = json.loads(run.run_json.read_bytes())
        schema = found["schema"]
    except FileNotFoundError:
        raise UnreadableRecordError("run.json is missing", where=str(run.path)) from None
    except OSError as error:
        raise UnreadableRecordError(f"run.json cannot be read: {error.strerror}", where=str(run.path)) from error
    except (ValueError, TypeError, KeyError):
        raise UnreadableRecordError("run.json is damaged", where=str(run.path)) from None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise UnreadableRecordError("run.json has no schema number", where=str(run.path))
    if schema > SCHEMA:
        raise NewerSchemaError(
            f"this run was made by a newer sdtui (run folder version {schema}; this one knows {SCHEMA})",
            where=str(run.path),
            remedy="Upgrade sdtui",
        )
    return _from_json(found, run)


def write(run: RunFolder, record: RunRecord) -> None:
    """Replace run.json."""
    content = dataclasses.asdict(record)
    content |= content.pop("extra")
    write_atomic(run.run_json, json.dumps(content, indent=2, default=str) + "\n")


def update(run: RunFolder, **changes: Any) -> RunRecord:
    """Change some fields of run.json and return the new record; only for the holder of the run's lock."""
    record = dataclasses.replace(read(run), **changes)
    write(run, record)
    return record


def _from_json(found: dict[str, Any], run: RunFolder) -> RunRecord:
    """Unknown keys are kept in `extra`, so that another program's notes survive an update."""
    values: dict[str, Any] = {}
    for known in dataclasses.fields(RunRecord):
        if known.name == "extra" or known.name not in found:
            continue
        value = found.pop(known.name)
        if not _fits(known.name, value):
            raise UnreadableRecordError(f"run.json is damaged: {known.name} is {value!r}", where=str(run.path))
        values[known.name] = value
    return RunRecord(**values, extra=found)


_NUMBERS = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    "schema": (int,), "pid": (int,), "launches": (int,), "threads": (int,), "step": (int,), "steps_total": (int,),
    "created": _NUMBERS, "launched": _NUMBERS, "ended": _NUMBERS, "loss": (*_NUMBERS, type(None)),
    "validation_loss": (*_NUMBERS, type(None)),
    "versions": (dict,), "at_once": (dict,),
}  # fmt: skip


def _fits(name: str, value: Any) -> bool:
    if name == "state" and value not in get_args(State):
        return False
    return isinstance(value, _TYPES.get(name, (str,)))
