"""A run folder written by hand, alive or not, for the screen to watch."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image

from sdtui.runs import lock, record
from sdtui.runs.control import Inbox
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.tui.monitor.snapshot import Snapshot, take_snapshot


class Actor:
    """Plays the trainer: writes events into a run of `steps_total` steps; holds the lock if `alive`."""

    def __init__(self, runs_dir: Path, name: str = "lora", *, alive: bool = True, steps_total: int = 3000) -> None:
        self.run = RunFolder.create(runs_dir, name)
        self.run.profile_file.write_text("schema = 1\n")
        self._lock = lock.acquire(self.run.lock_file) if alive else None
        self._record(record.RunRecord(state="running", steps_total=steps_total, launched=time.time() - 60))
        self.events = EventWriter(self.run.events_file)
        self.events.write("run", schema=1, steps_total=steps_total, epochs_total=8, images=24, device="cpu")
        self.events.write("state", state="training", reason="")
        self.inbox = Inbox(self.run)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.die()
        self.events.close()

    def die(self) -> None:
        """Let go of the lock without a word, as a killed process does."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def step(self, number: int, loss: float = 0.1, **more: Any) -> None:
        rates = {"text_encoder": 4e-6, "unet": 1e-4}
        fields = {"step": number, "epoch": 1, "loss": loss, "lr": rates, "grad_norm": 0.21, "images": 2, **more}
        self.events.write("step", **fields)

    def stats(self, step: int, eta: float = 41) -> None:
        self.events.write(
            "stats",
            step=step,
            images_per_second=1.9,
            eta_seconds=eta,
            time={"data": 0.01, "forward": 0.38, "backward": 0.57, "optimizer": 0.03, "other": 0.01},
            memory={"kind": "process", "used_mib": 900, "peak_mib": 2048, "total_mib": 16384},
        )

    def preview(self, step: int, index: int = 0, prompt: str = "a tower", colour: str = "white") -> None:
        path = f"previews/step-{step:06d}/{index:02d}.png"
        (self.run.path / path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (16, 16), colour).save(self.run.path / path)
        self.events.write("preview", step=step, index=index, path=path, prompt=prompt, seed=7 + index, seconds=1.5)

    def answer(self, status: str = "done", message: str = "") -> list[str]:
        """Answer the waiting commands; returns their names."""
        commands = self.inbox.take()
        for command in commands:
            self.events.write("control", command=command.name, id=command.id, status=status, message=message)
        return [command.name for command in commands]

    def finish(self, step: int) -> None:
        self.events.write("output", path="output/lora.safetensors", bytes=10 << 20, step=step)
        self.events.write("finished", state="finished", step=step, seconds=95.0)
        self._record(record.RunRecord(state="finished", step=step, steps_total=step))

    def snapshot(self) -> Snapshot:
        view = RunView(self.run)
        view.refresh()
        view.close()
        return take_snapshot(view)

    def _record(self, content: record.RunRecord) -> None:
        record.write(self.run, content)
