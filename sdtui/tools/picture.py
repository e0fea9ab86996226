"""One picture to be drawn: everything it depends on, and how the file says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sdtui
from sdtui.models import tokens
from sdtui.models.family import Reading
from sdtui.profile.samplers import public_name
from sdtui.tools.stack import Worn


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn; the same values on the same model and device give the same pixels.

    Args:
        prompt: as it was written, tags such as `<lora:city:0.8>` left in.
        text: the prompt without them.
        worn: adapters, in their order.
        words: embedding files by the names that the texts may call them by.
        steps: of the sampler.
        guidance: the scale of classifier-free guidance; 1 leaves the negative prompt out.
        clip_skip: layers of the text encoder, counted from the last one that the family reads.
    """

    prompt: str
    text: str
    negative: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    sampler: str
    clip_skip: int = 1
    worn: tuple[Worn, ...] = ()
    words: tuple[tuple[str, Path], ...] = ()

    @property
    def said(self) -> dict[str, Path]:
        """Those of the words that one of the texts holds, case ignored."""
        texts = f"{self.text}\n{self.negative}".lower()
        return {name: file for name, file in self.words if name.lower() in texts}

    def reading(self, length: Callable[[str], int]) -> Reading:
        """How the texts are read: brackets weigh, and as many windows as the longer text needs by `length`, in tokens."""
        longest = max(length(text) for text in (self.text, self.negative))
        return Reading(self.clip_skip, tokens.LIMIT * max(1, -(-longest // tokens.LIMIT)), weighted=True)

    def facts(self, model: str) -> dict[str, Any]:
        """How it is made on the base model called `model`, as JSON types."""
        return {
            "prompt": self.prompt,
            "negative": self.negative,
            "width": self.width,
            "height": self.height,
            "steps": self.steps,
            "guidance": self.guidance,
            "seed": self.seed,
            "sampler": self.sampler,
            "clip_skip": self.clip_skip,
            "model": model,
            "adapters": [{"file": str(one.file), "unet": one.unet, "text": one.text} for one in self.worn],
            **({"embeddings": {name: str(file) for name, file in said.items()}} if (said := self.said) else {}),
            "software": f"sdtui {sdtui.__version__}",
        }

    def parameters(self, model: str) -> str:
        """The same as A1111's web UI writes and reads it, in the text chunk `parameters`."""
        fields = {
            "Steps": self.steps,
            "Sampler": public_name(self.sampler),
            "CFG scale": f"{self.guidance:g}",
            "Seed": self.seed,
            "Size": f"{self.width}x{self.height}",
            "Model": _quoted(model),
            **({"Clip skip": self.clip_skip} if self.clip_skip != 1 else {}),
            "RNG": "CPU",
            "Version": f"sdtui {sdtui.__version__}",
        }
        lines = [_tagged(self.prompt, self.worn)]
        lines += [f"Negative prompt: {self.negative}"] if self.negative else []
        return "\n".join([*lines, ", ".join(f"{key}: {value}" for key, value in fields.items())])


def _tagged(prompt: str, worn: Sequence[Worn]) -> str:
    """The prompt with a tag for each adapter that none stands for yet, as it was put on in another way."""
    tags = [_tag(one) for one in worn if f":{one.file.stem}" not in prompt]
    return " ".join([prompt, *tags])


def _tag(one: Worn) -> str:
    strengths = f"{one.text:g}" if one.text == one.unet else f"{one.text:g}:{one.unet:g}"
    return f"<lora:{one.file.stem}:{strengths}>"


def _quoted(text: str) -> str:
    """As A1111 writes a value that holds what parts the fields."""
    return f'"{text}"' if set(text) & set(',:"\n') else text
