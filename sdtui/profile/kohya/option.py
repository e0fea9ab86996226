"""What the table says of one option of kohya's scripts: the settings it becomes and how, or why it becomes none."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["flag", "whole", "number", "number or share", "size", "text", "list"]

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


class Codec(NamedTuple):
    """How an option's value becomes the setting's, and back; both directions agree on every value kohya has."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Args:
        name: as sd-scripts writes it, or kohya_ss where only that has it.
        kind: what its values are.
        default: what kohya takes where a file is silent; None where that is nothing.
        keys: the settings it becomes; none where `text` is the reason.
        text: how its value becomes the setting's, where it is not taken as it is; or why there is no setting.
        codec: the conversion, where one option is one setting; several that go together are converted by hand.
        folder: the setting of a folder's own table, where subsets may have it for themselves.
        gui: its name in kohya_ss's JSON, where that is another.
        quiet: not worth a word in an imported profile, whatever its value: it says nothing about what is trained.
    """

    name: str
    kind: Kind
    default: Any = None
    keys: tuple[str, ...] = ()
    text: str = ""
    codec: Codec | None = None
    folder: str = ""
    gui: str = ""
    quiet: bool = False


AS_IS = Codec(lambda value: value, lambda value: value)
REAL = Codec(float, lambda value: value)
FLIPPED = Codec(lambda value: not value, lambda value: not value)


def silent(meaning: Any) -> Codec:
    """The option's None is `meaning` here."""
    real = isinstance(meaning, float)
    return Codec(
        lambda value: meaning if value is None else float(value) if real else value,
        lambda value: None if value == meaning else value,
    )


def words(pairs: dict[Any, Any]) -> Codec:
    """One word for another; of several for one, the first is written back. Others stay as they are."""
    back: dict[Any, Any] = {}
    for theirs, ours in pairs.items():
        back.setdefault(ours, theirs)
    return Codec(lambda value: pairs.get(value, value), lambda value: back.get(value, value))


def typed(option: Option, value: Any) -> Any:
    """`value` as the option's kind: kohya_ss writes numbers as text, whole numbers as 64.0 and nothing as "".

    Raises:
        ValueError: it cannot be read as that; the text says what was expected.
    """
    if value is None or value in ("", "None"):
        return option.default if option.kind == "text" and option.default == "" else None
    try:
        return _READERS[option.kind](value)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{option.name} is {value!r}, expected {_EXPECTED[option.kind]}") from error


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _whole(value: Any) -> int:
    number = float(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _number_or_share(value: Any) -> int | float:
    """A whole number of steps, or a share of them: text is a share where it has a point."""
    number = float(value)
    return int(number) if number >= 1 or number == 0 else number


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else shlex.split(value) if isinstance(value, str) else [value]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)


def _size(value: Any) -> str:
    text = _text(value)
    sides = [int(float(part)) for part in text.split(",") if part.strip()]
    if not 1 <= len(sides) <= 2 or min(sides) < 1:
        raise ValueError(value)
    return text


_READERS: dict[Kind, Callable[[Any], Any]] = {
    "flag": _flag,
    "whole": _whole,
    "number": float,
    "number or share": _number_or_share,
    "size": _size,
    "text": _text,
    "list": _list,
}
_EXPECTED: dict[Kind, str] = {
    "flag": "true or false",
    "whole": "a whole number",
    "number": "a number",
    "number or share": "a number of steps, or a share below 1",
    "size": "one side or width,height",
    "text": "text",
    "list": "a list",
}
