"""Text conditioning: encoded once per text while the encoder is frozen, every time while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from sdtui.models.family import PLAINLY, Reading, TextStates, load_model
from sdtui.profile.schema import Captions
from sdtui.training import conditioning
from sdtui.training.conditioning import CachedConditioning, DrawnConditioning, live_conditioning, reading_of
from sdtui.training.store import TensorStore
from tests.training.fakes import FakeModel


def nothing(done: int, total: int) -> None:
    pass


def test_each_distinct_text_is_encoded_once() -> None:
    model = FakeModel()
    cached = CachedConditioning(model, PLAINLY)
    cached.fill(["bb", "a", "bb"], nothing)
    assert model.encoded_texts == ["a"] + ["bb"] * 15
    assert cached(["bb", "a", "bb"]).states.flatten().tolist() == [2.0, 1.0, 2.0]
    assert len(model.encoded_texts) == 16


def test_another_run_finds_the_texts() -> None:
    CachedConditioning(FakeModel(), PLAINLY).fill(["a", "bb"], nothing)
    second = FakeModel()
    CachedConditioning(second, PLAINLY).fill(["bb", "a"], nothing)
    assert second.encoded_texts == []


@pytest.mark.parametrize("reading", [Reading(clip_skip=2), Reading(max_tokens=150), Reading(weighted=True)])
def test_how_a_text_is_read_is_part_of_the_key(reading: Reading) -> None:
    CachedConditioning(FakeModel(), PLAINLY).fill(["a"], nothing)
    other = FakeModel()
    CachedConditioning(other, reading).fill(["a"], nothing)
    assert set(other.encoded_texts) == {"a"}


def test_the_encoder_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    CachedConditioning(FakeModel(), PLAINLY).fill(["a"], nothing)
    other = FakeModel()
    monkeypatch.setattr(other, "text_encoder_digest", "another", raising=False)
    CachedConditioning(other, PLAINLY).fill(["a"], nothing)
    assert set(other.encoded_texts) == {"a"}


def test_the_profile_says_how_texts_are_read() -> None:
    assert reading_of(Captions()) == Reading(clip_skip=1, max_tokens=75, weighted=False)
    assert reading_of(Captions(clip_skip=2, max_tokens=225, weighted=True)) == Reading(2, 225, True)


def test_texts_are_encoded_in_chunks_that_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioning, "CHUNK_TEXTS", 2)
    told: list[tuple[int, int]] = []
    CachedConditioning(FakeModel(), PLAINLY).fill(["a", "b", "c"], lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_only_what_is_missing_is_encoded_and_always_in_batches_of_one_size() -> None:
    CachedConditioning(FakeModel(), PLAINLY).fill(["a", "bb"], nothing)
    model = FakeModel()
    told: list[tuple[int, int]] = []
    CachedConditioning(model, PLAINLY).fill(["a", "bb", "ccc"], lambda done, total: told.append((done, total)))
    assert model.encoded_texts == ["ccc"] * 16
    assert told == [(3, 3)]


def test_a_texts_bits_do_not_depend_on_what_it_was_encoded_with(workplace: Path, tmp_path: Path) -> None:
    model = load_model(workplace / "model", None, torch.device("cpu"), torch.float32)
    alone, among = (CachedConditioning(model, PLAINLY, TensorStore(tmp_path / name)) for name in ("alone", "among"))
    alone.fill(["a red square"], nothing)
    among.fill([*map(str, range(20)), "a red square"], nothing)
    assert torch.equal(alone(["a red square"]).states, among(["a red square"]).states)


def test_a_text_that_is_deleted_or_damaged_while_training_is_encoded_again(own_folders: Path) -> None:
    CachedConditioning(FakeModel(), PLAINLY).fill(["a", "bb"], nothing)
    cached = CachedConditioning(FakeModel(), PLAINLY)
    cached.fill(["a", "bb"], nothing)
    first, second = (own_folders / "cache" / "texts").rglob("*.safetensors")
    first.unlink()
    second.write_bytes(second.read_bytes()[:-3])
    assert cached(["bb", "a"]).states.flatten().tolist() == [2.0, 1.0]


def test_live_conditioning_encodes_every_time_and_keeps_the_graph() -> None:
    model = FakeModel()
    weight = torch.nn.Parameter(torch.ones(()))
    encode = model.encode_text
    model.encode_text = lambda prompts, reading=PLAINLY: encode(prompts, reading).each(lambda part: part * weight)  # type: ignore[method-assign]
    live = live_conditioning(model, Reading(clip_skip=2))
    live(["a"])
    assert live(["a"]).states.grad_fn is not None
    assert model.encoded_texts == ["a", "a"]
    assert live(["aaa"]).states.item() == 6.0


ONE_STATE = 4  # bytes of what FakeModel says of a text


def test_drawn_texts_are_encoded_one_by_one_and_once() -> None:
    model = FakeModel()
    batches: list[int] = []
    encode = model.encode_text

    def counted(prompts: Sequence[str], reading: Reading = PLAINLY) -> TextStates:
        batches.append(len(prompts))
        return encode(prompts, reading)

    model.encode_text = counted  # type: ignore[method-assign]
    drawn = DrawnConditioning(model, Reading(clip_skip=2), 100)
    assert drawn(["bb", "a", "bb"]).states.tolist() == [[[4.0]], [[2.0]], [[4.0]]]
    assert drawn(["a", "ccc"]).states.flatten().tolist() == [2.0, 6.0]
    assert model.encoded_texts == ["bb", "a", "ccc"]
    assert batches == [1, 1, 1]


def test_the_text_not_read_for_longest_goes_first() -> None:
    model = FakeModel()
    drawn = DrawnConditioning(model, PLAINLY, 2 * ONE_STATE)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        drawn([text])
    assert model.encoded_texts == ["a", "bb", "ccc", "bb"]


def test_a_batch_larger_than_the_cache_is_still_whole() -> None:
    model = FakeModel()
    drawn = DrawnConditioning(model, PLAINLY, ONE_STATE - 1)
    assert drawn(["a", "bb", "a"]).states.flatten().tolist() == [1.0, 2.0, 1.0]
    assert model.encoded_texts == ["a", "bb", "a"]


def test_drawn_states_carry_no_graph() -> None:
    model = FakeModel()
    encode = model.encode_text
    model.encode_text = lambda prompts, reading=PLAINLY: encode(prompts, reading).each(lambda part: part * model.weight)  # type: ignore[method-assign]
    assert not DrawnConditioning(model, PLAINLY, 100)(["a"]).states.requires_grad
