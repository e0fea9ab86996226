"""Previews: the profile's prompt lines drawn with the model as it is now, each a PNG that says how it was made.

What failed is raised as it is: the run turns it into a `preview_failed` event and goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sdtui
from sdtui.errors import UserError
from sdtui.files import make_folder, write_atomic
from sdtui.models.family import Model, Reading
from sdtui.models.png import png
from sdtui.models.sampling import sample
from sdtui.profile.prompt_line import PromptError, PromptLine, is_comment, parse_prompt_line
from sdtui.profile.schema import Profile
from sdtui.training.conditioning import reading_of


@dataclass(frozen=True, slots=True)
class Request:
    """One preview to draw, nothing left open; `index` counts the prompts of a profile from 0."""

    index: int
    prompt: str
    negative: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    sampler: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Preview:
    """What the `preview` event tells: the image's path and how long it took."""

    index: int
    path: Path
    prompt: str
    seed: int
    seconds: float


def requests(profile: Profile) -> Iterator[Request]:
    """The profile's prompt lines, comments left out, with what a line leaves open filled in from the profile.

    Raises:
        UserError: a line cannot be read; it is named by its number, from 1, and the part that is wrong.
    """
    index = 0
    for number, text in enumerate(profile.previews.prompts, start=1):
        if is_comment(text):
            continue
        try:
            line = parse_prompt_line(text)
        except PromptError as error:
            raise UserError(f"line {number}: {error}", where="previews.prompts") from error
        yield _request(index, line, profile)
        index += 1


def render(
    model: Model, request: Request, folder: Path, step: int, on_step: Callable[[int, int], None] | None = None
) -> Preview:
    """Draw `request` into `folder` as `<index>.json` and `<index>.png`, the image last; `step` is where the run is.

    `on_step` hears (sampling steps done, in all) and may raise to give up.

    Raises:
        SdtuiError: the image came out as not-a-number, or cannot be written.
    """
    started = time.monotonic()
    image = sample(
        model,
        request.prompt,
        request.negative,
        width=request.width,
        height=request.height,
        steps=request.steps,
        guidance=request.guidance,
        seed=request.seed,
        sampler=request.sampler,
        reading=request.reading,
        on_step=on_step,
    )
    path = folder / f"{request.index:02d}.png"
    told = facts(request, step)
    make_folder(folder)
    write_atomic(path.with_suffix(".json"), json.dumps(told, ensure_ascii=False, indent=2) + "\n", sync=False)
    write_atomic(path, png(image, told), sync=False)
    return Preview(request.index, path, request.prompt, request.seed, time.monotonic() - started)


def facts(request: Request, step: int) -> dict[str, Any]:
    """How the image was made, as it stands in the PNG's text chunks and in the file beside it."""
    return {
        "prompt": request.prompt,
        "negative": request.negative,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "guidance": request.guidance,
        "seed": request.seed,
        "sampler": request.sampler,
        **asdict(request.reading),
        "step": step,
        "software": f"sdtui {sdtui.__version__}",
    }


def _request(index: int, line: PromptLine, profile: Profile) -> Request:
    square = profile.dataset.resolution // 8 * 8
    return Request(
        index=index,
        prompt=line.prompt,
        negative=line.negative,
        width=line.width or square,
        height=line.height or square,
        steps=line.steps,
        guidance=line.guidance,
        seed=profile.training.seed if line.seed is None else line.seed,
        sampler=line.sampler or profile.previews.sampler,
        reading=reading_of(profile.captions),
    )
