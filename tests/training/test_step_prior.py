"""What a step does beyond the plain loss: masks, regularisation images, answers of the frozen model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from sdtui.training.store import TensorStore
from tests.training.bench import Bench

BLACK, WHITE = torch.zeros(2, 2), torch.ones(2, 2)
LEFT = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
SECOND = frozenset({1})


def masked(store: TensorStore, masks: dict[int, torch.Tensor], batch: Sequence[int] = (0,), **settings: Any) -> Bench:
    """A bench whose images have masks."""
    bench = Bench(store, [tuple(batch)], **settings)
    for number, mask in masks.items():
        store.put(f"{number:064}", {**store.get(f"{number:064}"), "mask": mask})
    return bench


def test_a_mask_takes_its_places_out_of_the_mean(store: TensorStore) -> None:
    plain, _ = Bench(store, [(0,)]).take()
    assert masked(store, {0: WHITE}).take()[0] == plain
    assert masked(store, {0: BLACK}).take() == (0.0, 0.0)
    right = 1 - LEFT
    halves = masked(store, {0: LEFT}).take()[0], masked(store, {0: right}).take()[0]
    assert sum(halves) == pytest.approx(plain, rel=1e-6)
    assert 0 < halves[0] < plain


def test_the_image_under_black_places_does_not_matter(store: TensorStore) -> None:
    found = masked(store, {0: LEFT}).take()  # loss, and norm of the only weight's gradient
    for change, same in ((1 - LEFT, True), (LEFT, False)):
        bench = masked(store, {0: LEFT})
        entry = store.get(f"{0:064}")
        store.put(f"{0:064}", {**entry, "mean": entry["mean"] + 5 * change})
        assert (bench.take() == found) is same


def test_black_places_count_as_much_as_they_are_told(store: TensorStore) -> None:
    plain, _ = Bench(store, [(0,)]).take()
    loss, _ = masked(store, {0: BLACK}, objective={"unmasked_weight": 0.25}).take()
    assert loss == pytest.approx(0.25 * plain, rel=1e-6)


def test_images_without_a_mask_count_whole_beside_those_with_one(store: TensorStore) -> None:
    first, _ = Bench(store, [(0,)]).take()
    assert masked(store, {1: BLACK}, batch=(0, 1)).take()[0] == pytest.approx(first / 2, rel=1e-6)


def test_a_mask_is_ignored_at_its_chance(store: TensorStore) -> None:
    plain, _ = Bench(store, [(0,) * 400]).take()
    for chance, least, most in ((0.0, 0, 0), (0.3, 0.22, 0.38), (1.0, 1, 1)):
        loss, _ = masked(store, {0: BLACK}, batch=(0,) * 400, objective={"unmasked_chance": chance}).take()
        assert least <= loss / plain <= most
    again = [masked(store, {0: BLACK}, (0,) * 9, objective={"unmasked_chance": 0.5}).take(step) for step in (3, 3, 4)]
    assert again[0] == again[1] != again[2]


def test_regularisation_counts_by_its_weight_in_the_mean_over_all_images(store: TensorStore) -> None:
    first, _ = Bench(store, [(0,)]).take()
    both, _ = Bench(store, [(0, 1)]).take()
    bench = Bench(store, [(0, 1)], prior={"weight": 0.25}, regularization=SECOND)
    loss, _ = bench.take()
    second = 2 * both - first
    assert loss == pytest.approx((first + 0.25 * second) / 2, rel=1e-5)
    assert bench.kept == pytest.approx(0.25 * second / 2, rel=1e-5)


def test_what_is_kept_of_several_batches_is_added(store: TensorStore) -> None:
    whole = Bench(store, [(0, 1, 2, 3)], regularization=frozenset({1, 2}))
    cut = Bench(store, [(0, 1), (2, 3)], regularization=frozenset({1, 2}))
    assert cut.take() == pytest.approx(whole.take(), rel=1e-5)
    assert cut.kept == pytest.approx(whole.kept, rel=1e-5)


def test_regularisation_with_frozen_target_costs_nothing_until_the_model_has_changed(store: TensorStore) -> None:
    first, _ = Bench(store, [(0,)]).take()
    bench = Bench(store, [(0, 1)], prior={"target": "frozen", "weight": 0.5}, regularization=SECOND)
    assert bench.take()[0] == pytest.approx(first / 2, rel=1e-6)
    assert bench.kept == 0
    moved(bench, 0.7)
    bench.take()
    # The two answers differ by 0.7 - 0.5 times what the model was shown; half of it, in the mean of two.
    shown = bench.model.seen_latents[-1][1]
    assert bench.kept == pytest.approx(0.5 * float((0.2 * shown).square().mean()) / 2, rel=1e-5)


def test_a_class_caption_shows_each_training_image_again(store: TensorStore) -> None:
    settings = {"class_caption": "dog", "trigger": "bb", "class_weight": 0.5}
    plain = Bench(store, [(1, 2)], regularization=frozenset({2}))
    bench = Bench(store, [(1, 2)], prior=settings, regularization=frozenset({2}))
    assert bench.take()[0] == pytest.approx(plain.take()[0], rel=1e-6)
    assert bench.model.encoded_texts == ["dog", "bb", "ccc", "dog"]
    assert bench.kept == pytest.approx(plain.kept)


def test_a_class_caption_costs_what_the_answer_has_moved(store: TensorStore) -> None:
    loss: dict[float, float] = {}
    for weight in (0.0, 0.5):
        bench = Bench(store, [(1, 2)], prior={"class_caption": "dog", "class_weight": weight})
        moved(bench, 0.7)
        loss[weight], _ = bench.take()
    shown = bench.model.seen_latents[-1]
    assert torch.equal(shown[:2], shown[2:])  # the same noise and timesteps
    expected = 0.5 * float((0.2 * shown[:2]).square().mean())
    assert bench.kept == pytest.approx(expected, rel=1e-5)
    assert loss[0.5] - loss[0.0] == pytest.approx(expected, rel=1e-4)


def test_the_class_is_kept_where_the_mask_is_black_too(store: TensorStore) -> None:
    kept: list[float] = []
    for mask in (WHITE, BLACK):
        bench = masked(store, {0: mask}, prior={"class_caption": "dog"})
        moved(bench, 0.7)
        bench.take()
        kept.append(bench.kept)
    assert kept[0] == kept[1] > 0


def test_the_frozen_answer_has_no_gradient_and_leaves_the_draws_alone(store: TensorStore) -> None:
    plain = Bench(store, [(0, 1)])
    bench = Bench(store, [(0, 1)], prior={"class_caption": "dog"})
    # At the start the class costs nothing, and its gradient is that of a square at its lowest point.
    assert bench.take() == pytest.approx(plain.take(), rel=1e-6)
    assert torch.equal(bench.model.seen_latents[-1][:2], plain.model.seen_latents[-1])


def moved(bench: Bench, weight: float) -> None:
    """Let the model have learned something."""
    with torch.no_grad():
        bench.model.weight.fill_(weight)
