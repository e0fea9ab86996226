"""The line a query is typed into: offers fields and tags, goes back through earlier queries, shows what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Static

from sdtui.dataset.query_value import QueryError
from sdtui.tui import keys
from sdtui.tui.captions.querying import case_turned, completions, pointed, problem_of
from sdtui.tui.literal import clean, fit, harmless
from sdtui.tui.widgets.line_input import LineInput

KEPT = 50
# Tags that are looked through for what is offered; those beyond are too rare to be meant.
_TAGS = 10_000
# Cells of the slash and the padding before the line.
BEFORE = 3


class QueryInput(LineInput):
    """A LineInput for queries.

    Attributes:
        history: earlier queries, oldest first; `remember` adds one.
        tags: gives the dataset's tags, most frequent first.
    """

    KEY_CONTEXT: ClassVar[str] = "query"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("query")]

    def __init__(self) -> None:
        super().__init__(id="search")
        self.history: list[str] = []
        self.tags: Callable[[], Iterable[str]] = lambda: ()
        self._at = 0
        self._typed = ""
        self.suggester = _Completer(self)

    @property
    def _value(self) -> Text:
        """What is drawn, with what cannot be understood underlined."""
        drawn = super()._value
        if (error := self.wrong) is not None and error.start < len(drawn.plain):
            colour = self.app.theme_variables.get("error", "red")
            drawn.stylize(f"underline {colour}", error.start, error.end)
        return drawn

    @property
    def wrong(self) -> QueryError | None:
        """What cannot be understood; not yet a word at the end that may become one that can."""
        error = problem_of(self.value)
        if error is not None and error.end >= len(self.value.rstrip()) and completions(self.value)[1]:
            return None
        return error

    def likely_tags(self) -> Iterable[str]:
        """Those of the dataset's tags that may be meant."""
        return islice(self.tags(), _TAGS)

    def remember(self, query: str) -> None:
        """Take note of a query that was looked for."""
        if query.strip() and not query.startswith("@"):
            self.history = [*(each for each in self.history if each != query), query][-KEPT:]
        self._at = 0

    def action_earlier(self) -> None:
        """An earlier query."""
        self._go(1)

    def action_later(self) -> None:
        """A later one, at last what was typed before going back."""
        self._go(-1)

    def action_case(self) -> None:
        """Tell upper and lower case apart, or no longer."""
        self._put(case_turned(self.value))

    def _go(self, step: int) -> None:
        if not self._at:
            self._typed = self.value
        at = min(max(self._at + step, 0), len(self.history))
        if at != self._at:
            self._put(self.history[-at] if at else self._typed)
            self._at = at

    def _put(self, value: str) -> None:
        self.value = value
        self.cursor_position = len(value)


class _Completer(Suggester):
    """Offers the likeliest end of the query."""

    def __init__(self, line: QueryInput) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._line = line

    async def get_suggestion(self, value: str) -> str | None:
        if not value.strip():
            return None
        start, words = completions(value, self._line.likely_tags())
        return value + words[0][len(value) - start :] if words and harmless(words[0]) == words[0] else None


class QueryNote(Static):
    """The line below a query while it is typed: what is wrong and where, or what may come next."""

    DEFAULT_CSS = """
    QueryNote { height: 1; padding: 0 1; display: none; background: $surface; color: $soft; }
    QueryNote.-open { display: block; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def follow(self, line: QueryInput) -> None:
        """Say what there is to say of the line as it is now; nothing while it is not typed into."""
        self.set_class(line.has_focus, "-open")
        width = max(0, self.app.size.width - 2)
        if (error := line.wrong) is not None:
            words = pointed(error, width - BEFORE + 1, line.scroll_offset.x)
            self.update(Content.styled(fit(" " * (BEFORE - 1) + clean(words), width), "$error"))
            return
        _start, offered = completions(line.value, line.likely_tags())
        self.update(Content(fit(" " * (BEFORE - 1) + "  ".join(map(clean, offered)), width)))
