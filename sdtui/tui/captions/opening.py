"""Opening a dataset on the captions screen: its images are listed first, then, in the background, all captions are read.

The screen is usable as soon as the images are listed; how many captions were read is told, and esc stops it.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.worker import Worker, get_current_worker

from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.view import CaptionsView
from sdtui.tui.widgets.picture import PicturePanel
from sdtui.tui.widgets.tag_panel import TagPanel

# How often the header says how many captions were read.
PROGRESS_SECONDS = 0.25


class CaptionsOpening(CaptionsView):
    """Lists a folder's images and reads its captions, in threads."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    @property
    def takes_keys(self) -> bool:
        """Not before a dataset is open, or it is known that there is none."""
        return self.model is not None or self._empty

    def recall(self, state: dict[str, Any]) -> None:
        """Open the dataset that was open last, else the workspace's first."""
        self._recalled = state
        if self.model is None and self._opening is None and not self.sdtui.is_bound_for(self.KEY_CONTEXT):
            folder = state.get("folder")
            if isinstance(folder, str) and Path(folder).is_dir():
                self.open_target(Path(folder))
            else:
                self.run_worker(self._find_dataset, thread=True, group="find", exit_on_error=False)

    def remember(self) -> dict[str, Any]:
        """Folder and image."""
        if self.model is None:
            return self._recalled
        at = self.model.library[self.hand.position].relative if self.hand else ""
        return {"folder": str(self.model.folder), "image": at}

    def settle(self) -> None:
        """Wait a moment for what was edited to be written."""
        if self.model is not None:
            self.model.flush()

    def open_target(self, target: Path) -> None:
        """Show the images in `target`; what is open stays until they are listed, and if they cannot be."""
        if self.model is not None and self.model.folder == target:
            self._opening = self._opening if self._opening == target else None
            return
        if self.model is None:
            self.query_one(PicturePanel).show(None, message="reading the folder")
        self._start_reading(target)
        self.update_chrome()

    def _start_reading(self, folder: Path) -> None:
        """List the folder's images in a thread; what is open stays until that is done."""
        self._opening, self._empty = folder, False
        self.run_worker(lambda: self._open(folder), thread=True, group="open", exclusive=True, exit_on_error=False)

    def on_unmount(self) -> None:
        """Write what is pending; the widgets are gone by now."""
        if self.model is not None:
            self.model.close()

    def _find_dataset(self) -> None:
        from sdtui.tui.workspace import dataset_folders

        folders = dataset_folders(self.sdtui.workspace)
        self.app.call_from_thread(self._found_dataset, folders[0] if folders else None)

    def _found_dataset(self, folder: Path | None) -> None:
        if self.model is not None or self._opening is not None:
            return
        if folder is not None:
            self.open_target(folder)
        else:
            self._empty = True
            self._nothing(f"No dataset in this workspace yet. {self._key('folder')} opens a folder of images.")

    def _open(self, folder: Path) -> None:
        worker = get_current_worker()
        try:
            model = CaptionsModel.open_slowly(folder)
        except SdtuiError as error:
            self.app.call_from_thread(self._could_not_open, str(error))
            return
        left = self.app.call_from_thread(self._left_at, folder)
        places = model.find_slowly([left.get("image", "")])
        self.app.call_from_thread(self._take_over, model, worker, left, places)
        self._prepare(model)
        if not self._read_captions(model, worker):
            return
        self.app.call_from_thread(self._loaded, model)
        self._count_tags(model)
        try:
            model.keep_slowly()
        except SdtuiError as error:
            self.app.call_from_thread(self.say, f"the captions will be read again next time: {error}", "warning")

    def _read_captions(self, model: CaptionsModel, worker: Worker[None]) -> bool:
        """In a thread: read all captions, saying how far it is; False when somebody does not want that any more."""
        told = 0.0
        for read in model.load_slowly():
            if worker.is_cancelled or self.model is not model:
                return False
            if (now := time.monotonic()) - told > PROGRESS_SECONDS:
                told = now
                self.app.call_from_thread(self._reading, model, worker, read)
        return True

    def _reading(self, model: CaptionsModel, worker: Worker[None], read: int) -> None:
        if self.model is model and not worker.is_cancelled:
            self._read = read
            self.query_one(TagPanel).show_message(f"reading the captions: {100 * read // len(model.library)} %")
            self.update_chrome()

    def stop(self) -> None:
        """Read no further, if the captions are being read."""
        if self._read is not None:
            self.workers.cancel_group(self, "open")
            self._read = None
            self.query_one(TagPanel).show_message("captions not read")
            self.say(f"reading stopped; a search, or {self._key('reload')}, reads the captions after all")
            self.update_chrome()

    def _prepare(self, model: CaptionsModel) -> None:
        """In a thread: load what it takes to say how long captions are and what their tags mean."""
        raise NotImplementedError

    def _could_not_open(self, message: str) -> None:
        self._opening = None
        if self.model is not None:
            self.say(message, "error")
        else:
            self._empty = True
            self._nothing(message, "$error")

    def _left_at(self, folder: Path) -> dict[str, Any]:
        """What `remember` kept of this folder, now or the last time."""
        state = self.remember() if self.model is not None else self._recalled
        if state.get("folder") != str(folder):
            return {}
        return {**state, "image": str(state.get("image", ""))}

    def _take_over(
        self, model: CaptionsModel, worker: Worker[None], left: dict[str, Any], places: dict[str, int]
    ) -> None:
        """Show what was read, unless something else is wanted by now."""
        if worker.is_cancelled or self._opening != model.folder:
            model.close()
            return
        self._close_model()
        self.model, self._opening = model, None
        if not len(model.library):
            self._nothing(f"no images here: {model.library.why_empty()}")
            return
        self.query_one(TagPanel).show_message("reading the captions")
        self._list_rows(places.get(left.get("image", ""), 0))
        self._opened(left)

    def _opened(self, left: dict[str, Any]) -> None:
        """A dataset is open; `left` is how it was left the last time."""

    def _loaded(self, model: CaptionsModel) -> None:
        if self.model is model:
            self._read = None
            # What was made so far stays; a full collection over it would hold a key press back for a tenth of a second.
            gc.freeze()
            self.images.redraw()
            self.update_chrome()

    def _close_model(self) -> None:
        if self.model is not None:
            self.model.close(wait=False)
            self.model, self.hand, self._read = None, None, None
            self.images.set_rows(0, lambda _index, _width: Content(""))
