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
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    both = min(len(old), len(new)) - tail
    found = [Splice(spans[at], write(new[at], layout.text[slice(*spans[at])])) for at in range(head, both)]
    if len(old) - tail > both:
        found += _removals(layout.text, spans, both, len(old) - tail)
    if len(new) - tail > both:
        like = layout.text[slice(*spans[min(both, len(spans) - 1)])]
        found.append(_insertion(layout.text, spans, both, [write(item, like) for item in new[both : len(new) - tail]]))
    return found


def _common(left: Sequence[Any], right: Sequence[Any]) -> int:
    """How many items are equal from the start."""
    return sum(1 for _ in takewhile(lambda pair: _same(*pair), zip(left, right, strict=False)))


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


def _removals(text: str, spans: list[Span], first: int, end: int) -> list[Splice]:
    """Take out the items from `first` up to `end`, each with the comma that belongs to it."""
    gone = spans[first:end]
    if all(_own_line(text, span) for span in gone):
        return [Splice(Span(text.rfind("\n", 0, span.start) + 1, _line_end(text, span.end)), "") for span in gone]
    if end < len(spans):
        return [Splice(Span(spans[first].start, spans[end].start), "")]
    if first:
        return [Splice(Span(spans[first - 1].end, spans[-1].end), "")]
    comma = _AFTER.match(text, spans[-1].end)
    return [Splice(Span(spans[0].start, comma.end() if comma else spans[-1].end), "")]


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
