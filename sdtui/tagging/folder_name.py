"""What the folder of a model's results is called, be they scores or descriptions; apart, so that it costs no NumPy."""

from __future__ import annotations

import re


def folder_name(name: str, digest: str) -> str:
    """Its name with odd characters left out, and the first of its digest."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "tagger"
    return f"{plain}-{digest[:8]}"
