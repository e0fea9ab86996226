"""What keeps a sound profile from training here, told before anything starts: its models' files, its device."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from sdtui.errors import UserError
from sdtui.models.going_on import adapter_findings
from sdtui.models.hub import located
from sdtui.models.layout import base_problems, vae_problems
from sdtui.models.suited import suits
from sdtui.profile.check import Judge
from sdtui.profile.machine import has_gpu, trains_on_processor
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def model_findings(profile: Profile) -> Iterator[Finding]:
    """What is wrong with the files of the base model and of the VAE in its place, and what they are not made for."""
    model = profile.model
    base = located(model.base)
    if base.is_absolute():  # else it will be downloaded, and is judged then
        yield from (_of_model("model.base", each) for each in base_problems(base, own_vae=not model.vae))
        yield from suits(profile, base)
    if model.vae:
        yield from (_of_model("model.vae", each) for each in vae_problems(Path(model.vae)))


def device_findings(profile: Profile, devices: Path = Path("/dev")) -> Iterator[Finding]:
    """What can be said of the device without PyTorch: whether there can be one; what it can do, the trainer says."""
    training = profile.training
    apple = sys.platform == "darwin"
    gpu = has_gpu(devices)
    if training.device.startswith("cuda") and (apple or not gpu):
        yield Finding(
            "no-device", "training.device", f"training.device is {training.device}, and this machine has no such GPU",
            'Set training.device = "auto" to train on what there is',
        )  # fmt: skip
    if training.device == "mps" and not apple:
        yield Finding(
            "no-device", "training.device", "training.device is mps, and this machine has no Apple GPU",
            'Set training.device = "auto" to train on what there is',
        )  # fmt: skip
    if training.precision == "fp16" and trains_on_processor(profile, devices):
        yield Finding(
            "no-device", "training.precision", "fp16 needs a GPU, and the training runs on the processor",
            'Set training.precision = "bf16" or "fp32"',
        )  # fmt: skip
    # Of other makers' GPUs the nodes do not tell how many there are.
    nodes, wanted = len(list(devices.glob("nvidia[0-9]*"))), profile.launch.processes
    if 0 < nodes < wanted and training.device != "cpu":
        yield Finding(
            "no-device", "launch.processes",
            f"launch.processes is {wanted}, each needs a GPU of its own, and this machine has {nodes}",
            f"Set launch.processes = {nodes}",
        )  # fmt: skip


JUDGES: tuple[Judge, ...] = (model_findings, adapter_findings, device_findings)
"""Who is asked wherever a sound profile is checked; the dataset is looked at apart, as that can take long."""


def _of_model(key: str, problem: UserError) -> Finding:
    return Finding("bad-model", key, f"{key}: {problem.where}: {problem.message}", problem.remedy or "")
