"""A snapshot in words: the lines of figures on the Monitor screen, each number with its unit."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sdtui.amounts import bytes_text
from sdtui.runs.figures import Message, Progress
from sdtui.tui.glyphs import Glyphs, bar
from sdtui.tui.keys import Press
from sdtui.tui.monitor.snapshot import Snapshot
from sdtui.tui.numbers import duration, grouped
from sdtui.tui.widgets.figures import Piece

GAP: Piece = ("   ", "")
# The longest state is "validating".
STATE_CELLS = 10
BAR_CELLS = 20
# From this width on there is room for the bar.
WIDE = 96
# How urgent a state is, as a role of `FigureLines`.
STATE_ROLES = {"failed": "error", "killed": "error", "unreadable": "error", "newer": "error", "paused": "warning"}


def clock(seconds: float) -> str:
    """Seconds as 0:41, 12:03 or 1 h 20."""
    whole = max(0, round(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600} h {whole % 3600 // 60:02d}"


def mebibytes(mib: float) -> str:
    """Mebibytes as 312 MiB or 18.2 GiB."""
    return bytes_text(mib * 2**20)


def state_word(snapshot: Snapshot) -> str:
    """What the run does now: the phase while it lives, else how it ended."""
    return snapshot.phase if snapshot.state == "running" and snapshot.phase else snapshot.state


def status_line(
    snapshot: Snapshot, marks: Glyphs, width: int, press: Press, waiting: Sequence[str] = ()
) -> list[Piece]:
    """State, progress, remaining time and speed, and the commands the trainer has not answered yet.

    What changes most stands at the left, where it costs few bytes; a narrow window does without the epoch first.
    """
    word = state_word(snapshot)
    line: list[Piece] = [(f"{word:<{STATE_CELLS}}", STATE_ROLES.get(snapshot.state, "accent")), (" ", "")]
    if snapshot.progress is not None and not snapshot.step:
        return [*line, *_job(snapshot.progress, marks, width), *_asked(waiting)]
    total = f" / {grouped(snapshot.steps_total)}" if snapshot.steps_total else ""
    line += [("step ", "name"), (f"{grouped(snapshot.step)}{total}", "value"), GAP]
    if snapshot.eta_seconds is not None and not snapshot.over:
        line += [("ETA ", "name"), (f"{clock(snapshot.eta_seconds):<5}", "value"), GAP]
    if snapshot.images_per_second is not None and not snapshot.over:
        line += [(f"{snapshot.images_per_second:.1f}", "value"), (" images/s", "name"), GAP]
    if snapshot.over and snapshot.seconds:
        line += [("took ", "name"), (duration(snapshot.seconds), "value"), GAP]
    if snapshot.steps_total and width >= WIDE:
        line += _share(snapshot.step / snapshot.steps_total, marks)
    if snapshot.epochs_total and (width >= WIDE or not (snapshot.over or waiting)):
        line += [("epoch ", "name"), (f"{snapshot.epoch} / {snapshot.epochs_total}", "value"), GAP]
    return [*line, *_asked(waiting), *_aside(snapshot, press)]


def _job(progress: Progress, marks: Glyphs, width: int) -> list[Piece]:
    """Work before the first step, such as drawing class images: how far it is, and how long it will take."""
    line: list[Piece] = [(f"{progress.job} ", "name"), _done(progress), GAP]
    if progress.per_second:
        left = (progress.total - progress.done) / progress.per_second
        speed = f"{progress.per_second:.1f}"
        line += [("ETA ", "name"), (f"{clock(left):<5}", "value"), GAP, (speed, "value"), (" a second", "name"), GAP]
    if progress.total and width >= WIDE:
        line += _share(progress.done / progress.total, marks)
    return [*line, (progress.note, "name")] if progress.note else line


def _done(progress: Progress) -> Piece:
    return f"{grouped(progress.done)} / {grouped(progress.total)} {progress.unit}", "value"


def _share(share: float, marks: Glyphs) -> list[Piece]:
    """A bar with its figure."""
    drawn = bar(share, BAR_CELLS, marks)
    rest = marks.track * (BAR_CELLS - len(drawn))
    return [(drawn, "accent"), (rest, "faint"), (f" {share * 100:.0f} %", "value"), GAP]


def _asked(waiting: Sequence[str]) -> list[Piece]:
    return [(", ".join(waiting), "warning"), (" asked", "name"), GAP] if waiting else []


def _aside(snapshot: Snapshot, press: Press) -> list[Piece]:
    """What the user should know or can do about the state."""
    if snapshot.state in {"killed", "failed", "stopped"}:
        last = snapshot.checkpoints[-1] if snapshot.checkpoints else None
        return [
            (press("monitor.resume"), "accent"),
            (f" resumes from step {grouped(last.step)}" if last else " starts over", "name"),
        ]
    if snapshot.state == "paused":
        return [(press("monitor.pause"), "accent"), (" goes on", "name")]
    if snapshot.progress is not None:
        progress = snapshot.progress
        return [
            (f"{progress.job} ", "name"),
            _done(progress),
            (f", {progress.per_second:.1f} a second" if progress.per_second else "", "name"),
            (f", {progress.note}" if progress.note else "", "name"),
        ]
    return []


def notice(snapshot: Snapshot) -> tuple[str, str]:
    """(text, colour) of why the run is not well, with the remedy where the trainer gave one; no text when it is well."""
    colour = {"error": "$error", "warning": "$warning"}.get(STATE_ROLES.get(snapshot.state, ""), "")
    if snapshot.state == "failed":
        errors = [message.text for message in snapshot.messages if message.kind == "error"]
        return (errors[-1] if errors else snapshot.reason), colour
    return (snapshot.reason if colour else ""), colour


def rates_line(snapshot: Snapshot) -> list[Piece]:
    """Learning rates by group, the gradient norm, and how much of the loss teaches what to keep."""
    line: list[Piece] = []
    if snapshot.rates:
        line.append(("rate  ", "name"))
    for name, column in snapshot.rates.items():
        if column and column[-1] == column[-1]:
            line += [(f"{_group(name)} ", "name"), (f"{column[-1]:.2e}", "value"), GAP]
    if snapshot.grad_norm is not None and snapshot.grad_norm == snapshot.grad_norm:
        line += [("gradient ", "name"), (f"{snapshot.grad_norm:.3g}", "value")]
    if snapshot.prior_loss is not None:
        line += [GAP, ("prior loss ", "name"), (f"{snapshot.prior_loss:.4f}", "value")]
    return line


def _group(name: str) -> str:
    """What has a rate of its own: a part of the model, or a word by the name that its user gave it."""
    word = name.removeprefix("words.")
    return f"word {word}" if word != name else name.replace("_", " ")


def memory_line(snapshot: Snapshot) -> list[Piece]:
    """The trainer's own memory figures, then the device's totals where known."""
    memory = snapshot.memory
    line: list[Piece] = [("memory  ", "name")]
    if not memory:
        return [*line, ("not reported yet", "faint")]
    line += [(mebibytes(memory.get("used_mib") or 0), "value"), (" now  ", "name")]
    line += [(mebibytes(memory.get("peak_mib") or 0), "value"), (" peak", "name")]
    if memory.get("total_mib"):
        line += [(" of ", "name"), (mebibytes(memory["total_mib"]), "value")]
    if memory.get("kind") == "process":
        line.append((" (process)", "name"))
    # Last, as a narrow window cuts them off.
    for part, mib in (memory.get("parts") or {}).items():
        line += [(f"  {part} ", "name"), (mebibytes(mib), "value")]
    return line


def time_line(snapshot: Snapshot) -> list[Piece]:
    """Where a step's time goes."""
    line: list[Piece] = [("time    ", "name")]
    if not snapshot.timing:
        return [*line, ("not reported yet", "faint")]
    for part, share in snapshot.timing.items():
        line += [(f"{part} ", "name"), (f"{share * 100:.0f} %", "value"), ("  ", "")]
    return line


def device_line(snapshot: Snapshot) -> list[Piece]:
    """The device as a whole, or its name where that is all that is known."""
    line: list[Piece] = [("device  ", "name")]
    totals = snapshot.totals
    if totals is None:
        return [*line, (snapshot.device or "not reported yet", "value" if snapshot.device else "faint")]
    line += [(f"{totals.name}  ", "value"), (mebibytes(totals.used_mib), "value"), (" of ", "name")]
    line += [
        (mebibytes(totals.total_mib), "value"),
        ("  ", ""),
        (f"{totals.load_percent} %", "value"),
        (" busy  ", "name"),
    ]
    return [*line, (f"{totals.celsius} °C", "value")]


def files_line(snapshot: Snapshot) -> list[Piece]:
    """Checkpoints kept and output written."""
    line: list[Piece] = [("files   ", "name")]
    if snapshot.outputs:
        written = bytes_text(sum(saved.bytes for saved in snapshot.outputs))
        return [*line, (f"{len(snapshot.outputs)}", "value"), (" written  ", "name"), (written, "value")]
    if not snapshot.checkpoints:
        return [*line, ("no checkpoint yet", "faint")]
    steps = ", ".join(grouped(saved.step) for saved in snapshot.checkpoints[-3:])
    many = "s" if len(snapshot.checkpoints) > 1 else ""
    return [
        *line,
        (f"{len(snapshot.checkpoints)}", "value"),
        (f" checkpoint{many}  at step ", "name"),
        (steps, "value"),
    ]


def message_line(message: Message) -> tuple[str, str, str]:
    """(time of day, text, colour of the text) of a message."""
    colours = {"warning": "$warning", "error": "$error"}
    return time.strftime("%H:%M:%S", time.localtime(message.t)), message.text, colours.get(message.level, "$foreground")
