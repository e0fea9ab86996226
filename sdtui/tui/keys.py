"""The one table of keys: what each does, in which context, and the words for footer, `?` help, palette and docs/keys.md.

A context is a screen, a kind of widget, or `everywhere`; the part of an id after the dot is the action's method on the
screen or widget of that context (`captions.add_tag` → `action_add_tag`). Keys come from the set that survives SSH, tmux
and legacy encodings: no ctrl+m, ctrl+i, ctrl+h, ctrl+b or ctrl+a, and ctrl+p only as an alias.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.keys import _character_to_key

from sdtui.errors import UserError
from sdtui.tui.captions.key_rows import CAPTIONS
from sdtui.tui.key import Key
from sdtui.tui.key_rows import EVERYWHERE, HOME, LIST, MONITOR, OTHERS, PROFILE, SAMPLES

if TYPE_CHECKING:
    from textual.widget import Widget

# What to press for an action of the table, as a person would write it.
Press = Callable[[str], str]

CONTEXTS: dict[str, str] = {
    "everywhere": "On every screen",
    "list": "In a list",
    "home": "Home",
    "captions": "Captions",
    "profile": "Profile",
    "monitor": "Monitor",
    "samples": "Samples",
    "pictures": "In the pictures",
    "tags": "In the list of tags",
    "scores": "In the scores",
    "yes_no": "Yes or no",
    "pair": "Two images side by side",
    "typing": "While typing in a line",
    "tag": "While typing a tag",
    "query": "While typing a query",
    "saved": "In the list of saved queries",
    "editing": "While editing a caption",
    "words": "In a list of words",
    "items": "In a list of lines",
    "selections": "In the list of selections",
    "form": "In the form of an edit",
    "history": "In the history of edits",
    "dialog": "In a dialog",
}

TYPING = frozenset({"typing", "tag", "query", "editing"})
# These take every key while they are open, so they may give one of `everywhere` another use.
MODAL = TYPING | {
    "tags",
    "scores",
    "yes_no",
    "pair",
    "pictures",
    "words",
    "items",
    "selections",
    "saved",
    "form",
    "history",
    "dialog",
}

TABLE: tuple[Key, ...] = (*EVERYWHERE, *LIST, *HOME, *CAPTIONS, *MONITOR, *PROFILE, *SAMPLES, *OTHERS)

_SHOWN = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "apostrophe": "'",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "plus": "+",
    "minus": "-",
    "comma": ",",
    "full_stop": ".",
    "circumflex_accent": "^",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "equals_sign": "=",
}


def bindings(context: str) -> list[Binding]:
    """Textual's bindings for a screen, widget or app of `context`; ids let the user's keymap replace the keys."""
    return [
        Binding(row.keys, row.action, row.label, id=row.id, show=False, priority=row.id == "everywhere.quit")
        for row in TABLE
        if row.context == context
    ]


def shown(keys: str) -> str:
    """The first of `keys` as a person would write it: `question_mark,f1` is `?`."""
    first = keys.split(",", maxsplit=1)[0]
    return _SHOWN.get(first, first)


def all_shown(keys: str) -> str:
    """All of `keys`, separated by spaces, as a person would write them."""
    return " ".join(_SHOWN.get(key, key) for key in keys.split(","))


class KeyTable:
    """The table with the user's own keys in place of ours."""

    def __init__(self, remap: Mapping[str, str] | None = None, table: Iterable[Key] = TABLE) -> None:
        self.remap = _checked_remap(remap or {}, tuple(table))
        self._rows = tuple(replace(row, keys=self.remap.get(row.id, row.keys)) for row in table)

    def rows(self, *contexts: str) -> list[Key]:
        """The rows of these contexts, in the order of the contexts and then of the table."""
        return [row for context in contexts for row in self._rows if row.context == context]

    def press(self, name: str) -> str:
        """What to press for the action `name`, as a person would write it."""
        return shown(next(row.keys for row in self._rows if row.id == name))

    def footer(self, *contexts: str) -> list[Key]:
        """What the footer shows for these contexts, most useful first."""
        return sorted((row for row in self.rows(*contexts) if row.footer), key=lambda row: row.footer)


def key_table_of(widget: Widget) -> KeyTable:
    """The table that the widget's app goes by; ours in an app that has none."""
    return getattr(widget.app, "keys", None) or KeyTable()


def _checked_remap(remap: Mapping[str, str], table: tuple[Key, ...]) -> dict[str, str]:
    """The user's `[keys]` in Textual's names; an unknown id or two actions that one key could mean is an error."""
    if not remap:
        return {}
    known = {row.id: row for row in table}
    for name in remap:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UserError(
                f"unknown action {name!r}",
                where="keys",
                remedy=f"Did you mean {near[0]!r}?" if near else "See docs/keys.md",
            )
    changed = {name: ",".join(map(_long_name, keys.split(","))) for name, keys in remap.items()}
    rows = [(row, key) for row in table for key in changed.get(row.id, row.keys).split(",")]
    for at, (row, key) in enumerate(rows):
        for other, same in rows[:at]:
            if key == same and other.id != row.id and _both_listen(other.context, row.context):
                raise UserError(f"{shown(key)!r} is given to both {other.id} and {row.id}", where="keys")
    return changed


def _both_listen(one: str, other: str) -> bool:
    """Whether a key could be meant for either context: on a screen its own keys, a list's and `everywhere`'s all count."""
    return one == other or (not {one, other} & MODAL and bool({one, other} & {"list", "everywhere"}))


def _long_name(key: str) -> str:
    key = key.strip()
    if not key:
        raise UserError("a key name is empty", where="keys", remedy='Write keys like "a,f6,comma"')
    return _character_to_key(key) if len(key) == 1 else key


def reference_page() -> str:
    """docs/keys.md, generated."""
    lines = [
        "# Keys",
        "",
        "One key means one thing everywhere. Any of them can be changed in the `[keys]` table of your settings file",
        '(`sdtui info` prints where it is): `"captions.add_tag" = "a,f6"`.',
        "",
        "This page is written by `python -m sdtui.tui.keys` from the table the program itself uses.",
    ]
    for context, title in CONTEXTS.items():
        rows = [row for row in TABLE if row.context == context]
        if rows:
            lines += ["", f"## {title}", "", "| keys | does | id |", "|---|---|---|"]
            lines += [f"| {_code(row.keys)} | {row.help} | `{row.id}` |" for row in rows]
    return "\n".join(lines) + "\n"


def _code(keys: str) -> str:
    return " ".join(f"`{_SHOWN.get(key, key)}`" for key in keys.split(","))


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference_page())
