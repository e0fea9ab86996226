"""The demo as a user meets it, timed and judged: its run from start to end, then 32 new seeds with the adapter."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sdtui.dataset.collect import collect
from sdtui.dataset.survey import survey
from sdtui.errors import SdtuiError
from sdtui.profile.load import freeze, load_profile
from sdtui.profile.plan import make_plan
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.starter import style
from sdtui.starter.demo import MODEL, NEW_STYLE, PROFILE, make_workspace

SEEDS = 32
FIRST_SEED = 1000
STEPS = 20
GUIDANCE = 3.0  # as the previews
# None is among the demo's images or previews.
SUBJECTS = ("lion", "cactus", "hamburger", "bus", "bell", "banana", "ghost", "scissors")
TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class Trial:
    """The demo's run: seconds from launch to end, and the share of 32 new images in the new style, before and after.

    `load` is the mean number of processes that wanted a core in the minute before: an idle machine has less than one.
    """

    seconds: float
    load: float
    before: float
    after: float


def try_demo() -> Trial:
    """Run the shipped demo in a temporary workspace.

    Raises:
        SdtuiError: the run did not finish.
    """
    with tempfile.TemporaryDirectory() as folder:
        load, started = os.getloadavg()[0], time.monotonic()
        run = _run_demo(make_workspace(Path(folder) / "demo"))
        seconds = time.monotonic() - started
        (adapter,) = run.output_dir.glob("*.safetensors")
        return Trial(seconds, load, _share_of_new_style(None), _share_of_new_style(adapter))


def _run_demo(workspace: Path) -> RunFolder:
    profile = load_profile(workspace / PROFILE)
    collection = collect(profile)
    steps = make_plan(profile, survey(profile, collection)).steps
    run = launch.start(freeze(profile, workspace), Path(profile.launch.runs), profile.name, steps_total=steps)
    view = RunView(run)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not view.over and time.monotonic() < deadline:
        time.sleep(0.5)
        view.refresh()
    if view.state != "finished":
        raise SdtuiError(f"the demo's run {view.state}: {view.reason}", where=str(run.path))
    return run


def _share_of_new_style(adapter: Path | None) -> float:
    """Percent of the images that the classifier takes for the new style, drawn by plain diffusers."""
    pipeline = plain_pipeline()
    if adapter:
        pipeline.load_lora_weights(adapter.parent, weight_name=adapter.name)
    prompts = [f"{NEW_STYLE} style, {SUBJECTS[seed % len(SUBJECTS)]}" for seed in range(SEEDS)]
    pixels = draw(pipeline, prompts, [FIRST_SEED + seed for seed in range(SEEDS)])
    return 100 * style.styles_of(style.load_classifier(), pixels).count(NEW_STYLE) / SEEDS


def plain_pipeline(model: Path = MODEL) -> Any:
    """The starter as anyone loads it."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(model)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline: Any, prompts: Sequence[str], seeds: Sequence[int]) -> Tensor:
    """Pixels (N, 3, 64, 64) in −1…1."""
    images: Tensor = pipeline(
        list(prompts),
        height=style.SIZE,
        width=style.SIZE,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        output_type="pt",
    ).images
    return images.float() * 2 - 1
