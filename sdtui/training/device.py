"""Where a run computes, in which precision and with how many threads: settled before anything is loaded, and then kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from accelerate import Accelerator

from sdtui.errors import UserError
from sdtui.models.recognise import plan_parts
from sdtui.profile.precision import on_processor, processor_flags

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile

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


def open_device(profile: Profile) -> Opened:
    """The profile's device, set so that the same step gives the same bits.

    Raises:
        UserError: there is no such device, or it cannot compute in that precision.
    """
    wanted = profile.training.device
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("no CUDA device can be used here", where="training.device", remedy='Set it to "auto" or "cpu"')
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise UserError("no Apple GPU can be used here", where="training.device", remedy='Set it to "auto" or "cpu"')
    if wanted not in {"auto", "cpu"}:
        os.environ["ACCELERATE_TORCH_DEVICE"] = wanted
    kind = _kind(wanted)
    profile = _settled(profile, kind)
    precision = profile.training.precision
    if kind == "cpu" and precision == "fp16":
        raise UserError(
            "fp16 needs a GPU",
            where="training.precision",
            remedy='Set it to "auto", "bf16" or "fp32" to train on the processor',
        )
    threads = profile.training.threads or usable_threads()
    torch.set_num_threads(threads)
    accelerator = Accelerator(cpu=kind == "cpu", mixed_precision="no" if precision == "fp32" else precision)
    if accelerator.num_processes > 1:
        raise UserError("a run trains in one process", remedy="Start it with sdtui train, not with accelerate launch")
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
