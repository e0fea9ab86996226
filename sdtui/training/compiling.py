"""The UNet's blocks compiled one by one (torch.compile), so that a step takes less time once each size of images was seen.

Blocks of the same kind and sizes share what was compiled: SD 1.5 has 16 transformer blocks and needs 4 compilations of
them for a bucket, not one of the whole network. Nothing is compiled for previews and measurements, whose sizes are others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sdtui.errors import SdtuiError

BLOCKS = ("BasicTransformerBlock", "ResnetBlock2D")
"""Classes of diffusers that hold nearly all of a UNet's work."""

BACKEND = "inductor"

LIMIT = 256
"""Compilations of one kind of block. Further sizes are not compiled, so that a dataset of many sizes still trains."""


def compile_blocks(unet: nn.Module, log: Callable[[str], None], warn: Callable[[SdtuiError], None]) -> None:
    """Have the blocks of `unet` compiled when they are first used in training, each size of states by itself.

    The first block that cannot be compiled is told by `warn`; it and those after it run as they are, to the end of the run.
    """
    # Imported here: it takes a second, which runs that do not compile need not spend.
    from torch._dynamo import config as tracing
    from torch._functorch import config as gradients
    from torch._inductor import config as generating

    tracing.recompile_limit = LIMIT
    tracing.accumulated_recompile_limit = len(BLOCKS) * LIMIT
    # Dropout draws as it does uncompiled.
    generating.fallback_random = True
    # With the forward pass, where there is still a way back, not when the first gradient is asked for.
    gradients.force_non_lazy_backward_lowering = True
    blocks = [block for block in unet.modules() if type(block).__name__ in BLOCKS]
    fallback = _Fallback(warn)
    for block in blocks:
        block._compiled_call_impl = fallback.guarded(block)  # noqa: SLF001 - what nn.Module.compile sets
    log(f"compiling {len(blocks)} blocks of the UNet: the first step of each size of images takes minutes longer")


class _Fallback:
    """Runs blocks compiled until one cannot be.

    What is compiled by then stays so: a checkpointed block that is computed again has to keep what it kept the first time.
    """

    def __init__(self, warn: Callable[[SdtuiError], None]) -> None:
        self._warn = warn
        self._untried: set[nn.Module] = set()
        self._plain: set[nn.Module] = set()

    def guarded(self, block: nn.Module) -> Callable[..., Any]:
        """The block's call, compiled where it trains."""
        from torch._dynamo.exc import TorchDynamoException

        self._untried.add(block)
        plain: Callable[..., Any] = block._call_impl  # noqa: SLF001 - what nn.Module.compile compiles
        compiled = torch.compile(plain, dynamic=False, backend=BACKEND)

        def call(*args: Any, **named: Any) -> Any:
            if block in self._plain or not (block.training and torch.is_grad_enabled()):
                return plain(*args, **named)
            try:
                answer = compiled(*args, **named)
            except TorchDynamoException as error:
                self._give_up(block, error)
                return plain(*args, **named)
            self._untried.discard(block)
            return answer

        return call

    def _give_up(self, block: nn.Module, error: Exception) -> None:
        if not self._plain:
            self._warn(_told(error))
        self._plain |= {block, *self._untried}


def _told(error: Exception) -> SdtuiError:
    # The first line says who failed, the second why.
    said = [line.strip() for line in str(error).splitlines() if line.strip()][:2] or [type(error).__name__]
    return SdtuiError(
        f"the UNet cannot be compiled here, and the rest of it is trained as it is: {' '.join(said)}",
        where="training.compile",
        remedy="It needs a C++ compiler on the processor and Triton on a GPU; or set it to false",
    )
