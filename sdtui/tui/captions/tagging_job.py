"""`sdtui tag` started from the screen: a process of its own, followed by its events, stopped on request, gone on with later."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import sdtui
from sdtui.dataset import sidecar
from sdtui.errors import SdtuiError, UserError
from sdtui.runs import control, registry
from sdtui.runs.events import EventReader
from sdtui.runs.figures import Progress
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.runs.watch import Watch
from sdtui.tui.numbers import count, grouped

STARTER = "starter"
FOLLOW_SECONDS = 0.25


class TaggingJob:
    """Scores the images of `folder` with the tagger that `word` means; as `sdtui tag --tagger` understands it."""

    def __init__(self, folder: Path, word: str) -> None:
        self.folder = folder
        self.word = word
        self.words = f"starting {Path(word).name}"
        self._run: RunFolder | None = None
        self._unwanted = self._asked = False

    def stop(self) -> None:
        """Ask it to end; what it scored is kept, and the same job goes on from there. Raises SdtuiError."""
        self._unwanted = True
        self.words = "stopping the tagger"
        if self._run is not None and not self._asked and registry.inspect(self._run).steerable:
            self._asked = True
            control.send(self._run, "stop")

    def follow_slowly(self, told: Callable[[], bool]) -> str:
        """In a thread: start it and wait for its end.

        Args:
            told: hears that `words` changed; False once nobody listens any more, and the job goes on alone.

        Returns:
            How it ended, in words.

        Raises:
            SdtuiError: it could not be started, or failed.
        """
        self._run = run = self._start()
        view = RunView(run)
        try:
            with Watch([run.events_file, run.run_json], least_seconds=FOLLOW_SECONDS) as watch:
                view.refresh()
                while not view.over:
                    if self._unwanted:
                        self.stop()
                    elif view.progress is not None:
                        self.words = _words_of(view.progress)
                    if not told():
                        return ""
                    watch.wait(FOLLOW_SECONDS)
                    view.refresh()
        finally:
            view.close()
        return self._ended(view)

    def _start(self) -> RunFolder:
        command = [sys.executable, "-m", "sdtui", "tag", str(self.folder), "--tagger", self.word, "--detach", "--json"]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise UserError((ended.stderr.strip() or "the tagger did not start").removeprefix("sdtui: "))
        return RunFolder(Path(json.loads(ended.stdout)["job"]))

    def _ended(self, view: RunView) -> str:
        if view.state not in {"finished", "stopped"}:
            raise SdtuiError(f"tagging {view.state}: {view.reason or 'its log may say why'}", where=str(view.run.path))
        told = [event for event in EventReader(view.run.events_file).poll() if event["kind"] == "tagged"]
        outcome = told[-1] if told else {}
        words = [f"{count(int(outcome.get('scored', 0)), 'image')} scored"]
        words += [f"{grouped(skipped)} before"] if (skipped := int(outcome.get("skipped", 0))) else []
        words += [f"{grouped(bad)} cannot be read"] if (bad := int(outcome.get("unreadable", 0))) else []
        words += ["stopped: the same tagger goes on from there"] if view.state == "stopped" else []
        return ", ".join(words)


def _words_of(progress: Progress) -> str:
    words = f"scoring {grouped(progress.done)} of {grouped(progress.total)}"
    if progress.note:
        return f"{words}, {progress.note}"
    return f"{words}, {progress.per_second:.1f}/s" if progress.per_second else words


def usable(dataset: Path) -> list[str]:
    """Taggers that are known here: those that were used on this dataset, newest first, and the embedded one."""
    words: dict[str, None] = {}
    home = sidecar.home(dataset, "jobs")
    tasks = sorted(home.glob("tag-*/task.json"), key=lambda path: -path.stat().st_mtime) if home.is_dir() else []
    for path in tasks:
        try:
            words[str(json.loads(path.read_bytes())["tagger"])] = None
        except (OSError, ValueError, LookupError, TypeError):
            continue
    if importlib.util.find_spec("onnxruntime") and (Path(sdtui.__file__).parent / STARTER / "tagger").is_dir():
        words.setdefault(STARTER)
    return list(words)
