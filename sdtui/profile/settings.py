"""The declarations of `schema` as a flat list: the form, `--set`, the checks and the docs page all read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as bounds
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sdtui.profile.declare import About, PathKind, Section
from sdtui.profile.schema import Profile


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as its declaration tells it.

    Args:
        key: dotted, as `--set` takes it: "method.rank"; "dataset.folders[].path" inside a list of tables.
        section: the part of the key before the last dot; empty for a setting of the whole profile.
        name: the part of the key after the last dot.
        type_name: "whole number", "number", "text", "true or false", "one of", "list", "table".
        unit: what a bare number counts; empty when it has none.
        default: the value when the profile is silent; None when there is none.
        required: whether the profile must give it.
        allowed: what may stand here, in words: "whole number 1…1024".
        choices: the words it may be (or its items may be, for a list); empty when it is not a choice.
        help: one or two sentences.
        source: where the default or recommendation comes from; may be empty.
        path: "model", "vae", "folder", "file", "output", or empty when it is no path.
        aka: names that other trainers give it.
        words: values that other trainers give it, and what to write here instead.
        limit: why a number beyond the range means nothing; may be empty.
    """

    key: str
    section: str
    name: str
    type_name: str
    unit: str
    default: Any
    required: bool
    allowed: str
    choices: tuple[str, ...]
    help: str
    source: str
    path: PathKind
    aka: tuple[str, ...]
    words: tuple[tuple[str, str], ...] = ()
    limit: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a type annotation says: its name, the allowed values in words, and the words of a choice."""

    type_name: str
    allowed: str
    choices: tuple[str, ...] = ()


_NUMBERS = {int: "whole number", float: "number"}
_BOUND_NAMES: dict[type[bounds.BaseMetadata], str] = {
    bounds.Ge: "ge",
    bounds.Gt: "gt",
    bounds.Le: "le",
    bounds.Lt: "lt",
    bounds.MultipleOf: "multiple_of",
    bounds.MinLen: "min_length",
}


def _walk(model: type[Section], prefix: str) -> Iterator[Setting]:
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        inner, many = _table(field.annotation)
        if inner is None:
            yield _setting(name, prefix, field)
        else:
            yield from _walk(inner, f"{prefix}{name}[]." if many else f"{prefix}{name}.")


def _table(annotation: Any) -> tuple[type[Section] | None, bool]:
    """The section a field holds, if it holds one, and whether it is a list of them."""
    many = get_origin(annotation) is tuple
    inner = get_args(annotation)[0] if many else annotation
    return (inner, many) if isinstance(inner, type) and issubclass(inner, Section) else (None, False)


def _setting(name: str, prefix: str, field: FieldInfo) -> Setting:
    about = next(note for note in field.metadata if isinstance(note, About))
    kind = _kind(field.annotation, field.metadata)
    return Setting(
        key=f"{prefix}{name}",
        section=prefix.rstrip("."),
        name=name,
        type_name=kind.type_name,
        unit=about.unit,
        default=None if field.default is PydanticUndefined else field.default,
        required=field.is_required(),
        allowed=about.allowed or kind.allowed,
        choices=kind.choices,
        help=about.help,
        source=about.source,
        path=about.path,
        aka=about.aka,
        words=about.words,
        limit=about.limit,
    )


def _kind(annotation: Any, notes: list[Any]) -> _Kind:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0], _flatten(arguments[1:]))
    if origin in {Union, UnionType}:
        kinds = [_kind(member, notes) for member in arguments if member is not NoneType]
        leading = next((kind for kind in kinds if kind.choices), kinds[-1])
        return _Kind(leading.type_name, ", or ".join(kind.allowed for kind in kinds), leading.choices)
    if origin is Literal:
        words = tuple(map(str, arguments))
        return _Kind("one of", " or ".join(f'"{word}"' for word in words), words)
    if origin is tuple:
        return _list_kind(arguments)
    if origin is dict:
        return _Kind("table", "a table of name = value")
    if annotation is bool:
        return _Kind("true or false", "true or false, without quotes")
    if annotation in _NUMBERS:
        return _Kind(_NUMBERS[annotation], f"{_NUMBERS[annotation]} {_range(notes)}")
    return _Kind("text", "text in quotes" + (", not empty" if _bound(notes, bounds.MinLen) else ""))


def _list_kind(arguments: tuple[Any, ...]) -> _Kind:
    item = _kind(arguments[0], [])
    if arguments[-1] is Ellipsis:
        return _Kind("list", f"list of {item.allowed}", item.choices)
    return _Kind("list", f"list of {len(arguments)}, each a {item.allowed}")


def _flatten(notes: tuple[Any, ...]) -> list[Any]:
    """Bounds of a nested `Annotated`: pydantic keeps them inside the `Field(...)` that was written there."""
    return [bound for note in notes for bound in (note.metadata if isinstance(note, FieldInfo) else [note])]


def _range(notes: list[Any]) -> str:
    """The range in words: "1…1024", "above 0, up to 1", "0…1 (1 itself not)"."""
    low, above = _bound(notes, bounds.Ge), _bound(notes, bounds.Gt)
    high, below = _bound(notes, bounds.Le), _bound(notes, bounds.Lt)
    step = _bound(notes, bounds.MultipleOf)
    if above is not None:
        text = f"above {above:g}, up to {_plain(high)}"
    elif below is not None:
        text = f"{_plain(low)}…{_plain(below)}, {_plain(below)} itself not"
    elif low == high:
        text = _plain(low)
    elif high is not None:
        text = f"{_plain(low)}…{_plain(high)}"
    else:
        text = f"from {_plain(low)}"
    return text + (f", a multiple of {step}" if step else "")


def _plain(number: float | None) -> str:
    """A bound as people write it: 100 000 000 with thin groups, no exponent."""
    return "" if number is None else f"{number:,}".replace(",", " ")


def _bound(notes: list[Any], kind: type[bounds.BaseMetadata]) -> Any:
    note = next((note for note in notes if isinstance(note, kind)), None)
    return None if note is None else getattr(note, _BOUND_NAMES[kind])


def declared(model: type[Section], prefix: str) -> list[Setting]:
    """The settings that a section declares, their keys starting with `prefix`: an optimizer's arguments, for one."""
    return list(_walk(model, prefix))


SETTINGS: list[Setting] = declared(Profile, "")
BY_KEY: dict[str, Setting] = {setting.key: setting for setting in SETTINGS}
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(setting.section for setting in SETTINGS))


def template(key: str) -> str:
    """The declared key behind a concrete one: "dataset.folders[3].path" → "dataset.folders[].path"."""
    return re.sub(r"\[\d*\]", "[]", key)


def find(key: str) -> Setting | None:
    """The setting behind a concrete or declared key; None when there is none."""
    return BY_KEY.get(template(key))
