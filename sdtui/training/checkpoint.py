"""Everything a run needs to go on as if it had never stopped, in one folder that is complete or does not count.

`checkpoints/step-000500/` holds what is usable as it is (`adapter.safetensors`, and words in `embeddings/`), `state.safetensors` (trained parameters in
fp32, their moving average if there is one, and the optimizer's moments), `state.json` (step and what was set live) and, written last, `complete` with the
digests of the others. The folder is filled under another name and renamed. Nothing in it is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from sdtui.errors import SdtuiError
from sdtui.files import sync_folder, write_atomic, write_failure
from sdtui.formats import safetensors_file
from sdtui.runs.layout import STATE, RunFolder

TENSORS, PROGRESS, COMPLETE = STATE, "state.json", "complete"
# What bitsandbytes keeps for a parameter besides values in the parameter's own shape.
_TABLES = frozenset({"qmap1", "qmap2", "absmax1", "absmax2"})
# Entries of an optimizer's groups that are set anew before each step.
_FOLLOWS = frozenset({"params", "name", "lr", "base_lr"})


@dataclass(frozen=True)
class Progress:
    """How far a run is: the order of samples and all random draws follow from the step alone."""

    step: int = 0
    dataset: str = ""  # digest of what was trained on
    rate_factor: float = 1.0
    previews_every: int = 0
    measured: int = -1  # the step after which held-out images were measured last
    averaged: int = 0  # steps that moved the moving average
    fit: dict[str, list[int]] = field(default_factory=dict)  # images taken at once, by bucket; see training.fitting
    scaler: dict[str, Any] = field(default_factory=dict)  # fp16 loss scaling
    optimizer: dict[str, dict[str, Any]] = field(default_factory=dict)  # owner → its plain numbers


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint, read and verified."""

    path: Path
    progress: Progress
    parameters: dict[str, Tensor]
    average: dict[str, Tensor]  # by the parameters' names; empty if none is kept
    optimizer: dict[str, Tensor]  # "<owner>/<name>", as `optimizer_tensors` gives them


def save(
    run: RunFolder,
    progress: Progress,
    parameters: Mapping[str, Tensor],
    moments: Mapping[str, Tensor],
    usable: Mapping[str, Callable[[Path], object]],
    *,
    average: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write the checkpoint of `progress.step` and return its folder; `usable` write files of these names in it.

    Tensors pass through memory one by one: of a whole model a second copy may not fit.

    Raises:
        SdtuiError: it could not be written; what was there before is untouched and no part of it is left.
    """
    target = run.checkpoint_dir(progress.step)
    partial = target.with_name(f".{target.name}.partial")
    try:
        _remove(partial)
        partial.mkdir(parents=True)
        for name, write in usable.items():
            (partial / name).parent.mkdir(exist_ok=True)
            write(partial / name)
        tensors = {f"parameter/{name}": tensor for name, tensor in parameters.items()}
        tensors |= {f"average/{name}": tensor for name, tensor in (average or {}).items()}
        tensors |= {f"optimizer/{name}": tensor for name, tensor in moments.items()}
        # Not by the safetensors library, which refuses what Prodigy and D-Adaptation do: one tensor in all their groups.
        safetensors_file.write(partial / TENSORS, tensors, {})
        write_atomic(partial / PROGRESS, json.dumps(asdict(progress), indent=2) + "\n")
        digests = {file.relative_to(partial).as_posix(): _digest(file) for file in _files(partial)}
        write_atomic(partial / COMPLETE, json.dumps(digests, indent=2) + "\n")
        # Only a folder without its marker can have this name already.
        _remove(target)
        os.rename(partial, target)
        sync_folder(target.parent)
    except OSError as error:
        raise write_failure(target, error) from error
    finally:
        _remove(partial)
    return target


def load_latest(run: RunFolder) -> tuple[Checkpoint | None, list[Path]]:
    """The newest checkpoint that is complete and undamaged, and where the damaged ones before it lie now.

    Those are set aside under another name: they must not push sound ones out of the last few that are kept, nor be
    tried again. Only for the holder of the run's lock.

    Raises:
        SdtuiError: a damaged one cannot be renamed.
    """
    damaged: list[Path] = []
    for _, path in reversed(run.complete_checkpoints()):
        found = _load(path)
        if found is not None:
            return found, damaged
        damaged.append(_set_aside(path))
    return None, damaged


def prune(run: RunFolder, keep_last: int) -> list[Path]:
    """Remove all complete checkpoints but the newest `keep_last`; returns what was removed."""
    surplus = [path for _, path in run.complete_checkpoints()[:-keep_last]]
    for path in surplus:
        # Renamed first: half removed it must not look like a checkpoint.
        doomed = path.with_name(f".{path.name}.removed")
        _remove(doomed)
        os.rename(path, doomed)
        _remove(doomed)
    return surplus


def clear_partial(run: RunFolder) -> None:
    """Remove what a process that was killed left unfinished; only for the holder of the run's lock."""
    for path in [*run.checkpoints_dir.glob(".step-*.partial"), *run.checkpoints_dir.glob(".step-*.removed")]:
        _remove(path)


def size_of(path: Path) -> int:
    """Bytes of all files of a checkpoint."""
    return sum(file.stat().st_size for file in _files(path))


def optimizer_tensors(optimizer: Any) -> dict[str, Tensor]:
    """The tensors of the optimizer's state as "<owner>/<name>", the owner being a parameter's number or "group<number>"."""
    return {
        f"{owner}/{name}": value for owner, name, value in _entries(optimizer.state_dict()) if isinstance(value, Tensor)
    }


def optimizer_numbers(optimizer: Any) -> dict[str, dict[str, Any]]:
    """The plain numbers of the optimizer's state by owner, such as a step count or the rate that Prodigy found."""
    found: dict[str, dict[str, Any]] = {}
    for owner, name, value in _entries(optimizer.state_dict()):
        if isinstance(value, bool | int | float):
            found.setdefault(owner, {})[name] = value
    return found


def restore_optimizer(optimizer: Any, tensors: Mapping[str, Tensor], numbers: Mapping[str, Mapping[str, Any]]) -> None:
    """Put a saved state back.

    Raises:
        SdtuiError: it belongs to other parameters than the optimizer's.
    """
    held: dict[str, dict[str, Any]] = {owner: dict(values) for owner, values in numbers.items()}
    for key, tensor in tensors.items():
        owner, name = key.split("/")
        # A copy: read from a file it lies anywhere in memory, and the last bits of a sum follow from where its numbers lie.
        held.setdefault(owner, {})[name] = tensor.clone()
    _check_shapes(optimizer, held)
    _lay_out(optimizer, held)
    state = optimizer.state_dict()
    groups = [{**group, **held.pop(f"group{i}", {})} for i, group in enumerate(state["param_groups"])]
    optimizer.load_state_dict({"state": {int(owner): held[owner] for owner in held}, "param_groups": groups})


def _entries(state: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(owner, name, value) of all that an optimizer keeps; what `set_rates` writes into a group follows from the step."""
    for number, kept in state["state"].items():
        for name, value in kept.items():
            # bitsandbytes wraps its tables in a dict of their own, and takes them unwrapped.
            inner = value if isinstance(value, dict) else {name: value}
            yield from ((str(number), key, held) for key, held in inner.items())
    for number, group in enumerate(state["param_groups"]):
        yield from ((f"group{number}", name, value) for name, value in group.items() if name not in _FOLLOWS)


def _check_shapes(optimizer: Any, held: Mapping[str, Mapping[str, Any]]) -> None:
    """Of a parameter's state, what has as many dimensions as the parameter has its shape."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for owner, kept in held.items():
        if owner.startswith("group"):
            continue
        shape = parameters[int(owner)].shape if int(owner) < len(parameters) else None
        tensors = [value for name, value in kept.items() if isinstance(value, Tensor) and name not in _TABLES]
        if shape is None or any(tensor.dim() == len(shape) and tensor.shape != shape for tensor in tensors):
            raise SdtuiError(
                "the checkpoint's optimizer state is that of other parameters",
                remedy="Resume with the version of sdtui that made the checkpoint (see run.json)",
            )


def _lay_out(optimizer: Any, held: Mapping[str, dict[str, Any]]) -> None:
    """What has a parameter's shape lies in memory in the parameter's order, as the optimizer itself made it."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for owner, kept in held.items():
        parameter = None if owner.startswith("group") else parameters[int(owner)]
        for name, value in kept.items():
            if parameter is not None and isinstance(value, Tensor) and value.shape == parameter.shape:
                ordered = torch.empty_strided(value.shape, parameter.stride(), dtype=value.dtype)
                kept[name] = ordered.copy_(value)


def _load(path: Path) -> Checkpoint | None:
    try:
        digests = json.loads((path / COMPLETE).read_bytes())
        sound = all(_digest(path / name) == digest for name, digest in digests.items())
        if not sound or not {TENSORS, PROGRESS} <= digests.keys():
            return None
        progress = Progress(**json.loads((path / PROGRESS).read_bytes()))
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    tensors = safetensors.torch.load_file(path / TENSORS)
    parts = (_under(f"{part}/", tensors) for part in ("parameter", "average", "optimizer"))
    return Checkpoint(path, progress, *parts)


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"damaged-{path.name}")
    try:
        _remove(aside)
        os.rename(path, aside)
    except OSError as error:
        raise write_failure(aside, error) from error
    return aside


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
