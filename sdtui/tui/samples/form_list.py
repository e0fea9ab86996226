"""The form of the Samples screen as a list: a line for each setting, and beneath it what is to be said of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from sdtui.runs.sample_task import SampleTask
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit, literal
from sdtui.tui.samples.form import MANY, Problem, Row, problems_of, rows_of
from sdtui.tui.samples.prompt_line import pointed
from sdtui.tui.widgets.linelist import LineList

LABEL = 13


class FormList(Vertical):
    """Holds what is asked for and shows it.

    Attributes:
        asked: what is asked for.
    """

    DEFAULT_CSS = """
    FormList {
        & > LineList { height: 1fr; }
        & > #said { height: auto; min-height: 2; max-height: 6; padding: 0 2; color: $soft; border-top: solid $faint; }
    }
    """

    def __init__(self, *, ascii_only: bool, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._ascii = ascii_only
        self._rows: list[Row] = []
        self._refused: Problem | None = None
        self._problems: dict[tuple[str, int], Problem] = {}
        self.asked = SampleTask("")

    def compose(self) -> ComposeResult:
        """The list, and what is said."""
        yield LineList(id="form")
        yield Static("", id="said", markup=False)

    @property
    def row(self) -> Row:
        """The row under the cursor."""
        at = self.query_one(LineList).cursor
        return self._rows[at] if 0 <= at < len(self._rows) else Row()

    @property
    def problems(self) -> Sequence[Problem]:
        """What keeps it from being drawn, as far as it is known without asking the command."""
        return [problem for problem in self._problems.values() if problem is not self._refused]

    def show(self, task: SampleTask, *, at: tuple[str, int] | None = None, refused: Problem | None = None) -> None:
        """Show another task, with the cursor on the row of this key; `refused` is what the command said against it."""
        self.asked, self._refused = task, refused
        self._problems = {problem.key: problem for problem in problems_of(task)}
        if refused is not None:
            self._problems.setdefault(refused.key, refused)
        wanted = at or self.row.key
        self._rows = rows_of(task)
        places = [row.key for row in self._rows]
        # Of several the last one was taken away: the one before it.
        near = wanted if wanted in places else (wanted[0], wanted[1] - 1)
        cursor = places.index(near) if near in places else None
        self.query_one(LineList).set_rows(
            len(self._rows), self._draw, cursor=cursor, selectable=lambda index: not self._rows[index].heading
        )
        self.show_said()

    def go_to_problem(self) -> Problem | None:
        """Put the cursor on the first row that has one."""
        problem = next(iter(self._problems.values()), None)
        if problem is not None:
            self.query_one(LineList).move_to([row.key for row in self._rows].index(problem.key))
        return problem

    def show_said(self) -> None:
        """What is to be said of the row under the cursor."""
        row = self.row
        problem = self._problems.get(row.key)
        if problem is not None:
            words = pointed(row.value, problem, ascii_only=self._ascii)
        elif row.name in MANY and row.value and row.name != "loras":
            # Longer than the line has room for.
            words = literal(getattr(self.asked, row.name)[row.at], "$foreground", ascii_only=self._ascii)
        else:
            words = literal(row.help, "$soft", ascii_only=self._ascii)
        self.query_one("#said", Static).update(words)

    def _draw(self, index: int, width: int) -> Content:
        row, marks = self._rows[index], glyphs_of(self)
        if row.heading:
            return Content.styled(row.label, "bold $accent")
        sign = ("! ", "bold $error") if row.key in self._problems else ("  ", "")
        label = (fit(row.label, LABEL - 1, marks.ellipsis) + " ", "$soft")
        shown = clean(row.value, ascii_only=self._ascii) or row.open
        room = max(4, width - LABEL - 2)
        return Content.assemble(sign, label, (fit(shown, room, marks.ellipsis), "$strong" if row.value else "$faint"))
