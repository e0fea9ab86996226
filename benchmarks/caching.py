"""Caching latents over a bare loop that decodes, resizes and encodes the same images one by one, alternating in one run."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image, ImageOps

from benchmarks.result import Result
from benchmarks.training_run import model as starter
from sdtui.dataset.buckets import Bucket
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import read_facts
from sdtui.models.family import Model, load_model
from sdtui.profile.schema import Augment
from sdtui.training.cache import LatentCache
from sdtui.training.store import TensorStore

IMAGES = 16
PHOTO = (1536, 1024)
SIDE = 256
ROUNDS = 5


def measure() -> list[Result]:
    # In a process of its own, whose threads wait for each other as the trainer's do.
    command = [sys.executable, "-m", "benchmarks.caching"]
    environment = {**os.environ, "GOMP_SPINCOUNT": "10000"}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    ours, bare, threads = json.loads(output.splitlines()[-1])
    ratio = statistics.median(mine / floor for mine, floor in zip(ours, bare, strict=True))
    detail = (
        f"sdtui {IMAGES / statistics.median(ours):.1f} images/s, bare loop {IMAGES / statistics.median(bare):.1f}, "
        f"JPEGs of {PHOTO[0]}×{PHOTO[1]} to {SIDE}×{SIDE}, pairs {ROUNDS}, {threads} threads"
    )
    return [Result("caching latents over a bare loop", ratio, 1 / 0.9, "×", detail)]


def main() -> None:
    """Print the seconds of each round, sdtui's and the bare loop's, and the VAE's threads."""
    model = load_model(starter(), None, torch.device("cpu"), torch.float32)
    bare, ours = [], []
    with TemporaryDirectory() as folder:
        os.environ["SDTUI_CACHE"] = f"{folder}/cache"
        photos = make_photos(Path(folder) / "photos")
        encode_alone(model, photos[:2])
        for index in range(ROUNDS):
            bare.append(encode_alone(model, photos))
            ours.append(cache(model, photos, TensorStore(Path(folder) / f"store{index}")))
    print(json.dumps([ours, bare, torch.get_num_threads()]))


def make_photos(folder: Path) -> list[Path]:
    """Noise over gradients, which a JPEG decoder takes as long for as for a photo."""
    folder.mkdir()
    random = np.random.default_rng(0)
    across, down = np.meshgrid(np.linspace(0, 200, PHOTO[0]), np.linspace(0, 200, PHOTO[1]))
    paths = []
    for number in range(IMAGES):
        pixels = np.stack([across, down, (across + down) / 2], axis=-1) + random.normal(25, 12, (*across.shape, 1))
        paths.append(folder / f"{number:03d}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return paths


def encode_alone(model: Model, photos: list[Path]) -> float:
    """Seconds that the bare loop takes; it keeps its latents in memory."""
    begun = time.perf_counter()
    kept = []
    for path in photos:
        image = ImageOps.fit(Image.open(path).convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
        kept.append(model.encode_images(pixels))
    return time.perf_counter() - begun


def cache(model: Model, photos: list[Path], store: TensorStore) -> float:
    """Seconds that sdtui takes, digests and files included."""
    samples = [Sample(path, "", 1, read_facts(path), Bucket(SIDE, SIDE), str(path.parent)) for path in photos]
    begun = time.perf_counter()
    unreadable = LatentCache(model, samples, "white", [Augment()], store).fill(lambda _done, _total: None)
    assert not unreadable
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
