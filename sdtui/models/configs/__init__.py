"""The architecture of each family's published models, bundled so that a single file loads without a download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def read_config(family: str, part: str) -> dict[str, Any]:
    """The settings of a part ("unet", "vae", "text_encoder", "text_encoder_2", "scheduler") of a family's models."""
    config: dict[str, Any] = json.loads((FOLDER / family / f"{part}.json").read_text(encoding="utf-8"))
    return config
