"""Any image-to-text model that transformers can load from a folder: BLIP, BLIP-2, GIT and their like."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.describers.base import Asked, on_one_line
from sdtui.tagging.descriptions import DescriberFacts
from sdtui.tagging.taggers.base import Where, torch_device

_WEIGHTS = "*.safetensors"


class HuggingFaceDescriber:
    """A model of transformers; weights from safetensors only, and no code that comes with a model is run."""

    fixed_batch: int | None = None

    def __init__(self, folder: Path, name: str, where: Where, asked: Asked) -> None:
        """Load it.

        Raises:
            UserError: the folder holds no image-to-text model, or none in safetensors.
        """
        if not any(folder.glob(_WEIGHTS)):
            raise UserError("no weights in safetensors", where=printable(folder), remedy="Convert the model's weights")
        self.device = torch_device(where)
        dtype = torch.float16 if self.device == "cuda" else torch.float32
        try:
            # Said outright: left open, transformers asks at the terminal whether to run the model's own code.
            own = {"local_files_only": True, "trust_remote_code": False}
            self._processor = AutoProcessor.from_pretrained(folder, **own)
            self._model = AutoModelForImageTextToText.from_pretrained(folder, use_safetensors=True, dtype=dtype, **own)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
            raise UserError(
                f"not an image-to-text model: {str(error).splitlines()[0]}", where=printable(folder)
            ) from error
        self._model.to(self.device).eval()
        self._asked = asked
        how = f"at most {asked.max_tokens} tokens" + (f", beginning {asked.prompt!r}" if asked.prompt else "")
        self.facts = DescriberFacts(name, _digest(folder, asked), how)

    @torch.inference_mode()
    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """As `Describer.describe`; the likeliest word each time, so that the same image always gets the same words."""
        text = [self._asked.prompt] * len(images) if self._asked.prompt else None
        try:
            given = self._processor(images=list(images), text=text, return_tensors="pt")
            given = given.to(self.device, self._model.dtype)
            found = self._model.generate(**given, max_new_tokens=self._asked.max_tokens, do_sample=False, num_beams=1)
        except (RuntimeError, ValueError, TypeError) as error:
            raise SdtuiError(f"the model failed: {error}", remedy="Try a smaller --batch-size") from error
        return [on_one_line(words) for words in self._processor.batch_decode(found, skip_special_tokens=True)]


def _digest(folder: Path, asked: Asked) -> str:
    """Of the model's configuration, its files' names and sizes, and what it is asked: weights are gigabytes to read."""
    found = hashlib.sha256((folder / "config.json").read_bytes())
    for path in sorted(folder.glob(_WEIGHTS)):
        found.update(f"{path.name} {path.stat().st_size}\n".encode())
    found.update(f"{asked.prompt}\n{asked.max_tokens}".encode())
    return found.hexdigest()
