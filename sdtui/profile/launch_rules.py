"""Settings of several processes and machines that do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdtui.profile.no_effect import changed, idle
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def world_size(profile: Profile) -> int:
    """How many processes share a run, on all its machines together."""
    return profile.launch.processes * profile.launch.machines


def machines(profile: Profile) -> Iterator[Finding]:
    """Several machines need to know which is which and where to meet; one needs neither."""
    launch = profile.launch
    if launch.machines == 1:
        for name in changed(launch, "machine_rank", "main_address", "main_port"):
            yield idle(f"launch.{name}", "launch.machines is 1", "Set launch.machines, or leave it out")
        return
    if launch.machine_rank >= launch.machines:
        yield Finding(
            "contradiction",
            "launch.machine_rank",
            f"launch.machine_rank = {launch.machine_rank}, but the machines are 0 to {launch.machines - 1}",
            "Number the machines from 0; machine 0 is where the run is saved",
            f"0…{launch.machines - 1}",
        )
    if not launch.main_address:
        yield Finding(
            "missing",
            "launch.main_address",
            f"the profile does not say where the {launch.machines} machines meet",
            'Add main_address = "…" to [launch]: the name or address of machine 0',
            "a host name or an IP address",
        )


def devices(profile: Profile) -> Iterator[Finding]:
    """Each process takes a GPU of its own; none can be named for all."""
    device = profile.training.device
    if world_size(profile) > 1 and (":" in device or device == "mps"):
        yield Finding(
            "contradiction",
            "training.device",
            f'training.device = "{device}" is one device, but {world_size(profile)} processes train the run',
            'Set it to "auto", "cuda" or "cpu": process 0 takes the first GPU, process 1 the second, and so on. '
            "Choose among a machine's GPUs with the environment variable CUDA_VISIBLE_DEVICES",
            '"auto", "cuda" or "cpu"',
        )


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    machines: ("launch.machines", "launch.machine_rank", "launch.main_address", "launch.main_port"),
    devices: ("launch.processes", "launch.machines", "training.device"),
}
