"""What every screen has: header line, body, footer line, side panel, help for the focus, and a memory of where it was left.

Adding a screen: subclass `SdtuiScreen` in its own module; set NAME (the header's word) and KEY_CONTEXT, put
`BINDINGS = [*keys.bindings(KEY_CONTEXT)]` and an `action_…` method per row of that context in `tui/key_rows.py`; yield the
widgets from `body()`; give side panels the class `side` and say in SIDE what they show. Override `place()` and `facts()`
for the header, `hints()` for the footer, `open_target(path)` to show something, `remember()`/`recall()` for the state, and
call `update_chrome()` when the header's facts change. Then add one line to `SCREENS` in `tui/app.py`. Say things with
`say()`, never with `notify`; load in thread workers with their own `group=`, `thread=True` and `exit_on_error=False`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from sdtui.tui import keys
from sdtui.tui.key import Key
from sdtui.tui.literal import clean, home_path
from sdtui.tui.widgets.chrome import HeaderLine, HintLine

if TYPE_CHECKING:
    from sdtui.tui.app import SdtuiApp
    from sdtui.tui.board import Board

MIN_WIDTH, MIN_HEIGHT = 40, 10


class SdtuiScreen(Screen[None]):
    """One of the numbered screens."""

    NAME: ClassVar[str] = ""
    KEY_CONTEXT: ClassVar[str] = ""
    SIDE: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = []
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012  as Textual declares it
    AUTO_FOCUS = "LineList"
    DEFAULT_CSS = """
    SdtuiScreen {
        background: $background;
        & > #too-small { display: none; width: 100%; height: 1fr; color: $warning; }
        &.-too-small > * { display: none; }
        &.-too-small > #too-small { display: block; }
        & .side { display: block; }
        &.-folded .side { display: none; }
        &.-narrow .side { display: none; }
        &.-narrow.-unfolded .side { display: block; width: 100%; }
        &.-narrow.-unfolded .main { display: none; }
    }
    """

    def compose(self) -> ComposeResult:
        """Header, body, footer."""
        yield HeaderLine(self.NAME)
        yield from self.body()
        yield HintLine()

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    @property
    def sdtui(self) -> SdtuiApp:
        """The app, with its own type."""
        return cast("SdtuiApp", self.app)

    def place(self) -> str:
        """Where we are, in the header after the screen's name; made literal there."""
        return home_path(str(self.sdtui.workspace), str(Path.home()))

    def facts(self) -> Content:
        """What is worth knowing about the place, at the right of the header."""
        return Content("")

    @property
    def takes_keys(self) -> bool:
        """Whether there is something that the screen's own keys can act on; while there is not yet, keys wait."""
        return True

    def offers(self, row: Key) -> bool:
        """Whether the palette is to offer a command of this screen now; not those for what is not open."""
        del row
        return True

    def open_target(self, target: Path) -> None:
        """Show a profile, folder or run; called when another screen or the command line asks for it."""

    def meant_for(self, screen: str) -> Path | None:
        """What the screen named `screen` is to show when its number is pressed here; None: what it has."""
        del screen
        return None

    def remember(self) -> dict[str, Any]:
        """What to keep for the next time (JSON types)."""
        return {}

    def recall(self, state: dict[str, Any]) -> None:
        """Go back to what `remember` kept; called once, after the screen was first shown."""

    def has_unwritten(self) -> bool:
        """Whether leaving the app would lose something that the user can still write."""
        return False

    def ask_before_leaving(self, leave: Callable[[], None]) -> None:
        """Ask what to do about it, and `leave` unless the user stays; called when the screen is in front."""
        leave()

    def contexts(self) -> list[str]:
        """The key contexts that count now: the focused widget's, this screen's, then everywhere; typing shuts out the rest."""
        found = [context for node in self._focus_chain() if (context := getattr(node, "KEY_CONTEXT", ""))]
        if found and found[0] in keys.TYPING:
            return found[:1]
        # The screen's keys before those of the list in it: context first, and every list has the same ones.
        ordered = [self.KEY_CONTEXT, *found, "everywhere"]
        return list(dict.fromkeys(context for context in ordered if context))

    def update_chrome(self) -> None:
        """Draw header and footer again where they differ from what is shown."""
        if not self.is_mounted:
            return
        ascii_only = self.sdtui.settings.ascii
        self.query_one(HeaderLine).show(
            clean(self.place(), ascii_only=ascii_only), self.facts(), self.sdtui.running_line()
        )
        self.query_one(HintLine).show(self.hints())

    def hints(self) -> list[Key]:
        """The footer's keys, most useful first; in a narrow window also the one that brings the side panel back."""
        rows = self.sdtui.keys.footer(*self.contexts())
        if self.SIDE and self.has_class("-narrow") and rows and rows[-1].context == "everywhere":
            side = next(row for row in self.sdtui.keys.rows("everywhere") if row.action == "side")
            rows.append(replace(side, label=self.SIDE, footer=99))
        return rows

    def say(self, message: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """A toast, once, with the text taken literally."""
        self.sdtui.say(message, severity)

    def on_mount(self) -> None:
        """Fill the chrome, then go back to where the user was."""
        self.update_chrome()
        self.call_after_refresh(self._recall)

    def on_screen_resume(self) -> None:
        """Another screen was in front: what it did may show in the header."""
        self.update_chrome()

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """The footer follows the focus."""
        self.update_chrome()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """The footer follows the focus."""
        self.update_chrome()

    async def on_resize(self, event: events.Resize) -> None:
        """A window too small to use says so instead of showing scraps."""
        width, height = event.size
        too_small = width < MIN_WIDTH or height < MIN_HEIGHT
        if too_small:
            words = f"This window is {width} x {height}; sdtui needs {MIN_WIDTH} x {MIN_HEIGHT}."
            if not self.query("#too-small"):
                await self.mount(Static(id="too-small", markup=False))
            self.query_one("#too-small", Static).update(Content(words))
        self.set_class(too_small, "-too-small")
        self.update_chrome()

    def action_side(self) -> None:
        """Fold the side panel, or bring it back; in a narrow window it takes the whole width."""
        if self.has_class("-narrow"):
            self.toggle_class("-unfolded")
        else:
            self.remove_class("-unfolded")
            self.toggle_class("-folded")

    def go_back(self) -> bool:
        """Close what is open inside the screen; False when there was nothing (the app then leaves the screen)."""
        if self.has_class("-narrow") and self.has_class("-unfolded"):
            self.remove_class("-unfolded")
            return True
        return False

    def stop(self) -> None:
        """Stop what the screen does in the background, if the user may not want it: esc when nothing is open."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed says so once, here, instead of taking the app down."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.sdtui.report(event.worker.error)

    def show_board(self, board: Board) -> None:
        """The workspace changed (a run moved on, a profile was edited): the header may say something else."""
        del board
        self.update_chrome()

    def settle(self) -> None:
        """The process is about to end at once: finish what would be lost."""

    def farewell(self) -> str:
        """What the shell is to say once the app has ended; mostly nothing."""
        return ""

    def copyable(self) -> str:
        """What `Y` copies: the path or text under the cursor; empty when there is nothing."""
        return ""

    def _recall(self) -> None:
        self.recall(self.sdtui.state.get(self.KEY_CONTEXT))
        self.update_chrome()

    def _focus_chain(self) -> list[DOMNode]:
        return list(self.focused.ancestors_with_self) if self.focused else [self]
