"""What a file of kohya's holds, whichever of the three kinds it is: options by sd-scripts' names, subsets, unknown names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sdtui.errors import UserError
from sdtui.profile.kohya import forms
from sdtui.profile.kohya.document import KINDS, Document
from sdtui.profile.kohya.option import typed
from sdtui.profile.kohya.options import BY_GUI, OPTIONS

FileKind = Literal["config", "dataset", "form"]

_DATASET_TABLES = ("general", "datasets")
_INNER = "network_args"
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
        unreadable: the values that are not of their option's type, with their place; they are as if not given.
        base_is_xl: whether the base model is of Stable Diffusion XL; None where that is not known.
    """

    path: Path
    kind: FileKind
    options: Table
    general: Table = field(default_factory=dict)
    subsets: tuple[Subset, ...] | None = None
    unknown: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    base_is_xl: bool | None = None

    def given(self, name: str, subset: Subset | None = None) -> Given | None:
        """Where sd-scripts would look, in its order: subset, dataset, [general], the options."""
        tables = (*(subset or ()), self.general, self.options)
        return next((table[name] for table in tables if name in table), None)

    def value(self, name: str, subset: Subset | None = None) -> Any:
        """The option's value in force: the file's, else kohya's default."""
        found = self.given(name, subset)
        return OPTIONS[name].default if found is None or found.value is None else found.value

    @property
    def is_xl(self) -> bool:
        """Whether the file itself says that it is for Stable Diffusion XL, or its base model does."""
        return bool(self.value("sdxl") or self.value("sdxl_checkbox") or self.base_is_xl)

    @property
    def may_be_xl(self) -> bool:
        """Whether neither of them says whether it is: kohya_ss's forms do, sd-scripts' files do not."""
        return self.base_is_xl is None and not any(map(self.given, ("sdxl", "sdxl_checkbox")))


def read_source(path: Path, dataset: Path | None = None) -> Source:
    """Read a file of kohya's, with the dataset TOML that it names or `dataset`.

    Raises:
        UserError: a file is missing, is neither TOML nor JSON, or is not one of kohya's.
    """
    document = Document(path)
    if document.is_json:
        source = _read_form(document)
    elif _is_dataset(document):
        source = _read_dataset(Source(path, "dataset", {}), document)
    else:
        source = _read_config(document)
    if dataset is None and source.kind != "dataset":
        dataset = _named_dataset(source)
    if dataset is None:
        return source
    found = Document(dataset)
    if not _is_dataset(found):
        raise UserError("not a dataset TOML: it has no [[datasets]]", where=str(dataset))
    return _read_dataset(source, found)


def require_readable(source: Source) -> None:
    """See that every value could be read.

    Raises:
        UserError: names all that could not.
    """
    count = len(source.unreadable)
    if count == 1:
        raise UserError(source.unreadable[0])
    if count:
        raise UserError("\n  ".join([f"{count} values cannot be read:", *source.unreadable]), where=str(source.path))


def _is_dataset(document: Document) -> bool:
    return isinstance(document.data.get("datasets"), list)


def _read_config(document: Document) -> Source:
    """Sections only group: sd-scripts throws them together."""
    flat: dict[str, Any] = {}
    for name, value in document.data.items():
        flat.update(value if isinstance(value, dict) and name not in OPTIONS else {name: value})
    _recognise(document, flat, OPTIONS)
    return _with(Source(document.path, "config", {}), flat, _Reader(document))


def _read_form(document: Document) -> Source:
    form = document.data
    _recognise(document, form, {**OPTIONS, **BY_GUI})
    family = forms.family(form)
    if family:
        raise UserError(f"made for {family}", where=str(document.path), remedy=_TRAINS)
    options, warnings = forms.as_scripts(form)
    source = _with(Source(document.path, "form", {}), options, _Reader(document, forms.names(form, options)))
    return replace(source, warnings=(*source.warnings, *warnings))


def _recognise(document: Document, names: dict[str, Any], known: dict[str, Any]) -> None:
    """At least a third of the names are kohya's, and one of them says something."""
    hits = sum(name in known for name in names)
    if not hits or 3 * hits < len(names):
        what = "a profile of sdtui" if {"schema", "method"} & names.keys() else "not a file of kohya's"
        raise UserError(
            f"{what}: {hits} of its {len(names)} names are options of sd-scripts",
            where=str(document.path),
            remedy=KINDS,
        )


def _read_dataset(source: Source, document: Document) -> Source:
    """Add the subsets of a dataset TOML; paths in it are kept from the folder of the file that is imported."""
    data, reader, found = document.data, _Reader(document), []
    general = reader.table(data.get("general", {}), "general")
    for number, dataset in enumerate(data["datasets"]):
        at = f"datasets[{number}]"
        rows = dataset.get("subsets", []) if isinstance(dataset, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UserError(f"{at} is not a table with [[datasets.subsets]]", where=str(document.path))
        shared = reader.table({k: v for k, v in dataset.items() if k != "subsets"}, at)
        found += [Subset(reader.table(row, f"{at}.subsets[{index}]"), shared) for index, row in enumerate(rows)]
    reader.unknown += [(name, "") for name in data if name not in _DATASET_TABLES]
    return reader.add_to(replace(source, general=general, subsets=tuple(found)))


def _with(source: Source, flat: dict[str, Any], reader: _Reader) -> Source:
    """Add options; what stands in network_args becomes options, too."""
    options = reader.table(flat)
    given = options.get(_INNER)
    items = [] if given is None or given.value is None else given.value
    inner = dict(str(item).partition("=")[::2] for item in items)
    return reader.add_to(replace(source, options=options | reader.arguments(inner)))


class _Reader:
    """Reads the tables of a document, and keeps what is wrong with them.

    Args:
        document: the file.
        names: of options that have other ones there.
    """

    def __init__(self, document: Document, names: dict[str, str] | None = None) -> None:
        self.document, self.names = document, names or {}
        self.unknown: list[tuple[str, str]] = []
        self.warnings: list[str] = []
        self.unreadable: list[str] = []

    def table(self, table: Any, at: str = "") -> Table:
        """The options in the table that stands at `at`; "" for those outside any dataset."""
        if not isinstance(table, dict):
            raise UserError(f"{at} is not a table", where=str(self.document.path))
        self.unknown += [(f"{at}.{name}".lstrip("."), _nearest(name)) for name in table if name not in OPTIONS]
        return self._known(table, at)

    def arguments(self, table: dict[str, str]) -> Table:
        """What stands in network_args."""
        self.unknown += [(f"{_INNER}: {name}", _nearest(name)) for name in table if name not in OPTIONS]
        return self._known(table, _INNER)

    def add_to(self, source: Source) -> Source:
        """The source with what was found wrong."""
        return replace(
            source,
            unknown=(*source.unknown, *self.unknown),
            warnings=(*source.warnings, *self.warnings),
            unreadable=(*source.unreadable, *self.unreadable),
        )

    def _known(self, table: dict[str, Any], at: str) -> Table:
        """The options in a table, short of those whose value cannot be read."""
        read = {}
        for name, value in table.items():
            if name in OPTIONS:
                shown = f"{_INNER}: {name}" if at == _INNER else self.names.get(name, name)
                try:
                    read[name] = Given(shown, value, typed(OPTIONS[name], value))
                except ValueError as error:
                    self.unreadable.append(f"{self._place(shown, at)}: {error}")
                else:
                    self._look_at_flag(name, read[name], at)
        return read

    def _place(self, shown: str, at: str) -> str:
        return self.document.place(_INNER) if at == _INNER else self.document.place(shown, at)

    def _look_at_flag(self, name: str, flag: Given, at: str) -> None:
        """A yes or no that is text in TOML is another thing to sd-scripts."""
        in_toml = at != _INNER and not self.document.is_json
        if in_toml and isinstance(flag.written, str) and isinstance(flag.value, bool):
            ours, theirs = str(flag.value).lower(), "stops at text there" if at else "takes any text for true"
            said = f'{self._place(name, at)}: {name} = "{flag.written}"'
            self.warnings.append(f"{said} is {ours} here; sd-scripts {theirs}")


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
