"""Queries as text: what may come next where one is typed, where one is wrong, and one more condition beside those there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rich.cells import cell_len

from sdtui.dataset.query_syntax import CHOICES, FIELDS, And, Node, Or, Term, parse
from sdtui.dataset.query_value import QueryError, Text, Wildcard, quoted, wildcard_pattern
from sdtui.tui.literal import harmless

_CASE = re.compile(r"\s*case:(on|off)\s+", re.IGNORECASE)
_FIELD_AT_END = re.compile(r"(?:^|[\s(])([a-z]*)$", re.IGNORECASE)
_MARK_AT_END = re.compile(r"(?:^|[\s(])mark:([a-z0-9]*)$", re.IGNORECASE)
_PROBLEM_AT_END = re.compile(r"(?:^|[\s(])problem:([a-z]*)$", re.IGNORECASE)
_TAG_AT_END = re.compile(r"(?:^|[\s(])tag:((?:(?!\b(?:AND|OR|NOT)\b)[^\"/():])+)$")
_OPERATOR_AT_END = re.compile(r"\s(?:A|AN|AND|O|OR|N|NO|NOT)$")
# Written otherwise than by their letters; they are offered in no line.
_SPECIAL = re.compile(r"[*?\"\\():/]|\b(?:AND|OR|NOT)\b")
OFFERED = 12


def tag_term(tag: str, *, without: bool = False) -> str:
    """The condition that an image has exactly this tag, or has it not."""
    return f"{'NOT ' if without else ''}tag:{quoted(tag)}"


def both(query: str, term: str) -> str:
    """A query that also asks for `term`; one that cannot be understood gives way to it."""
    case = found[0].strip() if (found := _CASE.match(query)) else ""
    rest = query[found.end() :].strip() if found else query.strip()
    try:
        root = parse(rest).root
    except QueryError:
        return term
    held = f"({rest})" if isinstance(root, Or) else rest
    return " ".join(filter(None, [case, held, "AND", term]))


def place_of_asked(query: str, tags: Sequence[str]) -> int:
    """Which of a caption's tags the query asks for, so that the tag cursor begins there; 0 where it asks for none.

    The last condition that asks for a tag counts: what was narrowed to last stands there.
    """
    if problem_of(query) is not None or not query.strip():
        return 0
    parsed = parse(query)
    for text in reversed(list(_tags_asked(parsed.root))):
        parts = [part if isinstance(part, Wildcard) else re.escape(part) for part in text.parts]
        pattern = wildcard_pattern(parts, ".", ".", whole=True)
        whole = re.compile(pattern, re.DOTALL if parsed.case else re.DOTALL | re.IGNORECASE)
        for at, tag in enumerate(tags):
            if whole.fullmatch(tag):
                return at
    return 0


def _tags_asked(node: Node) -> Iterator[Text]:
    """The tags that the query wants to be there; expressions are left out, as matching them may take long."""
    if isinstance(node, Term):
        if node.field == "tag" and isinstance(node.value, Text):
            yield node.value
    elif isinstance(node, And | Or):
        for item in node.items:
            yield from _tags_asked(item)


def case_turned(query: str) -> str:
    """The same query with upper and lower case told apart, or no longer."""
    if found := _CASE.match(query):
        rest = query[found.end() :]
        return rest if found[1].lower() == "on" else f"case:on {rest}"
    return f"case:on {query}"


def completions(query: str, tags: Iterable[str] = ()) -> tuple[int, Sequence[str]]:
    """What may stand at the end of a query: from which character on, and the words, likeliest first.

    Args:
        query: as far as it is typed.
        tags: those of the dataset, most frequent first.
    """
    ends: tuple[tuple[re.Pattern[str], Iterable[str]], ...] = (
        (_MARK_AT_END, CHOICES["mark"]),
        (_PROBLEM_AT_END, CHOICES["problem"]),
        (_TAG_AT_END, tags),
        (_FIELD_AT_END, (f"{field}:" for field in FIELDS)),
    )
    for pattern, words in ends:
        if found := pattern.search(query):
            begun = _beginning(words, found[1].casefold())
            plain = (word for word in begun if pattern is not _TAG_AT_END or not _SPECIAL.search(word))
            if offered := list(islice(plain, OFFERED)):
                return found.start(1), offered
    return len(query), ()


def _beginning(words: Iterable[str], start: str) -> Iterator[str]:
    folded = ((word, word.casefold()) for word in words)
    return (word for word, small in folded if small.startswith(start) and small != start)


def problem_of(query: str) -> QueryError | None:
    """Why a query cannot be understood; None where it can, where nothing is asked, and for the name of a saved one."""
    if not query.strip() or query.startswith("@"):
        return None
    try:
        parse(query)
    except QueryError as error:
        return error
    return None


def understood(query: str) -> str | None:
    """What to look for while a query is being typed: the query, or what stands before the term that is not complete yet.

    Brackets that are still open are closed for that. None: what is wrong stands further in front.
    """
    while (error := problem_of(query)) is not None:
        if "(" in query and (closed := _closed(query)) is not None:
            return closed
        sign = query[error.start : error.end]
        still_open = sign in {'"', "/"} and problem_of(query + sign) is None
        if error.end < len(query.rstrip()) and not still_open:
            return None
        query = query[: min(error.start, len(query) - 1)].rstrip()
    return query


def _closed(query: str) -> str | None:
    closed = (query + ")" * number for number in range(1, query.count("(") + 1))
    return next((each for each in closed if problem_of(each) is None), None)


def goes_on(query: str, tags: Iterable[str] = ()) -> bool:
    """Whether a query's last word looks like the beginning of a field, a tag or an operator."""
    return bool(completions(query, tags)[1]) or _OPERATOR_AT_END.search(query) is not None


def pointed(error: QueryError, room: int, scrolled: int = 0) -> str:
    """A line to stand below the query: carets under what is meant, and the message where there is room for it.

    Args:
        error: what is wrong.
        room: cells of the line.
        scrolled: cells of the query that are out of sight at the left.
    """
    before = max(0, cell_len(harmless(error.text[: error.start])) - scrolled)
    carets = "^" * max(1, min(cell_len(harmless(error.text[error.start : error.end])), room - before))
    after = room - before - len(carets) - 1
    if cell_len(error.message) > after and cell_len(error.message) < before:
        return f"{error.message} ".rjust(before) + carets
    # What helps is said as well if it fits.
    words = f"{error.message}. {error.remedy}" if error.remedy else error.message
    return " " * before + carets + " " + (words if cell_len(words) <= after else error.message)
