"""Drawing pictures in a job: into its folder, with events to follow, to be stopped at any time and gone on with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from sdtui.errors import SdtuiError
from sdtui.files import write_atomic
from sdtui.models.family import Model
from sdtui.models.png import png
from sdtui.models.sampling import sample
from sdtui.runs.job import Job
from sdtui.tools.axes import Axis, Change
from sdtui.tools.picture import Picture
from sdtui.tools.sheet import sheet
from sdtui.tools.stack import Stack

# Between two events of the steps of one picture.
_TELL_SECONDS = 0.5
_HERE: tuple[tuple[str, Change], ...] = (("", lambda picture: picture),)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture that is there: its file, and whether it was drawn now or stood there already."""

    picture: Picture
    file: Path
    seconds: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """The pictures of one sheet, row by row, and what its places are called."""

    rows: Sequence[Sequence[Picture]]
    columns: Sequence[str]
    names: Sequence[str]


def grids(drawn: Sequence[Picture], across: Axis | None, down: Axis | None) -> list[Grid]:
    """A grid for each picture, or with no axis one row of all of them.

    Raises:
        UserError: a place asks for what the picture has not (a word that is not in its prompt).
    """
    if across is None and down is None:
        return [Grid([list(drawn)], [""] * len(drawn), [""])]
    columns, rows = (axis.places if axis else _HERE for axis in (across, down))
    return [
        Grid(
            [[to_row(to_column(picture)) for _, to_column in columns] for _, to_row in rows],
            [label for label, _ in columns],
            [label for label, _ in rows],
        )
        for picture in drawn
    ]


def pictures(wanted: Sequence[Grid]) -> list[Picture]:
    """All of them in the order in which they are drawn."""
    return [picture for grid in wanted for row in grid.rows for picture in row]


@dataclass
class Drawing:
    """The work on one folder of pictures.

    A picture that is there and was made in the same way is kept, so that the same call goes on with what was interrupted.

    Args:
        model: the base model; it wears and reads what each picture asks, and is bare again at the end.
        job: in whose folder the pictures are drawn; it has begun.
        on_step: hears (pictures done, pictures in all, sampling steps done, steps in all).
        on_picture: hears of each picture.
    """

    model: Model
    job: Job
    on_step: Callable[[int, int, int, int], None] = lambda *_: None
    on_picture: Callable[[Drawn], None] = lambda _: None
    done: int = 0
    total: int = 0

    def draw(self, wanted: Sequence[Grid], *, sheets: bool) -> None:
        """Draw all of `wanted`, with a sheet of each grid, `grid-01.png` and on, if asked.

        Raises:
            JobStoppedError: a stop has come.
            SdtuiError: a picture came out as not-a-number, an adapter does not fit, or the disk is full.
        """
        self.done, self.total = 0, len(pictures(wanted))
        if sheets:
            self.job.events.write(
                "sheets", columns=list(wanted[0].columns), rows=list(wanted[0].names), count=len(wanted)
            )
        self.job.progress(0, self.total, "images")
        stack = Stack(self.model)
        try:
            for number, grid in enumerate(wanted, start=1):
                files = [[self._next(stack, picture) for picture in row] for row in grid.rows]
                if sheets:
                    _write_sheet(grid, files, self.job.run.path / f"grid-{number:02d}.png")
        finally:
            stack.wear([])

    def _next(self, stack: Stack, picture: Picture) -> Path:
        job, told = self.job, 0.0

        def stepped(step: int, steps: int) -> None:
            nonlocal told
            job.check()
            if time.monotonic() - told >= _TELL_SECONDS:
                told = time.monotonic()
                job.events.write("sampling", index=self.done + 1, step=step, steps=steps)
            self.on_step(self.done, self.total, step, steps)

        made = _made(stack, picture, job.run.path, self.done + 1, stepped)
        self.done += 1
        job.events.write(
            "sample", index=self.done, path=made.file.name, prompt=picture.prompt, seed=picture.seed,
            seconds=round(made.seconds, 3), kept=made.kept,
        )  # fmt: skip
        job.progress(self.done, self.total, "images")
        self.on_picture(made)
        return made.file


def _made(stack: Stack, picture: Picture, folder: Path, number: int, stepped: Callable[[int, int], None]) -> Drawn:
    """The picture in its file, drawn unless it is there."""
    began = time.monotonic()
    file = folder / f"{number:05d}-{picture.seed}.png"
    facts = picture.facts(stack.model.name)
    if _stands(file, facts):
        return Drawn(picture, file, 0.0, kept=True)
    stack.wear(picture.worn, picture.said)
    image = sample(
        stack.model, picture.text, picture.negative, width=picture.width, height=picture.height, steps=picture.steps,
        guidance=picture.guidance, seed=picture.seed, sampler=picture.sampler, reading=picture.reading(partial(stack.model.length, weighted=True)), on_step=stepped,
    )  # fmt: skip
    plain = {name: json.dumps(fact) if isinstance(fact, list | dict) else fact for name, fact in facts.items()}
    told = {"parameters": picture.parameters(stack.model.name), **plain}
    write_atomic(file, png(image, told), sync=False)
    write_atomic(file.with_suffix(".json"), json.dumps(facts, ensure_ascii=False, indent=2) + "\n", sync=False)
    return Drawn(picture, file, time.monotonic() - began, kept=False)


def _stands(file: Path, facts: dict[str, Any]) -> bool:
    """Whether the file is there and was made in this way; what says so is written last."""
    try:
        told = json.loads(file.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return False
    return bool(told == facts) and file.is_file()


def _write_sheet(grid: Grid, files: Sequence[Sequence[Path]], place: Path) -> None:
    rows = [[_opened(file) for file in row] for row in files]
    write_atomic(place, png(sheet(rows, grid.columns, grid.names), {}), sync=False)


def _opened(file: Path) -> Image.Image:
    try:
        with Image.open(file) as image:
            return image.convert("RGB")
    except OSError as error:
        raise SdtuiError(f"the picture cannot be read again: {error}", where=str(file)) from error
