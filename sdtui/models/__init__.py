"""Base models: one module per family, each loading a pipeline folder into the `Model` that the rest works with."""

from __future__ import annotations

# By module name, so that counting a caption's tokens (`models.tokens`) does not import torch.
FAMILIES: dict[str, str] = {
    "sd1": "sdtui.models.sd1",
}
