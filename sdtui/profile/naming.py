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


LAYOUTS: dict[str, tuple[str, ...]] = {"lora": ("kohya", "diffusers"), "full": ("single-file", "folder")}
"""What a method's result can be written as, the usual one first."""


def layouts(profile: Profile) -> tuple[str, ...]:
    """The layouts of the finished files: those of `saving.formats`, else the usual one of the method."""
    return profile.saving.formats or LAYOUTS[profile.method.kind][:1]


def output_name(profile: Profile, layout: str = "kohya", result: str = "") -> str:
    """The finished file's name: `saving.name`, else the profile's, the `result` of several, and one ending.

    diffusers' adapter stands beside kohya's, and says what it is; a folder has no ending.
    """
    name = (profile.saving.name or profile.name).removesuffix(_ENDING)
    told = ".diffusers" if layout == "diffusers" else ""
    return (
        safe_name(name) + (f"-{safe_name(result)}" if result else "") + told + ("" if layout == "folder" else _ENDING)
    )
