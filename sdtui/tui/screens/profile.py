"""Profile: one TOML file as a form and as text, with its problems, its plan, and the way to a run.

Every change goes through `ProfileDocument`, so comments and layout survive; the file is written only when asked, and
never over what another program has written in the meantime.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sdtui.profile.document import ProfileDocument
from sdtui.profile.settings import SECTIONS
from sdtui.tui import keys
from sdtui.tui.key import Key
from sdtui.tui.literal import literal
from sdtui.tui.profile import form
from sdtui.tui.profile.pane import FormPane
from sdtui.tui.profile.views import VIEWS
from sdtui.tui.screens.dialogs import Ask
from sdtui.tui.screens.planned import PlannedScreen
from sdtui.tui.widgets.linelist import LineList
from sdtui.tui.widgets.plan_line import PlanLine

# Of a setting's problems, this many are told beside the first.
MORE_SHOWN = 9


class ProfileScreen(PlannedScreen):
    """One profile being edited."""

    NAME = "profile"
    KEY_CONTEXT = "profile"
    SIDE = "help"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("profile")]
    AUTO_FOCUS = "#fields"
    DEFAULT_CSS = """
    ProfileScreen {
        & #notice { display: none; height: 1; padding: 0 1; background: $panel; color: $warning; }
        &.-conflict #notice { display: block; }
        & #sections { width: 15; border-right: solid $faint; }
        & #help { width: 38; padding: 0 1; border-left: solid $faint; }
        &.-wide #help { width: 56; }
        &.-unfolded #help { width: 100%; border-left: none; }
        & #hint { display: none; height: 2; padding: 0 1; color: $soft; border-top: solid $faint; }
        &.-narrow #hint { display: block; height: 3; }
        & #plan { height: 3; padding: 0 1; border-top: solid $faint; }
        & #view { display: none; }
        &.-view #view { display: block; width: 1fr; }
        &.-view FormPane { display: none; }
        &.-view #sections, &.-view #help, &.-view #hint { display: none; }
        & #empty { display: none; padding: 1 2; color: $soft; }
        &.-empty #empty { display: block; }
        &.-empty #body, &.-empty #plan, &.-empty #hint { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view = ""
        self._search = ""

    def body(self) -> ComposeResult:
        """Sections, form or text, help, plan."""
        ascii_only = self.sdtui.settings.ascii
        yield Static("", id="notice", markup=False)
        press = self.sdtui.keys.press
        words = f"No profile is open. Choose one on Home ({press('everywhere.home')}), or make one there with {press('home.new')}."
        yield Static(Content(words), id="empty")
        with Horizontal(id="body"):
            yield LineList(id="sections")
            yield FormPane(ascii_only=ascii_only, classes="main")
            yield LineList(id="view", classes="main")
            with VerticalScroll(id="help", classes="side", can_focus=False):
                yield Static("", markup=False)
        yield Static("", id="hint", markup=False)
        yield PlanLine(id="plan")

    def on_mount(self) -> None:
        """Nothing is open yet."""
        self.add_class("-empty")
        self.query_one("#sections", LineList).set_rows(len(SECTIONS), self._section_row, cursor=0)

    # -- which profile --------------------------------------------------------------------------------------------

    def place(self) -> str:
        """The file, and whether it has changes that are not written."""
        if self.document is None:
            return ""
        path = self.document.path
        inside = path.relative_to(self.sdtui.workspace) if path.is_relative_to(self.sdtui.workspace) else path
        edited = "  edited" if self.document.dirty else ""
        return f"{inside}{edited}" + (f"  {VIEWS[self._view][0]}" if self._view else "")

    def facts(self) -> Content:
        """How many problems it has."""
        if self.document is None:
            return Content("")
        report = self.document.report()
        return Content.styled(form.report_words(report), "$error" if report.errors else "$soft")

    def hints(self) -> list[Key]:
        """Without a profile, only what works without one."""
        return [row for row in super().hints() if self.document is not None or row.context == "everywhere"]

    def remember(self) -> dict[str, Any]:
        """The file and the setting under the cursor."""
        row = self.query_one(FormPane).row
        path = str(self.document.path) if self.document else ""
        return {"path": path, "key": row.key if row else "", **super().remember()}

    def recall(self, state: dict[str, Any]) -> None:
        """Open the profile of last time, with what was not written then."""
        super().recall(state)
        path = Path(str(state.get("path") or "/nonexistent"))
        if self.document is None and path.is_file():
            self.open_document(path)
            self.query_one(FormPane).go_to(str(state.get("key", "")))

    def open_document(self, target: Path) -> None:
        """With the cursor on what must be mended or filled in first."""
        super().open_document(target)
        document = self.document
        if document is not None and document.path == target and (errors := document.report().errors):
            self.query_one(FormPane).go_to(errors[0].key)

    def document_opened(self) -> None:
        """Back to the form, without a plan yet."""
        self.forget_plan()
        self._show_view("")

    def draw_notice(self, text: str) -> None:
        """What another program did to the file."""
        self.query_one("#notice", Static).update(literal(text, ascii_only=self.sdtui.settings.ascii))

    def go_to_setting(self, key: str) -> None:
        """Put the cursor on it."""
        self.query_one(FormPane).go_to(key)

    def show_conflict(self) -> None:
        """What differs from the file on disk."""
        self._show_view("disk")

    # -- drawing --------------------------------------------------------------------------------------------------

    def draw_document(self) -> None:
        """The document changed: draw everything that shows it."""
        document = self.document
        if document is None:
            return
        self.draw_report(document)
        self.plan_soon()

    def draw_report(self, document: ProfileDocument) -> None:
        """Draw the document with its problems."""
        self.query_one(FormPane).show(document)
        self.query_one("#sections", LineList).redraw()
        self._fill_view()
        self.update_chrome()

    def _section_row(self, index: int, _width: int) -> Content:
        section = SECTIONS[index]
        rows = [row for row in self.query_one(FormPane).rows if row.section == section and row.problem]
        errors = any(row.problem is not None and row.problem.severity == "error" for row in rows)
        sign = ("!", "$error") if errors else ("?", "$warning") if rows else (" ", "$faint")
        return Content.assemble((f"{form.section_title(section):<11}", "$foreground"), sign)

    def on_form_pane_pointed(self, event: FormPane.Pointed) -> None:
        """Help for the setting under the cursor."""
        row = event.row
        lines = form.help_lines(row.setting, row.unused) if row.setting else [(row.title, "bold $strong")]
        for problem in filter(None, (row.problem, *row.more[:MORE_SHOWN])):
            style = "$error" if problem.severity == "error" else "$warning"
            remedy = [(problem.remedy, "$foreground")] if problem.remedy else []
            lines = [*lines, ("", ""), (problem.message, style), *remedy]
        if len(row.more) > MORE_SHOWN:
            lines = [*lines, ("", ""), (f"and {len(row.more) - MORE_SHOWN} more", "$soft")]
        ascii_only = self.sdtui.settings.ascii
        parts = [literal(words, style, ascii_only=ascii_only) for words, style in lines]
        self.query_one("#help > Static", Static).update(Content("\n").join(parts))
        short = [words for words, _ in lines[1:4:2]]
        if row.problem is not None:
            allowed = f"allowed: {row.problem.allowed}" if row.problem.allowed else ""
            short = [row.problem.message, row.problem.remedy or allowed]
        self.query_one("#hint", Static).update(Content("\n").join(literal(w, ascii_only=ascii_only) for w in short))
        sections = self.query_one("#sections", LineList)
        if not sections.has_focus:
            sections.move_to(SECTIONS.index(row.section))

    def on_form_pane_changed(self) -> None:
        """A setting was changed in the form."""
        self.draw_document()

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """A section was chosen."""
        if event.list.id == "sections" and event.list.has_focus:
            self.query_one(FormPane).go_to(SECTIONS[event.index])

    def _show_view(self, name: str) -> None:
        self._view = name
        self.set_class(bool(name), "-view")
        self._fill_view()
        self.query_one("#view" if name else "#fields", LineList).focus()
        self.update_chrome()

    def _fill_view(self) -> None:
        if self._view and self.document is not None:
            lines = VIEWS[self._view][1](self.document, self.sdtui.settings.ascii)
            self.query_one("#view", LineList).set_rows(len(lines), lambda index, _width: lines[index])

    # -- keys -----------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Change the setting, or go from a section to its settings, or from a line of text to its setting."""
        if self._view:
            self._show_view("")
        elif self.document is not None and not self.document.parses:
            self.action_text()
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
        """One more folder of images, or word."""
        self.query_one(FormPane).add_to_list()

    def action_drop_folder(self) -> None:
        """One folder less, or word."""
        self.query_one(FormPane).drop_from_list()

    def action_next_pane(self) -> None:
        """Between sections and settings."""
        sections = self.query_one("#sections", LineList)
        (self.query_one("#fields", LineList) if sections.has_focus else sections).focus()

    def action_search(self) -> None:
        """Ask what to find; nothing typed is the last search again."""
        self.app.push_screen(Ask("find a setting", placeholder=self._search), self._find)

    def action_next_match(self) -> None:
        """The next one."""
        self._find(self._search)

    def _find(self, text: str | None) -> None:
        if text is None:
            return
        pane = self.query_one(FormPane)
        self._search = text or self._search
        if self._search and not pane.find(self._search, pane.fields.cursor + 1):
            self.say(f"no setting matches {self._search!r}")

    def action_text(self) -> None:
        """Form or text."""
        line = self.line_under_cursor()
        self._show_view("" if self._view == "text" else "text")
        if self._view == "text":
            self.query_one("#view", LineList).move_to(line - 1)

    def action_difference(self) -> None:
        """Against the disk, against the defaults, back to the form."""
        self._show_view({"disk": "defaults", "defaults": ""}.get(self._view, "disk"))

    def go_back(self) -> bool:
        """Close the text or the difference first."""
        if self._view:
            self._show_view("")
            return True
        return super().go_back()

    def line_under_cursor(self) -> int:
        """The line of what is under the cursor."""
        if self._view == "text":
            return self.query_one("#view", LineList).cursor + 1
        row = self.query_one(FormPane).row
        if row is not None and row.problem is not None and row.setting is None:
            return row.problem.line
        return self.document.line_of(row.key) if self.document and row else 1
