"""A screen on one profile that looks beyond its text in a thread, shows what training it would come to, and starts that.

What was found at the base model, the machine and the images goes to the document, whose report everything else draws.
"""

from __future__ import annotations

from typing import Literal, get_args

from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from sdtui.profile.document import ProfileDocument
from sdtui.runs.layout import RunFolder
from sdtui.tui.daemon import while_wanted
from sdtui.tui.literal import literal
from sdtui.tui.profile import form, planning
from sdtui.tui.profile.planning import Planned
from sdtui.tui.screens.dialogs import Confirm
from sdtui.tui.screens.document import DocumentScreen
from sdtui.tui.widgets.plan_line import PlanLine

# Rest after a change before the plan is made again, in seconds: typing must not start a plan a key.
PLAN_DELAY = 0.4
Purpose = Literal["show", "check", "launch"]
PLAN_GROUPS: dict[Purpose, str] = {purpose: f"profile-plan-{purpose}" for purpose in get_args(Purpose)}


class PlannedScreen(DocumentScreen):
    """Plans the document; subclasses yield a `PlanLine` and draw the report."""

    class Planning(Message):
        """A plan is ready for the document as it was."""

        def __init__(self, planned: Planned, text: str, purpose: Purpose) -> None:
            super().__init__()
            self.planned = planned
            self.text = text
            self.purpose = purpose

    class Launched(Message):
        """A run was started."""

        def __init__(self, run: RunFolder) -> None:
            super().__init__()
            self.run = run

    def __init__(self) -> None:
        super().__init__()
        self._planner = planning.Planner()
        self._plan_timer: Timer | None = None

    def draw_report(self, document: ProfileDocument) -> None:
        """The document's problems changed, though not its text."""

    def go_to_setting(self, key: str) -> None:
        """Put the cursor on a setting."""

    def plan_soon(self) -> None:
        """Plan once the typing rests."""
        if self._plan_timer is not None:
            self._plan_timer.stop()
        self._plan_timer = self.set_timer(PLAN_DELAY, self._plan)

    def forget_plan(self) -> None:
        """Another document: a plan of the one before is wanted no more."""
        self.query_one(PlanLine).show(Content(""))
        for group in PLAN_GROUPS.values():
            self.workers.cancel_group(self, group)

    def action_check(self) -> None:
        """Look again at everything the profile needs, and go to the first problem."""
        document = self.document
        if document is None:
            return
        document.recheck()
        self.draw_document()
        self._plan("check")
        # With errors of its own, nothing else is asked.
        if document.profile is None:
            self._tell_report(document)

    def _tell_report(self, document: ProfileDocument) -> None:
        """Say how much is wrong, and go to the first of it."""
        report = document.report()
        if problems := report.errors or report.warnings:
            self.say(form.report_words(report), "warning")
            self.go_to_setting(problems[0].key)
        else:
            self.say("no problems")

    def action_launch(self) -> None:
        """Check, plan, ask."""
        document = self.document
        if document is None:
            return
        document.recheck()
        if document.profile is None:
            self.action_check()
        else:
            self._plan("launch")

    def _plan(self, purpose: Purpose = "show") -> None:
        """Look at what the profile needs and count its steps, in a thread; a check or a launch looks afresh."""
        if self._plan_timer is not None:
            self._plan_timer.stop()
        document = self.document
        profile = document.profile if document else None
        if document is None or profile is None:
            self._show_plan(Content.styled("after the problems are mended", "$soft"))
            return
        afresh = purpose != "show"
        if afresh:
            self._show_plan(Content.styled("looking at base model and images", "$soft"))
        text = document.text

        async def work() -> None:
            planned = await while_wanted(lambda go_on: self._planner.plan(profile, go_on, afresh=afresh))
            self.post_message(self.Planning(planned, text, purpose))

        # One that leads to an answer is not given up for one that is only shown.
        self.run_worker(work(), group=PLAN_GROUPS[purpose], exclusive=True, exit_on_error=False)

    def on_planned_screen_planning(self, event: Planning) -> None:
        """Show the plan and what was found, and do what it was made for; one for another text is not for this document."""
        document, planned = self.document, event.planned
        if document is None or document.text != event.text:
            if event.purpose != "show":
                self.say(f"the profile changed while its images were looked at: {event.purpose} again", "warning")
            return
        before = document.problems()
        document.found(planned.findings)
        if document.problems() != before:
            self.draw_report(document)
        words = planning.plan_words(planned.plan, self.sdtui.glyphs.dot) if planned.plan else "nothing to train"
        line = Content.styled(words, "$foreground")
        if planned.refusal:
            reason = " ".join(map(str.strip, planned.refusal.splitlines()[:2]))
            said = literal(reason, "$error", ascii_only=self.sdtui.settings.ascii)
            # In front: what keeps it from training must not be cut off.
            line = said if planned.plan is None else said + "   " + line
        self._show_plan(line)
        if event.purpose == "launch":
            self._ask_to_launch(planned)
        elif event.purpose == "check":
            self._tell_report(document)

    def _show_plan(self, line: Content) -> None:
        self.query_one(PlanLine).show(Content.assemble(("plan   ", "$soft"), line))

    def _ask_to_launch(self, planned: Planned) -> None:
        document = self.document
        if document is None:
            return
        if planned.refusal or planned.plan is None:
            self.say(planned.refusal or "nothing to train", "error")
            for problem in document.report().errors[:1]:
                self.go_to_setting(problem.key)
            return
        written = f"\n{document.path.name} is written first." if document.dirty else ""
        words = planning.plan_words(planned.plan, self.sdtui.glyphs.dot)
        warnings = "".join(f"\n{warning}" for warning in planned.plan.warnings)
        question = f"Launch {planned.profile.name}?\n{words}{warnings}{written}"
        self.app.push_screen(Confirm(question, yes="launch"), lambda yes: self._launch(planned) if yes else None)

    def _launch(self, planned: Planned) -> None:
        document = self.document
        if document is None or (document.dirty and not self.write_document()):
            return
        path = document.path

        def work() -> None:
            self.post_message(self.Launched(planning.start(planned, path)))

        self.run_worker(work, thread=True, group="profile-launch", exclusive=True, exit_on_error=False)

    def on_planned_screen_launched(self, event: Launched) -> None:
        """Watch it."""
        self.sdtui.show_started(event.run.path)
