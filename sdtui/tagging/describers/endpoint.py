"""A vision model behind an OpenAI-compatible address: every image is sent there, scaled down, as a JPEG."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from PIL import Image

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.describers.base import Asked, on_one_line
from sdtui.tagging.descriptions import DescriberFacts

KEY_VARIABLE = "OPENAI_API_KEY"
PROMPT = "Describe this image in one sentence, for training an image model."
_SIDE = 1024
_SECONDS = 300


class Endpoint:
    """One model of an address such as `http://localhost:8080/v1`."""

    def __init__(self, address: str, asked: Asked) -> None:
        """Nothing is sent before the first image; raises UserError without a model's name."""
        if not asked.model:
            raise UserError("which model of the address is not said", where=address, remedy="Name it with --model")
        self._address = address.rstrip("/")
        self._asked = asked
        self._prompt = asked.prompt or PROMPT
        self.device = self._address
        told = "\n".join((self._address, asked.model, self._prompt, str(asked.max_tokens)))
        digest = hashlib.sha256(told.encode()).hexdigest()
        self.facts = DescriberFacts(
            asked.model.rsplit("/", 1)[-1], digest, f"asked {self._prompt!r} at {self._address}"
        )

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """As `Describer.describe`, one request an image."""
        return [on_one_line(self._answer(image)) for image in images]

    def _answer(self, image: Image.Image) -> str:
        question = [
            {"type": "text", "text": self._prompt},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{_jpeg(image)}"}},
        ]
        body = {
            "model": self._asked.model,
            "max_tokens": self._asked.max_tokens,
            "temperature": 0,
            "messages": [{"role": "user", "content": question}],
        }
        found = self._post(json.dumps(body).encode())
        try:
            return str(found["choices"][0]["message"]["content"])
        except (LookupError, TypeError) as error:
            raise SdtuiError("the answer holds no description", where=self._address) from error

    def _post(self, body: bytes) -> Any:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(f"{self._address}/chat/completions", body, headers)  # noqa: S310 - see `describers.is_address`
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            remedy = f"Set {KEY_VARIABLE}" if error.code in {401, 403} else "See what the server says of it"
            raise SdtuiError(
                f"the server refused: {error.code} {error.reason}", where=self._address, remedy=remedy
            ) from error
        except (OSError, ValueError) as error:
            raise SdtuiError(
                f"no answer: {getattr(error, 'reason', error)}", where=self._address, remedy="Is the server running?"
            ) from error


def _jpeg(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=90)
    return base64.b64encode(stream.getvalue()).decode("ascii")
