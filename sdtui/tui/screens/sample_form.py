"""The part of the Samples screen that fills in the form: each row is typed, chosen or turned, things are added and taken out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.content import Content

from sdtui.errors import SdtuiError, UserError
from sdtui.runs.sample_task import SampleTask
from sdtui.tui.samples import form, offered
from sdtui.tui.samples.form_list import FormList
from sdtui.tui.samples.prompt_line import AskLine
from sdtui.tui.screens.dialogs import Ask, Choose
from sdtui.tui.screens.folder import OTHER, FolderScreen, whole_path

PROMPT_HELP = "(word:1.2) weighs, <lora:name:0.8> puts on, --w --h --s --l --d --n --ss set."


class FormScreen(FolderScreen):
    """A screen of pictures that has a `FormList`, too."""

    def on_line_list_moved(self) -> None:
        """Another row: what is to be said of it."""
        self._form.show_said()

    def on_line_list_chosen(self) -> None:
        """A second click changes."""
        self.action_edit()

    def action_edit(self) -> None:
        """Change the row: choose or type."""
        row = self._form.row
        if row.name == "source":
            self._choose_source()
        elif row.name in {"folders", "words"}:
            self._ask(row, str(getattr(self._form.asked, row.name)[row.at]))
        elif row.name == "loras":
            self._ask(row, f"{form.split_lora(self._form.asked.loras[row.at])[1]:g}")
        elif row.name == "sampler":
            named = [(name, name or row.open) for name in form.CHOICES["sampler"]]
            choose = Choose("Which sampler?", named, now=self._form.asked.sampler)
            self.app.push_screen(choose, partial(self._typed, row))
        elif row.name:
            self._ask(row, row.value)

    def action_next_value(self) -> None:
        """The next value."""
        self._turn(1)

    def action_previous_value(self) -> None:
        """The one before."""
        self._turn(-1)

    def action_add(self) -> None:
        """One more prompt, or something to wear or to call."""
        row = self._form.row
        if row.name in {"prompts", "negative"}:
            at = len(self._form.asked.prompts)
            self._ask(form.Row("prompts", at, "prompt", help=PROMPT_HELP), "")
        else:
            self._look(lambda: offered.additions(self.sdtui.workspace), self._choose_addition)

    def action_drop(self) -> None:
        """Take the row's value out."""
        row = self._form.row
        if row.name:
            self._edit(form.without(self._form.asked, row))

    def action_editor(self) -> None:
        """All prompts in $EDITOR, one a line."""
        from sdtui.tui.editor import edit_file

        task = self._form.asked
        with tempfile.TemporaryDirectory(prefix="sdtui-") as folder:
            file = Path(folder) / "prompts.txt"
            file.write_text("".join(f"{line}\n" for line in task.prompts), encoding="utf-8")
            try:
                edit_file(self.app, file)
                lines = file.read_text(encoding="utf-8").splitlines()
            except (SdtuiError, OSError, UnicodeDecodeError) as error:
                self.sdtui.report(error)
                return
        self._edit(replace(task, prompts=tuple(line.strip() for line in lines if line.strip())), at=("prompts", 0))

    def _ask(self, row: form.Row, value: str) -> None:
        def judge(text: str) -> form.Problem | None:
            if row.name == "prompts":
                found = form.problems_of(SampleTask("x", (text,))) if text.strip() else []
                return found[0] if found else None
            try:
                form.typed(self._form.asked, row, text)
            except UserError as error:
                return form.Problem(row.key, str(error))
            return None

        asked = AskLine(
            row.label.capitalize(), value, placeholder=row.open or "empty takes it out", help_text=row.help, judge=judge
        )
        self.app.push_screen(asked, partial(self._typed, row))

    def _typed(self, row: form.Row, text: str | None) -> None:
        if text is None:
            return
        try:
            self._edit(form.typed(self._form.asked, row, text), at=row.key)
        except UserError as error:
            self.say(str(error), "warning")

    def _turn(self, by: int) -> None:
        row = self._form.row
        task = form.turned(self._form.asked, row, by) if row.name else None
        if task is not None:
            self._edit(task)

    def _edit(self, task: SampleTask, at: tuple[str, int] | None = None) -> None:
        self._form.show(task, at=at)
        self._say_how()

    def _choose_source(self) -> None:
        def ask(found: Sequence[offered.Offered]) -> None:
            choices = [(each.value, each.words) for each in found] + [(OTHER, "another: type its path or its name")]
            now = self._form.asked.source
            self.app.push_screen(Choose("Draw with which run or model?", choices, now=now, ends=True), chosen)

        def chosen(value: str | None) -> None:
            if value == OTHER:
                self.app.push_screen(Ask("A run, a model's folder or file, or a name on the hub"), chosen)
            elif value:
                self._edit(replace(self._form.asked, source=whole_path(value)), at=("source", -1))

        self._look(lambda: offered.sources(self.sdtui.workspace), ask)

    def _choose_addition(self, found: Sequence[offered.Offered]) -> None:
        choices = [(str(at), each.words) for at, each in enumerate(found)]
        choices += [("loras", "an adapter: type its path"), ("folders", "a folder in which <lora:name> finds files")]
        choices += [("words", "an embedding, or a folder of them: type its path")]

        def chosen(value: str | None) -> None:
            if value is None:
                return
            if value.isdigit():
                self._add(found[int(value)].name, found[int(value)].value)
            else:
                self.app.push_screen(Ask("Its path"), lambda path: self._add(value, path) if path else None)

        self.app.push_screen(Choose("Add which?", choices, ends=True), chosen)

    def _add(self, name: str, value: str) -> None:
        path = whole_path(value)
        if not Path(path).exists():
            self.say(f"{path}: there is no such file", "warning")
            return
        task = self._form.asked
        text = f"{path}:1" if name == "loras" else path
        there = (
            [at for at, each in enumerate(task.loras) if form.split_lora(each)[0] == path] if name == "loras" else []
        )
        made = task if there else form.added(task, name, text)
        self._edit(made, at=(name, there[0] if there else len(getattr(made, name)) - 1))

    @property
    def _form(self) -> FormList:
        return self.query_one(FormList)

    def _say_how(self) -> None:
        """What stands where there are no pictures."""
        press = self.sdtui.keys.press
        lines = [
            ("samples.edit", "change the line under the cursor"),
            ("samples.add", "add a prompt, an adapter or an embedding"),
            ("samples.draw", "draw, in a process of its own"),
            ("samples.folders", "look at pictures drawn before"),
        ]
        words = [Content.assemble((f"{press(name):<7}", "$accent"), (said, "$soft")) for name, said in lines]
        self._pane.say_how(Content("\n").join([Content.styled("no pictures yet", "$foreground"), *words]))
