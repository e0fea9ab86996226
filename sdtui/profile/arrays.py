"""Changing an array in a TOML text item by item, so that comments and line breaks between the items stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from sdtui.profile.positions import Layout, Span

_AFTER = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*,")
_INDENT = "    "


class Splice(NamedTuple):
    """Replace the characters of `span` by `text`."""

    span: Span
    text: str


def splices(
    layout: Layout, key: str, old: Sequence[Any], new: Sequence[Any], write: Callable[[Any, str], str]
) -> list[Splice]:
    """The smallest changes that make the array at `key`, now holding `old`, hold `new`.

    Args:
        layout: positions in the text.
        key: the array's concrete key.
        old: its items now.
        new: its items afterwards.
        write: an item as TOML, given the text of the item it replaces (or of a neighbour, for its quoting).
    """
    spans = [layout.entries[f"{key}[{index}]"].value for index in range(len(old))]
    if not spans:
        return [_into_empty(layout, key, [write(item, "") for item in new])] if new else []
    # Items equal at both ends stay; between them, as many as there are on both sides are replaced in place.
    head = sum(1 for _ in takewhile(lambda pair: _same(*pair), zip(old, new, strict=False)))
    rest = min(len(old), len(new)) - head
    tail = sum(1 for _ in takewhile(lambda pair: _same(*pair), zip(old[:head:-1], new[:head:-1], strict=False)))
    tail = min(tail, rest)
    changed = rest - tail
    found = []
    for index in range(head, head + changed):
        found.append(Splice(spans[index], write(new[index], layout.text[slice(*spans[index])])))
    for index in range(head + changed, len(old) - tail):
        found.append(_removal(layout, spans, index))
    added = new[head + changed : len(new) - tail]
    if added:
        like = layout.text[slice(*spans[min(head + changed, len(spans) - 1)])]
        found.append(_insertion(layout.text, spans, head + changed, [write(item, like) for item in added]))
    return found


def _same(left: Any, right: Any) -> bool:
    """Equal and of one type: 1 and 1.0 and true are three different things in TOML."""
    return type(left) is type(right) and bool(left == right)


def _into_empty(layout: Layout, key: str, items: list[str]) -> Splice:
    span = layout.entries[key].value
    inside = Span(span.start + 1, span.end - 1)
    content = layout.text[slice(*inside)]
    if "\n" not in content:
        return Splice(inside, ", ".join(items))
    newline = "\r\n" if "\r\n" in content else "\n"
    last_line = content.rindex("\n") + 1
    return Splice(
        Span(inside.start + last_line, inside.start + last_line),
        "".join(f"{_INDENT}{item},{newline}" for item in items),
    )


def _own_line(text: str, span: Span) -> bool:
    """Whether nothing else stands on the item's lines but a comma and a comment."""
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    after = text[span.end : _line_end(text, span.end)]
    return not before.strip() and re.fullmatch(r"[ \t]*,?[ \t]*(#.*)?[\r\n]*", after) is not None


def _line_end(text: str, offset: int) -> int:
    """Behind the line break that ends the line of `offset`."""
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1


def _removal(layout: Layout, spans: list[Span], index: int) -> Splice:
    text, span = layout.text, spans[index]
    if _own_line(text, span):
        return Splice(Span(text.rfind("\n", 0, span.start) + 1, _line_end(text, span.end)), "")
    if index + 1 < len(spans) and (index or not _own_line(text, spans[index + 1])):
        return Splice(Span(span.start, spans[index + 1].start), "")
    if index:
        return Splice(Span(spans[index - 1].end, span.end), "")
    comma = _AFTER.match(text, span.end)
    return Splice(Span(span.start, comma.end() if comma else span.end), "")


def _insertion(text: str, spans: list[Span], index: int, items: list[str]) -> Splice:
    """Put `items` before the item at `index`, or behind the last one."""
    if index < len(spans):
        start = spans[index].start
        if not _own_line(text, spans[index]):
            return Splice(Span(start, start), "".join(f"{item}, " for item in items))
        line = text.rfind("\n", 0, start) + 1
        newline = "\r\n" if text[_line_end(text, start) - 2 :].startswith("\r\n") else "\n"
        return Splice(Span(line, line), "".join(f"{text[line:start]}{item},{newline}" for item in items))
    last = spans[-1]
    if not _own_line(text, last):
        return Splice(Span(last.end, last.end), "".join(f", {item}" for item in items))
    line, end = text.rfind("\n", 0, last.start) + 1, _line_end(text, last.end)
    comma = _AFTER.match(text, last.end)
    kept = text[last.end : end] if comma and comma.end() <= end else f",{text[last.end : end]}"
    newline = "\r\n" if kept.endswith("\r\n") else "\n"
    return Splice(Span(last.end, end), kept + "".join(f"{text[line : last.start]}{item},{newline}" for item in items))
