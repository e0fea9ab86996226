"""The class images of DreamBooth, drawn by the base model as it is before anything of it learns.

The model is loaded for this by itself, with its own noise schedule and whole weights: what the run will make of it for
training (another prediction, fewer bits) is not what it knows. Each picture is written when it is done, so a run that is
killed or stopped goes on with the next one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import sdtui
from sdtui import heap
from sdtui.dataset.class_images import Missing, Recipe, recipe_of
from sdtui.files import make_folder, write_atomic
from sdtui.models.family import load_model
from sdtui.models.hub import fetched
from sdtui.models.png import png
from sdtui.models.sampling import sample
from sdtui.training.conditioning import reading_of
from sdtui.training.prepare import PRECISIONS

if TYPE_CHECKING:
    from sdtui.models.family import Model
    from sdtui.profile.schema import Profile
    from sdtui.training.crew import Crew
    from sdtui.training.report import Report


def draw(
    profile: Profile,
    missing: Sequence[Missing],
    device: torch.device,
    report: Report,
    crew: Crew,
    *,
    check: Callable[[], None],
) -> None:
    """Draw the class images that are missing; each process draws its share, and all are there when this returns.

    Tells of each folder as the event `class_images`. `check` is called after each step of the sampler and may raise to
    end it early.

    Raises:
        SdtuiError: a picture came out as not-a-number, or cannot be written.
    """
    began = time.monotonic()
    place = fetched(profile.model.base, download=profile.model.download)
    vae = Path(profile.model.vae) if profile.model.vae else None
    model = load_model(place, vae, device, PRECISIONS[profile.training.precision])
    mine = crew.share(missing)
    report.progress("drawing class images", 0, len(mine), "images")
    for done, each in enumerate(mine, start=1):
        _draw(model, profile, each, check)
        report.progress("drawing class images", done, len(mine), "images")
    crew.wait()
    del model
    heap.give_back()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    seconds = round(time.monotonic() - began, 3)
    for row, count in Counter(each.row for each in missing).items():
        folder = next(each.path.parent for each in missing if each.row == row)
        prompt = recipe_of(profile, row).prompt
        report.write("class_images", folder=str(folder), prompt=prompt, drawn=count, seconds=seconds)
        report.log(f"drew {count} class images of {prompt!r} into {folder}")


def _draw(model: Model, profile: Profile, missing: Missing, check: Callable[[], None]) -> None:
    recipe = recipe_of(profile, missing.row)
    image = sample(
        model,
        recipe.prompt,
        recipe.negative,
        width=recipe.side,
        height=recipe.side,
        steps=recipe.steps,
        guidance=recipe.guidance,
        seed=missing.number,
        sampler=recipe.sampler,
        reading=reading_of(profile.captions),
        on_step=lambda _done, _steps: check(),
    )
    make_folder(missing.path.parent)
    write_atomic(missing.path, png(image, _facts(recipe, missing.number, model.name)))


def _facts(recipe: Recipe, number: int, model: str) -> dict[str, object]:
    """How the picture was made, for its text chunks."""
    return {**asdict(recipe), "seed": number, "model": model, "software": f"sdtui {sdtui.__version__}"}
