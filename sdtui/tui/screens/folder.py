"""A screen with the pictures of one folder: which one, its neighbours in time, what is said of the chosen picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from sdtui.errors import UserError
from sdtui.runs.parameters import read_parameters
from sdtui.tui.literal import home_path, literal
from sdtui.tui.samples import offered
from sdtui.tui.samples.folder import Contents, FolderReader
from sdtui.tui.samples.pane import PicturesPane, state_words
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.screens.dialogs import Ask, Choose

HOME = "samples"
OTHER = "another"


class FolderScreen(SdtuiScreen):
    """Holds the reader and what it found last; it needs a `PicturesPane`, and a Static `#text` for what a file says."""

    class Fresh(Message):
        """The reading thread has something new."""

        def __init__(self, reader: FolderReader) -> None:
            super().__init__()
            self.reader = reader

    class Told(Message):
        """What a picture's file says of it."""

        def __init__(self, path: Path, text: str) -> None:
            super().__init__()
            self.path = path
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self._reader: FolderReader | None = None
        self._contents: Contents | None = None

    def place(self) -> str:
        """The folder of pictures."""
        home = str(Path.home())
        return home_path(str(self._reader.folder if self._reader else self._home), home)

    def facts(self) -> Content:
        """How the drawing goes."""
        return state_words(self._contents) if self._contents is not None else Content("")

    def copyable(self) -> str:
        """The chosen picture."""
        shot = self._pane.chosen
        return str(shot.path) if shot is not None else ""

    def show_folder(self, folder: Path) -> None:
        """Follow another folder."""
        if self._reader is not None and self._reader.folder == folder and self._reader.is_alive():
            return
        self._close_reader()
        self._contents = None
        self._reader = FolderReader(folder, self._tell)
        self._reader.start()
        self.update_chrome()

    def _tell(self, reader: FolderReader) -> None:
        """In the reader's thread."""
        self.post_message(self.Fresh(reader))

    def on_unmount(self) -> None:
        """Let go of the folder; what is drawn there goes on."""
        self._close_reader()

    def on_folder_screen_fresh(self, event: Fresh) -> None:
        """Show what is there now."""
        if event.reader is not self._reader:
            return
        if event.reader.problem is not None:
            self.sdtui.report(event.reader.problem)
            return
        contents = event.reader.take()
        if contents is None:
            return
        before, self._contents = self._contents, contents
        self._pane.show(contents)
        self._read_text()
        if contents.state == "failed" and before is not None and before.live:
            self.say(contents.reason or "it failed; its log may say why", "error")
        self.update_chrome()

    def go_back(self) -> bool:
        """Close the single picture or the comparison first."""
        text = self.query_one("#text", Static)
        if text.has_class("-whole"):
            text.remove_class("-whole")
            return True
        return self._pane.close_view() or super().go_back()

    def on_pictures_pane_chose(self) -> None:
        """Another picture: what its file says."""
        self._read_text()

    def action_compare(self) -> None:
        """Hold the chosen picture beside the others."""
        if not self._pane.compare():
            self.say("there is nothing to compare with", "warning")
        else:
            self.set_focus(self._pane)

    def action_parameters(self) -> None:
        """The whole text of the picture, or some lines of it."""
        self.query_one("#text", Static).toggle_class("-whole")

    def action_older_folder(self) -> None:
        """The folder before this one."""
        self._look(lambda: offered.sample_folders(self.sdtui.workspace), partial(self._go_to_folder, 1))

    def action_newer_folder(self) -> None:
        """The folder after this one."""
        self._look(lambda: offered.sample_folders(self.sdtui.workspace), partial(self._go_to_folder, -1))

    def action_folders(self) -> None:
        """Choose a folder of pictures."""

        def ask(found: Sequence[tuple[Path, str]]) -> None:
            choices = [*((str(path), words) for path, words in found), (OTHER, "another: type its path")]
            now = str(self._reader.folder) if self._reader is not None else ""
            self.app.push_screen(Choose("Which pictures?", choices, now=now, ends=True), chosen)

        def chosen(value: str | None) -> None:
            if value == OTHER:
                self.app.push_screen(Ask("A folder of pictures"), chosen)
            elif value and Path(whole_path(value)).is_dir():
                self.show_folder(Path(whole_path(value)))
            elif value:
                self.say(f"{value}: there is no such folder", "warning")

        self._look(lambda: offered.sample_folders(self.sdtui.workspace), ask)

    def _go_to_folder(self, step: int, found: Sequence[tuple[Path, str]]) -> None:
        paths = [path for path, _words in found]
        now = self._reader.folder if self._reader is not None else None
        at = paths.index(now) + step if now in paths else 0
        if not paths:
            self.say("no pictures were drawn yet")
        elif not 0 <= at < len(paths):
            self.say("these are the oldest pictures" if step > 0 else "these are the newest pictures")
        else:
            self.show_folder(paths[at])

    def _read_text(self) -> None:
        """What the chosen picture's file says, in a thread."""
        shot = self._pane.chosen
        if shot is None:
            self.query_one("#text", Static).set_class(True, "-none")
            return

        def read() -> None:
            try:
                text = read_parameters(shot.path)
            except UserError:
                text = ""  # the picture's own place says that it cannot be read
            self.post_message(self.Told(shot.path, text))

        self.run_worker(read, thread=True, group="samples-text", exclusive=True, exit_on_error=False)

    def on_folder_screen_told(self, event: Told) -> None:
        """Show it, if the picture is still the chosen one."""
        shot = self._pane.chosen
        if shot is None or shot.path != event.path:
            return
        panel = self.query_one("#text", Static)
        panel.update(literal(event.text, ascii_only=self.sdtui.settings.ascii, lines=True))
        panel.set_class(not event.text, "-none")

    def _look(self, work: Callable[[], Sequence[Any]], then: Callable[[Sequence[Any]], None]) -> None:
        """Find out in a thread what there is, then ask."""

        def look() -> None:
            found = work()
            self.app.call_from_thread(then, found)

        self.run_worker(look, thread=True, group="samples-look", exclusive=True, exit_on_error=False)

    @property
    def _home(self) -> Path:
        return self.sdtui.workspace / HOME

    @property
    def _pane(self) -> PicturesPane:
        return self.query_one(PicturesPane)

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()


def whole_path(value: str) -> str:
    """A path as it is from everywhere; what is none as it is."""
    path = Path(value).expanduser()
    return str(path.resolve()) if path.exists() else value
