"""What several sections say with the same words."""

from __future__ import annotations

from typing import Literal

from pydantic import Strict

Precision = Literal["fp32", "bf16", "fp16"]
# TOML has arrays only; everything inside stays strict.
FromArray = Strict(strict=False)

KOHYA = "kohya sd-scripts' default"
RELATIVE_PATH = "Relative paths start at the profile's folder."
