"""How a picture was made, as web UIs write it into the file: the text chunk `parameters`, read back into settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdtui.errors import UserError
from sdtui.profile.samplers import sampler_called

_FIELD = re.compile(r'\s*(\w[\w /-]*):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_NEGATIVE = "Negative prompt:"
# A line is one of settings if it has so many; a prompt may have a colon or two.
_LEAST = 3


@dataclass(frozen=True)
class Parameters:
    """What the text says.

    Attributes:
        fields: `Steps`, `Sampler`, `CFG scale`, `Seed`, `Size` and whatever else stands there, as it is written.
    """

    prompt: str = ""
    negative: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height."""
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", self.fields.get("Size", ""))
        return (int(found[1]), int(found[2])) if found else None

    @property
    def sampler(self) -> str | None:
        """The sampler by our name; None where it is none of ours. Newer web UIs write its noise schedule apart."""
        name, schedule = self.fields.get("Sampler", ""), self.fields.get("Schedule type", "")
        return sampler_called(f"{name} {schedule}") or sampler_called(name)

    def whole(self, name: str) -> int | None:
        """A field that is a whole number, None where it is none."""
        text = self.fields.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else None

    def number(self, name: str) -> float | None:
        """A field that is a number, None where it is none."""
        text = self.fields.get(name, "")
        return float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) else None


def parse_parameters(text: str) -> Parameters:
    """Read the text: the prompt, the negative one from its word on, and in the last line the settings."""
    lines = text.strip().splitlines()
    fields: dict[str, str] = {}
    if lines and len(_FIELD.findall(lines[-1])) >= _LEAST:
        fields = {name.strip(): _unquoted(value.strip()) for name, value in _FIELD.findall(lines.pop())}
    at = next((number for number, line in enumerate(lines) if line.startswith(_NEGATIVE)), len(lines))
    negative = "\n".join(lines[at:]).removeprefix(_NEGATIVE).strip()
    return Parameters("\n".join(lines[:at]).strip(), negative, fields)


def read_parameters(picture: Path) -> str:
    """The text of a picture's file; "" where it has none. Slow: it opens the file.

    Raises:
        UserError: it is no picture.
    """
    from PIL import Image

    try:
        with Image.open(picture) as image:
            found = image.info.get("parameters", "")
    except (OSError, ValueError) as error:
        raise UserError("the picture cannot be read", where=str(picture)) from error
    return found if isinstance(found, str) else ""


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if len(value) > 1 and value[0] == value[-1] == '"' else value
