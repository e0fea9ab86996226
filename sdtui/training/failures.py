"""What can end a run, each told in one sentence with a remedy; details of the unexpected go to log.txt."""

from __future__ import annotations

import math
import signal

from sdtui.errors import SdtuiError

# What torch says of it in a plain RuntimeError: on the processor, on Apple's GPUs, in cuBLAS and cuDNN, and of memory that its own
# allocator has no part in, such as pinned memory or a library's first use.
_OUT_OF_MEMORY = (
    "DefaultCPUAllocator: can't allocate memory", "MPS backend out of memory", "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED", "CUDA error: out of memory",
)  # fmt: skip


class Interrupted(Exception):  # noqa: N818 - a wish, not an error
    """The run was told to end before it had anything to save."""


class NotFiniteError(SdtuiError):
    """The loss or a gradient of a step was not finite; `images` are those of the step."""

    def __init__(self, step: int, loss: float, images: list[str]) -> None:
        found = "a gradient is not finite" if math.isfinite(loss) else f"the loss is {loss}"
        super().__init__(
            f"{found} in step {step}",
            remedy="Nothing had been learned before: look at the base model, which may be damaged or overflow in this "
            "precision, then at these images"
            if step == 1
            else "Nothing of that step was applied. Look at these images and captions, lower the learning rate, "
            "or train in bf16 or fp32",
        )
        self.images = images


class LostProcessError(SdtuiError):
    """One of the processes that share the run, `who`, ended before its time, with exit code `code` (-9: signal 9).

    `said` is what it told of it, if it could.
    """

    def __init__(self, who: str, code: int, said: str = "") -> None:
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        super().__init__(
            f"{who} failed: {said}" if said else f"{who} {how}, and the run cannot go on without it",
            remedy=""
            if said
            else "What it said last is in log.txt. Resume the run: it goes on from its last checkpoint",
        )


class BrokenLinkError(SdtuiError):
    """The connection between the processes of a run broke: one of them is gone, or the network is."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"the connection to the other processes of the run broke: {str(error).strip().splitlines()[0]}",
            remedy="See the logs of the other machines, then resume the run: it goes on from its last checkpoint",
        )


class TooLargeError(SdtuiError):
    """One image of the bucket `width` × `height` px does not fit in memory, by itself."""

    def __init__(self, bucket: tuple[int, int]) -> None:
        width, height = bucket
        super().__init__(
            f"the device has no memory for one image of {width}×{height} px",
            remedy="Set training.gradient_checkpointing = true, lower dataset.resolution or method.rank, or end other "
            "programs that use the device",
        )


class UncutError(SdtuiError):
    """So many `images` of a bucket do not fit in memory at once, and cannot be taken one after the other."""

    def __init__(self, bucket: tuple[int, int], images: int) -> None:
        width, height = bucket
        super().__init__(
            f"there is no memory for {images} images of {width}×{height} px at once, and training.fused_backward, which "
            "applies gradients as they come, cannot take them in parts",
            where="training.fused_backward",
            remedy="Lower training.batch_size, set training.gradient_checkpointing = true, or leave fused_backward out",
        )


def _signal_name(number: int) -> str:
    # SIGKILL without a user is the system's answer to a machine that runs out of memory.
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device or the machine had no memory left; not every allocator has an error of its own for it."""
    # By its name: this is read before torch may be imported.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _OUT_OF_MEMORY)


def headline(message: str) -> str:
    """A message in one line: of a list what it is a list of, and its item where it has one only."""
    first, *items = message.splitlines()
    return " ".join([first, items[0].strip()]) if len(items) == 1 else first.rstrip(":")


def explain(error: Exception) -> SdtuiError:
    """An unexpected error as a message: what kind it is, its first line, and where to look."""
    if isinstance(error, SdtuiError):
        return error
    text = (str(error).strip() or "no message").splitlines()[0]
    if is_out_of_memory(error):
        return SdtuiError(
            "the device has no memory left",
            remedy="Set training.gradient_checkpointing = true, lower dataset.resolution, or end other programs that "
            "use the device",
        )
    return SdtuiError(
        f"unexpected {type(error).__name__}: {text}",
        remedy="Details are in log.txt; this is a fault of sdtui or of the machine",
    )
