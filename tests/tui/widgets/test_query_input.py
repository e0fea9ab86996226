from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input

from sdtui.tui.theme import FALLBACK, use_theme
from sdtui.tui.widgets.query_input import KEPT, QueryInput, QueryNote
from tests.tui.stage import screen_text, until


class Desk(App[None]):
    """The line, where the slash and the padding leave it, and the note below."""

    CSS = "QueryInput { margin: 0 1 0 3; }"

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        use_theme(self, "sdtui")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(FALLBACK)

    def compose(self) -> ComposeResult:
        yield QueryInput()
        yield QueryNote()

    def on_input_changed(self, _event: Input.Changed) -> None:
        self.query_one(QueryNote).follow(self.query_one(QueryInput))


def test_what_was_looked_for_is_kept_once_and_not_for_ever() -> None:
    line = QueryInput()
    for query in ("a", "b", "a", " ", "@saved"):
        line.remember(query)
    assert line.history == ["b", "a"]
    for number in range(KEPT + 5):
        line.remember(str(number))
    assert (len(line.history), line.history[0], line.history[-1]) == (KEPT, "5", str(KEPT + 4))


async def test_only_what_will_not_become_right_is_wrong() -> None:
    app = Desk()
    async with app.run_test(size=(60, 3)) as pilot:
        line = app.query_one(QueryInput)
        for query, place in (("problem:mi", None), ("problem:mi x", (8, 10)), ("night OR", (6, 8)), ("mark:", None)):
            line.value = query
            found = line.wrong
            assert place == (None if found is None else (found.start, found.end)), query
        await pilot.pause()


async def test_what_is_wrong_is_underlined_and_pointed_at_also_in_a_line_that_scrolled() -> None:
    app = Desk()
    async with app.run_test(size=(60, 3)) as pilot:
        line = app.query_one(QueryInput)
        line.focus()
        await pilot.press(*"tga:x")
        await until(pilot, lambda: screen_text(app)[1].startswith("   ^^^^ there is no field tga:"))
        assert any("underline" in str(span.style) and (span.start, span.end) == (0, 4) for span in line._value.spans)
        line.value = "tag:" + "a" * 70 + " (x"
        line.cursor_position = len(line.value)
        await pilot.press("y")
        await until(pilot, lambda: "a bracket cannot follow a word" in screen_text(app)[1])
        assert screen_text(app)[1].index("^") == screen_text(app)[0].index("(")
