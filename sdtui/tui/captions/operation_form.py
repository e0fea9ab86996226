"""The parameters of an edit as one types them: fields made from its declaration, and the edit made from the fields."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdtui.dataset.operations import EDITS, Context, Edit, Parameter, Rewrite, each_line
from sdtui.errors import UserError

# Switches and choices are turned, everything else is typed.
TURNED = frozenset({"switch", "choice"})
LINES = Parameter(
    "each_line",
    "switch",
    "each line of a caption is a caption of its own",
    "",
    required=False,
    default=False,
    choices=(),
)
ON, OFF = "yes", "no"


def fields_of(verb: str) -> tuple[Parameter, ...]:
    """What is asked for the edit of this name: its own parameters, and whether each line counts alone."""
    return (*EDITS[verb].parameters(), LINES)


def shown_default(parameter: Parameter) -> str:
    """What stands in the field before anything is typed."""
    if parameter.kind == "switch":
        return ON if parameter.default else OFF
    if parameter.kind == "choice":
        return parameter.choices[0] if parameter.required else str(parameter.default)
    if parameter.required or parameter.default is None:
        return ""
    if parameter.kind == "texts":
        return ", ".join(parameter.default)
    return str(parameter.default)


def turned(parameter: Parameter, value: str, by: int) -> str:
    """The next value of a switch or a choice, going round."""
    values = (OFF, ON) if parameter.kind == "switch" else parameter.choices
    at = values.index(value) if value in values else 0
    return values[(at + by) % len(values)]


def make_edit(verb: str, typed: Mapping[str, str]) -> Edit:
    """The edit with what was typed into its fields.

    Raises:
        UserError: a field is empty that must not be, or holds no number; the message names it.
    """
    edit = EDITS[verb]
    # A text may be empty where it is what takes another's place; a tag may not.
    empty = {"replacement"} if typed.get("anywhere") != ON else {"replacement", "new"}
    for each in edit.parameters():
        if each.required and each.kind == "text" and not typed.get(each.name) and each.name not in empty:
            raise _missing(each)
    return edit(**{each.name: _value(each, typed.get(each.name, "")) for each in edit.parameters()})


def rewrite_of(verb: str, typed: Mapping[str, str], context: Context) -> tuple[Rewrite, str]:
    """The function of one caption's text that the fields describe, and what the edit is called in the history.

    Raises:
        UserError: the fields cannot be used.
    """
    edit = make_edit(verb, typed)
    rewrite, label = edit.rewrite(context), edit.label
    return (each_line(rewrite) if typed.get(LINES.name) == ON else rewrite), label


def field_name(parameter: Parameter) -> str:
    """What the form calls the parameter."""
    return parameter.name.replace("_", " ")


def _value(parameter: Parameter, text: str) -> Any:
    kind = parameter.kind
    if kind == "switch":
        return text == ON
    if kind == "choice":
        return text or shown_default(parameter)
    if kind == "texts":
        words = tuple(word for part in text.split(",") if (word := part.strip()))
        if parameter.required and not words:
            raise _missing(parameter)
        return words
    if kind == "text":
        return text
    if not text.strip():
        return parameter.default
    if kind == "file":
        return Path(text.strip()).expanduser()
    return _number(parameter, text.strip())


def _number(parameter: Parameter, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{field_name(parameter)}: {text} is not a whole number") from None


def _missing(parameter: Parameter) -> UserError:
    return UserError(f"{field_name(parameter)}: still empty")
