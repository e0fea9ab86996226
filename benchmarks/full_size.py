"""Full-size single files of random weights: recognised, loaded without a network and trained for a step on the processor.

Writes a file of Stable Diffusion 1.5 (4.2 GB in fp32, as published) and one of SDXL (6.9 GB in fp16, as published) into
the temporary folder (`TMPDIR`), trains one LoRA step on each in a process without a network, loads the finished adapter,
and removes them. Takes minutes; not among the benchmarks that run by default.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from safetensors import safe_open

from benchmarks.memory_estimate import BAR, estimated
from benchmarks.result import Result
from sdtui.models.configs import read_config
from sdtui.models.original import VAE, clip_naming, openclip_naming, unet_naming, vae_naming
from sdtui.models.recognise import recognise
from sdtui.runs.layout import RunFolder

LIMIT_GIB = 24.0
# LoRA's modules in the UNet, as kohya counts them (training-core of the formats: 192 and 722).
MODELS = {"sd1": ("float32", "fp32", 192), "sdxl": ("float16", "bf16", 722)}
PROFILE = """\
schema = 1
name = "full-size"
[model]
base = "model.safetensors"
[method]
rank = 4
[dataset]
resolution = 256
bucket_min = 256
bucket_max = 256
[[dataset.folders]]
path = "images"
[training]
steps = 1
precision = "{precision}"
device = "cpu"
[previews]
at_start = false
"""


def measure() -> list[Result]:
    """Peak memory of the trainer, how far the plan's estimate is from it, and the seconds that reading the header takes."""
    results = []
    for family, (dtype, precision, modules) in MODELS.items():
        with TemporaryDirectory() as folder:
            results += _measure(Path(folder), family, dtype, precision, modules)
    return results


def write_model(path: Path, family: str, dtype: str) -> int:
    """Write the family's published architecture with random weights as one `.safetensors` file; returns its bytes."""
    shapes = dict(_shapes(family))
    kind, size = ("F32", 4) if dtype == "float32" else ("F16", 2)
    entries, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + size * prod(shape)
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    # One block of noise, as often as it takes: drawing gigabytes would take longer than loading them.
    noise = (np.random.default_rng(0).standard_normal(1 << 22) * 0.02).astype(dtype).tobytes()
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for shape in shapes.values():
            left = size * prod(shape)
            while left:
                left -= stream.write(noise[:left])
    return path.stat().st_size


def _measure(folder: Path, family: str, dtype: str, precision: str, modules: int) -> list[Result]:
    model = folder / "model.safetensors"
    size = write_model(model, family, dtype)
    begun = time.perf_counter()
    found = recognise(model)
    header_seconds = time.perf_counter() - begun
    assert found.family.name == family
    begun = time.perf_counter()
    _train(folder, precision)
    seconds = time.perf_counter() - begun
    # The trainer outlives the command that started it and is no child of this process: its own word counts.
    run = RunFolder(next(folder.glob("runs/*/")))
    told = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    peak = max(event["memory"]["peak_mib"] for event in told if event["kind"] == "stats") / 1024
    planned = estimated(run).bytes / (1 << 30)
    (output,) = folder.glob("runs/*/output/*.safetensors")
    with safe_open(output, framework="np") as adapter:
        names = {name.rpartition(".alpha")[0] for name in adapter.keys() if name.endswith(".alpha")}  # noqa: SIM118
    assert len(names) == modules
    detail = f"{size / 1e9:.1f} GB file, {len(names)} modules, 256 px, {precision}, {seconds:.0f} s in all, no network"
    return [
        Result(f"{found.family.title}: reading the header", header_seconds, 1.0, "s", f"{size / 1e9:.1f} GB file"),
        Result(f"{found.family.title}: peak memory of one step", peak, LIMIT_GIB, "GiB", detail),
        Result(f"{found.family.title}: memory", abs(planned / peak - 1), BAR, "", f"estimate {planned:.1f} GiB"),
    ]


def _train(folder: Path, precision: str) -> None:
    (folder / "images").mkdir()
    Image.linear_gradient("L").convert("RGB").save(folder / "images" / "a.png")
    (folder / "images" / "a.txt").write_text("a gradient\n")
    (folder / "full-size.toml").write_text(PROFILE.format(precision=precision))
    # A network namespace of its own has no route to anywhere.
    alone = ["unshare", "--net"] if subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0 else []
    command = [*alone, sys.executable, "-m", "sdtui", "train", "full-size.toml"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "SDTUI_CACHE": str(folder / "cache")}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def _shapes(family: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of every weight in a file of the family."""
    from accelerate import init_empty_weights
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers.models.clip.configuration_clip import CLIPTextConfig
    from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

    def weights(make: Callable[[], object], name_of: Callable[[str], str]) -> Iterator[tuple[str, tuple[int, ...]]]:
        with init_empty_weights(include_buffers=False):
            module = make()
        for name, weight in module.state_dict().items():  # type: ignore[attr-defined]
            yield name_of(name), tuple(weight.shape)

    config = read_config(family, "unet")
    unet = unet_naming([kind.startswith("CrossAttn") for kind in config["up_block_types"]])
    yield from weights(lambda: UNet2DConditionModel.from_config(config), lambda name: unet(name)[0].name)
    vae = vae_naming(VAE)
    yield from weights(lambda: AutoencoderKL.from_config(read_config(family, "vae")), lambda name: vae(name)[0].name)
    first = "cond_stage_model.transformer." if family == "sd1" else "conditioner.embedders.0.transformer."
    clip, text = clip_naming(first), CLIPTextConfig(**read_config(family, "text_encoder"))
    yield from weights(lambda: CLIPTextModel(text), lambda name: clip(name)[0].name)
    if family == "sdxl":
        large, second = openclip_naming("conditioner.embedders.1.model."), read_config(family, "text_encoder_2")
        found = weights(lambda: CLIPTextModelWithProjection(CLIPTextConfig(**second)), lambda name: name)
        yield from _fused((large(name)[0].name, shape) for name, shape in found)


def _fused(weights: Iterator[tuple[str, tuple[int, ...]]]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Query, key and value lie in one matrix."""
    for name, shape in dict(weights).items():
        yield name, (3 * shape[0], *shape[1:]) if ".in_proj_" in name else shape
