"""A dataset of 10 000 images whose latents are cached: the start of a run, and what ten times as many images cost."""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from benchmarks.result import Result
from benchmarks.training_run import finished_run, prepare
from benchmarks.training_run import model as starter
from sdtui.models.family import LatentDistribution, load_model
from sdtui.profile.load import load_frozen
from sdtui.profile.schema import Augment, Profile
from sdtui.training.cache import LatentCache
from sdtui.training.prepare import gather

FEW, MANY = 1_000, 10_000
STEPS = 100
WARM_UP = 15
ROUNDS = 3


def measure() -> list[Result]:
    # Caches of the benchmark's own, where the trainer processes look for them, too.
    with TemporaryDirectory() as folder:
        os.environ["SDTUI_CACHE"] = f"{folder}/cache"
        starts, steps, memory = {}, {}, {}
        for count in (FEW, MANY):
            images = make_images(Path(folder) / f"images{count}", count)
            profile = load_frozen(prepare(Path(folder), STEPS, images).profile_file)
            model = quick_model()
            time.sleep(2.1)  # files that have just changed are not trusted to stay as they are
            open_dataset(profile, model)
            starts[count] = statistics.median(open_dataset(profile, model) for _ in range(ROUNDS))
            steps[count], memory[count] = step_and_memory(Path(folder), images)
    growth = starts[MANY] / starts[FEW] / (MANY / FEW)
    both = f"{FEW:,} and {MANY:,} images"
    milliseconds = f"{steps[FEW]:.1f} and {steps[MANY]:.1f} ms, medians of {STEPS - WARM_UP} steps"
    return [
        Result("opening 10 000 cached images", starts[MANY], 3.0, "s", f"headers, captions, digests, entries; {ROUNDS} rounds"),
        Result("10× more images: opening one of them", growth, 1.2, "×", f"{starts[FEW]:.2f} and {starts[MANY]:.2f} s"),
        Result("10× more images: time per step", steps[MANY] / steps[FEW], 1.1, "×", f"{milliseconds}, {both}"),
        Result(
            "10× more images: memory", memory[MANY] / memory[FEW], 1.1, "×",
            f"{memory[FEW]:.0f} and {memory[MANY]:.0f} MiB resident, {both}",
        ),
    ]  # fmt: skip


def make_images(folder: Path, count: int) -> Path:
    """So many different small pictures, half of them JPEG and half PNG, with a caption each."""
    folder.mkdir()
    picture = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
    for number in range(count):
        picture.putpixel((number % 96, number // 96 % 64), (number % 256, number // 256, 7))
        picture.save(folder / f"{number:05d}.{'png' if number % 2 else 'jpg'}")
        (folder / f"{number:05d}.txt").write_text("a gradient\n")
    return folder


def quick_model() -> Any:
    """The starter's VAE as the cache knows it, which answers at once: what it would say does not matter here."""
    real = load_model(starter(), None, torch.device("cpu"), torch.float32)

    def encode_images(pixels: Tensor) -> LatentDistribution:
        size = (len(pixels), 4, pixels.shape[2] // real.latent_factor, pixels.shape[3] // real.latent_factor)
        return LatentDistribution(torch.randn(size), torch.zeros(size))

    return SimpleNamespace(vae_digest=real.vae_digest, latent_factor=real.latent_factor, encode_images=encode_images)


def open_dataset(profile: Profile, model: Any) -> float:
    """Seconds from the profile to latents that can be trained on; the first time they are made."""
    begun = time.perf_counter()
    samples = gather(profile, lambda: None).samples
    cache = LatentCache(model, samples, profile.dataset.background, [Augment()])
    assert not cache.fill(lambda _done, _total: None)
    assert cache.latents(range(len(samples))).digest
    return time.perf_counter() - begun


def step_and_memory(folder: Path, images: Path) -> tuple[float, float]:
    """Median milliseconds of a steady step and the trainer's last figure for its memory, MiB."""
    run = finished_run(folder, STEPS, images)
    events = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    seconds = [event["seconds"] for event in events if event["kind"] == "step"]
    used = [event["memory"]["used_mib"] for event in events if event["kind"] == "stats"]
    return statistics.median(seconds[WARM_UP:]) * 1000, used[-1]
