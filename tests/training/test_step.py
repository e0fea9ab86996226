"""One optimizer step on a model of one weight."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.models.family import TextStates
from sdtui.models.noise_schedule import retarget
from sdtui.training.cache import Encoded, Latents
from sdtui.training.data import Batch
from sdtui.training.store import TensorStore
from tests.training.bench import Bench
from tests.training.fakes import FakeWays


@pytest.mark.parametrize("batches", [[(0, 1), (2, 3)], [(0, 1, 2), (3,)], [(0,), (1,), (2,), (3,)]])
def test_a_step_is_the_same_however_it_is_cut_into_batches(store: TensorStore, batches: list[Batch]) -> None:
    whole, cut = Bench(store, [(0, 1, 2, 3)]), Bench(store, batches)
    assert cut.take() == pytest.approx(whole.take(), rel=1e-5)
    assert cut.model.weight.item() == pytest.approx(whole.model.weight.item(), rel=1e-6)


def test_each_step_draws_anew_and_the_same_step_the_same(store: TensorStore) -> None:
    first, again = Bench(store, [(0, 1)]), Bench(store, [(0, 1)])
    assert first.take(5) == again.take(5)
    assert first.take(6) != Bench(store, [(0, 1)]).take(5)


def test_a_batch_that_nothing_learns_from_counts_and_changes_nothing(
    store: TensorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where `module_dropout` leaves out all layers at once, which one or two layers often are."""
    bench, both = Bench(store, [(0,), (1,)]), Bench(store, [(0,), (1,)])
    before, predict = bench.model.weight.item(), bench.model.predict
    taken = iter([False, False, False, True])

    def left_out(noisy: Tensor, *others: Any) -> Tensor:
        answer = predict(noisy, *others)
        return answer if next(taken) else answer.detach()

    monkeypatch.setattr(bench.model, "predict", left_out)
    loss, norm = bench.take()
    assert loss == pytest.approx(both.take()[0])
    assert norm == 0.0
    assert bench.model.weight.item() == before
    assert bench.take(1)[1] > 0
    assert bench.model.weight.item() != before


@pytest.mark.parametrize("trained", [False, True])
def test_only_a_text_encoder_that_is_trained_reads_in_the_runs_precision(store: TensorStore, trained: bool) -> None:
    bench = Bench(store, [(0, 1)])
    read_in_half: list[bool] = []

    def conditioning(texts: Sequence[str]) -> TextStates:
        read_in_half.append(torch.is_autocast_enabled("cpu"))
        return bench.model.encode_text(texts)

    bench.stepper.conditioning = conditioning
    bench.stepper.trains_text_encoder = trained
    bench.stepper.accelerator.autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16)
    bench.take()
    assert read_in_half == [trained]


def test_the_model_is_told_the_sizes_of_what_it_sees(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1)])
    bench.take()
    (sizes,) = bench.model.seen_sizes
    assert sizes is not None
    # Height before width and top before left, as SDXL reads them; FakeWays' images are 16 × 16 px.
    assert sizes.tolist() == [[16, 16, 0, 0, 16, 16]] * 2


def test_mirroring_and_variant_are_drawn_for_each_image_of_a_step(store: TensorStore) -> None:
    bench = Bench(store, [(0,) * 400])
    entry = {"mean": torch.zeros(4, 2, 2), "std": torch.ones(4, 2, 2)}
    ways = FakeWays("way", flips=True, variants=3)
    for flip, variant in itertools.product((False, True), range(3)):
        store.put(ways.key(flip, variant), entry)
    seen: list[tuple[bool, int]] = []

    class Noted(Latents):
        def at(self, sample: int, flip: bool, variant: int) -> Encoded:
            seen.append((flip, variant))
            return super().at(sample, flip, variant)

    bench.stepper.latents = Noted(store, [ways])
    bench.take(0)
    assert sorted(set(seen)) == [(False, 0), (False, 1), (False, 2), (True, 0), (True, 1), (True, 2)]
    assert all(40 < seen.count(way) < 95 for way in set(seen))  # 400 / 6 = 67
    first, seen[:] = list(seen), []
    bench.take(0)
    assert seen == first
    bench.take(1)
    assert seen[400:] != first


def test_dropped_captions_are_empty(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1, 2, 3)], dropout=1.0)
    bench.take()
    assert bench.model.encoded_texts == ["", "", "", ""]


def test_captions_are_drawn_for_the_step(store: TensorStore) -> None:
    bench = Bench(store, [(2,), (0, 1)], prefix="x ", dropout_every=2)
    bench.take(0)
    assert bench.model.encoded_texts == ["x ccc", "x a", "x bb"]
    bench.take(bench.stepper.order.steps_per_epoch)
    assert bench.model.encoded_texts[3:] == ["", "", ""]


def test_captions_are_dropped_at_their_rate(store: TensorStore) -> None:
    bench = Bench(store, [(3,) * 100], dropout=0.25)
    bench.take()
    assert 15 <= bench.model.encoded_texts.count("") <= 35


@pytest.mark.parametrize(
    "objective",
    [
        {"prediction": "v_prediction"},
        {"timestep_min": 9},
        {"timestep_max": 1},
        {"min_snr_gamma": 0.5},
        {"debiased": True},
        {"scale_velocity_loss": True},
        {"velocity_like_loss": 1.0},
        {"noise_offset": 0.5},
        {"noise_offset_adaptive": 0.5},
        {"multires_iterations": 2},
        {"input_perturbation": 0.5},
        {"loss": "l1"},
        {"loss": "huber"},
        {"loss": "smooth_l1"},
    ],
    ids="-".join,
)
def test_every_setting_of_the_objective_changes_the_step(store: TensorStore, objective: dict[str, Any]) -> None:
    changed = Bench(store, [(1, 2)], objective=objective)
    retarget(changed.model, objective.get("prediction", "auto"), zero_terminal_snr=False)
    assert changed.take() != Bench(store, [(1, 2)]).take()


@pytest.mark.parametrize(
    ("plain", "objective"),
    [
        ({"noise_offset": 0.5}, {"noise_offset_random": True}),
        ({"multires_iterations": 2}, {"multires_discount": 0.9}),
        ({"input_perturbation": 0.5}, {"input_perturbation_random": True}),
        ({"loss": "huber"}, {"huber_schedule": "constant"}),
        ({"loss": "huber"}, {"huber_schedule": "exponential"}),
        ({"loss": "huber"}, {"huber_c": 0.3}),
        ({"loss": "smooth_l1"}, {"huber_scale": 2.0}),
    ],
)
def test_what_shapes_another_setting_changes_it(
    store: TensorStore, plain: dict[str, Any], objective: dict[str, Any]
) -> None:
    changed = Bench(store, [(1, 2)], objective={**plain, **objective})
    assert changed.take() != Bench(store, [(1, 2)], objective=plain).take()


@pytest.mark.parametrize(("objective", "expected"), [({"timestep_min": 9}, {9}), ({"timestep_max": 2}, {0, 1})])
def test_only_timesteps_of_the_range_are_trained(
    store: TensorStore, objective: dict[str, int], expected: set[int]
) -> None:
    bench = Bench(store, [(0,) * 50], objective=objective)
    bench.take()
    assert bench.model.seen_timesteps == expected


def test_the_step_knows_its_number_and_samples(store: TensorStore) -> None:
    taken = Bench(store, [(2, 1), (3,)]).stepper.take(9)
    assert (taken.number, taken.samples) == (10, [2, 1, 3])
    assert set(taken.marks.seconds()) == {"data", "forward", "backward", "optimizer", "other"}
