"""What a file of kohya's holds, whichever of the three kinds it is: options by sd-scripts' names, subsets, unknown names."""

from __future__ import annotations

import difflib
import json
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sdtui.errors import UserError
from sdtui.profile.kohya import forms
from sdtui.profile.kohya.option import typed
from sdtui.profile.kohya.options import BY_GUI, OPTIONS

FileKind = Literal["config", "dataset", "form"]

_KINDS = "A kohya file is an sd-scripts config TOML, a dataset TOML or a JSON saved by kohya_ss"
_DATASET_TABLES = ("general", "datasets")
_TRAINS = "sdtui trains Stable Diffusion"


class Given(NamedTuple):
    """One option as a file gives it: the name it has there, the value there, and the value in the option's type."""

    name: str
    written: Any
    value: Any


Table = dict[str, Given]


class Subset(NamedTuple):
    """One subset: its own table, and that of its dataset."""

    own: Table
    dataset: Table


@dataclass(frozen=True)
class Source:
    """A kohya file, read.

    Args:
        path: the file; relative paths in it start at its folder.
        kind: config (sd-scripts' TOML), dataset (a dataset TOML alone), form (kohya_ss's JSON).
        options: what stands outside any dataset.
        general: the dataset TOML's [general].
        subsets: of all datasets; None without a dataset TOML.
        unknown: (name, nearest known name or "") of what no table has.
        warnings: what the file says that cannot be meant.
    """

    path: Path
    kind: FileKind
    options: Table
    general: Table = field(default_factory=dict)
    subsets: tuple[Subset, ...] | None = None
    unknown: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    def given(self, name: str, subset: Subset | None = None) -> Given | None:
        """Where sd-scripts would look, in its order: subset, dataset, [general], the options."""
        tables = (*(subset or ()), self.general, self.options)
        return next((table[name] for table in tables if name in table), None)

    def value(self, name: str, subset: Subset | None = None) -> Any:
        """The option's value in force: the file's, else kohya's default."""
        found = self.given(name, subset)
        return OPTIONS[name].default if found is None or found.value is None else found.value


def read_source(path: Path, dataset: Path | None = None) -> Source:
    """Read a file of kohya's, with the dataset TOML that it names or `dataset`.

    Raises:
        UserError: a file is missing, is neither TOML nor JSON, or is not one of kohya's; or a value cannot be read.
    """
    data = _load(path)
    if path.suffix.lower() == ".json":
        source = _read_form(path, data)
    elif _is_dataset(data):
        source = _read_dataset(Source(path, "dataset", {}), path, data)
    else:
        source = _read_config(path, data)
    if dataset is None and source.kind != "dataset":
        dataset = _named_dataset(source)
    if dataset is None:
        return source
    found = _load(dataset)
    if not _is_dataset(found):
        raise UserError("not a dataset TOML: it has no [[datasets]]", where=str(dataset))
    return _read_dataset(source, dataset, found)


def _load(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("not a text file", where=str(path), remedy=_KINDS) from error
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as error:
        language = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise UserError(f"not {language}: {error}", where=str(path), remedy=_KINDS) from error
    if not isinstance(data, dict):
        raise UserError("it holds no options", where=str(path), remedy=_KINDS)
    return data


def _is_dataset(data: dict[str, Any]) -> bool:
    return isinstance(data.get("datasets"), list)


def _read_config(path: Path, data: dict[str, Any]) -> Source:
    """Sections only group: sd-scripts throws them together."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        flat.update(value if isinstance(value, dict) and name not in OPTIONS else {name: value})
    _recognise(path, flat, OPTIONS)
    return _with(Source(path, "config", {}), flat)


def _read_form(path: Path, data: dict[str, Any]) -> Source:
    _recognise(path, data, {**OPTIONS, **BY_GUI})
    family = forms.family(data)
    if family:
        raise UserError(f"made for {family}", where=str(path), remedy=_TRAINS)
    options, warnings = forms.as_scripts(data)
    source = _with(Source(path, "form", {}), options, names=forms.names(data, options))
    return replace(source, warnings=(*source.warnings, *warnings))


def _recognise(path: Path, names: dict[str, Any], known: dict[str, Any]) -> None:
    """At least a third of the names are kohya's, and one of them says something."""
    hits = sum(name in known for name in names)
    if not hits or 3 * hits < len(names):
        what = "a profile of sdtui" if {"schema", "method"} & names.keys() else "not a file of kohya's"
        raise UserError(
            f"{what}: {hits} of its {len(names)} names are options of sd-scripts", where=str(path), remedy=_KINDS
        )


def _read_dataset(source: Source, path: Path, data: dict[str, Any]) -> Source:
    """Add the subsets of a dataset TOML; paths in it are kept from the folder of the file that is imported."""
    unknown, found = list(source.unknown), []
    general = _table(path, data.get("general", {}), "general", unknown)
    for number, dataset in enumerate(data["datasets"]):
        rows = dataset.get("subsets", []) if isinstance(dataset, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UserError(f"datasets[{number}] is not a table with [[datasets.subsets]]", where=str(path))
        shared = _table(path, {k: v for k, v in dataset.items() if k != "subsets"}, f"datasets[{number}]", unknown)
        found += [
            Subset(_table(path, row, f"datasets[{number}].subsets[{index}]", unknown), shared)
            for index, row in enumerate(rows)
        ]
    unknown += [(name, "") for name in data if name not in _DATASET_TABLES]
    return replace(source, general=general, subsets=tuple(found), unknown=tuple(unknown))


def _table(path: Path, table: Any, where: str, unknown: list[tuple[str, str]]) -> Table:
    if not isinstance(table, dict):
        raise UserError(f"{where} is not a table", where=str(path))
    read = _typed(path, table, {})
    unknown += [(f"{where}.{name}", _nearest(name)) for name in table if name not in OPTIONS]
    return read


def _with(source: Source, flat: dict[str, Any], names: dict[str, str] | None = None) -> Source:
    """Add options; what stands in network_args becomes options, too."""
    unknown = [(name, _nearest(name)) for name in flat if name not in OPTIONS]
    options = _typed(source.path, flat, names or {})
    inner = dict(str(item).partition("=")[::2] for item in _items(options.get("network_args")))
    unknown += [(f"network_args: {name}", _nearest(name)) for name in inner if name not in OPTIONS]
    options |= _typed(source.path, inner, {name: f"network_args: {name}" for name in inner})
    return replace(source, options=options, unknown=tuple(unknown))


def _items(found: Given | None) -> list[Any]:
    return [] if found is None or found.value is None else list(found.value)


def _typed(path: Path, table: dict[str, Any], names: dict[str, str]) -> Table:
    read = {}
    for name, value in table.items():
        if name in OPTIONS:
            try:
                read[name] = Given(names.get(name, name), value, typed(OPTIONS[name], value))
            except ValueError as error:
                raise UserError(str(error), where=str(path)) from error
    return read


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, OPTIONS, n=1, cutoff=0.75)
    return near[0] if near else ""


def _named_dataset(source: Source) -> Path | None:
    """The dataset TOML that the file names, from its own folder."""
    name: str | None = source.value("dataset_config")
    if not name:
        return None
    path: Path = source.path.parent / name
    if not path.is_file():
        where = f"{source.path}: dataset_config"
        raise UserError(f"{name} does not exist from here", where=where, remedy="Give the file with --dataset FILE")
    return path
