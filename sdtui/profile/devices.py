"""What a device may be called, in profiles and by `sdtui sample` alike."""

from __future__ import annotations

PATTERN = r"^(auto|cpu|mps|cuda(:[0-9]+)?)$"
ALLOWED = "auto, cpu, cuda, cuda:0, cuda:1 … or mps"
