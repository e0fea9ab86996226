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

    A block that cannot be compiled is told once by `warn`, and from then on all run as they are.
    """
    # Imported here: it takes a second, which runs that do not compile need not spend.
    from torch._dynamo import config as tracing
    from torch._inductor import config as generating

    tracing.recompile_limit = LIMIT
    tracing.accumulated_recompile_limit = len(BLOCKS) * LIMIT
    # Dropout draws as it does uncompiled.
    generating.fallback_random = True
    blocks = [block for block in unet.modules() if type(block).__name__ in BLOCKS]
    fallback = _Fallback(warn)
    for block in blocks:
        block._compiled_call_impl = fallback.guarded(block)  # noqa: SLF001 - what nn.Module.compile sets
    log(f"compiling {len(blocks)} blocks of the UNet: the first step of each size of images takes minutes longer")


class _Fallback:
    """Runs blocks compiled until one cannot be."""

    def __init__(self, warn: Callable[[SdtuiError], None]) -> None:
        self._warn = warn
        self._failed = False

    def guarded(self, block: nn.Module) -> Callable[..., Any]:
        """The block's call, compiled where it trains."""
        from torch._dynamo.exc import TorchDynamoException

        plain: Callable[..., Any] = block._call_impl  # noqa: SLF001 - what nn.Module.compile compiles
        compiled = torch.compile(plain, dynamic=False, backend=BACKEND)

        def call(*args: Any, **named: Any) -> Any:
            if self._failed or not (block.training and torch.is_grad_enabled()):
                return plain(*args, **named)
            try:
                return compiled(*args, **named)
            except TorchDynamoException as error:
                self._failed = True
                self._warn(_told(error))
                return plain(*args, **named)

        return call


def _told(error: Exception) -> SdtuiError:
    # The first line says who failed, the second why.
    said = [line.strip() for line in str(error).splitlines() if line.strip()][:2] or [type(error).__name__]
    return SdtuiError(
        f"the UNet cannot be compiled here, and is trained as it is: {' '.join(said)}",
        where="training.compile",
        remedy="It needs a C++ compiler on the processor and Triton on a GPU; or set it to false",
    )
