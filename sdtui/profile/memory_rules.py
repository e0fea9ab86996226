"""Settings of memory and speed that need something of the machine; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

from sdtui.profile.launch_rules import world_size
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def four_bits(profile: Profile) -> Iterator[Finding]:
    """4 bits are bitsandbytes' work, which must be there and knows no Apple GPU."""
    training = profile.training
    if training.base_precision != "4bit":
        return
    key = "training.base_precision"
    if training.device == "mps":
        message = f'{key} = "4bit" does not work on an Apple GPU'
        yield Finding("contradiction", key, message, "Use 8bit there", '"same" or "8bit"')
    if importlib.util.find_spec("bitsandbytes") is None:
        message = f'{key} = "4bit" needs the package bitsandbytes, which is not installed here'
        remedy = 'pip install "sdtui[four-bit]", or set it to "8bit", which needs no package'
        # A profile may be written on another machine than it is trained on.
        yield Finding("not-installed", key, message, remedy, severity="warning")


def fused_backward(profile: Profile) -> Iterator[Finding]:
    """Gradients that are applied one by one are never there all at once."""
    training, optimizer = profile.training, profile.optimizer.name
    if not training.fused_backward:
        return
    kind = OPTIMIZERS.get(optimizer)
    by_itself = kind is not None and not (kind.finds_rate or kind.averages)
    against = {
        "method.kind": (profile.method.kind != "full", f'"{profile.method.kind}", whose gradients are small'),
        "training.accumulation": (training.accumulation > 1, f"{training.accumulation}"),
        "training.at_once": (
            0 < training.at_once < training.batch_size,
            f"{training.at_once} of {training.batch_size}",
        ),
        "training.clip_norm": (training.clip_norm > 0, f"{training.clip_norm:g}, the norm of all gradients together"),
        "training.precision": (training.precision == "fp16", '"fp16", whose gradients are scaled'),
        "launch.processes": (world_size(profile) > 1, f"{world_size(profile)} in all, whose gradients are added up"),
        "optimizer.name": (not by_itself, f'"{optimizer}", which may not take each weight by itself'),
    }
    remedies = {"training.clip_norm": "Set training.clip_norm = 0", "method.kind": 'It is for method.kind = "full"'}
    for key, (collides, told) in against.items():
        if collides:
            message = f"training.fused_backward does not go with {key} = {told}"
            yield Finding("contradiction", key, message, remedies.get(key, "Leave one of the two out"))


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    four_bits: ("training.base_precision", "training.device"),
    fused_backward: (
        "training.fused_backward",
        "training.accumulation",
        "training.at_once",
        "training.clip_norm",
        "training.precision",
        "method.kind",
        "launch.processes",
        "launch.machines",
        "optimizer.name",
    ),
}
