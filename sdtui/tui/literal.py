r"""Untrusted text (file names, captions, profile names, errors) on its way to the screen: shown as it is, never obeyed.

Textual and Rich read `[red]` in a plain string as markup and a terminal obeys control characters, so every such string
passes through here: `literal` makes a `Content`, which is never parsed, and `clean` spells out what a terminal would act on.
"""

from __future__ import annotations

import re
import sys
import unicodedata

from textual.content import Content

# C0 and C1 controls, bidirectional overrides and isolates, joiners and variation selectors (their width differs between
# terminals and would shift the row), line and paragraph separators, byte-order mark, and lone surrogates (undecodable names).
_ACTED_ON = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200d-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
# Cells that are left of a folder before the file's name is cut, too.
FOLDER = 5
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def clean(text: str, *, ascii_only: bool = False, lines: bool = False) -> str:
    r"""`text` with everything a terminal would act on spelt out (`\x1b`, `\u202e`); one column per character width.

    Args:
        text: any string, also one with lone surrogates from an undecodable file name.
        ascii_only: spell out every character beyond ASCII too (the `--ascii` setting).
        lines: keep line breaks, for text shown over several lines.
    """
    if lines:
        return "\n".join(clean(line, ascii_only=ascii_only) for line in text.splitlines())
    # Right-to-left letters are left alone: only a terminal that reorders them itself shows them reordered.
    return (_NOT_ASCII if ascii_only else _ACTED_ON).sub(lambda match: _spelt(match[0]), text)


def harmless(text: str) -> str:
    """`text` with a `?` for each character a terminal would act on: for lines being typed, where places must not shift."""
    return _ACTED_ON.sub("?", text)


def literal(text: str, style: str = "", *, ascii_only: bool = False, lines: bool = False) -> Content:
    """`text` as content that no widget parses, in one style (`$accent`, `bold` …)."""
    return Content.styled(clean(text, ascii_only=ascii_only, lines=lines), style)


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` cut in the middle to `width` cells: the end of a path says as much as its beginning."""
    if Content(text).cell_length <= width:
        return text
    if width <= len(ellipsis):
        return ellipsis[:width]
    room = width - len(ellipsis)
    return _first(text, room // 2) + ellipsis + _last(text, room - room // 2)


def shorten_path(path: str, width: int, ellipsis: str = "…") -> str:
    """A file's path cut to `width` cells: first its folder down to `FOLDER` cells, which many rows have in common."""
    folder, slash, name = path.rpartition("/")
    length = Content(name).cell_length
    kept = max(FOLDER, width - 1 - length)
    if not slash or width - 1 - kept < min(FOLDER, length) or Content(folder).cell_length <= FOLDER:
        return shorten(path, width, ellipsis)
    folder = shorten(folder, kept, ellipsis)
    return f"{folder}/{shorten(name, width - 1 - Content(folder).cell_length, ellipsis)}"


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` cut at its end to `width` cells and padded to exactly that."""
    content = Content(text)
    if content.cell_length > width:
        text = _first(text, max(0, width - len(ellipsis))) + ellipsis[:width]
    return text + " " * (width - Content(text).cell_length)


def home_path(path: str, home: str) -> str:
    """A path with the user's home folder written `~`."""
    return "~" + path[len(home) :] if path == home or path.startswith(home.rstrip("/") + "/") else path


def _spelt(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _first(text: str, cells: int) -> str:
    return Content(text).truncate(cells).plain if cells > 0 else ""


def _last(text: str, cells: int) -> str:
    kept: list[str] = []
    for character in reversed(text):
        cells -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if cells < 0:
            break
        kept.append(character)
    return "".join(reversed(kept))


def terminal_is_utf8() -> bool:
    """Whether the locale's encoding can carry box drawing at all; without it the app falls back to ASCII."""
    return (sys.__stderr__.encoding if sys.__stderr__ else "ascii").lower().replace("-", "") in {"utf8", "cp65001"}
