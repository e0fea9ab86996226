"""What each kind of event adds to the figures; a new kind is one function and one line in the table."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from sdtui.amounts import bytes_text
from sdtui.errors import with_remedy
from sdtui.runs.events import Event
from sdtui.runs.figures import Figures, Measurement, Preview, Progress, SavedFile
from sdtui.runs.record import ENDED


def fold(figures: Figures, event: Event) -> bool:
    """Take one event in; False if it was malformed and left out. Unknown kinds are none of our business."""
    handler = HANDLERS.get(event["kind"])
    # Steps are many, and what takes them in refuses what is no number by itself.
    if handler is not None and handler is not _step and not is_sound(event):
        return False
    try:
        if handler is not None:
            handler(figures, event)
        figures.last_event = float(event.get("t", figures.last_event))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False
    return True


def is_sound(event: Event) -> bool:
    """Whether every field we know holds what it should: watchers calculate with them and never look again."""
    checks = ((FIELDS.get(name), name, value) for name, value in event.items())
    return all(
        check is None or (value is None and name not in REQUIRED) or check(value) for check, name, value in checks
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and abs(value) < LARGEST


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < LARGEST


def _are_numbers(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_memory(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    figures = {name: each for name, each in value.items() if name not in {"kind", "parts"} and each is not None}
    return _are_numbers(figures) and _are_numbers(value.get("parts") or {})


def _run(figures: Figures, event: Event) -> None:
    figures.schema = event.get("schema", 0)
    figures.steps_total = event.get("steps_total") or 0
    figures.epochs_total = event.get("epochs_total") or 0
    figures.images = event.get("images") or 0
    figures.resumed_from = event.get("resumed_from")
    figures.device = str(event.get("device") or "")
    figures.versions = dict(event.get("versions") or {})
    if not figures.phase or figures.ended:
        figures.phase = "loading"
    figures.ended = ""
    figures.exit_code = 0


def _state(figures: Figures, event: Event) -> None:
    state, reason = event["state"], event.get("reason") or ""
    figures.progress = None
    figures.ended = state if state in ENDED else ""
    figures.phase = state
    if reason:
        _say(figures, event, "info", f"{state}: {reason}")


def _progress(figures: Figures, event: Event) -> None:
    job, done, now, before = event["job"], event["done"], event.get("t", 0.0), figures.progress
    note = event.get("note") or ""
    if before is None or before.job != job or done < before.done:
        figures.progress = Progress(
            job, done, event["total"], event.get("unit") or "", begun=now, first=done, note=note
        )
        return
    rate = (done - before.first) / (now - before.begun) if now > before.begun else None
    figures.progress = replace(before, done=done, total=event["total"], per_second=rate, note=note)


def _class_images(figures: Figures, event: Event) -> None:
    count = event["drawn"]
    pictures = "1 class image" if count == 1 else f"{count} class images"
    _say(figures, event, "info", f"drew {pictures} of {event.get('prompt') or ''!r} into {event['folder']}")


def _step(figures: Figures, event: Event) -> None:
    step = event["step"]
    if step <= figures.step and len(figures.series):
        figures.cut(step - 1)
    figures.series.append(event)
    figures.step = step
    figures.epoch = int(event.get("epoch", figures.epoch))


def _stop_point(figures: Figures, event: Event) -> None:
    _say(figures, event, "info", f"{event['group'].replace('_', ' ')} learns no more after step {event['step']}")


def _stats(figures: Figures, event: Event) -> None:
    figures.images_per_second = event.get("images_per_second")
    figures.eta_seconds = event.get("eta_seconds")
    figures.memory = dict(event.get("memory") or {})
    figures.timing = dict(event.get("time") or {})


def _validation(figures: Figures, event: Event) -> None:
    folders = {str(name): _loss_of(loss) for name, loss in (event.get("folders") or {}).items()}
    measured = Measurement(
        event["step"], event.get("t") or 0.0, _loss_of(event["loss"]), folders, int(event.get("images") or 0),
        event.get("seconds") or 0.0,
    )  # fmt: skip
    # A run that was killed before its first checkpoint measures its start again.
    figures.measurements = [known for known in figures.measurements if known.step < measured.step] + [measured]
    each = ", ".join(f"{name} {loss:.4f}" for name, loss in folders.items()) if len(folders) > 1 else ""
    _say(
        figures,
        event,
        "info",
        f"validation loss {measured.loss:.4f} at step {measured.step}" + (f" ({each})" if each else ""),
    )


def _loss_of(told: object) -> float:
    if told is None:
        return math.nan
    if not isinstance(told, (int, float)) or not _is_number(told):
        raise ValueError(told)
    return float(told)


def _preview(figures: Figures, event: Event) -> None:
    figures.previews.append(
        Preview(
            event["step"], event["index"], event["path"], event.get("prompt") or "", event.get("seed") or 0,
            event.get("seconds") or 0.0,
        )
    )  # fmt: skip


def _preview_failed(figures: Figures, event: Event) -> None:
    _say(figures, event, "warning", f"preview {event['index']} at step {event['step']} failed: {event['message']}")


def _checkpoint(figures: Figures, event: Event) -> None:
    saved = SavedFile(event["step"], event["path"], event.get("bytes") or 0, event.get("seconds") or 0.0)
    figures.checkpoints = [known for known in figures.checkpoints if known.path != saved.path] + [saved]
    _say(figures, event, "info", f"saved {saved.path} ({bytes_text(saved.bytes)}, {saved.seconds:.1f} s)")


def _checkpoint_removed(figures: Figures, event: Event) -> None:
    figures.checkpoints = [known for known in figures.checkpoints if known.path != event["path"]]


def _output(figures: Figures, event: Event) -> None:
    saved = SavedFile(event.get("step") or 0, event["path"], event.get("bytes") or 0)
    figures.outputs = [known for known in figures.outputs if known.path != saved.path] + [saved]
    _say(figures, event, "info", f"wrote {saved.path} ({bytes_text(saved.bytes)})")


def _control(figures: Figures, event: Event) -> None:
    status, message = event["status"], event.get("message") or ""
    figures.answers[event["id"]] = (status, message)
    text = f"{event.get('command')} {status}" + (f": {message}" if message else "")
    _say(figures, event, "info" if status == "done" else "warning", text)


def _warning(figures: Figures, event: Event) -> None:
    _say(figures, event, "warning", _sentence(event))


def _error(figures: Figures, event: Event) -> None:
    figures.exit_code = event.get("exit_code") or 1
    _say(figures, event, "error", _sentence(event))


def _resumed(figures: Figures, event: Event) -> None:
    figures.cut(event["step"])
    _say(figures, event, "info", f"resumed from step {event['step']}")


def _finished(figures: Figures, event: Event) -> None:
    figures.ended = event.get("state") or "finished"
    figures.phase = figures.ended
    figures.step = event.get("step", figures.step)
    figures.seconds = event.get("seconds")
    figures.eta_seconds = None
    figures.progress = None
    _say(figures, event, "error" if figures.ended == "failed" else "info", f"{figures.ended} at step {figures.step}")


def _say(figures: Figures, event: Event, level: str, text: str) -> None:
    figures.say(event.get("t", time.time()), event["kind"], level, text)


def _sentence(event: Event) -> str:
    """`where: message. remedy`, as errors read everywhere, with the images concerned where it does not list them itself."""
    located = f"{event['where']}: {event['message']}" if event.get("where") else str(event["message"])
    images = [str(image) for image in event.get("images") or []]
    listed = any(image in located for image in images)
    named = f" ({', '.join(images[:5])}{', …' if len(images) > 5 else ''})" if images and not listed else ""
    return with_remedy(f"{located}{named}", event.get("remedy") or "")


# Beyond any count, size or date; not a number and infinity are not below it.
LARGEST = 1e15
REQUIRED = frozenset({"step", "index", "done", "total", "job", "path", "id", "status", "state"})
FIELDS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("step", "index", "done", "total", "drawn", "steps_total", "epochs_total", "schema", "seed", "exit_code"),
        _is_whole,
    ),
    **dict.fromkeys(("t", "bytes", "seconds", "images_per_second", "eta_seconds"), _is_number),
    **dict.fromkeys(
        ("job", "unit", "path", "folder", "group", "id", "status", "state", "reason", "prompt", "message", "note"),
        _is_text,
    ),
    "time": _are_numbers,
    "memory": _is_memory,
}

HANDLERS: dict[str, Callable[[Figures, Event], None]] = {
    "run": _run,
    "state": _state,
    "progress": _progress,
    "class_images": _class_images,
    "step": _step,
    "stop_point": _stop_point,
    "stats": _stats,
    "validation": _validation,
    "preview": _preview,
    "preview_failed": _preview_failed,
    "checkpoint": _checkpoint,
    "checkpoint_removed": _checkpoint_removed,
    "output": _output,
    "control": _control,
    "warning": _warning,
    "error": _error,
    "resumed": _resumed,
    "finished": _finished,
}
