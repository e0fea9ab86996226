"""How a profile's names become names of files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile

_ENDING = ".safetensors"
# Names may have 255 bytes; what is put before and behind this one takes up to 60.
_BYTES = 160


def safe_name(name: str) -> str:
    """`name` as part of a file's name: no separators, spaces, control characters or leading dots and dashes, not long."""
    kept = "".join(char if char.isalnum() or char in "._-+" else "-" for char in name)
    return kept.lstrip(".-")[:80].encode()[:_BYTES].decode("utf-8", "ignore") or "run"


def output_name(profile: Profile, layout: str = "kohya") -> str:
    """The finished file's name: `saving.name`, else the profile's, the layout if it is not kohya's, and one ending."""
    name = profile.saving.name or profile.name
    told = "" if layout == "kohya" else f".{layout}"
    return safe_name(name.removesuffix(_ENDING)) + told + _ENDING
