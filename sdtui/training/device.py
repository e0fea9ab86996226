"""Where a run computes, in which precision and with how many threads: settled before anything is loaded, and then kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import check_cuda_p2p_ib_support

from sdtui.errors import UserError
from sdtui.models.recognise import plan_parts
from sdtui.profile.machine import processor_flags
from sdtui.profile.precision import on_processor
from sdtui.training.crew import Crew

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile
    from sdtui.training.place import Place

_CGROUP = Path("/sys/fs/cgroup")


class Opened(NamedTuple):
    """The accelerator, and the profile with the precision that was chosen in the place of "auto"."""

    accelerator: Any
    profile: Profile
    threads: int

    def told(self) -> str:
        """For the log."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return (
            f"computing on {self.accelerator.device} in {self.profile.training.precision}, {threads} on the processor"
        )


def open_device(profile: Profile, crew: Crew | None = None, check: Callable[[], None] = lambda: None) -> Opened:
    """The profile's device, set so that the same step gives the same bits; of several processes each takes its own.

    `check` is called while the processes wait for each other, and may raise.

    Raises:
        UserError: there is no such device, or it cannot compute in that precision, or the processes cannot meet.
    """
    crew = crew or Crew()
    wanted = profile.training.device
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("no CUDA device can be used here", where="training.device", remedy='Set it to "auto" or "cpu"')
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise UserError("no Apple GPU can be used here", where="training.device", remedy='Set it to "auto" or "cpu"')
    kind = _kind(wanted)
    if crew.place.world > 1:
        _require_devices(kind, crew.place.processes)
    elif wanted not in {"auto", "cpu"}:
        os.environ["ACCELERATE_TORCH_DEVICE"] = wanted
    profile = _settled(profile, kind)
    precision = profile.training.precision
    if kind == "cpu" and precision == "fp16":
        raise UserError(
            "fp16 needs a GPU",
            where="training.precision",
            remedy='Set it to "auto", "bf16" or "fp32" to train on the processor',
        )
    threads = profile.training.threads or max(1, usable_threads() // crew.place.processes)
    crew.join(kind, check)
    if crew.place.world > 1:
        _tell_accelerate(crew.place, threads, kind)
    accelerator = Accelerator(cpu=kind == "cpu", mixed_precision="no" if precision == "fp32" else precision)
    torch.set_num_threads(threads)
    if accelerator.num_processes != crew.place.world:
        raise UserError(
            "a run starts its processes itself",
            where="launch.processes",
            remedy="Say there how many, and start it with sdtui train, not with accelerate launch or torchrun",
        )
    if accelerator.device.type == "cuda":
        _make_deterministic()
    return Opened(accelerator, profile, threads)


def usable_threads(cgroup: Path = _CGROUP) -> int:
    """PyTorch's own choice (the physical cores, or OMP_NUM_THREADS), but no more than this process may keep busy.

    PyTorch does not see that a container may use two of the machine's sixty-four cores, and would start one thread for
    each of them, most of which would wait.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(torch.get_num_threads(), allowed, _quota(cgroup) or allowed))


def _kind(wanted: str) -> Literal["cpu", "cuda", "mps"]:
    """The kind of device that `wanted` comes to here."""
    if wanted.startswith("cuda") or (wanted == "auto" and torch.cuda.is_available()):
        return "cuda"
    return "mps" if wanted == "mps" or (wanted == "auto" and torch.backends.mps.is_available()) else "cpu"


def _require_devices(kind: str, processes: int) -> None:
    """A device for each process of this machine, and a way for gradients between them."""
    if kind == "mps":
        raise UserError("an Apple GPU trains in one process", where="launch.processes", remedy="Set it to 1")
    if kind == "cpu":
        return
    found = torch.cuda.device_count()
    if processes > found:
        raise UserError(
            f"{processes} processes need as many GPUs, and {found} can be used here",
            where="launch.processes",
            remedy=f"Set it to {found}, or see CUDA_VISIBLE_DEVICES",
        )
    if not torch.distributed.is_nccl_available():
        raise UserError(
            "this PyTorch was built without NCCL, by which GPUs talk to each other",
            where="launch.processes",
            remedy="Set it to 1, or install PyTorch's own build for CUDA",
        )
    if not check_cuda_p2p_ib_support():
        # Cards of the RTX 4000 series cannot reach each other's memory, and with old drivers NCCL hangs when it tries.
        os.environ.setdefault("NCCL_P2P_DISABLE", "1")
        os.environ.setdefault("NCCL_IB_DISABLE", "1")


def _tell_accelerate(place: Place, threads: int, kind: str) -> None:
    """The variables that Accelerate knows a process of several by, as torchrun would set them."""
    told = {
        "RANK": place.rank,
        "WORLD_SIZE": place.world,
        "LOCAL_RANK": place.process,
        "LOCAL_WORLD_SIZE": place.processes,
        "MASTER_ADDR": place.address,
        "MASTER_PORT": place.port,
        "OMP_NUM_THREADS": threads,
    }
    if kind == "cpu":
        # It would number processors as it numbers GPUs.
        os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    os.environ.update({name: str(value) for name, value in told.items()})


def _settled(profile: Profile, kind: str) -> Profile:
    if profile.training.precision != "auto":
        return profile
    if kind == "cuda":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    else:
        precision = on_processor(profile, plan_parts(profile), processor_flags()) if kind == "cpu" else "fp32"
    training = profile.training.model_copy(update={"precision": precision})
    return profile.model_copy(update={"training": training})


def _quota(cgroup: Path) -> int | None:
    """Whole cores that the process's control group may use, by the files of version 2 or 1; None where they say nothing."""
    try:
        if (cgroup / "cpu.max").exists():
            used, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
        else:
            used, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text("ascii") for name in ("quota", "period"))
        # "max" and -1 are no limit.
        return max(1, int(used) // int(period)) if int(used) > 0 else None
    except (OSError, ValueError):
        return None


def _make_deterministic() -> None:
    """A resumed run must reach the same bits: kernels whose sums depend on the order of threads are avoided."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Not `warn_only`: with it, flash and memory-efficient attention keep the backward pass that differs from run to run.
    torch.use_deterministic_algorithms(mode=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
