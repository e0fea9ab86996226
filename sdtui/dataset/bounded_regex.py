"""Regular expressions of the user's that never hold the program up: one that might go on for ever is run with a clock.

Python's `re` cannot be interrupted, and nothing else runs meanwhile. So it only gets what it is sure to do within a moment:
how often it may have to try follows from the pattern and the text's length. The rest is done by the `regex` package (which
diffusers and transformers bring), slower, interruptible, and while other threads run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sdtui.dataset.query_regex import NUMBER_OF_TIMES, pattern_parts
from sdtui.errors import UserError

if TYPE_CHECKING:
    import regex

# Tries that take `re` about a tenth of a second.
_TRIES: Final = 10_000_000
_SECONDS = 1.0
# A group that does nothing but hold together, or looks around.
_PLAIN_GROUP = re.compile(r"\(\?(?:[:=!>]|<[=!]|P<\w+>)")


class SlowExpressionError(UserError):
    """An expression that did not come to an end in one text."""

    def __init__(self, pattern: str) -> None:
        super().__init__(
            f"the regular expression /{pattern}/ takes more than {_SECONDS:g} s for one caption",
            remedy="Say it without repetitions inside repetitions, or next to each other",
        )


class BoundedRegex:
    """A compiled expression, searched in any text within a second."""

    def __init__(self, compiled: re.Pattern[str]) -> None:
        self._compiled = compiled
        cost = cost_of(compiled)
        self._longest = 0 if cost is None else int((_TRIES / cost.choices) ** (1 / (1 + cost.repeats)))
        self._timed: regex.Pattern[str] | None = None

    def found_in(self, text: str) -> bool:
        """Whether it is found anywhere; raises SlowExpressionError."""
        if len(text) <= self._longest:
            return self._compiled.search(text) is not None
        try:
            return self._with_a_clock().search(text, timeout=_SECONDS, concurrent=True) is not None
        except TimeoutError as error:
            raise SlowExpressionError(self._compiled.pattern) from error

    def all_in(self, text: str) -> list[str]:
        """All that is found, or the first group of each where there is one; raises SlowExpressionError."""
        if len(text) <= self._longest:
            finds = list(self._compiled.finditer(text))
        else:
            try:
                finds = list(self._with_a_clock().finditer(text, timeout=_SECONDS, concurrent=True))
            except TimeoutError as error:
                raise SlowExpressionError(self._compiled.pattern) from error
        return [(find[1] if self._compiled.groups else find[0]) or "" for find in finds]

    def replaced_in(self, text: str, replacement: str) -> str:
        r"""The text with `replacement` (`\1`, `\g<name>`) for whatever is found; raises SlowExpressionError."""
        if len(text) <= self._longest:
            return self._compiled.sub(replacement, text)
        try:
            return str(self._with_a_clock().sub(replacement, text, timeout=_SECONDS, concurrent=True))
        except TimeoutError as error:
            raise SlowExpressionError(self._compiled.pattern) from error

    def _with_a_clock(self) -> regex.Pattern[str]:
        if self._timed is None:
            import regex

            flags = regex.VERSION0
            for one, other in ((re.IGNORECASE, regex.IGNORECASE), (re.DOTALL, regex.DOTALL)):
                flags |= other if self._compiled.flags & one else 0
            try:
                self._timed = regex.compile(self._compiled.pattern, flags)
            except regex.error as error:
                raise UserError(f"the regular expression /{self._compiled.pattern}/ cannot be used: {error}") from error
        return self._timed


@dataclass(frozen=True)
class Cost:
    """How often a pattern may have to be tried at one place of a text of n characters: `choices` · n ** `repeats`."""

    repeats: int = 0
    choices: int = 1

    def then(self, other: Cost) -> Cost:
        """Of both, one after the other."""
        return Cost(self.repeats + other.repeats, self.choices * other.choices)

    def either(self, other: Cost) -> Cost:
        """Of whichever is dearer."""
        return Cost(max(self.repeats, other.repeats), max(self.choices, other.choices))


def cost_of(pattern: re.Pattern[str]) -> Cost | None:
    """At most so dear; None where nothing can be said: repetitions of what may match in several ways, odd brackets."""
    if pattern.flags & re.VERBOSE:
        return None
    open_groups = [_Group()]
    last = Cost()
    text = pattern.pattern
    skip = at = 0
    counted = False  # whether the part before said how often; a `?` or `+` after that says in which order to try
    for part, _depth in pattern_parts(text):
        start, at = at, at + len(part)
        if start < skip or (counted and part in "?+"):
            counted = False
            continue
        times = _times(part)
        counted = times is not None
        if part == "(":
            group = _PLAIN_GROUP.match(text, start)
            if group is None and text.startswith("(?", start):
                return None
            skip = group.end() if group else at
            open_groups.append(_Group())
        elif part == ")":
            last = open_groups.pop().cost
            open_groups[-1].add(last)
        elif part == "|":
            open_groups[-1].bar()
        elif times is None:
            last = Cost()
        elif last != Cost() and times != (0, 1):
            return None
        else:
            open_groups[-1].add(_repeated(times))
    return open_groups[0].cost


class _Group:
    """What stands in a bracket, as far as it was read."""

    def __init__(self) -> None:
        self._dearest, self._alternatives, self._since = Cost(), 1, Cost()

    @property
    def cost(self) -> Cost:
        dearest = self._dearest.either(self._since)
        return Cost(dearest.repeats, dearest.choices * self._alternatives)

    def add(self, cost: Cost) -> None:
        self._since = self._since.then(cost)

    def bar(self) -> None:
        """Another alternative begins."""
        self._dearest, self._since = self._dearest.either(self._since), Cost()
        self._alternatives += 1


def _times(part: str) -> tuple[int, int | None] | None:
    """How often at least and at most (None: without end) a part that says so wants what is before it; None: it does not."""
    known: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if part in known:
        return known[part]
    if not NUMBER_OF_TIMES.fullmatch(part):
        return None
    low, comma, high = part[1:-1].partition(",")
    least = int(low or 0)
    return least, (int(high) if high else None) if comma else least


def _repeated(times: tuple[int, int | None]) -> Cost:
    least, most = times
    return Cost(repeats=1) if most is None else Cost(choices=max(1, most - least + 1))
