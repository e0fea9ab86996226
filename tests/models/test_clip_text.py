"""Texts in CLIP's windows: which token stands where, and what it weighs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sdtui.models import clip_text
from sdtui.models.family import PLAINLY, Reading
from sdtui.models.stable_diffusion import StableDiffusion

START, END = 49406, 49407
A, CAT, DOG = 320, 2368, 1929
LONG = Reading(max_tokens=150)


class Letters:
    """A tokenizer of one token a letter (a: 1, b: 2 …), padded with a token of its own as SD 2's is."""

    bos_token_id, eos_token_id, pad_token_id = 100, 101, 0

    def __call__(self, text: str, *, add_special_tokens: bool, truncation: bool, max_length: int) -> Any:
        assert truncation
        assert not add_special_tokens
        return SimpleNamespace(input_ids=[ord(letter) - 96 for letter in text][:max_length])


def test_one_window_is_what_the_tokenizer_makes(model: StableDiffusion) -> None:
    for text in ("", "a cat", "cat " * 75, "cat " * 80):
        expected = model.encoders[0][1](text, padding="max_length", max_length=77, truncation=True).input_ids
        assert clip_text.tokenize(model.encoders[0][1], [text], PLAINLY).ids.tolist() == [[expected]]


def test_a_long_text_is_cut_into_windows_with_marks_of_their_own(model: StableDiffusion) -> None:
    ids, weights = clip_text.tokenize(model.encoders[0][1], ["cat " * 75 + "a dog", "a cat", "dog " * 200], LONG)
    assert ids.tolist() == [
        [[START, *[CAT] * 75, END], [START, A, DOG, *[END] * 74]],
        [[START, A, CAT, *[END] * 74], [START, *[END] * 76]],
        [[START, *[DOG] * 75, END], [START, *[DOG] * 75, END]],
    ]
    assert weights.tolist() == [[1.0] * 152] * 3


def test_225_tokens_are_three_windows(model: StableDiffusion) -> None:
    ids = clip_text.tokenize(model.encoders[0][1], ["cat " * 225 + "dog"], Reading(max_tokens=225)).ids
    assert ids.tolist() == [[[START, *[CAT] * 75, END]] * 3]


@pytest.mark.parametrize(
    ("length", "windows"),
    [
        (0, [[100, 101, *[0] * 75], [100, 101, *[0] * 75]]),
        (2, [[100, 1, 1, 101, *[0] * 73], [100, 101, *[0] * 75]]),
        (74, [[100, *[1] * 74, 101, 0], [100, 101, *[0] * 75]]),
        (75, [[100, *[1] * 75, 101], [100, 101, *[0] * 75]]),
        (76, [[100, *[1] * 75, 101], [100, 1, 101, *[0] * 74]]),
        (150, [[100, *[1] * 75, 101], [100, *[1] * 75, 101]]),
    ],
)
def test_every_window_ends_its_text_before_other_padding(length: int, windows: list[list[int]]) -> None:
    assert clip_text.tokenize(Letters(), ["a" * length], LONG).ids.tolist() == [windows]


def test_weights_stand_at_the_tokens_of_their_part() -> None:
    ids, weights = clip_text.tokenize(Letters(), ["a(bc:1.5)[d]"], Reading(weighted=True))
    assert ids[0, 0, :6].tolist() == [100, 1, 2, 3, 4, 101]
    assert weights[0, :6].tolist() == pytest.approx([1.0, 1.0, 1.5, 1.5, 1 / 1.1, 1.0])
    assert weights[0, 6:].tolist() == [1.0] * 71


def test_weights_of_a_second_window_and_of_what_is_cut() -> None:
    text = "a" * 74 + "(bb:2)" + "c" * 80
    ids, weights = clip_text.tokenize(Letters(), [text], Reading(max_tokens=150, weighted=True))
    assert ids[0, 0, 74:].tolist() == [1, 2, 101]
    assert ids[0, 1, :3].tolist() == [100, 2, 3]
    assert [at for at, weight in enumerate(weights[0].tolist()) if weight == 2] == [75, 76]
    assert weights.shape == (1, 152)


def test_brackets_are_text_unless_weights_are_read() -> None:
    texts: list[str] = []

    class Seen(Letters):
        def __call__(self, text: str, **settings: Any) -> Any:
            texts.append(text)
            return super().__call__("", **settings)

    clip_text.tokenize(Seen(), ["a (cat:1.5)"], PLAINLY)
    clip_text.tokenize(Seen(), ["a (cat:1.5)"], Reading(weighted=True))
    assert texts == ["a (cat:1.5)", "a ", "cat"]


def test_joined_states_keep_the_outermost_marks() -> None:
    states = torch.arange(2 * 77.0).reshape(1, 2, 77, 1)
    joined = clip_text.join(states)
    assert joined.shape == (1, 152, 1)
    assert joined.flatten().tolist() == [*range(76), *range(78, 153), 153]
    assert torch.equal(clip_text.join(states[:, :1]), states[:, 0])
