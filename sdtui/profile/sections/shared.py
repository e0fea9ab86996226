"""What several sections say with the same words."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

Precision = Literal["fp32", "bf16", "fp16"]
# TOML has arrays only; everything inside stays strict.
FromArray = Strict(strict=False)

StopPoint = (
    Annotated[int, Field(ge=1, le=100_000_000)]
    | Annotated[float, Field(gt=0, lt=1)]
    | Annotated[str, Field(pattern=r"^[1-9]\d{0,6} epochs?$")]
)
"""After so many steps, a share of the run, or epochs."""

PRECISION_WORDS = (
    ("float", 'Write "fp32"'),
    ("float32", 'Write "fp32"'),
    ("no", 'Write "fp32"'),
    ("half", 'Write "fp16"'),
    ("float16", 'Write "fp16"'),
    ("bfloat16", 'Write "bf16"'),
)
"""What PyTorch and accelerate call these formats."""

BITS_WORDS = (
    ("nf4", 'Write "4bit"'),
    ("int4", 'Write "4bit"'),
    ("int8", 'Write "8bit"'),
    ("fp8", 'Write "8bit"'),
    ("none", 'Write "same"'),
)
"""What OneTrainer, SimpleTuner and ai-toolkit call ways to keep a frozen model."""

KOHYA = "kohya sd-scripts' default"
RELATIVE_PATH = "Relative paths start at the profile's folder."
