"""`sdtui tag` started from the screen: a process of its own, followed by its events, stopped on request, gone on with later."""

from __future__ import annotations

import importlib.util
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sdtui
from sdtui.dataset import sidecar
from sdtui.errors import SdtuiError, UserError
from sdtui.runs import control, registry
from sdtui.runs.events import Event, EventReader
from sdtui.runs.figures import Progress
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.runs.watch import Watch
from sdtui.tagging.descriptions import describers
from sdtui.tui.numbers import count, grouped

STARTER = "starter"
FOLLOW_SECONDS = 0.25
# Images left out that are named.
_NAMED = 5


class TaggingJob:
    """Scores the images of `folder` with the tagger that `word` means, as `sdtui tag --tagger` understands it.

    Options of that command may follow: `http://localhost:8080/v1 --model NAME`.
    """

    def __init__(self, folder: Path, word: str) -> None:
        self.folder = folder
        self.word, self._options = _parts(word)
        self.described = False
        self.words = f"starting {Path(self.word).name}"
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
        command = [sys.executable, "-m", "sdtui", "tag", str(self.folder), "--tagger", self.word, *self._options]
        command += ["--detach", "--json"]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if ended.returncode:
            told = ended.stderr.strip().splitlines()
            # Of a wrong option the last line says what is wrong; before it stands how the command is used.
            words = told[-1:] if told[:1] and told[0].startswith("usage: ") else told
            raise UserError("\n".join(words).removeprefix("sdtui: ") or "the tagger did not start")
        try:
            return RunFolder(Path(json.loads(ended.stdout)["job"]))
        except (ValueError, LookupError, TypeError) as error:
            raise UserError(f"these options start no job: {' '.join(self._options)}") from error

    def _ended(self, view: RunView) -> str:
        events = _since_begin(EventReader(view.run.events_file).poll())
        if view.state not in {"finished", "stopped"}:
            raise _failure(view, events)
        told = [event for event in events if event["kind"] == "tagged"]
        outcome = told[-1] if told else {}
        self.described = any(each.id == outcome.get("tagger") for each in describers(self.folder))
        words = [f"{count(int(outcome.get('scored', 0)), 'image')} {'described' if self.described else 'scored'}"]
        words += [f"{grouped(skipped)} before"] if (skipped := int(outcome.get("skipped", 0))) else []
        words += [f"{grouped(bad)} cannot be read"] if (bad := int(outcome.get("unreadable", 0))) else []
        words += [f"{grouped(bad)} refused"] if (bad := int(outcome.get("refused", 0))) else []
        words += ["stopped: the same tagger goes on from there"] if view.state == "stopped" else []
        said = [", ".join(words), *_listed([str(event["where"]) for event in events if event["kind"] == "warning"])]
        if self.described:
            said.append(f"`sdtui tags apply DIR --description {outcome['tagger']}` writes what it said")
        return "\n".join(said)


def _parts(word: str) -> tuple[str, list[str]]:
    """The tagger, whose path may have blanks in it, and the options behind it."""
    tagger, dashes, options = word.partition(" --")
    try:
        return tagger.strip(), shlex.split(dashes + options)
    except ValueError:
        # A quote that is not closed.
        return tagger.strip(), (dashes + options).split()


def _since_begin(events: Sequence[Event]) -> list[Event]:
    """Those of the last job: the log holds earlier ones, too."""
    begun = max((at for at, event in enumerate(events) if event["kind"] == "run"), default=0)
    return list(events[begun:])


def _failure(view: RunView, events: Sequence[Event]) -> SdtuiError:
    """What ended the job, as it said it itself."""
    for event in reversed(events):
        if event["kind"] == "error":
            return SdtuiError(str(event["message"]), where=str(event["where"]), remedy=str(event["remedy"]))
    return SdtuiError(
        f"tagging {view.state}: {view.reason or 'its log may say why'}",
        where=str(view.run.path),
        remedy="The same tagger goes on from there",
    )


def _listed(paths: Sequence[str]) -> list[str]:
    """The first few images that were left out, a line."""
    names = [Path(path).name for path in paths if path]
    more = f" and {count(len(names) - _NAMED, 'more', 'more')}" if len(names) > _NAMED else ""
    return [", ".join(names[:_NAMED]) + more] if names else []


def _words_of(progress: Progress) -> str:
    words = f"scoring {grouped(progress.done)} of {grouped(progress.total)}"
    if progress.note:
        return f"{words}, {progress.note}"
    return f"{words}, {progress.per_second:.1f}/s" if progress.per_second else words


def usable(dataset: Path) -> list[str]:
    """Taggers that are known here: those that were used on this dataset, newest first, the embedded one, those that failed."""
    words: dict[str, None] = {}
    failed: dict[str, None] = {}
    home = sidecar.home(dataset, "jobs")
    tasks = sorted(home.glob("tag-*/task.json"), key=lambda path: -path.stat().st_mtime) if home.is_dir() else []
    for path in tasks:
        try:
            word = _word_of(json.loads(path.read_bytes()))
            (failed if registry.inspect(RunFolder(path.parent)).state == "failed" else words)[word] = None
        except (OSError, ValueError, LookupError, TypeError):
            continue
    if importlib.util.find_spec("onnxruntime") and (Path(sdtui.__file__).parent / STARTER / "tagger").is_dir():
        words.setdefault(STARTER)
    return list(words | failed)


def _word_of(task: dict[str, Any]) -> str:
    """A task's tagger with the options that tell it from others, as one types it."""
    options = [("--model", task.get("model")), ("--prompt", task.get("prompt"))]
    options += [("--terms", file) for file in task.get("terms", ())]
    return " ".join([str(task["tagger"]), *(f"{name} {shlex.quote(str(value))}" for name, value in options if value)])
