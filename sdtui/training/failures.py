"""What can end a run, each told in one sentence with a remedy; details of the unexpected go to log.txt."""

from __future__ import annotations

import math

from sdtui.errors import SdtuiError


class Interrupted(Exception):  # noqa: N818 - a wish, not an error
    """The run was told to end before it had anything to save."""


class NotFiniteError(SdtuiError):
    """The loss or a gradient of a step was not finite; `images` are those of the step."""

    def __init__(self, step: int, loss: float, images: list[str]) -> None:
        found = "a gradient is not finite" if math.isfinite(loss) else f"the loss is {loss}"
        super().__init__(
            f"{found} in step {step}",
            remedy="Nothing of that step was applied. Look at these images and captions, lower the learning rate, "
            "or train in bf16 or fp32",
        )
        self.images = images


def explain(error: Exception) -> SdtuiError:
    """An unexpected error as a message: what kind it is, its first line, and where to look."""
    if isinstance(error, SdtuiError):
        return error
    text = (str(error).strip() or "no message").splitlines()[0]
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return SdtuiError(
            "the device has no memory left",
            remedy="Lower training.batch_size (and raise accumulation), set training.gradient_checkpointing = true, "
            "or lower dataset.resolution",
        )
    return SdtuiError(
        f"unexpected {type(error).__name__}: {text}",
        remedy="Details are in log.txt; this is a fault of sdtui or of the machine",
    )
