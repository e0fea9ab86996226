"""A screen that edits one profile file: opening, writing, undo, $EDITOR, and what another program does to the file meanwhile.

The file is written only when asked, and never over what another program has written since it was read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.message import Message

from sdtui.errors import SdtuiError
from sdtui.profile.document import DiskConflictError, ProfileDocument
from sdtui.runs.watch import Watch
from sdtui.tui.editor import edit_file
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.screens.dialogs import Choose

CONFLICT = "-conflict"


class DocumentScreen(SdtuiScreen):
    """Holds the document; subclasses draw it in `draw_document` and may prepare for a new one in `document_opened`."""

    class Touched(Message):
        """The file changed on disk."""

    def __init__(self) -> None:
        super().__init__()
        self.document: ProfileDocument | None = None
        self._watch: Watch | None = None
        self._put_away: tuple[int, int] | None = (0, 0)
        # Path → (the file's text, the text that was not written), from a session that had no time to ask.
        self._unwritten: dict[str, tuple[str, str]] = {}

    def draw_document(self) -> None:
        """The document changed."""

    def document_opened(self) -> None:
        """Another document is open now."""

    def draw_notice(self, text: str) -> None:
        """Say what another program did to the file; shown while the screen has the class of a conflict."""

    def show_conflict(self) -> None:
        """Show what differs from the file on disk."""

    def line_under_cursor(self) -> int:
        """The line of the text that the cursor is about, from 1."""
        return 1

    def remember(self) -> dict[str, Any]:
        """Changes that are not written, so that a lost terminal loses none."""
        document = self.document
        kept = dict(self._unwritten)
        if document is not None and document.dirty:
            kept[str(document.path)] = (document.saved_text, document.text)
        return {"unwritten": kept} if kept else {}

    def recall(self, state: dict[str, Any]) -> None:
        """Take up what `remember` kept; anything else than pairs of texts is left out."""
        found = state.get("unwritten")
        for path, texts in found.items() if isinstance(found, dict) else ():
            if isinstance(texts, list) and len(texts) == 2 and all(isinstance(text, str) for text in texts):
                self._unwritten[path] = (texts[0], texts[1])
        self._restore()

    def _restore(self) -> None:
        """Bring the unwritten text of the open file back, as one change; what the file became since is a conflict."""
        document = self.document
        if document is None or document.dirty or str(document.path) not in self._unwritten:
            return
        saved, text = self._unwritten.pop(str(document.path))
        document = self.document = ProfileDocument(document.path, saved, saved.encode("utf-8"))
        document.replace_text(text)
        self.draw_document()
        self.say("changes that were not written last time are back; undo takes them away")
        self.on_document_screen_touched()

    def has_unwritten(self) -> bool:
        """Whether leaving the app would lose changes."""
        return self.document is not None and self.document.dirty

    def ask_before_leaving(self, leave: Callable[[], None]) -> None:
        """Write the changes, drop them, or stay."""
        document = self.document
        if document is None or isinstance(self.app.screen, Choose):
            return

        def answered(answer: str | None) -> None:
            if answer == "drop":
                self.document = ProfileDocument(document.path, document.saved_text, document.saved_text.encode("utf-8"))
            if answer == "drop" or (answer == "write" and self.write_document()):
                leave()

        self._ask_about_changes(document, answered)

    def on_unmount(self) -> None:
        """Stop watching the file."""
        self._unwatch()

    def open_target(self, target: Path) -> None:
        """Edit this profile; unwritten changes of another one are asked about first."""
        document = self.document
        if document is not None and document.path == target:
            return
        if document is not None and document.dirty:
            self._ask_about_changes(document, lambda answer: self._leave_for(target, answer))
            return
        self.open_document(target)

    def _ask_about_changes(self, document: ProfileDocument, answered: Callable[[str | None], None]) -> None:
        question = f"{document.path.name} has changes that are not written."
        choices = [("write", "write them", "w"), ("drop", "drop them", "d"), ("stay", "stay here", "s")]
        self.app.push_screen(Choose(question, choices), answered)

    def copyable(self) -> str:
        """The file's path."""
        return str(self.document.path) if self.document else ""

    def _leave_for(self, target: Path, answer: str | None) -> None:
        if (answer == "write" and self.write_document()) or answer == "drop":
            self.open_document(target)

    def open_document(self, target: Path) -> None:
        """Read a file and show it; the one open before is forgotten."""
        try:
            self.document = ProfileDocument.load(target)
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        self.remove_class("-empty", CONFLICT)
        self._follow(target)
        self.document_opened()
        self.draw_document()
        self._restore()

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

    def on_document_screen_touched(self) -> None:
        """Take the new text if nothing here would be lost, else say so and leave the choice."""
        document = self.document
        if document is None:
            return
        try:
            changed = document.changed_on_disk()
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        if not changed:
            self.remove_class(CONFLICT)
        elif document.dirty or not document.path.exists():
            if self._stamp() != self._put_away:
                self._show_notice(document)
        else:
            self.action_reload()
            self.say("read again: another program changed the file")

    def _show_notice(self, document: ProfileDocument) -> None:
        """What another program did to the file, and what can be pressed about it; it stays until that is settled."""
        press = self.sdtui.keys.press
        if document.path.exists():
            ways = {"reload": "take theirs", "keep": "keep mine", "difference": "difference"}
            offer = "   ".join(f"{press(f'profile.{action}')} {words}" for action, words in ways.items())
            self.draw_notice(f"Changed on disk by another program:  {offer}")
        else:
            self.draw_notice(f"The file is gone from the disk:  {press('profile.write')} writes it again")
        self.add_class(CONFLICT)

    def action_write(self) -> None:
        """Write the file."""
        if self.document is not None and self.write_document():
            self.say(f"wrote {self.document.path.name}")

    def write_document(self, *, force: bool = False) -> bool:
        """Save, over another program's changes only with `force`; False if it was not done."""
        document = self.document
        if document is None:
            return False
        try:
            # Nothing is lost by writing a file that is gone.
            document.save(force=force or not document.path.exists())
        except DiskConflictError as error:
            self._show_notice(document)
            choices = [
                ("force", "keep mine: overwrite it", "o"),
                ("reload", "take theirs: drop mine (undo brings it back)", "r"),
                ("diff", "look at the difference", "d"),
            ]
            self.app.push_screen(Choose(str(error.message), choices), self._settle_conflict)
            return False
        except SdtuiError as error:
            self.sdtui.report(error)
            return False
        self.remove_class(CONFLICT)
        self.draw_document()
        return True

    def _settle_conflict(self, answer: str | None) -> None:
        if answer == "force":
            self.write_document(force=True)
        elif answer == "reload":
            self.action_reload()
        elif answer == "diff":
            self.show_conflict()

    def action_reload(self) -> None:
        """The text on disk; what was here can be had back with undo."""
        if self.document is None:
            return
        try:
            self.document.reload()
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        self.remove_class(CONFLICT)
        self.draw_document()

    def action_keep(self) -> None:
        """Put the notice away until the file changes again; writing will still ask."""
        self._put_away = self._stamp()
        self.remove_class(CONFLICT)

    def _stamp(self) -> tuple[int, int] | None:
        """Size and time of the file on disk; None when it is gone or nothing is open."""
        try:
            found = self.document.path.stat() if self.document else None
        except OSError:
            return None
        return (found.st_size, found.st_mtime_ns) if found else None

    def action_undo(self) -> None:
        """Take the last change back."""
        if self.document is not None:
            if self.document.undo():
                self.draw_document()
            else:
                self.say("nothing to undo")

    def action_redo(self) -> None:
        """Make it again."""
        if self.document is not None:
            if self.document.redo():
                self.draw_document()
            else:
                self.say("nothing to redo")

    def action_editor(self) -> None:
        """The file itself when nothing is unwritten, else a copy whose text comes back as one change."""
        document = self.document
        if document is None:
            return
        try:
            if document.dirty:
                self._edit_copy(document)
            else:
                edit_file(self.sdtui, document.path, self.line_under_cursor())
                document.reload()
        except SdtuiError as error:
            self.sdtui.report(error)
        self.draw_document()

    def _edit_copy(self, document: ProfileDocument) -> None:
        with tempfile.TemporaryDirectory(prefix="sdtui-") as folder:
            copy = Path(folder) / document.path.name
            copy.write_bytes(document.text.encode("utf-8"))
            edit_file(self.sdtui, copy, self.line_under_cursor())
            document.replace_text(ProfileDocument.load(copy).text)
