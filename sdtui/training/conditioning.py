"""Captions as the UNet reads them: from a cache while the text encoder is frozen, encoded anew while it is trained."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

import torch
from torch import Tensor

from sdtui.models.family import Model, Reading, TextStates
from sdtui.paths import cache_dir
from sdtui.profile.schema import Captions
from sdtui.training.cache import Progress
from sdtui.training.store import TensorStore, key_of

CODE_VERSION = 3
"""Raised whenever the same text would be encoded differently than before."""

CHUNK_TEXTS = 16
"""How many texts are encoded at once, on a processor twice as fast as one by one."""

Conditioning = Callable[[Sequence[str]], TextStates]
"""Texts to states (B, length, D) and, of some families, summaries (B, P), in float32."""


def reading_of(captions: Captions) -> Reading:
    """How the profile has captions and preview prompts read."""
    return Reading(captions.clip_skip, captions.max_tokens, captions.weighted)


def live_conditioning(model: Model, reading: Reading) -> Conditioning:
    """Encodes at every call, with the graph that trains the text encoder."""
    return lambda texts: model.encode_text(list(texts), reading)


class CachedConditioning:
    """The states of a frozen text encoder, each text encoded once and shared between runs.

    A batch always has as many rows: what a row says then depends on no other row to the last bit, and a text has the same
    bits whichever run encoded it, with whatever else was missing.

    Args:
        model: whose text encoder reads.
        reading: how it reads.
        store: where states are kept; the user's cache folder if not given.
    """

    def __init__(self, model: Model, reading: Reading, store: TensorStore | None = None) -> None:
        self._model = model
        self._reading = reading
        self.store = store or TensorStore(cache_dir() / "texts")

    def __call__(self, texts: Sequence[str]) -> TextStates:
        """The states of texts that `fill` has seen, on the CPU."""
        return _stacked([_read(self._entry(text)) for text in texts])

    def fill(self, texts: Iterable[str], progress: Progress) -> None:
        """Encode the texts that are not in the store yet; `progress(done, total)` may raise."""
        distinct = sorted(set(texts))
        missing = [text for text in distinct if not self.store.has(self._key(text))]
        done = len(distinct) - len(missing)
        for start in range(0, len(missing), CHUNK_TEXTS):
            chunk = missing[start : start + CHUNK_TEXTS]
            self._encode(chunk)
            done += len(chunk)
            progress(done, len(distinct))

    def _entry(self, text: str) -> dict[str, Tensor]:
        found = self.store.find(self._key(text))
        if found is None:
            self._encode([text])  # it was deleted or damaged since
            found = self.store.get(self._key(text))
        return found

    @torch.no_grad()
    def _encode(self, texts: list[str]) -> None:
        rows = texts + texts[-1:] * (CHUNK_TEXTS - len(texts))
        said = self._model.encode_text(rows, self._reading)
        for row, text in enumerate(texts):
            self.store.put(self._key(text), _written(said.each(itemgetter(row))))

    def _key(self, text: str) -> str:
        return key_of(CODE_VERSION, self._model.text_encoder_digest, self._reading, text)


class DrawnConditioning:
    """The states of a frozen text encoder where each step draws its own texts: those read last are kept in memory.

    A text is encoded by itself, never in a batch: its last bits would depend on what else was missing, and a resumed
    run, whose cache is empty, must get the bits that it would have got.

    Args:
        model: whose text encoder reads.
        reading: how it reads.
        capacity_bytes: how much is kept; beyond it the text that was not read for longest goes first.
    """

    def __init__(self, model: Model, reading: Reading, capacity_bytes: int) -> None:
        self._model = model
        self._reading = reading
        self._room = capacity_bytes
        self._states: OrderedDict[str, TextStates] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> TextStates:
        """The states of `texts`, on the CPU."""
        return _stacked([self._state(text) for text in texts])

    @torch.no_grad()
    def _state(self, text: str) -> TextStates:
        if text in self._states:
            self._states.move_to_end(text)
            return self._states[text]
        state = self._model.encode_text([text], self._reading).each(lambda part: part[0].cpu())
        self._states[text] = state
        self._room -= _bytes(state)
        while self._room < 0:
            self._room += _bytes(self._states.popitem(last=False)[1])
        return state


def _stacked(texts: Sequence[TextStates]) -> TextStates:
    """One text after the other, (B, …)."""
    pooled = [text.pooled for text in texts if text.pooled is not None]
    return TextStates(torch.stack([text.states for text in texts]), torch.stack(pooled) if pooled else None)


def _written(text: TextStates) -> dict[str, Tensor]:
    return {name: part for name, part in text._asdict().items() if part is not None}


def _read(entry: dict[str, Tensor]) -> TextStates:
    return TextStates(entry["states"], entry.get("pooled"))


def _bytes(text: TextStates) -> int:
    return sum(part.nbytes for part in text if part is not None)
