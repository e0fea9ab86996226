"""How a profile's names become names of files and folders, and what is called how in a file of a word."""

from __future__ import annotations

from dataclasses import dataclass
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


LAYOUTS: dict[str, tuple[str, ...]] = {
    "lora": ("kohya", "diffusers"),
    "full": ("single-file", "folder"),
    "textual-inversion": (),
}
"""What a method's own result can be written as, the usual one first; none where only words learn."""

WORD_FOLDER = "embeddings"
"""Words have a folder of their own, so that a file can have the word's name, by which prompts call it."""

_WORD_ENDINGS = {
    "kohya": ".safetensors",
    "webui": ".pt",
    "webui-png": ".png",
    "webui-webp": ".webp",
    "diffusers": ".diffusers.safetensors",
}

PICTURE_TEXT, PICTURE_TENSOR = "sd-ti-embedding", "TORCHTENSOR"
"""Where A1111 keeps a word beside a PNG's pixels, and what marks a tensor in it."""


@dataclass(frozen=True, slots=True)
class Output:
    """A finished file or folder.

    Args:
        result: which of a method's results it holds: a word by its name, or "" for what else learned.
        layout: how it is written.
        path: below the folder of finished files, with / between parts.
    """

    result: str
    layout: str
    path: str


def layouts(profile: Profile) -> tuple[str, ...]:
    """The layouts of what learned beside words: those of `saving.formats`, else the usual one of the method."""
    return profile.saving.formats or LAYOUTS[profile.method.kind][:1]


def outputs(profile: Profile) -> list[Output]:
    """All finished files of a run; with words in a bundle, kohya's layout is that."""
    chosen = profile.saving.word_formats or ("kohya",)
    bundled = bool(profile.method.words) and "bundle" in chosen
    found = []
    for layout in layouts(profile):
        written = "bundle" if bundled and layout == "kohya" else layout
        found.append(Output("", written, output_name(profile, layout)))
    for word in profile.method.words:
        found += [
            Output(word.name, layout, f"{WORD_FOLDER}/{word.name}{_WORD_ENDINGS[layout]}")
            for layout in chosen
            if layout != "bundle"
        ]
    return found


def output_name(profile: Profile, layout: str = "kohya") -> str:
    """The finished file's name: `saving.name`, else the profile's, and one ending.

    diffusers' adapter stands beside kohya's, and says what it is; a folder has no ending.
    """
    name = (profile.saving.name or profile.name).removesuffix(_ENDING)
    told = ".diffusers" if layout == "diffusers" else ""
    return safe_name(name) + told + ("" if layout == "folder" else _ENDING)
