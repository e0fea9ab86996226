"""A step whose batch does not fit in memory: in parts it is the same step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.training.failures import TooLargeError
from sdtui.training.store import TensorStore
from tests.training.bench import Bench


class _Scarce(torch.autograd.Function):
    """Nothing on the way forward; no memory on the way back where more than `most` rows come."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, most: int) -> Tensor:
        ctx.most = most
        return rows.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        if len(gradients[0]) > ctx.most:
            raise torch.OutOfMemoryError("no memory on the way back")
        return gradients[0], None


def forward(predict: Callable[..., Tensor], most: int) -> Callable[..., Tensor]:
    """A model that has no memory for more than `most` rows."""

    def scarce(noisy: Tensor, *others: Any) -> Tensor:
        if len(noisy) > most:
            raise torch.OutOfMemoryError("no memory on the way forward")
        return predict(noisy, *others)

    return scarce


def backward(predict: Callable[..., Tensor], most: int) -> Callable[..., Tensor]:
    """The same, noticed on the way back."""

    def scarce(noisy: Tensor, *others: Any) -> Tensor:
        rows: Tensor = _Scarce.apply(predict(noisy, *others), most)  # type: ignore[no-untyped-call]
        return rows

    return scarce


@pytest.mark.parametrize("way", [forward, backward])
@pytest.mark.parametrize(("most", "cuts"), [(3, [(4, 2)]), (2, [(4, 2)]), (1, [(4, 2), (2, 1)])])
def test_the_step_in_parts_is_the_step(
    store: TensorStore, way: Callable[..., Any], most: int, cuts: list[tuple[int, int]]
) -> None:
    whole, cut = Bench(store, [(0, 1, 2, 3)]), Bench(store, [(0, 1, 2, 3)])
    cut.model.predict = way(cut.model.predict, most)  # type: ignore[method-assign]
    taken = cut.stepper.take(0)
    assert [(each.images, each.at_once) for each in taken.cuts] == cuts
    assert taken.samples == [0, 1, 2, 3]
    loss, norm, refused, _ = taken.readout.read()
    assert (loss, norm) == pytest.approx(whole.take(), rel=1e-5)
    assert not refused
    assert cut.model.weight.item() == pytest.approx(whole.model.weight.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("more", "cuts", "masked"),
    [
        # Each training image takes a second row, so that four are eight.
        ({"prior": {"class_caption": "x", "class_weight": 0.5}}, [(4, 2), (2, 1)], ()),
        ({"prior": {"target": "frozen", "weight": 0.7}, "regularization": frozenset({1, 2})}, [(4, 2)], ()),
        ({"objective": {"even_masks": True, "unmasked_weight": 0.25}}, [(4, 2)], (0, 3)),
        ({"objective": {"min_snr_gamma": 5.0, "noise_offset": 0.1, "loss": "huber"}}, [(4, 2)], ()),
    ],
    ids=["class", "regularisation", "masks", "weights"],
)
def test_what_counts_more_or_less_counts_as_much_in_parts(
    store: TensorStore, more: dict[str, Any], cuts: list[tuple[int, int]], masked: tuple[int, ...]
) -> None:
    whole, cut = Bench(store, [(0, 1, 2, 3)], **more), Bench(store, [(0, 1, 2, 3)], **more)
    for number in masked:
        key = f"{number:064}"
        store.put(key, {**store.get(key), "mask": torch.tensor([[1.0, 0.0], [0.0, 0.0]])})
    cut.model.predict = forward(cut.model.predict, 2)  # type: ignore[method-assign]
    taken = cut.stepper.take(0)
    assert [(each.images, each.at_once) for each in taken.cuts] == cuts
    loss, norm, _, kept = taken.readout.read()
    assert (loss, norm) == pytest.approx(whole.take(), rel=1e-5)
    assert kept == pytest.approx(whole.kept, rel=1e-5)


def test_batches_before_the_one_that_did_not_fit_count_once(store: TensorStore) -> None:
    whole, cut = Bench(store, [(0,), (1, 2, 3)]), Bench(store, [(0,), (1, 2, 3)])
    cut.model.predict = forward(cut.model.predict, 2)  # type: ignore[method-assign]
    assert cut.take() == pytest.approx(whole.take(), rel=1e-5)


def test_what_did_not_fit_is_not_tried_again(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1, 2, 3)])
    bench.model.predict = forward(bench.model.predict, 2)  # type: ignore[method-assign]
    bench.stepper.take(0)
    bench.model.seen_latents.clear()
    assert bench.stepper.take(1).cuts == []
    assert [len(rows) for rows in bench.model.seen_latents] == [2, 2]


def test_one_image_that_does_not_fit_ends_the_run(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1)])
    bench.model.predict = forward(bench.model.predict, 0)  # type: ignore[method-assign]
    with pytest.raises(TooLargeError, match="no memory for one image of 64×64 px"):
        bench.take()


def test_other_errors_are_not_taken_for_it(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1)])

    def broken(*_: Any) -> Tensor:
        raise RuntimeError("shapes do not match")

    bench.model.predict = broken  # type: ignore[assignment, method-assign]
    with pytest.raises(RuntimeError, match="shapes do not match"):
        bench.take()
