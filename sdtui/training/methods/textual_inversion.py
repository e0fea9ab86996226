"""Textual inversion: vectors of new words learn, and everything else stays as it was (Gal et al. 2022).

Each word's vectors are parameters of their own, which the model's `words` put in the place of its name. No row of the
model's vocabulary is among them, so that neither a gradient nor weight decay can reach one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.formats import embedding
from sdtui.formats.embedding import Embedding
from sdtui.models.hub import located
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.models.words import Words, require_fitting, require_new
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.methods.parameters import put_back
from sdtui.training.methods.word_norm import NormPull, Pulled
from sdtui.training.stops import WORDS

if TYPE_CHECKING:
    from sdtui.models.family import Model
    from sdtui.profile.schema import Method as MethodSettings
    from sdtui.profile.schema import Profile
    from sdtui.profile.sections.method import Word

Vectors = Mapping[str, nn.Parameter]
"""A word's vectors (n, D), fp32, by text encoder."""


@dataclass(frozen=True)
class Learning:
    """The words of `model` that learn, by name."""

    model: Model
    settings: Mapping[str, Word]
    vectors: Mapping[str, Vectors]
    limit: NormPull | None = None
    format: None = None
    trains_text_encoder: bool = True
    """The text encoder itself stays, but what it says of a word does not."""
    _start: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    def remember(self) -> None:
        """Keep the vectors for `frozen`."""
        for name, vectors in self.vectors.items():
            self._start[name] = {part: rows.detach().clone() for part, rows in vectors.items()}

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The remembered vectors in place of those that learn."""
        learning, self.model.words = self.model.words, Words.of(self._start)
        try:
            yield
        finally:
            self.model.words = learning

    def parameter_groups(self, profile: Profile) -> list[ParameterGroup]:
        """A group for each word: at its own rate, without the optimizer's weight decay."""
        usual = profile.optimizer.learning_rate
        return [
            ParameterGroup(
                name=f"{WORDS}.{name}",
                params=list(vectors.values()),
                lr=self.settings[name].learning_rate or usual,
                weight_decay=self.settings[name].weight_decay,
            )
            for name, vectors in self.vectors.items()
        ]

    def state(self) -> dict[str, Tensor]:
        """`words.<name>.<text encoder>`, fp32 copies."""
        return {name: rows.detach().clone() for name, rows in self._named()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Put a checkpoint's vectors back; raises SdtuiError if it has other words, or as many with other lengths."""
        put_back(dict(self._named()), tensors, "choice of words")

    def results(self) -> dict[str, Embedding]:
        """An embedding for each word."""
        return {
            name: Embedding(
                name, {part: rows.detach().clone() for part, rows in vectors.items()}, model=self.model.name
            )
            for name, vectors in self.vectors.items()
        }

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        for name, vectors in self.vectors.items():
            for part, rows in vectors.items():
                yield f"{WORDS}.{name}.{part}", rows


def prepare(model: Model, settings: MethodSettings, seed: int) -> Learning:  # noqa: ARG001 - nothing here is random
    """Teach `model` the words of the profile, each with the vectors it starts with.

    Raises:
        UserError: one is a word of the vocabulary already, or goes on from a file that does not fit.
    """
    assert isinstance(model, StableDiffusion)
    for _, tokenizer in model.encoders:
        require_new((word.name for word in settings.words), tokenizer)
    vectors = {word.name: _start(model, word, f"method.words[{at}]") for at, word in enumerate(settings.words)}
    model.words = Words.of(vectors)
    pulled = [
        Pulled(rows, word.norm, f"{WORDS}.{word.name}")
        for word in settings.words
        if word.norm
        for rows in vectors[word.name].values()
    ]
    return Learning(model, {word.name: word for word in settings.words}, vectors, NormPull(pulled) if pulled else None)


def require_starts(profile: Profile) -> None:
    """Read the files that words go on from before anything is loaded.

    Raises:
        UserError: one cannot be read, or does not fit the base model.
    """
    if not any(word.continue_from for word in profile.method.words):
        return
    base = recognise(located(profile.model.base))
    configs = base.configs()
    widths = {each.component: int(configs[each.component]["hidden_size"]) for each in base.family.encoders}
    for at, word in enumerate(profile.method.words):
        if word.continue_from:
            _from_file(word, widths, f"method.words[{at}]")


def _start(model: StableDiffusion, word: Word, where: str) -> dict[str, nn.Parameter]:
    """What a word begins as, on the model's device."""
    parts = {
        kind.component: (encoder, tokenizer)
        for kind, (encoder, tokenizer) in zip(model.kind.encoders, model.encoders, strict=True)
    }
    if word.continue_from:
        rows = _from_file(word, {name: encoder.config.hidden_size for name, (encoder, _) in parts.items()}, where)
    else:
        rows = {
            name: init_vectors(encoder.get_input_embeddings().weight, tokenizer, word.init, word.vectors)
            for name, (encoder, tokenizer) in parts.items()
        }
    return {name: nn.Parameter(found.detach().float().clone().to(model.device)) for name, found in rows.items()}


@torch.no_grad()
def init_vectors(table: Tensor, tokenizer: Any, text: str, count: int) -> Tensor:
    """(count, D): rows of the vocabulary's `table` for `text`, cut or evenly repeated; zeros for a text of no token.

    Vector i is that of token i · n // count of the n tokens (A1111's `create_embedding`).
    """
    ids = tokenizer(text, add_special_tokens=False).input_ids[:count] if text.strip() else []
    if not ids:
        return table.new_zeros(count, table.shape[1])
    return table[[ids[at * len(ids) // count] for at in range(count)]]


def _from_file(word: Word, widths: Mapping[str, int], where: str) -> dict[str, Tensor]:
    found = embedding.read(Path(word.continue_from))
    require_fitting(word.name, found.vectors, widths, word.continue_from)
    if found.count != word.vectors:
        message = f"the file has {found.count} vectors, and {where}.vectors is {word.vectors}"
        raise UserError(message, where=word.continue_from, remedy=f"Set vectors = {found.count}")
    return dict(found.vectors)
