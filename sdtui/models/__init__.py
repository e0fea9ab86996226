"""Base models of several families, from folders and single files, as the `Model` that the rest works with."""

from __future__ import annotations

# Each module holds its family's facts as `FAMILY`; neither they nor what recognises a family needs PyTorch.
FAMILIES: dict[str, str] = {
    "sd1": "sdtui.models.sd1",
    "sd2": "sdtui.models.sd2",
    "sdxl": "sdtui.models.sdxl",
}
