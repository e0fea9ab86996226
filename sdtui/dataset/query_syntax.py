"""The query language: from its text to a tree of terms.

```
query = ["case:on" | "case:off"] or
or    = and {"OR" and}
and   = not {["AND"] not}
not   = {"NOT"} ("(" or ")" | term)
term  = [field ":"] value
value = '"' text '"' | "/" regex "/" | words | number | word
```

Operators are written in capitals, so that they are not taken for words. Words beside each other are one text; a term ends
where another field, a quote or an operator begins. A bracket within a word belongs to it: `tag:saber_(fate)`.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from sdtui.dataset.query_value import (
    Choice,
    Number,
    QueryError,
    Regex,
    Score,
    Text,
    Value,
    read_number,
    read_score,
    read_text,
)

TEXT_FIELDS = ("tag", "caption", "name", "path", "folder")
NUMBER_FIELDS = ("tags", "chars", "tokens", "width", "height", "aspect", "repeats", "stars")
CHOICES: dict[str, tuple[str, ...]] = {
    "mark": ("1", "2", "3", "4", "5", "6", "7", "8", "9", "any", "none"),
    "problem": ("missing", "empty", "unreadable", "twice", "any", "none"),
}
SCORE = "score"
FIELDS = (*TEXT_FIELDS, *CHOICES, *NUMBER_FIELDS, SCORE)
# A term without a field looks at captions and paths.
ANYWHERE = ""

# Python says of a few odd patterns that they may mean something else one day; on a screen nobody could read that.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"sdtui\.dataset\.query")

_DEPTH = 100
_FIELD = re.compile(r"([A-Za-z_]+):")
_KEYWORD = re.compile(r"(AND|OR|NOT)(?=[\s()\"]|$)")
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BLANKS = re.compile(r"\s*")
_WORD = re.compile(r"[^\s()]*")


@dataclass(frozen=True)
class Term:
    """One condition; `start` and `end` are its place in the query's text."""

    field: str
    value: Value
    start: int
    end: int


@dataclass(frozen=True)
class Not:
    """What `item` does not match."""

    item: Node


@dataclass(frozen=True)
class And:
    """What all of `items` match."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """What any of `items` matches."""

    items: tuple[Node, ...]


Node = Term | Not | And | Or


@dataclass(frozen=True)
class Query:
    """A query that was understood; `case`: whether upper and lower case differ."""

    text: str
    root: Node
    case: bool = False


def parse(text: str) -> Query:
    """Read a query; raises QueryError, which points at the characters that cannot be understood."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    # -- operators ----------------------------------------------------------------------------------------------------

    def query(self) -> Query:
        self._skip()
        case = self._case()
        if self._ended():
            raise self._error(self.at, self.at, "the query is empty", "Write for example: tag:night AND tags:<5")
        root = self._or()
        if not self._ended():
            raise self._error(self.at, self.at + 1, "this ) closes nothing", "Take it out, or open it with (")
        return Query(self.text, root, case)

    def _case(self) -> bool:
        found = _FIELD.match(self.text, self.at)
        if not found or found[1].lower() != "case":
            return False
        start = self.at
        self.at = found.end()
        word = self._word()
        if word.lower() not in {"on", "off"}:
            raise self._error(start, self.at, f"case: is on or off, not {word!r}", "Write case:on")
        self._skip()
        return word.lower() == "on"

    def _or(self) -> Node:
        items = [self._and()]
        while self._take("OR"):
            items.append(self._and())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _and(self) -> Node:
        items = [self._not()]
        while self._take("AND") or not (self._ended() or self.text[self.at] == ")" or self._keyword() == "OR"):
            items.append(self._not())
        return items[0] if len(items) == 1 else And(tuple(items))

    def _not(self) -> Node:
        negated = False
        while self._take("NOT"):
            negated = not negated
        if self._ended() or self.text[self.at] == ")" or self._keyword():
            raise self._missing()
        item = self._group() if self.text[self.at] == "(" else self._term()
        return Not(item) if negated else item

    def _group(self) -> Node:
        start = self.at
        self.depth += 1
        if self.depth > _DEPTH:
            raise self._error(start, start + 1, f"more than {_DEPTH} brackets within each other")
        self.at += 1
        self._skip()
        item = self._or()
        if self._ended():
            raise self._error(start, start + 1, "this ( is never closed", "Close it with )")
        self.at += 1
        self.depth -= 1
        self._skip()
        return item

    def _missing(self) -> QueryError:
        """An operator or a bracket stands where a term has to."""
        if self._ended():
            before = self.text.rstrip()
            start = before.rfind(" ") + 1 if not before.endswith("(") else len(before) - 1
            return self._error(start, len(before), f"something has to follow {before[start:]}")
        word = self._keyword() or ")"
        remedy = "" if word == ")" else f'For the word itself write "{word}"'
        return self._error(self.at, self.at + len(word), f"something has to stand before {word}", remedy)

    # -- terms --------------------------------------------------------------------------------------------------------

    def _term(self) -> Term:
        start = self.at
        field = self._field()
        readers: dict[str, Callable[[str, int], Value]] = dict.fromkeys(NUMBER_FIELDS, self._number)
        readers |= dict.fromkeys(CHOICES, self._choice)
        readers[SCORE] = self._score
        value = readers.get(field, self._text)(field, start)
        end = self.at
        self._skip()
        return Term(field, value, start, end)

    def _field(self) -> str:
        found = _FIELD.match(self.text, self.at)
        if found is None:
            return ANYWHERE
        field = found[1].lower()
        if field not in FIELDS:
            raise self._unknown(field, found.end())
        self.at = found.end()
        if self._ended() or self.text[self.at].isspace() or self.text[self.at] in "()":
            remedy = "Put quotes around a text that begins with a bracket"
            raise self._error(found.start(), found.end(), f"{field}: needs a value right after the colon", remedy)
        return field

    def _unknown(self, field: str, end: int) -> QueryError:
        if field == "case":
            return self._error(self.at, end, "case: stands at the front of a query", "Move it there")
        near = difflib.get_close_matches(field, FIELDS, 1)
        meant = f"Did you mean {near[0]}:? " if near else f"Fields are {', '.join(FIELDS)}. "
        remedy = f"{meant}For a text with a colon in it put quotes around it"
        return self._error(self.at, end, f"there is no field {field}:", remedy)

    def _text(self, field: str, start: int) -> Value:
        if self.text[self.at] == '"':
            return self._checked(read_text(self._enclosed(_QUOTED, "quote", '"')), field, start)
        if self.text[self.at] == "/":
            return self._regex()
        return self._checked(read_text(self._words()), field, start)

    def _checked(self, text: Text, field: str, start: int) -> Text:
        literal = "".join(part for part in text.parts if isinstance(part, str))
        if field == "tag" and ("," in literal or "\n" in literal):
            raise self._error(
                start, self.at, "a tag holds no comma", "Write tag:one AND tag:other, or caption: for a text"
            )
        if field != "folder" and not text.parts:
            raise self._error(start, self.at, "an empty text is in everything", "problem:empty finds empty captions")
        return text

    def _regex(self) -> Regex:
        start = self.at
        pattern = self._enclosed(_REGEX, "regular expression", "/").replace("\\/", "/")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            at = start + 1 + (getattr(error, "pos", None) or 0)
            message = f"not a regular expression: {getattr(error, 'msg', error)}"
            raise self._error(at, at + 1, message) from error
        return Regex(pattern)

    def _enclosed(self, form: re.Pattern[str], what: str, sign: str) -> str:
        start = self.at
        found = form.match(self.text, start)
        if found is None:
            remedy = f"End it with {sign}" + (
                ', or put it in "quotes" to look for the sign itself' if sign == "/" else ""
            )
            raise self._error(start, start + 1, f"this {what} is never closed", remedy)
        self.at = found.end()
        if not self._ended() and not self.text[self.at].isspace() and self.text[self.at] != ")":
            raise self._error(self.at, self.at + 1, f"after the {what} a blank has to follow")
        return found[1]

    def _words(self) -> str:
        """Words beside each other, up to what is no word."""
        words, starts = [], []
        while True:
            starts.append(self.at)
            words.append(self._word())
            end = self.at
            self._skip()
            if self._ended() or self.text[self.at] in ')"/' or self._keyword() or _FIELD.match(self.text, self.at):
                break
            if self.text[self.at] == "(":
                remedy = "Write AND or OR before it, or put quotes around a text with brackets in it"
                raise self._error(self.at, self.at + 1, "a bracket cannot follow a word", remedy)
        follows = not self._ended() and self.text[self.at] != ")" and not self._keyword()
        if follows and words[-1].upper() in {"AND", "OR", "NOT"}:
            raise self._error(
                starts[-1], end, f"{words[-1]!r} is taken for a word", f"Operators are capitals: {words[-1].upper()}"
            )
        self.at = end
        return " ".join(words)

    def _word(self) -> str:
        """Up to a blank, or a bracket that was not opened within the word."""
        start, depth = self.at, 0
        while True:
            self.at = _match_end(_WORD, self.text, self.at)
            char = self.text[self.at : self.at + 1]
            if char not in {"(", ")"} or (char == ")" and not depth):
                return self.text[start : self.at]
            depth += 1 if char == "(" else -1
            self.at += 1

    def _number(self, field: str, start: int) -> Number:
        word = self._word()
        number = read_number(word, ratio=field == "aspect")
        at = start + len(field) + 1
        if number is None:
            example = "aspect:>1.5, aspect:3:2" if field == "aspect" else f"{field}:5, {field}:<5, {field}:3..10"
            kind = "a number or a ratio" if field == "aspect" else "a whole number"
            raise self._error(at, self.at, f"{field}: wants {kind}, not {word!r}", f"Write for example: {example}")
        if number.low is not None and number.high is not None and number.low > number.high:
            raise self._error(at, self.at, "the range ends before it begins", "The smaller number comes first")
        return number

    def _score(self, field: str, start: int) -> Score:
        at = start + len(field) + 1
        quoted = self.text[self.at] == '"'
        raw = self._enclosed(_QUOTED, "quote", '"') if quoted else self._words()
        score = read_score(raw)
        if score is None:
            remedy = "Write for example: score:long hair>0.8, score:solo=0.3..0.5"
            raise self._error(at, self.at, f"{field}: wants a tag and a comparison, not {raw!r}", remedy)
        return score

    def _choice(self, field: str, start: int) -> Choice:
        word = self._word()
        if word.lower() not in CHOICES[field]:
            known = ", ".join(CHOICES[field])
            at = start + len(field) + 1
            raise self._error(at, self.at, f"{field}: does not know {word!r}", f"It knows: {known}")
        return Choice(word.lower())

    # -- characters ---------------------------------------------------------------------------------------------------

    def _ended(self) -> bool:
        return self.at >= len(self.text)

    def _skip(self) -> None:
        self.at = _match_end(_BLANKS, self.text, self.at)

    def _keyword(self) -> str:
        found = _KEYWORD.match(self.text, self.at)
        return found[1] if found else ""

    def _take(self, keyword: str) -> bool:
        if self._keyword() != keyword:
            return False
        self.at += len(keyword)
        self._skip()
        return True

    def _error(self, start: int, end: int, message: str, remedy: str = "") -> QueryError:
        return QueryError(self.text, start, end, message, remedy)


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a match of a pattern that may be empty ends."""
    found = pattern.match(text, at)
    return found.end() if found else at
