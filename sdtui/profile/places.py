"""Paths in a profile against the disk: what is missing, what is there instead, and how it would be written right."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sdtui.profile.hub import cached_model, is_hub_name, offline
from sdtui.profile.problem import Finding
from sdtui.profile.resolve import absolute, paths_of
from sdtui.profile.schema import Profile

_CONTROL = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\b": r"\b", "\f": r"\f"}
_LOOKED_AT = 10_000
_WEIGHTS = {".safetensors", ".ckpt", ".pt"}
_DRIVE = re.compile(r"([A-Za-z]):[\\/]+(.*)", re.DOTALL)


def misplaced(profile: Profile, folder: Path, broken: frozenset[str]) -> list[Finding]:
    """Findings about every path that is set; relative ones start at `folder`, the profile's."""
    return [
        finding
        for key, kind, written, start in paths_of(profile, folder)
        if key not in broken and written
        for finding in _judge(key, kind, written, start)
        if not (finding.code == "no-such-path" and (_on_the_hub(key, written, profile) or _made_first(key, profile)))
    ]


def _made_first(key: str, profile: Profile) -> bool:
    """Whether it is a folder of class images, which is made when the first of them is drawn."""
    rows = profile.dataset.folders
    return key in {f"dataset.folders[{row}].path" for row, folder in enumerate(rows) if folder.generate}


def _judge(key: str, kind: str, written: str, start: Path) -> Iterator[Finding]:
    swallowed = next((escape for character, escape in _CONTROL.items() if character in written), None)
    if swallowed:
        message = f"{key}: in double quotes {swallowed} is a control character, not a backslash and a letter"
        yield Finding(
            "backslash-path", key, message, r"Write the path in single quotes ('C:\images') or with forward slashes"
        )
        return
    path = Path(absolute(written, start))
    if _undecodable(path):
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        message = f"{key}: {shown} has a part that is not UTF-8, and a profile can hold nothing else"
        yield Finding("not-utf8", key, message, "Rename that folder")
    elif (on_a_drive := _DRIVE.match(written)) and not path.exists():
        drive, rest = on_a_drive.groups()
        # Windows takes either slash; under WSL its drives are here.
        mounted = f"/mnt/{drive.lower()}/{rest}"
        yield _translated(key, written, "is a path on Windows", mounted, start)
    elif kind == "output":
        yield from _output(key, path)
    elif "\\" in written and not path.exists():
        why = "is written with backslashes, which separate nothing here"
        yield _translated(key, written, why, written, start)
    elif not path.exists():
        yield Finding("no-such-path", key, f"{key}: {path} does not exist", _existing(path, written, kind))
    elif kind == "model":
        yield from _model(key, path)
    elif kind == "vae" and path.is_file():
        yield from _weights(key, path)
    elif kind == "file":
        if not path.is_file():
            yield Finding("not-a-file", key, f"{key}: {path} is a folder, not a file", "Name the file in it")
    elif not path.is_dir():
        yield Finding("not-a-folder", key, f"{key}: {path} is a file, not a folder", "Name the folder it is in")
    elif not os.access(path, os.R_OK | os.X_OK):
        yield Finding("no-permission", key, f"{key}: no permission to read {path}", "Check the folder's owner and mode")


def _undecodable(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return True
    return False


def _translated(key: str, written: str, why: str, here: str, start: Path) -> Finding:
    """A path of another system, and how it is written here."""
    slashes = here.replace("\\", "/")
    remedy = f'Write "{slashes}"' + (" (it exists)" if Path(absolute(slashes, start)).exists() else "")
    return Finding("backslash-path", key, f"{key}: {written} {why}", remedy)


def _existing(path: Path, written: str, kind: str) -> str:
    """How far the path is right."""
    if kind == "model" and is_hub_name(written):
        asked = "unset HF_HUB_OFFLINE" if offline() else "set model.download = true"
        return f"If it is a Hugging Face name: download it (hf download {written}), or {asked}"
    parent = next(parent for parent in path.parents if parent.exists())
    name = path.relative_to(parent).parts[0]
    near = difflib.get_close_matches(name, _names(parent), n=1)
    return f'{parent} has no "{name}"' + (f'; did you mean "{near[0]}"?' if near else "")


def _on_the_hub(key: str, written: str, profile: Profile) -> bool:
    """Whether it names a model that was downloaded before or may be."""
    known = key == "model.base" and is_hub_name(written)
    return known and (cached_model(written) is not None or (profile.model.download and not offline()))


def _weights(key: str, path: Path) -> Iterator[Finding]:
    """A file in a place where weights may stand; what is in it, the models' room says."""
    if path.suffix.lower() not in _WEIGHTS:
        kinds = ", ".join(sorted(_WEIGHTS))
        yield Finding(
            "not-a-model",
            key,
            f"{key}: {path} is no file of weights",
            "Name one, or a folder in diffusers layout",
            kinds,
        )


def _model(key: str, path: Path) -> Iterator[Finding]:
    allowed = "a folder in diffusers layout, with a model_index.json in it, or a single .safetensors, .ckpt or .pt file"
    if path.is_file():
        yield from _weights(key, path)
    elif not (path / "model_index.json").is_file():
        message = f"{key}: {path} has no model_index.json; it holds {_contents(path)}"
        inner = next(
            (
                entry
                for entry in sorted(path.glob("*/model_index.json")) + sorted(path.glob("snapshots/*/model_index.json"))
            ),
            None,
        )
        yield Finding("not-a-model", key, message, f'Did you mean "{inner.parent}"?' if inner else "", allowed)


def _contents(path: Path) -> str:
    """The first few names in a folder, so that a wrong one is recognised."""
    names = sorted(_names(path))
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown or "nothing"


def _names(path: Path) -> list[str]:
    """What is in a folder (of a very large one, a part); nothing when it may not be read."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in islice(entries, _LOOKED_AT)]
    except OSError:
        return []


def _output(key: str, path: Path) -> Iterator[Finding]:
    if path.is_file():
        yield Finding(
            "not-a-folder", key, f"{key}: {path} is a file, not a folder", "Name a folder; it is made when missing"
        )
        return
    parent = next(parent for parent in [path, *path.parents] if parent.exists())
    if not os.access(parent, os.W_OK):
        yield Finding(
            "no-permission",
            key,
            f"{key}: no permission to write in {parent}",
            "Check the folder's owner and mode, or name another",
        )
