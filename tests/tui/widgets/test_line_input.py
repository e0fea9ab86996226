from __future__ import annotations

from textual.widgets import Input

from sdtui.tui.widgets.line_input import LineInput
from tests.tui.stage import Stage, screen_text, until


class Recorded(Stage):
    def __init__(self, line: LineInput) -> None:
        super().__init__(line)
        self.said: list[str] = []

    def on_input_changed(self, event: Input.Changed) -> None:
        self.said.append(f"changed {event.value}")

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        self.said.append(f"accepted {event.value}")

    def on_line_input_left(self) -> None:
        self.said.append("left")


async def test_typing_enter_and_escape() -> None:
    app = Recorded(LineInput())
    async with app.run_test(size=(30, 2)) as pilot:
        await pilot.press("a", "q", "1", "enter", "escape")
        assert app.said == ["changed a", "changed aq", "changed aq1", "accepted aq1", "left"]


async def test_the_cursor_never_blinks() -> None:
    line = LineInput()
    app = Recorded(line)
    async with app.run_test(size=(30, 2)) as pilot:
        await pilot.pause()
        assert not line.cursor_blink


async def test_markup_is_text() -> None:
    line = LineInput()
    app = Recorded(line)
    async with app.run_test(size=(30, 2)) as pilot:
        line.value = "[red]x[/y]"
        await until(pilot, lambda: screen_text(app)[0] == "[red]x[/y]")


async def test_what_a_terminal_would_obey_is_a_question_mark() -> None:
    line = LineInput()
    app = Recorded(line)
    async with app.run_test(size=(30, 2)) as pilot:
        line.value = "a\x1b[31mb"
        await until(pilot, lambda: screen_text(app)[0] == "a?[31mb")
        assert line.value == "a\x1b[31mb"
