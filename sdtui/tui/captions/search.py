"""Finding one's way on the captions screen: queries, matches, images without a caption, another folder."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.widgets import Input
from textual.worker import get_current_worker

from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.colours import CaptionsColours
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.querying import both, goes_on, place_of_asked, problem_of, understood
from sdtui.tui.captions.saved_queries import SavedQueries
from sdtui.tui.numbers import grouped
from sdtui.tui.screens.dialogs import Ask
from sdtui.tui.widgets.query_input import QueryInput, QueryNote
from sdtui.tui.widgets.search_line import SearchLine

# One search reads every caption once; typing a word must not start five.
SEARCH_DELAY = 0.15


class CaptionsSearch(CaptionsColours):
    """Moves about in the dataset and narrows the list; changes no file."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._searched = ""
        self._random = random.Random()
        # What `narrow_to` made of which query by which term, so that the same once more goes back.
        self._narrowed: list[tuple[str, str, str]] = []
        # A query that finds nothing yet, while what was listed before it is listed still.
        self._finds_nothing = ""
        # The image that was in hand before a search found nothing, as half a word does.
        self._was_at = 0

    @property
    def query_input(self) -> QueryInput:
        """The line that queries are typed into."""
        line = self.query_one(SearchLine).line
        assert isinstance(line, QueryInput)
        return line

    def recall(self, state: dict[str, Any]) -> None:
        """Also the queries of the last time."""
        super().recall(state)
        kept = state.get("queries")
        self.query_input.history = [str(query) for query in kept] if isinstance(kept, list) else []
        self.query_input.tags = lambda: self.model.known.completer.own.tags if self.model else ()

    def remember(self) -> dict[str, Any]:
        """Also the queries."""
        return {**super().remember(), "queries": self.query_input.history}

    def go_back(self) -> bool:
        """Close the search if it is open."""
        if self.query_one(SearchLine).is_open:
            self._end_search()
            return True
        return super().go_back()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as one types."""
        if event.input is self.query_input:
            query = event.value
            self.query_one(QueryNote).follow(self.query_input)
            self.set_timer(SEARCH_DELAY, lambda: self._search(query))

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """The note stands below the query while it is typed."""
        self.query_one(QueryNote).follow(self.query_input)

    # -- searching ----------------------------------------------------------------------------------------------------

    async def action_search(self) -> None:
        """Search names and captions."""
        if self.model is not None:
            await self.query_one(SearchLine).open()
            self.update_chrome()

    def action_saved_queries(self) -> None:
        """The saved queries, to look for one again."""
        if (model := self.model) is not None:
            dialog = SavedQueries(model, self.query_one(SearchLine).value.strip(), self._mark_written)
            self.app.push_screen(dialog, lambda query: self.show_query(query) if query else None)

    def _mark_written(self, error: Exception | None) -> None:
        """In another thread: marks or saved queries were written, or not."""
        if error is not None:
            # Without waiting for the screen: while it closes, it waits for this thread.
            self.call_later(self.sdtui.report, error)

    def show_query(self, query: str) -> None:
        """Look for something as if it had been typed; an empty query ends the search."""
        if not query:
            self._end_search()
            return
        self.run_worker(self._open_with(query), group="recall", exclusive=True)

    async def _open_with(self, query: str) -> None:
        await self.query_one(SearchLine).open(typing=False)
        line = self.query_input
        with line.prevent(Input.Changed):
            line.value = query
        line.remember(query)
        self._search(query)
        self.update_chrome()

    def narrow_to(self, term: str) -> None:
        """Also ask for `term`; if that was done last, go back to the query before."""
        now = self.query_one(SearchLine).value.strip()
        if self._narrowed and self._narrowed[-1][1:] == (term, now):
            self.show_query(self._narrowed.pop()[0])
            return
        # Of a saved query its name is of no use within another.
        asked = self.model.marks.queries.get(now[1:], "") if self.model and now.startswith("@") else now
        query = both(asked, term) if asked else term
        self._narrowed.append((now, term, query))
        self.show_query(query)

    def _search(self, query: str) -> None:
        model, line = self.model, self.query_one(SearchLine)
        if model is None or query != line.value or query == self._searched:
            return
        self._searched, self._finds_nothing = query, ""
        wanted = understood(query)
        if wanted is None:
            # The list stays; the note says what is wrong.
            line.say("")
            return
        if not wanted.strip():
            self._narrow(None)
            return
        line.say("searching")

        def search() -> None:
            worker = get_current_worker()
            try:
                found = model.search_slowly(wanted, lambda: worker.is_cancelled)
            except SdtuiError as error:
                # Also what is no mistake in the query: scores that are damaged.
                self.app.call_from_thread(self._not_searched, query, error.message)
                return
            if not worker.is_cancelled:
                self.app.call_from_thread(self._found, model, query, found)

        self.run_worker(search, thread=True, group="search", exclusive=True, exit_on_error=False)

    def _not_searched(self, query: str, why: str) -> None:
        """Say why nothing is searched, where the text alone does not tell; the list stays."""
        if query == self._searched:
            self.query_one(SearchLine).say(why)

    def _found(self, model: CaptionsModel, query: str, found: list[int]) -> None:
        """Narrow the list, unless another dataset or search is on the screen by now."""
        if model is not self.model or query != self._searched:
            return
        if not found and self.query_input.has_focus and goes_on(query, self.query_input.likely_tags()):
            # Half a word finds nothing: no reason to take the list away that one looks at.
            self._finds_nothing = query
            self._say_found(0)
        else:
            self._narrow(found)

    def _say_found(self, number: int) -> None:
        assert self.model is not None
        self.query_one(SearchLine).say(f"{grouped(number)} of {grouped(len(self.model.library))}")

    def _narrow(self, found: list[int] | None) -> None:
        if self.model is None:
            return
        if self.hand is not None:
            self._was_at = self.hand.position
        self.model.show(found)
        if found is not None:
            self.model.matches = found
            self._say_found(len(found))
        else:
            self.query_one(SearchLine).say("")
        if self.hand is not None:
            self.tag = self._place_of_asked(self.hand)
        self._list_rows(self._was_at)
        self._recount()

    def _place_of_asked(self, hand: InHand) -> int:
        """The tag that is looked for, which is what one wants to see, replace or drop."""
        query = self.query_one(SearchLine).value.strip()
        if not query or self.model is None or hand.caption is None:
            return 0
        saved = self.model.marks.queries.get(query[1:], "") if query.startswith("@") else query
        return place_of_asked(saved, [tag.text for tag in hand.tags])

    def _search_done(self) -> None:
        """Keep the narrowed list; without a text, close the line."""
        line = self.query_one(SearchLine)
        if query := line.value.strip():
            if (error := problem_of(query)) is not None:
                self.say(f"{error.message}. {error.remedy}".removesuffix(". "), "warning")
                return
            self.query_input.remember(query)
            self.images.focus()
            if self._finds_nothing == line.value:
                self._narrow([])
            else:
                self._search(line.value)
        else:
            self._end_search()

    def _end_search(self) -> None:
        self.query_one(SearchLine).close()
        self._searched = ""
        self._narrowed.clear()
        self.images.focus()
        if self.model is not None and not isinstance(self.model.view, range):
            self._narrow(None)

    def _recount(self) -> None:
        if (model := self.model) is not None:
            self.run_worker(
                lambda: self._count_tags(model), thread=True, group="count", exclusive=True, exit_on_error=False
            )

    # -- moving about -------------------------------------------------------------------------------------------------

    def action_next_match(self) -> None:
        """To the next image the last search found."""
        self._go_to_match(1)

    def action_previous_match(self) -> None:
        """To the previous one."""
        self._go_to_match(-1)

    def action_next_untagged(self) -> None:
        """To the next image without a caption."""
        if self.model is not None:
            row = self.model.next_untagged(self.images.cursor)
            if row is None:
                self.say("every image has a caption that can be read")
            else:
                self.images.move_to(row)

    def action_next_problem(self) -> None:
        """To the next image whose caption has something wrong."""
        if self.model is not None:
            row = self.model.next_problem(self.images.cursor)
            if row is None:
                self.say("no caption here is missing, unreadable, or has a tag twice")
            else:
                self.images.move_to(row)

    def action_random_image(self) -> None:
        """To any other image of the list."""
        if self.model is not None and (others := len(self.model.view) - 1) > 0:
            row = self._random.randrange(others)
            self.images.move_to(row + (row >= self.images.cursor))

    def action_folder(self) -> None:
        """Ask for a folder and open it."""

        def opened(answer: str | None) -> None:
            if answer:
                folder = (self.sdtui.workspace / Path(answer).expanduser()).resolve()
                self.open_target(folder)

        self.app.push_screen(Ask("Open a folder of images", placeholder="path"), opened)

    def action_reload(self) -> None:
        """List the folder again: images may have come or gone."""
        if self.model is not None:
            self._start_reading(self.model.folder)

    def _close_model(self) -> None:
        """What was found in one dataset is nothing in another."""
        if self.model is not None:
            self.query_one(SearchLine).close()
            self._searched, self._was_at = "", 0
            self._narrowed.clear()
        super()._close_model()

    def _go_to_match(self, step: int) -> None:
        if self.model is not None:
            row = self.model.next_match(self.images.cursor, step) if self.model.matches else None
            if row is None:
                self.say("nothing searched yet" if not self._searched else "no match")
            else:
                self.images.move_to(row)
