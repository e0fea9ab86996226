"""Edits of a TOML text that change the characters they must and no others: each takes a text and returns one.

tomlkit writes single values. It does not place them: on a whole document it moves a new key behind the comment that
announces the next section, drops the comments inside an array that is replaced, and ends new lines with LF among CRLF.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit

from sdtui.errors import SdtuiError
from sdtui.profile import arrays
from sdtui.profile.arrays import Splice
from sdtui.profile.positions import Entry, Layout, Span, Table, scan


def lookup(data: Mapping[str, Any], key: str) -> Any:
    """The value at a concrete key ("dataset.folders[0].path").

    Raises:
        KeyError: there is none.
    """
    value: Any = data
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", key):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            raise KeyError(key) from None
    return value


def set_value(text: str, key: str, value: Any) -> str:
    """`text` with `key` set to `value`; the key's line, its section's header or both are added where they are missing.

    Raises:
        SdtuiError: the place cannot be edited without touching more than it should.
    """
    layout = scan(text)
    entry = layout.entries.get(key)
    changed = _apply(text, _replacement(layout, key, entry, value)) if entry else _add(layout, key, value)
    return _verified(changed, key, value)


def unset_value(text: str, key: str) -> str:
    """`text` without `key`: its line goes, with the comment behind it; text that does not have the key stays as it is."""
    layout = scan(text)
    entry = layout.entries.get(key)
    if entry is None:
        return text
    return _verified(_apply(text, [Splice(_removable(text, entry), "")]), key, None)


def add_table(text: str, path: str, values: Mapping[str, Any]) -> str:
    """`text` with one more [[path]] table at the end of that list."""
    layout = scan(text)
    rows = [table for table in layout.tables if re.fullmatch(rf"{re.escape(path)}\[\d+\]", table.path)]
    lines = [f"[[{path}]]", *(f"{name} = {_written(value, '')}" for name, value in values.items())]
    if rows:
        at = _body_end(layout, rows[-1])
    elif path in layout.entries:
        row = tomlkit.inline_table()
        row.update(values)
        old = tomllib.loads(text)
        items = lookup(old, path)
        return _apply(text, arrays.splices(layout, path, items, [*items, dict(values)], lambda *_: row.as_string()))
    else:
        at = len(text)
    return _insert_block(text, at, lines)


def remove_table(text: str, key: str) -> str:
    """`text` without one row of a list of tables ("dataset.folders[1]"), from its header to the next one's comments."""
    layout = scan(text)
    table = layout.table(key)
    if table is None:
        path, index = key[: key.rindex("[")], int(key[key.rindex("[") + 1 : -1])
        items = list(lookup(tomllib.loads(text), path))
        return _apply(text, arrays.splices(layout, path, items, items[:index] + items[index + 1 :], _written))
    following = next((other for other in layout.tables if other.header.start > table.header.start), None)
    end = _block_start(layout, following) if following else len(text)
    return text[: _line_start(text, table.header.start)] + text[end:]


def _replacement(layout: Layout, key: str, entry: Entry, value: Any) -> list[Splice]:
    if isinstance(value, list | tuple):
        old = lookup(tomllib.loads(layout.text), key)
        if isinstance(old, list):
            return arrays.splices(layout, key, old, list(value), _written)
    return [Splice(entry.value, _written(value, layout.text[slice(*entry.value)]))]


def _written(value: Any, replaced: str) -> str:
    """`value` as TOML, in the quotes of the text it replaces where it can be; backslashes prefer literal quotes."""
    if isinstance(value, dict):
        row = tomlkit.inline_table()
        row.update(value)
        return str(row.as_string())
    if not isinstance(value, str):
        return str(tomlkit.item(value).as_string())
    literal = replaced[:1] == "'" or (not replaced and "\\" in value)
    if literal and "'" not in value and value.isprintable():
        return f"'{value}'"
    return str(tomlkit.string(value).as_string())


def _add(layout: Layout, key: str, value: Any) -> str:
    section, _, name = key.rpartition(".")
    written = _written(value, "")
    inline = layout.entries.get(section)
    if inline and layout.text[inline.value.start] != "{":
        raise _refused(key)
    if inline:
        return _into_inline(layout, section, inline, f"{name} = {written}")
    siblings = [
        other for other in layout.entries if other.rpartition(".")[0] == section and not layout.entries[other].inline
    ]
    if siblings:
        return _after(layout, layout.entries[siblings[-1]], name, written)
    table = layout.table(section)
    if table and section:
        at = _line_end(layout.text, table.header.end)
        indent = layout.text[_line_start(layout.text, table.header.start) : table.header.start]
        return _insert_line(layout.text, at, f"{indent}{name} = {written}")
    if not section:
        return _at_top(layout, f"{name} = {written}")
    inner = next((table for table in layout.tables if table.path.startswith((f"{section}.", f"{section}["))), None)
    at = _block_start(layout, inner) if inner else len(layout.text)
    return _insert_block(layout.text, at, [f"[{section}]", f"{name} = {written}"])


def _after(layout: Layout, sibling: Entry, name: str, written: str) -> str:
    """A new line below a sibling, with its indent and its way of writing the key (dotted or not)."""
    text = layout.text
    indent = text[_line_start(text, sibling.key.start) : sibling.key.start]
    return _insert_line(text, _line_end(text, sibling.value.end), f"{indent}{sibling.dotted}{name} = {written}")


def _into_inline(layout: Layout, section: str, inline: Entry, written: str) -> str:
    inside = [entry for key, entry in layout.entries.items() if key.rpartition(".")[0] == section]
    if inside:
        at = inside[-1].value.end
        return _apply(layout.text, [Splice(Span(at, at), f", {written}")])
    return _apply(layout.text, [Splice(inline.value, f"{{ {written} }}")])


def _at_top(layout: Layout, line: str) -> str:
    """A first key before the first section, but below a comment that opens the file."""
    text = layout.text
    if len(layout.tables) == 1:
        return _insert_line(text, len(text), line)
    return _insert_block(text, _block_start(layout, layout.tables[1]), [line], below=True)


def _removable(text: str, entry: Entry) -> Span:
    """The whole line of a setting; of one in braces, the setting and one comma."""
    if not entry.inline:
        return Span(_line_start(text, entry.key.start), _line_end(text, entry.value.end))
    behind = re.compile(r"\s*,\s*").match(text, entry.value.end)
    if behind:
        return Span(entry.key.start, behind.end())
    before = re.search(r"\s*,\s*$", text[: entry.key.start])
    return Span(before.start() if before else entry.key.start, entry.value.end)


def _apply(text: str, found: Iterable[Splice]) -> str:
    for span, replacement in sorted(found, reverse=True):
        text = text[: span.start] + replacement + text[span.end :]
    return text


def _newline(text: str) -> str:
    """The line break the file uses."""
    return "\r\n" if "\r\n" in text else "\n"


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1


def _insert_line(text: str, at: int, line: str) -> str:
    newline = _newline(text)
    if at and text[at - 1] != "\n":
        # The file's last line has no line break; it gets one, and the new last line has none in its place.
        return f"{text[:at]}{newline}{line}{text[at:]}"
    return f"{text[:at]}{line}{newline}{text[at:]}"


def _insert_block(text: str, at: int, lines: list[str], *, below: bool = False) -> str:
    """Lines set off by blank ones: above what stands at `at`, or at the end of the file."""
    newline = _newline(text)
    before, after = text[:at], text[at:]
    if before and not before.endswith("\n"):
        before += newline
    if before and not below and not re.search(r"(\A|\n)[ \t\r]*\n\Z", before):
        before += newline
    block = newline.join(lines) + newline
    if after and not re.match(r"[ \t\r]*\n", after):
        block += newline
    return before + block + after


def _body_end(layout: Layout, table: Table) -> int:
    """Behind the last line that belongs to a table."""
    last = max([table.header.end, *(layout.entries[key].value.end for key in table.entries)])
    return _line_end(layout.text, last)


def _block_start(layout: Layout, table: Table) -> int:
    """Where a table's header begins, or the comment lines right above it."""
    text = layout.text
    start = _line_start(text, table.header.start)
    while start:
        above = _line_start(text, start - 1)
        if not text[above:start].strip().startswith("#"):
            break
        start = above
    return start


def _verified(text: str, key: str, value: Any) -> str:
    """`text`, if it says what it should (None: no value at all)."""
    try:
        found = lookup(tomllib.loads(text), key)
    except KeyError:
        found = None
    except tomllib.TOMLDecodeError as error:
        raise _refused(key) from error
    if found != (list(value) if isinstance(value, tuple) else value):
        raise _refused(key)
    return text


def _refused(key: str) -> SdtuiError:
    return SdtuiError(f"{key} stands where it cannot be edited in place", remedy="Edit the text itself")
