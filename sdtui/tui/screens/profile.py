"""Profile: one TOML file as a form and as text, with its problems, its plan, and the way to a run.

Every change goes through `ProfileDocument`, so comments and layout survive; the file is written only when asked, and
never over what another program has written in the meantime.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from sdtui.errors import SdtuiError
from sdtui.profile.document import DiskConflictError, ProfileDocument
from sdtui.profile.settings import SECTIONS
from sdtui.runs.layout import RunFolder
from sdtui.runs.watch import Watch
from sdtui.tui import keys
from sdtui.tui.editor import edit_file
from sdtui.tui.literal import literal
from sdtui.tui.numbers import count
from sdtui.tui.profile import form, planning
from sdtui.tui.profile.pane import FormPane
from sdtui.tui.profile.planning import Planned
from sdtui.tui.profile.views import VIEWS
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.screens.dialogs import Ask, Choose, Confirm
from sdtui.tui.widgets.linelist import LineList

# Rest after a change before the plan is made again, in seconds: typing must not start a plan a key.
PLAN_DELAY = 0.4


class ProfileScreen(SdtuiScreen):
    """One profile being edited."""

    NAME = "profile"
    KEY_CONTEXT = "profile"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("profile")]
    AUTO_FOCUS = "#fields"
    DEFAULT_CSS = """
    ProfileScreen {
        & #notice { display: none; height: 1; padding: 0 1; background: $panel; color: $warning; }
        &.-conflict #notice { display: block; }
        & #sections { width: 16; border-right: solid $faint; }
        & #help { width: 40; padding: 0 1; border-left: solid $faint; }
        &.-wide #help { width: 56; }
        &.-unfolded #help { width: 100%; border-left: none; }
        & #hint { display: none; height: 2; padding: 0 1; color: $soft; border-top: solid $faint; }
        &.-narrow #hint { display: block; height: 3; }
        & #plan { height: 2; padding: 0 1; border-top: solid $faint; }
        & #view { display: none; }
        &.-view #view { display: block; width: 1fr; }
        &.-view FormPane { display: none; }
        &.-view #sections { display: none; }
        & #empty { display: none; padding: 1 2; color: $soft; }
        &.-empty #empty { display: block; }
        &.-empty #body, &.-empty #plan, &.-empty #hint { display: none; }
    }
    """

    class Planning(Message):
        """A plan is ready."""

        def __init__(self, planned: Planned, launch: bool) -> None:
            super().__init__()
            self.planned = planned
            self.launch = launch

    class Launched(Message):
        """A run was started."""

        def __init__(self, run: RunFolder) -> None:
            super().__init__()
            self.run = run

    class Touched(Message):
        """The file changed on disk."""

    def __init__(self) -> None:
        super().__init__()
        self._document: ProfileDocument | None = None
        self._planner = planning.Planner()
        self._planned: Planned | None = None
        self._watch: Watch | None = None
        self._view = ""
        self._search = ""

    def body(self) -> ComposeResult:
        """Sections, form or text, help, plan."""
        ascii_only = self.sdtui.settings.ascii
        yield Static(
            Content("Changed on disk by another program:  f5 reload   K keep mine   D difference"), id="notice"
        )
        yield Static(Content("No profile is open. Choose one on Home (1), or make one there with n."), id="empty")
        with Horizontal(id="body"):
            yield LineList(id="sections")
            yield FormPane(ascii_only=ascii_only, classes="main")
            yield LineList(id="view", classes="main")
            with VerticalScroll(id="help", classes="side", can_focus=False):
                yield Static("", markup=False)
        yield Static("", id="hint", markup=False)
        yield Static("", id="plan", markup=False)

    def on_mount(self) -> None:
        """Nothing is open yet."""
        super().on_mount()
        self.add_class("-empty")
        self.query_one("#sections", LineList).set_rows(len(SECTIONS), self._section_row, cursor=0)

    def on_unmount(self) -> None:
        """Stop watching the file."""
        self._unwatch()

    # -- which profile --------------------------------------------------------------------------------------------

    def place(self) -> str:
        """The file, and whether it has changes that are not written."""
        if self._document is None:
            return ""
        path = self._document.path
        inside = path.relative_to(self.sdtui.workspace) if path.is_relative_to(self.sdtui.workspace) else path
        return f"{inside}{'  edited' if self._document.dirty else ''}"

    def facts(self) -> Content:
        """How many problems it has."""
        if self._document is None:
            return Content("")
        report = self._document.report()
        if report.errors:
            return Content.styled(count(len(report.errors), "problem"), "$error")
        return Content.styled(count(len(report.warnings), "warning") if report.warnings else "no problems", "$soft")

    def open_target(self, target: Path) -> None:
        """Edit this profile; unwritten changes of another one are asked about first."""
        document = self._document
        if document is not None and document.path == target:
            return
        if document is not None and document.dirty:
            question = f"{document.path.name} has changes that are not written."
            choices = [("write", "write them", "w"), ("drop", "drop them", "d"), ("stay", "stay here", "s")]
            self.app.push_screen(Choose(question, choices), lambda answer: self._leave_for(target, answer))
            return
        self._open(target)

    def remember(self) -> dict[str, Any]:
        """The file and the setting under the cursor."""
        row = self.query_one(FormPane).row
        return {"path": str(self._document.path) if self._document else "", "key": row.key if row else ""}

    def recall(self, state: dict[str, Any]) -> None:
        """Open the profile of last time."""
        path = Path(str(state.get("path") or "/nonexistent"))
        if self._document is None and path.is_file():
            self._open(path)
            self.query_one(FormPane).go_to(str(state.get("key", "")))

    def copyable(self) -> str:
        """The file's path."""
        return str(self._document.path) if self._document else ""

    def _leave_for(self, target: Path, answer: str | None) -> None:
        if (answer == "write" and self._write()) or answer == "drop":
            self._open(target)

    def _open(self, target: Path) -> None:
        try:
            self._document = ProfileDocument.load(target)
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        self.remove_class("-empty", "-conflict")
        self._planned = None
        self._follow(target)
        self._show_view("")
        self._refresh()

    def _follow(self, path: Path) -> None:
        """Be told when another program writes the file."""
        self._unwatch()
        watch = self._watch = Watch([path], least_seconds=0.2)

        def wait() -> None:
            while not watch.closed:
                if watch.wait():
                    self.post_message(self.Touched())

        self.run_worker(wait, thread=True, group="profile-watch", exclusive=True, exit_on_error=False)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.close()

    def on_profile_screen_touched(self) -> None:
        """Take the new text if nothing here would be lost, else say so and leave the choice."""
        document = self._document
        if document is None:
            return
        try:
            changed = document.changed_on_disk()
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        if not changed:
            self.remove_class("-conflict")
        elif document.dirty or not document.path.exists():
            self.add_class("-conflict")
        else:
            self.action_reload()
            self.say("read again: another program changed the file")

    # -- drawing --------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """The document changed: draw everything that shows it."""
        document = self._document
        if document is None:
            return
        self.query_one(FormPane).show(document)
        self.query_one("#sections", LineList).redraw()
        self._fill_view()
        self.update_chrome()
        self.set_timer(PLAN_DELAY, self._plan)

    def _section_row(self, index: int, _width: int) -> Content:
        section = SECTIONS[index]
        rows = [row for row in self.query_one(FormPane).rows if row.section == section and row.problem]
        errors = any(row.problem is not None and row.problem.severity == "error" for row in rows)
        sign = ("!", "$error") if errors else ("?", "$warning") if rows else (" ", "$faint")
        return Content.assemble((f"{form.section_title(section):<11}", "$foreground"), sign)

    def on_form_pane_pointed(self, event: FormPane.Pointed) -> None:
        """Help for the setting under the cursor."""
        row = event.row
        lines = form.help_lines(row.setting) if row.setting else [(row.title, "bold $strong")]
        if row.problem is not None:
            style = "$error" if row.problem.severity == "error" else "$warning"
            remedy = [(row.problem.remedy, "$foreground")] if row.problem.remedy else []
            lines = [*lines, ("", ""), (row.problem.message, style), *remedy]
        ascii_only = self.sdtui.settings.ascii
        parts = [literal(words, style, ascii_only=ascii_only) for words, style in lines]
        self.query_one("#help > Static", Static).update(Content("\n").join(parts))
        short = [row.problem.message, row.problem.remedy] if row.problem else [words for words, _ in lines[1:4:2]]
        self.query_one("#hint", Static).update(Content("\n").join(literal(w, ascii_only=ascii_only) for w in short))
        sections = self.query_one("#sections", LineList)
        if not sections.has_focus:
            sections.move_to(SECTIONS.index(row.section))

    def on_form_pane_changed(self) -> None:
        """A setting was changed in the form."""
        self._refresh()

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """A section was chosen."""
        if event.list.id == "sections" and event.list.has_focus:
            self.query_one(FormPane).go_to(SECTIONS[event.index])

    def _show_view(self, name: str) -> None:
        self._view = name
        self.set_class(bool(name), "-view")
        self._fill_view()
        self.query_one("#view" if name else "#fields", LineList).focus()

    def _fill_view(self) -> None:
        if self._view and self._document is not None:
            lines = VIEWS[self._view][1](self._document, self.sdtui.settings.ascii)
            self.query_one("#view", LineList).set_rows(len(lines), lambda index, _width: lines[index])

    # -- plan and launch ------------------------------------------------------------------------------------------

    def _plan(self, *, launch: bool = False, afresh: bool = False) -> None:
        document = self._document
        profile = document.report().profile if document else None
        if document is None or profile is None:
            self.query_one("#plan", Static).update(Content.styled("plan   after the problems are mended", "$soft"))
            return

        def work() -> None:
            self.post_message(self.Planning(self._planner.plan(profile, afresh=afresh), launch))

        self.run_worker(work, thread=True, group="profile-plan", exclusive=True, exit_on_error=False)

    def on_profile_screen_planning(self, event: Planning) -> None:
        """Show the plan, and ask whether to launch if that was wanted."""
        planned = self._planned = event.planned
        dot = self.sdtui.glyphs.dot
        words = planning.plan_words(planned.plan, dot) if planned.plan else "nothing to train"
        trouble = (planned.refusal or (planned.problems[0] if planned.problems else "")).splitlines()
        line = Content.assemble(("plan   ", "$soft"), (words, "$foreground"))
        if trouble:
            said = literal(f"   {' '.join(trouble[:2])}", "$error" if planned.refusal else "$warning")
            line = said if planned.plan is None else line + said
        self.query_one("#plan", Static).update(line)
        if event.launch:
            self._ask_to_launch(planned)

    def _ask_to_launch(self, planned: Planned) -> None:
        document = self._document
        if document is None:
            return
        if planned.refusal or planned.plan is None:
            self.say(planned.refusal or "nothing to train", "error")
            return
        written = f"\n{document.path.name} is written first." if document.dirty else ""
        words = planning.plan_words(planned.plan, self.sdtui.glyphs.dot)
        warnings = "".join(f"\n{warning}" for warning in planned.plan.warnings)
        question = f"Launch {planned.profile.name}?\n{words}{warnings}{written}"
        self.app.push_screen(Confirm(question, yes="launch"), lambda yes: self._launch(planned) if yes else None)

    def _launch(self, planned: Planned) -> None:
        document = self._document
        if document is None or (document.dirty and not self._write()):
            return
        path = document.path

        def work() -> None:
            self.post_message(self.Launched(planning.start(planned, path)))

        self.run_worker(work, thread=True, group="profile-launch", exclusive=True, exit_on_error=False)

    def on_profile_screen_launched(self, event: Launched) -> None:
        """Watch it."""
        self.sdtui.open("monitor", event.run.path)

    # -- keys -----------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Change the setting, or go from a section to its settings, or from a line of text to its setting."""
        if self._view:
            self._show_view("")
        elif self.query_one("#sections", LineList).has_focus:
            self.query_one("#fields", LineList).focus()
        else:
            self.query_one(FormPane).edit()

    def action_next_choice(self) -> None:
        """The next choice."""
        self.query_one(FormPane).turn(1)

    def action_previous_choice(self) -> None:
        """The choice before."""
        self.query_one(FormPane).turn(-1)

    def action_to_default(self) -> None:
        """Out of the file."""
        self.query_one(FormPane).to_default()

    def action_add_folder(self) -> None:
        """One more folder of images."""
        self.query_one(FormPane).add_folder()

    def action_drop_folder(self) -> None:
        """One folder less."""
        self.query_one(FormPane).drop_folder()

    def action_next_pane(self) -> None:
        """Between sections and settings."""
        sections = self.query_one("#sections", LineList)
        (self.query_one("#fields", LineList) if sections.has_focus else sections).focus()

    def action_search(self) -> None:
        """Ask what to find."""
        self.app.push_screen(Ask("find a setting", self._search), self._find)

    def action_next_match(self) -> None:
        """The next one."""
        self._find(self._search)

    def _find(self, text: str | None) -> None:
        pane = self.query_one(FormPane)
        self._search = text or self._search
        if self._search and not pane.find(self._search, pane.fields.cursor + 1):
            self.say(f"no setting matches {self._search!r}")

    def action_text(self) -> None:
        """Form or text."""
        line = self._line()
        self._show_view("" if self._view == "text" else "text")
        if self._view == "text":
            self.query_one("#view", LineList).move_to(line - 1)

    def action_difference(self) -> None:
        """Against the disk, against the defaults, back to the form."""
        self._show_view({"disk": "defaults", "defaults": ""}.get(self._view, "disk"))
        if self._view:
            self.say(VIEWS[self._view][0])

    def go_back(self) -> bool:
        """Close the text or the difference first."""
        if self._view:
            self._show_view("")
            return True
        return super().go_back()

    def action_check(self) -> None:
        """Look again at paths and dataset, and go to the first problem."""
        document = self._document
        if document is None:
            return
        problems = document.recheck().problems
        self._refresh()
        self._plan(afresh=True)
        if problems:
            self.say(count(len(problems), "problem"), "warning")
            self.query_one(FormPane).go_to(problems[0].key)
        else:
            self.say("no problems")

    def action_launch(self) -> None:
        """Check, plan, ask."""
        document = self._document
        if document is None:
            return
        if document.recheck().profile is None:
            self.action_check()
        else:
            self._plan(launch=True, afresh=True)

    def action_write(self) -> None:
        """Write the file."""
        if self._document is not None and self._write():
            self.say(f"wrote {self._document.path.name}")

    def _write(self, *, force: bool = False) -> bool:
        """Save; False if it was not."""
        document = self._document
        if document is None:
            return False
        try:
            document.save(force=force)
        except DiskConflictError as error:
            self.add_class("-conflict")
            choices = [
                ("force", "overwrite it with mine", "o"),
                ("reload", "reload it, dropping mine (undo brings it back)", "r"),
                ("diff", "look at the difference", "d"),
            ]
            self.app.push_screen(Choose(str(error.message), choices), self._settle_conflict)
            return False
        except SdtuiError as error:
            self.sdtui.report(error)
            return False
        self.remove_class("-conflict")
        self._refresh()
        return True

    def _settle_conflict(self, answer: str | None) -> None:
        if answer == "force":
            self._write(force=True)
        elif answer == "reload":
            self.action_reload()
        elif answer == "diff":
            self._show_view("disk")

    def action_reload(self) -> None:
        """The text on disk; what was here can be had back with undo."""
        if self._document is None:
            return
        try:
            self._document.reload()
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        self.remove_class("-conflict")
        self._refresh()

    def action_keep(self) -> None:
        """Put the notice away; writing will still ask."""
        self.remove_class("-conflict")

    def action_undo(self) -> None:
        """Take the last change back."""
        if self._document is not None:
            if self._document.undo():
                self._refresh()
            else:
                self.say("nothing to undo")

    def action_redo(self) -> None:
        """Make it again."""
        if self._document is not None:
            if self._document.redo():
                self._refresh()
            else:
                self.say("nothing to redo")

    def action_editor(self) -> None:
        """The file itself when nothing is unwritten, else a copy whose text comes back as one change."""
        document = self._document
        if document is None:
            return
        try:
            if document.dirty:
                self._edit_copy(document)
            else:
                edit_file(self.sdtui, document.path, self._line())
                document.reload()
        except SdtuiError as error:
            self.sdtui.report(error)
        self._refresh()

    def _edit_copy(self, document: ProfileDocument) -> None:
        with tempfile.TemporaryDirectory(prefix="sdtui-") as folder:
            copy = Path(folder) / document.path.name
            copy.write_bytes(document.text.encode("utf-8"))
            edit_file(self.sdtui, copy, self._line())
            document.replace_text(ProfileDocument.load(copy).text)

    def _line(self) -> int:
        """The line of what is under the cursor."""
        if self._view == "text":
            return self.query_one("#view", LineList).cursor + 1
        row = self.query_one(FormPane).row
        return self._document.line_of(row.key) if self._document and row else 1
