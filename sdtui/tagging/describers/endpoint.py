"""A vision model behind an OpenAI-compatible address: every image is sent there, scaled down, as a JPEG."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import http.client
import io
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from PIL import Image

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.describers import require_plain
from sdtui.tagging.describers.base import Asked, BusyError, RefusedImageError, on_one_line
from sdtui.tagging.descriptions import DescriberFacts

KEY_VARIABLE = "OPENAI_API_KEY"
PROMPT = "Describe this image in one sentence, for training an image model."
_SIDE = 1024
_SECONDS = 300
# Of an answer: a few sentences are a few kilobytes.
_ANSWER_BYTES = 1 << 24
# Answers of servers that are busy, or behind something that is.
_BUSY = {408, 429, 502, 503, 504, 529}
# Answers to what is asked rather than to who asks: servers give them for an image that they do not want.
_REFUSED = {400, 413, 415, 422, 500}
_LOST = (TimeoutError, ConnectionResetError, http.client.RemoteDisconnected, http.client.IncompleteRead)
_LATER = "The same command goes on from there; the server's log or its limits say more"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Images and the key go where the user said and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """None: the answer counts as a refusal."""


_OPENER = urllib.request.build_opener(_NoRedirects)


class Endpoint:
    """One model of an address such as `http://localhost:8080/v1`."""

    # One request each, so that what is refused is one image.
    fixed_batch = 1

    def __init__(self, address: str, asked: Asked) -> None:
        """Nothing is sent before the first image; raises UserError without a model's name, or with a key that is none."""
        require_plain(address)
        if not asked.model:
            raise UserError("which model of the address is not said", where=address, remedy="Name it with --model")
        self._address = address.rstrip("/")
        self._asked = asked
        self._prompt = asked.prompt or PROMPT
        self._key = _key()
        self._answered = False
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
            words = found["choices"][0]["message"]["content"]
        except (LookupError, TypeError):
            words = None
        if not isinstance(words, str):
            raise RefusedImageError(
                "the answer holds no description", where=self._address, remedy="See whether the model reads images"
            )
        return words

    def _post(self, body: bytes) -> Any:
        """Send it, once; raises BusyError where later may be better."""
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(f"{self._address}/chat/completions", body, headers)  # noqa: S310 - see `describers.is_address`
        try:
            with _OPENER.open(request, timeout=_SECONDS) as answer:
                found = json.loads(answer.read(_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            raise _declined(error, self._address) from error
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            reason = getattr(error, "reason", error)
            told = f"no answer: {reason or type(error).__name__}"
            # A server that answered before may be starting anew; one that never did is likely none.
            if isinstance(reason, _LOST) or (self._answered and isinstance(reason, OSError)):
                raise BusyError(told, where=self._address, remedy=_LATER) from error
            raise SdtuiError(told, where=self._address, remedy="Is the server running?") from error
        self._answered = True
        return found


def _declined(error: urllib.error.HTTPError, address: str) -> SdtuiError:
    """What an answer means that is none."""
    if error.code in _BUSY:
        seconds = _seconds_of(error.headers.get("Retry-After", ""), time.time())
        return BusyError(f"{error.code} {error.reason}", where=address, remedy=_LATER, seconds=seconds)
    told = {401: f"Set {KEY_VARIABLE}", 403: f"Set {KEY_VARIABLE}", 404: "Addresses mostly end in /v1"}
    moved = "Give the address that it moved to" if 300 <= error.code < 400 else "See the server's log"
    kind = RefusedImageError if error.code in _REFUSED else SdtuiError
    return kind(f"the server refused: {error.code} {error.reason}", where=address, remedy=told.get(error.code, moved))


def _seconds_of(header: str, now: float) -> float | None:
    """How long a `Retry-After` asks to wait: seconds, or a date (RFC 9110, 10.2.3); None where it is neither."""
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _key() -> str:
    """The key, if there is one; raises UserError, which does not quote it, where it cannot stand in a header."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError("the key holds what no key holds", where=KEY_VARIABLE, remedy="Set it to the key alone")
    return key


def _jpeg(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=90)
    return base64.b64encode(stream.getvalue()).decode("ascii")
