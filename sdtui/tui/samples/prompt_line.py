"""Asking for one line of the form in a wide frame; of a prompt, what is wrong with it is pointed at while one types."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from sdtui.tui.literal import clean, literal
from sdtui.tui.samples.form import Problem
from sdtui.tui.screens.dialogs import Dialog
from sdtui.tui.widgets.line_input import LineInput


class AskLine(Dialog[str]):
    """Dismisses with the line, or with None.

    Args:
        title: what is asked.
        value: what stands in the line at first.
        placeholder: what is meant while it is empty.
        help_text: one sentence.
        judge: what is wrong with a line; None where nothing is.
    """

    HINTS = (("typing.accept", "use it"), ("typing.leave", "leave"))
    DEFAULT_CSS = """
    AskLine > .frame { width: 120; }
    AskLine #judged { height: auto; min-height: 2; color: $soft; }
    """

    def __init__(
        self, title: str, value: str, *, placeholder: str, help_text: str, judge: Callable[[str], Problem | None]
    ) -> None:
        super().__init__(title)
        self._value = value
        self._placeholder = placeholder
        self._help = help_text
        self._judge = judge

    def content(self) -> ComposeResult:
        """The line and what is said of it."""
        yield LineInput(self._value, placeholder=clean(self._placeholder))
        yield Static("", id="judged", markup=False)

    def on_mount(self) -> None:
        """Judge what stands there."""
        self._show(self._value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge as one types."""
        self._show(event.value)

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """Hand it over."""
        self.dismiss(event.value)

    def on_line_input_left(self) -> None:
        """Leave."""
        self.dismiss(None)

    def _show(self, text: str) -> None:
        problem = self._judge(text)
        said = literal(self._help, "$soft") if problem is None else pointed(text, problem)
        self.query_one("#judged", Static).update(said)


def pointed(text: str, problem: Problem, *, ascii_only: bool = False) -> Content:
    """The part of a line that a problem is about, in the midst of some of what is around it, and the problem."""
    message = literal(problem.message, "$error", ascii_only=ascii_only)
    if problem.end <= problem.start:
        return message
    before = clean(text[max(0, problem.start - 16) : problem.start], ascii_only=ascii_only)
    part = clean(text[problem.start : problem.end], ascii_only=ascii_only)
    after = clean(text[problem.end : problem.end + 16], ascii_only=ascii_only)
    line = Content.assemble((before, "$soft"), (part, "underline $error"), (after, "$soft"))
    marks = Content.styled(" " * Content(before).cell_length + "^" * Content(part).cell_length, "$error")
    return Content("\n").join([line, marks, message])
