"""Monitor: one run as it goes, whatever its state: curves, speed, memory, previews, messages, and the keys that steer it.

One thread reads the run (`monitor.reader`) and hands over snapshots; everything drawn comes from the newest one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from sdtui.errors import SdtuiError, UserError
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.tui import keys
from sdtui.tui.key import Key
from sdtui.tui.literal import literal
from sdtui.tui.monitor import words
from sdtui.tui.monitor.curves import Curves
from sdtui.tui.monitor.messages import MessagePanel
from sdtui.tui.monitor.previews import Album, PreviewPane
from sdtui.tui.monitor.snapshot import Snapshot
from sdtui.tui.monitor.steering import Steering, number_of
from sdtui.tui.screens.dialogs import Ask, Confirm
from sdtui.tui.screens.run import RunScreen
from sdtui.tui.widgets.figures import FigureLines
from sdtui.tui.widgets.log import LogView

RESUMABLE = frozenset({"killed", "failed", "stopped"})
STEERING = frozenset({"preview", "save", "pause", "stop", "rate_factor", "interval", "resume"})
PREVIEWING = frozenset({"earlier", "next_prompt", "compare"})


class MonitorScreen(RunScreen):
    """One run, live or ended."""

    NAME = "monitor"
    KEY_CONTEXT = "monitor"
    SIDE = "previews"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("monitor")]
    AUTO_FOCUS = "#messages"
    DEFAULT_CSS = """
    MonitorScreen {
        & #status { height: 1; padding: 0 1; }
        & #notice { display: none; height: auto; max-height: 4; padding: 0 1; }
        &.-noticed #notice { display: block; }
        & #upper { height: 1fr; }
        &.-tall Curves > #learning { display: block; }
        & #log { display: none; }
        &.-log #log { display: block; }
        &.-log Curves { display: none; }
        & PreviewPane { width: 2fr; max-width: 44; border-left: solid $faint; }
        &.-wide PreviewPane { width: 1fr; max-width: 50%; }
        &.-narrow.-unfolded PreviewPane { max-width: 100%; border-left: none; }
        & #lower { height: 6; border-top: solid $faint; }
        & #facts { width: 1fr; height: 4; padding: 0 1; }
        & #messages { width: 2fr; max-width: 44; border-left: solid $faint; }
        &.-wide #messages { width: 1fr; max-width: 50%; }
        &.-narrow #lower { layout: vertical; height: 9; }
        &.-narrow #facts { width: 100%; }
        &.-narrow #messages { width: 100%; max-width: 100%; height: 1fr; border-left: none; }
        &.-low #lower { height: 5; }
        &.-low.-narrow #facts { height: 2; }
        &.-narrow.-unfolded #facts { display: none; }
        &.-narrow.-unfolded #lower { height: 4; }
    }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-middling"), (34, "-tall")]  # noqa: RUF012  as Textual declares it

    def __init__(self) -> None:
        super().__init__()
        self._album = Album()
        self._steering = Steering()
        self._notice = ("", "")

    def body(self) -> ComposeResult:
        """Status, curves and previews, figures and messages."""
        ascii_only = self.sdtui.settings.ascii
        yield FigureLines(id="status")
        yield Static("", id="notice", markup=False)
        with Horizontal(id="upper", classes="content"):
            yield Curves(ascii_only=ascii_only, classes="main")
            yield LogView(ascii_only=ascii_only, id="log", classes="main")
            yield PreviewPane(ascii_only=ascii_only, classes="side")
        with Horizontal(id="lower"):
            yield FigureLines(id="facts")
            yield MessagePanel(ascii_only=ascii_only, id="messages")

    # -- which run ------------------------------------------------------------------------------------------------

    def facts(self) -> Content:
        """The machine it runs on, if that is another one."""
        host = self._snapshot.host if self._snapshot else ""
        return literal(f"on {host}" if host else "", "$soft")

    def hints(self) -> list[Key]:
        """Only what can be done to a run in this state."""
        snapshot = self._snapshot
        idle = STEERING if snapshot is None or snapshot.over else {"resume"}
        if snapshot is not None and snapshot.state in RESUMABLE:
            idle = idle - {"resume"}
        if snapshot is None or not snapshot.previews:
            idle = idle | PREVIEWING
        return [row for row in super().hints() if row.context != "monitor" or row.action not in idle]

    def run_opened(self, run: RunFolder) -> None:
        """Forget the run before; the log follows at once."""
        self._album, self._steering = Album(), Steering()
        self._draw_notice(("", ""))
        self.query_one(LogView).show(run.log_file if self.has_class("-log") else None)

    def remember(self) -> dict[str, Any]:
        """The run, and how it is looked at."""
        run = str(self._reader.run_folder.path) if self._reader else ""
        return {"run": run, **self.query_one(Curves).remember()}

    def recall(self, state: dict[str, Any]) -> None:
        """Show what runs now, else the run of last time, else the newest."""
        self.query_one(Curves).recall(state)
        if not self.sdtui.is_bound_for(self.KEY_CONTEXT):
            self.open_unasked(Path(str(state.get("run") or "/nonexistent")))

    def no_run(self) -> None:
        """Say how to get one."""
        self.query_one("#status", FigureLines).show(
            [
                [
                    ("no run yet", "accent"),
                    ("   launch one from a profile: ", "name"),
                    (self.sdtui.keys.press("everywhere.profile"), "accent"),
                    (" then ", "name"),
                    (self.sdtui.keys.press("profile.launch"), "accent"),
                ]
            ]
        )
        self.query_one(PreviewPane).show(Album(), self.sdtui.workspace, will_come=False)

    # -- drawing --------------------------------------------------------------------------------------------------

    def run_moved_on(self, snapshot: Snapshot, before: Snapshot | None) -> None:
        """Draw the newest snapshot."""
        for refusal in self._steering.settle(snapshot):
            self.say(refusal, "warning")
        self._draw(snapshot)
        if before is None or _chrome_of(before) != _chrome_of(snapshot):
            self.update_chrome()

    def _draw(self, snapshot: Snapshot) -> None:
        status = words.status_line(
            snapshot, self.sdtui.glyphs, self.size.width, self.sdtui.keys.press, self._steering.waiting
        )
        self.query_one("#status", FigureLines).show([status])
        self._draw_notice(words.notice(snapshot))
        lines = (words.memory_line, words.time_line, words.device_line, words.files_line)
        self.query_one("#facts", FigureLines).show([line(snapshot) for line in lines])
        self.query_one(Curves).show(snapshot)
        self._album = self._album.with_previews(snapshot.previews)
        self._draw_previews(snapshot)
        self.query_one(MessagePanel).show(snapshot.messages)
        if self.has_class("-log"):
            self.query_one(LogView).catch_up()

    def _draw_previews(self, snapshot: Snapshot) -> None:
        self.query_one(PreviewPane).show(self._album, snapshot.run.path, will_come=not snapshot.over)

    def _draw_notice(self, notice: tuple[str, str]) -> None:
        if notice != self._notice:
            self._notice = notice
            self.query_one("#notice", Static).update(literal(*notice, ascii_only=self.sdtui.settings.ascii))
            self.set_class(bool(notice[0]), "-noticed")

    def action_x_axis(self) -> None:
        """Step, time since the start, time of day."""
        self.query_one(Curves).turn_x_axis()

    def action_log_scale(self) -> None:
        """Logarithmic or linear."""
        self.query_one(Curves).turn_log_scale()

    def action_smoother(self) -> None:
        """A longer average."""
        self.query_one(Curves).smooth(1)

    def action_rougher(self) -> None:
        """A shorter average."""
        self.query_one(Curves).smooth(-1)

    def action_log(self) -> None:
        """The trainer's output in place of the curves."""
        self.toggle_class("-log")
        showing = self.has_class("-log")
        view = self.query_one(LogView)
        view.show(self._reader.run_folder.log_file if self._reader and showing else None)
        self.set_focus(view if showing else self.query_one("#messages"))

    def go_back(self) -> bool:
        """Close the log first."""
        if self.has_class("-log"):
            self.action_log()
            return True
        return super().go_back()

    # -- previews -------------------------------------------------------------------------------------------------

    def action_earlier(self) -> None:
        """Previews of the step before."""
        self._look_at(self._album.scrubbed(-1))

    def action_later(self) -> None:
        """Previews of the step after."""
        self._look_at(self._album.scrubbed(1))

    def action_next_prompt(self) -> None:
        """The next prompt."""
        self._look_at(self._album.turned(1))

    def action_previous_prompt(self) -> None:
        """The prompt before."""
        self._look_at(self._album.turned(-1))

    def action_compare(self) -> None:
        """First and chosen step side by side."""
        self._look_at(self._album.compared())

    def _look_at(self, album: Album) -> None:
        self._album = album
        if self._snapshot is not None:
            self._draw_previews(self._snapshot)

    # -- steering -------------------------------------------------------------------------------------------------

    def action_preview(self) -> None:
        """Previews at the next step."""
        self._send("preview")

    def action_save(self) -> None:
        """A checkpoint at the next step."""
        self._send("save")

    def action_pause(self) -> None:
        """Pause, or go on."""
        self._send("unpause" if self._snapshot and self._snapshot.state == "paused" else "pause")

    def action_stop(self) -> None:
        """End the run, if confirmed."""
        if not self._is_steerable():
            return
        question = "End this run? It saves a checkpoint first and can be resumed."
        self.app.push_screen(Confirm(question, yes="end it"), lambda answer: self._send("stop") if answer else None)

    def action_rate_factor(self) -> None:
        """Another factor on the learning rate."""
        self._ask_to_set("learning_rate_factor", "Multiply the learning rate by (1 is the profile's own)", "0.5")

    def action_interval(self) -> None:
        """Another number of steps between previews."""
        self._ask_to_set("previews.every", "Previews every so many steps (0: only when asked)", "100")

    def _ask_to_set(self, key: str, question: str, example: str) -> None:
        if not self._is_steerable():
            return

        def answered(text: str | None) -> None:
            if not text or not text.strip():
                return
            try:
                self._send("set", key=key, value=number_of(text))
            except UserError as error:
                self.sdtui.report(error)

        self.app.push_screen(Ask(question, placeholder=example), answered)

    def action_resume(self) -> None:
        """Go on with an ended run."""
        snapshot, reader = self._snapshot, self._reader
        if snapshot is None or reader is None:
            return
        if snapshot.state not in RESUMABLE:
            self.say(f"this run is {snapshot.state}, there is nothing to resume", "warning")
            return
        run = reader.run_folder

        def resume() -> None:
            launch.resume(run)
            self.app.call_from_thread(self.say, f"resumed {run.name}")

        # Not on the screen's time: it starts a process and waits for its first sign of life.
        self.run_worker(resume, thread=True, group="monitor-resume", exclusive=True, exit_on_error=False)

    def _is_steerable(self) -> bool:
        snapshot = self._snapshot
        if snapshot is None:
            return False
        if snapshot.over:
            self.say(f"this run is {snapshot.state}", "warning")
        return not snapshot.over

    def _send(self, command: str, **arguments: Any) -> None:
        snapshot = self._snapshot
        if snapshot is None or not self._is_steerable():
            return
        try:
            self._steering.send(snapshot, command, **arguments)
        except SdtuiError as error:
            self.sdtui.report(error)
        self._draw(snapshot)


def _chrome_of(snapshot: Snapshot) -> tuple[object, ...]:
    """What header and footer depend on."""
    return snapshot.state, snapshot.host, snapshot.over, bool(snapshot.previews)
