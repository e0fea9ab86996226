"""One optimizer step on a model of one weight."""

from __future__ import annotations

import pytest
import torch
from accelerate import Accelerator

from sdtui.profile.schema import Optimizer, Profile
from sdtui.training.cache import Latents
from sdtui.training.data import Batch, DataOrder
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.optimizer import GuardedStep, build_adamw
from sdtui.training.step import Stepper
from sdtui.training.store import TensorStore
from tests.training.fakes import FakeModel


class FixedOrder(DataOrder):
    """The same batches at every step."""

    def __init__(self, batches: list[Batch]) -> None:
        super().__init__([(64, 64)] * 4, [1] * 4, 4, 1, 0)
        self.fixed = batches

    def at(self, step: int) -> list[Batch]:
        return self.fixed


class Bench:
    def __init__(self, store: TensorStore, batches: list[Batch], dropout: float = 0.0, offset: float = 0.0) -> None:
        self.model = FakeModel()
        for number in range(4):
            store.put(f"{number:064}", {"mean": torch.full((4, 2, 2), float(number)), "std": torch.ones(4, 2, 2)})
        profile = Profile.model_validate(
            {
                "model": {"base": "x"},
                "training": {"steps": 1, "seed": 7, "noise_offset": offset},
                "captions": {"dropout": dropout},
            }
        )
        accelerator = Accelerator(cpu=True)
        groups = [ParameterGroup(params=[self.model.weight], name="unet", lr=0.1)]
        optimizer = accelerator.prepare(build_adamw(groups, Optimizer()))
        self.stepper = Stepper(
            accelerator=accelerator,
            model=self.model,
            order=FixedOrder(batches),
            latents=Latents(store, [f"{number:064}" for number in range(4)]),
            captions=["a", "bb", "ccc", "dddd"],
            conditioning=self.model.encode_text,
            apply=GuardedStep(accelerator, optimizer, 0.0),
            profile=profile,
            trains_text_encoder=False,
        )

    def take(self, step: int = 0) -> tuple[float, float]:
        loss, norm, refused = self.stepper.take(step).readout.read()
        assert not refused
        return loss, norm


@pytest.fixture
def store(own_folders: object, tmp_path_factory: pytest.TempPathFactory) -> TensorStore:
    return TensorStore(tmp_path_factory.mktemp("store"))


@pytest.mark.parametrize("batches", [[(0, 1), (2, 3)], [(0, 1, 2), (3,)], [(0,), (1,), (2,), (3,)]])
def test_a_step_is_the_same_however_it_is_cut_into_batches(store: TensorStore, batches: list[Batch]) -> None:
    whole, cut = Bench(store, [(0, 1, 2, 3)]), Bench(store, batches)
    assert cut.take() == pytest.approx(whole.take(), rel=1e-5)
    assert cut.model.weight.item() == pytest.approx(whole.model.weight.item(), rel=1e-6)


def test_each_step_draws_anew_and_the_same_step_the_same(store: TensorStore) -> None:
    first, again = Bench(store, [(0, 1)]), Bench(store, [(0, 1)])
    assert first.take(5) == again.take(5)
    assert first.take(6) != Bench(store, [(0, 1)]).take(5)


def test_dropped_captions_are_empty(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1, 2, 3)], dropout=1.0)
    bench.take()
    assert bench.model.encoded_texts == ["", "", "", ""]


def test_captions_are_dropped_at_their_rate(store: TensorStore) -> None:
    bench = Bench(store, [(3,) * 100], dropout=0.25)
    bench.take()
    assert 15 <= bench.model.encoded_texts.count("") <= 35


def test_the_noise_offset_changes_the_noise(store: TensorStore) -> None:
    assert Bench(store, [(0,)], offset=0.5).take() != Bench(store, [(0,)]).take()


def test_the_step_knows_its_number_and_samples(store: TensorStore) -> None:
    taken = Bench(store, [(2, 1), (3,)]).stepper.take(9)
    assert (taken.number, taken.samples) == (10, [2, 1, 3])
    assert set(taken.marks.seconds()) == {"data", "forward", "backward", "optimizer", "other"}
