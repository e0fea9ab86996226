"""Lines that captions are put into: `[filewords]` in a line becomes the caption, and after that `[name]` the word that is trained.

Where an embedding learns from few images, many ways of saying the same keep it from learning one of them along. The idea,
and what the two marks mean, are A1111's; the lines are our own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdtui.errors import UserError
from sdtui.profile.schema import Captions, Profile

CAPTION, NAME = "[filewords]", "[name]"

_OF_SUBJECTS = (
    "a photo of {}", "a picture of {}", "one photo of {}", "a snapshot of {}", "a close view of {}", "{} seen from near",
    "{} seen from afar", "a bright photo of {}", "a dim photo of {}", "a sharp photo of {}", "a soft photo of {}",
    "a plain photo of {}", "a fine photo of {}", "a small photo of {}", "a large photo of {}", "a photo with {} in it",
    "a picture showing {}", "an image of {}", "a view of {}", "a photo of the one {}", "a photo of my {}",
    "a photo of this {}", "{} in a photo", "{} in the middle of a photo",
)  # fmt: skip
_OF_STYLES = (
    "a painting in the style of {}", "a picture in the style of {}", "a drawing in the style of {}",
    "an illustration in the style of {}", "a sketch in the style of {}", "art by {}", "a painting by {}",
    "a picture by {}", "a work by {}", "a print by {}", "a small painting by {}", "a large painting by {}",
    "a bright painting by {}", "a dark painting by {}", "a detail of a painting by {}", "something painted by {}",
    "a picture as {} makes them", "the art of {}",
)  # fmt: skip

LINES: dict[str, tuple[str, ...]] = {
    "subject": tuple(line.format(NAME) for line in _OF_SUBJECTS),
    "style": tuple(line.format(NAME) for line in _OF_STYLES),
    "subject_filewords": tuple(f"{line.format(NAME)}, {CAPTION}" for line in _OF_SUBJECTS),
    "style_filewords": tuple(f"{CAPTION}, {line.format(NAME)}" for line in _OF_STYLES),
    "filewords": (f"a photo of {CAPTION}", f"a picture of {CAPTION}", f"an image of {CAPTION}", CAPTION),
    "picture": ("picture",),
}
"""By the names of `captions.template`."""


@dataclass(frozen=True, slots=True)
class Template:
    """Lines, and what `[name]` is in them."""

    lines: tuple[str, ...]
    name: str = ""

    @property
    def reads_captions(self) -> bool:
        """Whether a caption stands in any line."""
        return any(CAPTION in line for line in self.lines)

    @property
    def reads_name(self) -> bool:
        """Whether the word stands in any line."""
        return any(NAME in line for line in self.lines)

    def filled(self, caption: str, roll: Callable[[str], float]) -> str:
        """One of the lines with the caption and the word in it; what would only part them from nothing goes with it."""
        line = self.lines[int(roll("template") * len(self.lines))]
        text = line.replace(CAPTION, caption)
        if not caption:
            text = text.strip(", ")
        return text.replace(NAME, self.name)

    def longest(self, caption: str) -> str:
        """The longest that can be read."""
        return max((line.replace(CAPTION, caption).replace(NAME, self.name) for line in self.lines), key=len)


def lines_of(captions: Captions) -> tuple[str, ...]:
    """The lines that the profile puts captions into; none where they are read as they are.

    Raises:
        UserError: the user's file of them cannot be read, or holds none.
    """
    if not captions.template_file:
        return LINES.get(captions.template, ())
    path = Path(captions.template_file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"the template cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UserError("the template is not UTF-8", where=str(path), remedy="Save it as UTF-8") from error
    lines = tuple(stripped for line in text.splitlines() if (stripped := line.strip()))
    if not lines:
        raise UserError("the template holds no line", where=str(path), remedy=f"Write lines such as a photo of {NAME}")
    return lines


def template_of(profile: Profile, row: int) -> Template | None:
    """What captions of `dataset.folders[row]` are put into; nothing for images that show what the model shall keep.

    Raises:
        UserError: as `lines_of`.
    """
    folder = profile.dataset.folders[row]
    lines = () if folder.regularization else lines_of(profile.captions)
    name = folder.word or " ".join(word.name for word in profile.method.words)
    return Template(lines, name) if lines else None


def needs_captions(profile: Profile, row: int) -> bool:
    """Whether images of `dataset.folders[row]` are read by their captions: not where a template has no place for them."""
    try:
        template = template_of(profile, row)
    except UserError:
        return True  # told elsewhere
    return template is None or template.reads_captions
