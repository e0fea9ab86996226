"""Images per second and MFU of a LoRA step on a GPU: Stable Diffusion 1.5 at 512 px and XL at 1024 px, batch 1 and 4, weights random.

`python -m benchmarks gpu_throughput [--peak-tflops N]` needs a CUDA device and says so where there is none. MFU is what the step
must compute (forward, and the gradients that lead to the LoRA; counted by PyTorch on tensors without content) over what the
device could compute in that time, by its maker's figure for dense bf16.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from torch import nn

from benchmarks.full_size import write_model
from benchmarks.result import Result
from benchmarks.sizes import make_images
from benchmarks.training_run import prepare, run_through
from sdtui.errors import UserError

GOAL = 0.35
STEPS, WARM_UP = 40, 15
IMAGES, RANK = 8, 16
# Dense bf16 TFLOP/s by a part of the device's name, the longer names first.
PEAKS = {
    "H200": 989, "H100 NVL": 835, "H100 PCIe": 756, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "A10": 125,
    "RTX 5090": 210, "RTX 4090": 165, "RTX 4080": 97, "RTX 3090": 71, "RTX 3080": 60,
}  # fmt: skip


class Work(NamedTuple):
    """A family's file, the side of its images, and the shape of what its UNet is told besides latents."""

    family: str
    title: str
    side: int
    width: int  # of the text's states
    pooled: int  # of the text's summary; 0: there is none


WORKS = (Work("sd1", "SD 1.5", 512, 768, 0), Work("sdxl", "SDXL", 1024, 2048, 1280))


def measure(arguments: Sequence[str] = ()) -> list[Result]:
    """Train each on the GPU for some steps.

    Raises:
        UserError: there is no CUDA device, or its peak is not known and was not given.
    """
    if not torch.cuda.is_available():
        raise UserError("gpu_throughput needs a CUDA device, and none can be used here")
    name = torch.cuda.get_device_name()
    peak = peak_tflops(name, arguments)
    results = []
    for work in WORKS:
        flops = step_flops(work)
        with TemporaryDirectory() as folder:
            model = Path(folder) / "model.safetensors"
            write_model(model, work.family, "float16")
            images = make_images(Path(folder) / "images", IMAGES, work.side)
            for batch in (1, 4):
                seconds = step_seconds(Path(folder) / str(batch), model, images, work.side, batch)
                results += rows(work, batch, flops, seconds, peak, name)
    return results


def peak_tflops(device: str, arguments: Sequence[str] = ()) -> float:
    """Dense bf16 TFLOP/s of the device of that name, or what follows `--peak-tflops`.

    Raises:
        UserError: neither is known.
    """
    if "--peak-tflops" in arguments:
        return float(arguments[arguments.index("--peak-tflops") + 1])
    for part, peak in PEAKS.items():
        if part in device:
            return peak
    raise UserError(f"the peak of {device} is not known", remedy="Say it: --peak-tflops N, dense bf16")


def rows(work: Work, batch: int, flops: float, seconds: float, peak: float, device: str) -> list[Result]:
    """Images per second, and MFU with the goal at batch 4."""
    mfu = batch * flops / seconds / (peak * 1e12)
    what = f"{work.title} LoRA, {work.side} px, batch {batch}"
    detail = f"{device}, {flops / 1e12:.2f} TFLOP an image, {seconds * 1000:.0f} ms a step, peak {peak:g} TFLOP/s, bf16"
    return [
        Result(f"{what}: images per second", batch / seconds, 0, "/s", detail, at_least=True),
        Result(f"{what}: MFU", mfu, GOAL if batch == 4 else 0, "", detail, at_least=True),
    ]


def step_flops(work: Work) -> int:
    """Floating-point operations of one image's step on the UNet of that family: twice the multiplications."""
    from accelerate import init_empty_weights
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    from sdtui.models.configs import read_config

    with init_empty_weights():
        unet: Any = UNet2DConditionModel.from_config(read_config(work.family, "unet"))
    meta = torch.device("meta")
    side = work.side // 8
    latents = torch.empty(1, 4, side, side, device=meta)
    told = {"encoder_hidden_states": torch.empty(1, 77, work.width, device=meta)}
    if work.pooled:
        added = {"text_embeds": torch.empty(1, work.pooled, device=meta), "time_ids": torch.empty(1, 6, device=meta)}
        told |= {"added_cond_kwargs": added}  # type: ignore[dict-item]
    return count(unet, latents, torch.zeros(1, dtype=torch.int64, device=meta), told)


def count(unet: nn.Module, latents: Any, timesteps: Any, told: dict[str, Any]) -> int:
    """Operations of a step that trains a LoRA: of the forward pass, and of the gradients that it needs and no others.

    The LoRA's own products are left out, a hundredth of the whole: who fuses them with the frozen layers' would otherwise
    seem to compute less.
    """
    from torch.utils.flop_counter import FlopCounterMode

    unet.requires_grad_(requires_grad=False)
    # What enters the first adapted layer must carry a gradient, and from there on everything does.
    latents.requires_grad_()
    with FlopCounterMode(display=False) as counter:
        out = unet(latents, timesteps, **told).sample
        torch.autograd.backward(out.sum())
    return int(counter.get_total_flops())


def step_seconds(folder: Path, model: Path, images: Path, side: int, batch: int) -> float:
    """Median seconds of a steady step of the trainer's."""
    changes = (
        f"model.base={model}", f"method.rank={RANK}", f"dataset.resolution={side}", f"dataset.bucket_min={side}",
        f"dataset.bucket_max={side}", f"training.batch_size={batch}", "training.precision=bf16", "training.device=cuda",
    )  # fmt: skip
    run = run_through(prepare(folder, STEPS, images, changes))
    events = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    taken: list[float] = [event["seconds"] for event in events if event["kind"] == "step"]
    return statistics.median(taken[WARM_UP:])
