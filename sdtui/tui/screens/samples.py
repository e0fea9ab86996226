"""Samples: what to draw with, the prompts and the settings at the left, the pictures of a folder at the right as they come.

Pictures are drawn by `sdtui sample` in a process of its own; this screen writes its command line and follows its folder.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from sdtui.errors import UserError
from sdtui.runs.sample_task import SampleTask
from sdtui.tui import keys
from sdtui.tui.key import Key
from sdtui.tui.literal import literal
from sdtui.tui.samples import form, starting
from sdtui.tui.samples.form_list import FormList
from sdtui.tui.samples.pane import PicturesPane
from sdtui.tui.samples.recall import recalled, task_of
from sdtui.tui.screens.dialogs import Confirm
from sdtui.tui.screens.sample_form import FormScreen

# Keys that do something only where there is a picture.
OF_PICTURES = frozenset({"take_over", "vary", "compare", "parameters"})


class SamplesScreen(FormScreen):
    """A form and pictures."""

    NAME = "samples"
    KEY_CONTEXT = "samples"
    SIDE = "form"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("samples")]
    AUTO_FOCUS = "#form"
    DEFAULT_CSS = """
    SamplesScreen {
        & #halves { height: 1fr; }
        & FormList { width: 46; border-right: solid $faint; }
        &.-wide FormList { width: 72; }
        &.-narrow.-unfolded FormList { border-right: none; }
        & #pictures { height: 1fr; }
        & #text { height: auto; max-height: 5; padding: 0 1; color: $soft; border-top: solid $faint; }
        & #text.-whole { max-height: 60%; color: $foreground; }
        & #text.-none { display: none; }
    }
    """

    def body(self) -> ComposeResult:
        """Form and pictures, and beneath these what a picture says of itself."""
        ascii_only = self.sdtui.settings.ascii
        with Horizontal(id="halves"):
            yield FormList(ascii_only=ascii_only, classes="side")
            with Vertical(classes="main"):
                yield PicturesPane(ascii_only=ascii_only, id="pictures")
                yield Static("", id="text", classes="-none", markup=False)

    # -- where we are -------------------------------------------------------------------------------------------------

    def __init__(self) -> None:
        super().__init__()
        self._starting = False

    def facts(self) -> Content:
        """How the drawing goes."""
        return literal("starting", "$accent") if self._starting else super().facts()

    def hints(self) -> list[Key]:
        """Only what can be done now."""
        contents = self._contents
        idle = set() if contents is not None and contents.shots else set(OF_PICTURES)
        idle |= set() if contents is not None and contents.live else {"stop"}
        idle |= set() if contents is not None and contents.unfinished else {"go_on"}
        idle |= {"edit", "add", "drop"} if self._pane.has_focus else set()
        rows = [row for row in super().hints() if row.context != "samples" or row.action not in idle]
        # In a narrow window the key brings whichever half is not shown.
        side = "pictures" if self.has_class("-unfolded") else self.SIDE
        return [replace(row, label=side) if row.id == "everywhere.side" else row for row in rows]

    def remember(self) -> dict[str, Any]:
        """What is asked for, and the folder."""
        return {"task": asdict(self._form.asked), "folder": str(self._reader.folder) if self._reader else ""}

    def recall(self, state: dict[str, Any]) -> None:
        """What was asked for and shown the last time."""
        self._form.show(recalled(state.get("task")))
        self._say_how()
        folder = Path(str(state.get("folder") or "/nonexistent"))
        if folder.is_dir() and self._reader is None:
            self.show_folder(folder)
            self._to_pictures()
        elif self.has_class("-narrow"):
            self.add_class("-unfolded")

    def open_target(self, target: Path) -> None:
        """Draw with a run, or show a folder of pictures."""
        if (target / "profile.toml").is_file():
            if str(target) != self._form.asked.source:
                self._edit(replace(self._form.asked, source=str(target)), at=("source", -1))
        else:
            self.show_folder(target)
            self._to_pictures()

    def action_other_half(self) -> None:
        """To the pictures, or back to the form; in a narrow window only one of them is shown."""
        to_pictures = not self._pane.has_focus
        self.set_class(not to_pictures, "-unfolded")
        self.set_focus(self._pane if to_pictures else self.query_one("#form"))

    def action_side(self) -> None:
        """The form away or back; in a narrow window the keys go with it."""
        if self.has_class("-narrow"):
            self.action_other_half()
            return
        super().action_side()
        if self.has_class("-folded"):
            self.set_focus(self._pane)

    # -- drawing ------------------------------------------------------------------------------------------------------

    def action_draw(self) -> None:
        """Draw what the form asks for, into a new folder."""
        if self._contents is not None and self._contents.live:
            self.say("pictures are being drawn; stop that first, or wait", "warning")
        elif not self._starting and self._sound():
            task, home = self._form.asked, self._home
            self._start(lambda: starting.start(task, home))

    def action_go_on(self) -> None:
        """Draw what is missing in this folder."""
        contents = self._contents
        if contents is None or not contents.unfinished:
            self.say("nothing here was interrupted", "warning")
        elif not self._starting:
            self._start(lambda: _gone_on(contents.folder))

    def action_stop(self) -> None:
        """Stop drawing, if confirmed."""
        reader, contents = self._reader, self._contents
        if reader is None or contents is None or not contents.live:
            self.say("nothing is being drawn here", "warning")
            return
        question = "Stop drawing? The pictures that are there stay, and it can be gone on with."
        self.app.push_screen(Confirm(question, yes="stop"), lambda answer: reader.stop_drawing() if answer else None)

    def _sound(self) -> bool:
        """Whether nothing is known against it; else the cursor goes to what is."""
        if not self._form.problems:
            return True
        problem = self._form.go_to_problem()
        if problem is not None:
            self.say(problem.message, "warning")
        self._to_form()
        return False

    def _start(self, work: Callable[[], Path]) -> None:
        task = self._form.asked

        def start() -> None:
            try:
                folder = work()
            except UserError as error:
                self.app.call_from_thread(self._refuse, task, str(error))
            else:
                self.app.call_from_thread(self._started, folder)
            finally:
                self._starting = False
                self.app.call_from_thread(self.update_chrome)

        self._starting = True
        self.update_chrome()
        self.run_worker(start, thread=True, group="samples-start", exit_on_error=False)

    def _started(self, folder: Path) -> None:
        self._close_reader()
        self.show_folder(folder)
        self._to_pictures()

    def _refuse(self, task: SampleTask, message: str) -> None:
        problem = form.refused(task, message)
        if problem is not None and task == self._form.asked:
            self._form.show(task, at=problem.key, refused=problem)
            self._to_form()
        self.say(message, "error")

    def _to_pictures(self) -> None:
        """In a narrow window, where only one half is shown: the pictures."""
        self.remove_class("-unfolded")
        if self.has_class("-narrow"):
            self.set_focus(self._pane)

    def _to_form(self) -> None:
        self.add_class("-unfolded")
        self.set_focus(self.query_one("#form"))

    # -- pictures -----------------------------------------------------------------------------------------------------

    def action_take_over(self) -> None:
        """The picture's settings into the form."""
        self._with_task(self._take_over)

    def action_vary(self) -> None:
        """Draw the picture's settings with another seed."""

        def vary(task: SampleTask) -> None:
            self._take_over(replace(task, seed=secrets.randbelow(2**32)))
            self.action_draw()

        self._with_task(vary)

    def _take_over(self, task: SampleTask) -> None:
        self._edit(task, at=("prompts", 0))
        self.say("the picture's settings are in the form")

    def _with_task(self, then: Callable[[SampleTask], None]) -> None:
        shot = self._pane.chosen
        if shot is None:
            self.say("there is no picture", "warning")
            return
        now = self._form.asked

        def read() -> None:
            task = task_of(shot.path, now)
            if task is None:
                self.app.call_from_thread(self.say, "the file says nothing of how it was made", "warning")
            else:
                self.app.call_from_thread(then, task)

        self.run_worker(read, thread=True, group="samples-task", exclusive=True, exit_on_error=False)


def _gone_on(folder: Path) -> Path:
    starting.go_on(folder)
    return folder
