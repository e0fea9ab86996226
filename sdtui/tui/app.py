"""The app: five screens joined by number keys, one table of keys, and what holds for all of them.

What must not be in the first frame (pydantic, tomlkit, PIL, watchdog) is imported by the screens after it, in workers.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from sdtui.errors import SdtuiError
from sdtui.runs.registry import RunInfo
from sdtui.tui import keys
from sdtui.tui.ascii_chrome import draw_with_ascii
from sdtui.tui.board import Board, BoardReader
from sdtui.tui.glyphs import Glyphs, glyphs
from sdtui.tui.key import Key
from sdtui.tui.key_order import KeyOrder
from sdtui.tui.literal import clean, literal
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.settings import Settings
from sdtui.tui.state import AppState
from sdtui.tui.terminal import Guard, shell_waits
from sdtui.tui.theme import FALLBACK, use_theme

# Screen name (and key context) → the module and class that is it; imported when it is first shown.
SCREENS: dict[str, tuple[str, str]] = {
    "home": ("sdtui.tui.screens.home", "HomeScreen"),
    "captions": ("sdtui.tui.screens.captions", "CaptionsScreen"),
    "monitor": ("sdtui.tui.screens.monitor", "MonitorScreen"),
    "profile": ("sdtui.tui.screens.profile", "ProfileScreen"),
    "samples": ("sdtui.tui.screens.samples", "SamplesScreen"),
}


def _maker(name: str) -> Callable[[], Screen[Any]]:
    module, cls = SCREENS[name]
    return lambda: cast("Screen[Any]", getattr(importlib.import_module(module), cls)())


class SdtuiApp(App[None]):
    """sdtui on a workspace.

    Args:
        workspace: the folder with profiles and runs.
        start: the screen to begin with; empty: where it was left.
        target: what that screen is to show.
        settings: the user's.
        read_only: let no caption be changed, until the user says otherwise.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("everywhere")]
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {name: _maker(name) for name in SCREENS}
    ENABLE_COMMAND_PALETTE = False
    TITLE = "sdtui"
    CSS = """
    * { scrollbar-color: $faint; scrollbar-color-hover: $soft; scrollbar-color-active: $soft;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background; scrollbar-corner-color: $background; }
    Toast { background: $panel; padding: 0 1; margin: 0 0 1 0; border-left: solid $accent; }
    Toast.-warning { border-left: solid $warning; }
    Toast.-error { border-left: solid $error; }
    .rule { height: 1; color: $faint; }
    """

    def __init__(
        self,
        workspace: Path,
        *,
        start: str = "",
        target: Path | None = None,
        settings: Settings | None = None,
        read_only: bool = False,
    ) -> None:
        self.settings = settings or Settings()
        self.read_only = read_only
        self.keys = keys.KeyTable(self.settings.keys)
        self.workspace = workspace
        self.state = AppState(workspace)
        self.glyphs: Glyphs = glyphs(self.settings.ascii)
        self.DEFAULT_MODE = self._first_screen(start)  # type: ignore[misc]  # ours is chosen per start
        super().__init__()
        self._target = target
        self._guard: Guard | None = None
        self._run_line = Content("")
        self.board: Board = Board()
        self._reader: BoardReader | None = None
        self._key_order = KeyOrder(self)
        self.crash: tuple[BaseException, Path | None] | None = None
        self.animation_level = "none"
        self.theme_used = use_theme(self, self.settings.theme)
        self.set_keymap(dict(self.keys.remap))
        if self.settings.ascii:
            draw_with_ascii()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The names our style sheets use, for themes that are not ours."""
        return dict(FALLBACK)

    def on_mount(self) -> None:
        """Watch the terminal, unless this is a test without one, and, after the first frame, the workspace."""
        self.call_after_refresh(self._start_board)
        # After SIGTSTP and SIGCONT Textual takes the terminal back, but draws nothing on it.
        self.app_resume_signal.subscribe(self, lambda _app: self.refresh(layout=True))
        if not self.is_headless:
            self._guard = Guard(self._save_at_once, self._leave_soon)
            self._guard.install()
        if self._target is not None:
            self.call_after_refresh(self.open, self.DEFAULT_MODE, self._target)

    async def on_event(self, event: events.Event) -> None:
        """Keys and pastes one after the other, each with its effect."""
        typed = isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded
        if not typed or self._key_order.admit(event):
            await super().on_event(event)

    def exit(self, result: None = None, return_code: int = 0, message: Any = None) -> None:
        """Write down where we are while the screens still know, let go of the reading thread, then close.

        The thread is told here, not only when everything is taken down: whatever goes wrong there, the process ends.
        """
        self.save_state()
        self._close_reader()
        screens = (stack[0] for stack in self._screen_stacks.values() if stack and isinstance(stack[0], SdtuiScreen))
        self._exit_renderables += [words for screen in screens if (words := screen.farewell())]
        super().exit(result, return_code, message)

    def on_unmount(self) -> None:
        """Let go of the threads."""
        if self._guard:
            self._guard.stop()
        self._close_reader()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The thread that reads the workspace failed: Home will not change any more, and the user should know why."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.report(event.worker.error)

    # -- going places ---------------------------------------------------------------------------------------------

    def open(self, screen: str, target: Path | None = None) -> None:
        """Go to a screen, and show `target` there."""
        self.save_state()

        def arrive() -> None:
            # Opening may put a question in front of the screen.
            if target is not None and isinstance(front := self.screen, SdtuiScreen):
                front.open_target(target)
                front.update_chrome()

        self.switch_mode(screen)
        self.call_after_refresh(arrive)
        if screen == "home":
            self.look_again()

    def show_started(self, run: Path) -> None:
        """Go and watch a run that was launched, unless the user went elsewhere or opened something while it was checked."""
        if self.current_mode in {"home", "profile"} and isinstance(self.screen, SdtuiScreen):
            self.open("monitor", run)
        else:
            self.say(f"started {run.name}: {self.keys.press('everywhere.monitor')} shows it")

    def is_bound_for(self, screen: str) -> bool:
        """Whether the command line named something for `screen` to show, so that it need not look for anything itself."""
        return self._target is not None and screen == self.DEFAULT_MODE

    def action_home(self) -> None:
        """Go to Home."""
        self.open("home")

    def action_captions(self) -> None:
        """Go to Captions."""
        self.open("captions", self._meant_for("captions"))

    def action_monitor(self) -> None:
        """Go to Monitor."""
        self.open("monitor", self._meant_for("monitor"))

    def action_profile(self) -> None:
        """Go to Profile."""
        self.open("profile", self._meant_for("profile"))

    def action_samples(self) -> None:
        """Go to Samples."""
        self.open("samples", self._meant_for("samples"))

    def _meant_for(self, screen: str) -> Path | None:
        return self.screen.meant_for(screen) if isinstance(self.screen, SdtuiScreen) else None

    async def action_back(self) -> None:
        """Leave what is open, else the screen, else the app."""
        if isinstance(self.screen, SdtuiScreen) and self.screen.go_back():
            return
        if self.current_mode == "home":
            await self.action_quit()
        else:
            self.open("home")

    async def action_quit(self) -> None:
        """Quit, once nothing unwritten would be lost unasked."""
        for name, stack in self._screen_stacks.items():
            if stack and isinstance(screen := stack[0], SdtuiScreen) and screen.has_unwritten():
                self.open(name)
                self.call_after_refresh(screen.ask_before_leaving, self.exit)
                return
        self.exit()

    def action_suspend(self) -> None:
        """Stop until the shell lets us go on; without a shell that could, never."""
        if shell_waits():
            self.action_suspend_process()
        else:
            self.say("there is no shell to go back to: none started sdtui as a job of its own", "warning")

    def action_close(self) -> None:
        """Close what is open inside the screen; if nothing is, stop what it does in the background."""
        if isinstance(self.screen, SdtuiScreen) and not self.screen.go_back():
            self.screen.stop()

    def action_side(self) -> None:
        """Fold or unfold the side panel."""
        if isinstance(self.screen, SdtuiScreen):
            self.screen.action_side()

    def action_help(self) -> None:
        """Show the keys that count for the focus."""
        from sdtui.tui.screens.help import HelpScreen

        if isinstance(self.screen, SdtuiScreen):
            self.push_screen(HelpScreen(self.keys, self.screen.contexts()))

    def action_commands(self) -> None:
        """Open the palette."""
        from sdtui.tui.screens.palette import PaletteScreen

        if isinstance(self.screen, SdtuiScreen):
            screen = self.screen
            rows = [row for row in self.keys.rows(*screen.contexts()) if screen.offers(row)]
            self.push_screen(PaletteScreen(rows), lambda row: self._run_row(screen, row))

    def action_copy(self) -> None:
        """Copy the path or text under the cursor."""
        from sdtui.tui.clipboard import copy

        text = self.screen.copyable() if isinstance(self.screen, SdtuiScreen) else ""
        self.say(copy(self, text) if text else "nothing to copy here")

    # -- saying things --------------------------------------------------------------------------------------------

    def say(self, message: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """A toast with the text taken literally."""
        self.notify(clean(message, ascii_only=self.settings.ascii, lines=True), severity=severity, markup=False)

    def report(self, error: BaseException) -> None:
        """A failure that the app survives: our own errors as they are, others with a crash file."""
        if isinstance(error, SdtuiError):
            self.say(str(error), "error")
        else:
            from sdtui.tui.crash import write_crash

            path = write_crash(error, self.current_mode or "")
            self.say(f"{type(error).__name__}: {error}. Details in {path}", "error")

    def running_line(self) -> Content:
        """What runs, for every header."""
        return self._run_line

    def look_again(self) -> None:
        """Something was done that Home or the header should show at once."""
        if self._reader is not None:
            self._reader.look_again()

    def _start_board(self) -> None:
        """Begin to read the workspace, in a thread."""
        self._reader = BoardReader(
            self.workspace,
            lambda board: self.call_from_thread(self._show_board, board),
            # Counting 100 000 files after every caption that is written would hold the typist's keys back.
            thoroughly=lambda: self.current_mode == "home",
        )
        self.run_worker(self._reader.run, thread=True, group="board", exit_on_error=False)

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def _show_board(self, board: Board) -> None:
        self.board = board
        names = [f"{info.run.name} {_share(info)}" for info in board.live]
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        self._run_line = literal(f"run {names[0]}{more}" if names else "", "$accent", ascii_only=self.settings.ascii)
        for stack in self._screen_stacks.values():
            if stack and isinstance(stack[0], SdtuiScreen):
                stack[0].show_board(board)

    # -- ending ---------------------------------------------------------------------------------------------------

    def save_state(self) -> None:
        """Write where we are; called when leaving a screen, at the end, and when the terminal goes away."""
        self.state.put("app", {"screen": self.current_mode or "home"})
        for name, stack in self._screen_stacks.items():
            if stack and isinstance(stack[0], SdtuiScreen) and stack[0].is_mounted:
                self.state.put(name, stack[0].remember())
        self.state.save()

    def _save_at_once(self) -> None:
        """The terminal is gone, and the process in a moment."""
        self.save_state()
        for stack in self._screen_stacks.values():
            if stack and isinstance(stack[0], SdtuiScreen):
                stack[0].settle()

    def _handle_exception(self, error: Exception) -> None:
        """Write a crash file in place of Textual's page of local variables; tests still see the exception."""
        from sdtui.tui.crash import crash_line, write_crash

        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        if self.crash is None:
            self.crash = (error, write_crash(error, self.current_mode or ""))
            self._exit_renderables.append(crash_line(*self.crash))
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        for line in self._exit_renderables:
            os.write(2, f"{clean(str(line))}\n".encode("utf-8", "backslashreplace"))
        self._exit_renderables.clear()

    def _leave_soon(self, code: int) -> None:
        """From a signal handler, on the main thread: close in the loop's own time.

        An idle loop sleeps in `select`, which goes on sleeping after the handler unless its own pipe wakes it.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(partial(self.call_later, self.exit, return_code=code))

    def _first_screen(self, start: str) -> str:
        left = str(self.state.get("app").get("screen", "home"))
        return start or (left if left in SCREENS else "home")

    def _run_row(self, screen: SdtuiScreen, row: Key | None) -> None:
        if row is not None:
            # A row belongs to the app, to the screen, or else to what had the focus in it: a list, a line, an editor.
            of_widget = row.context != screen.KEY_CONTEXT and screen.focused is not None
            target = self if row.context == "everywhere" else screen.focused if of_widget else screen
            self.call_later(self.run_action, row.action, target)


def _share(info: RunInfo) -> str:
    return f"{info.step / info.steps_total:.0%}" if info.steps_total else info.state
