"""Measuring held-out images: the loss by hand, the same questions each time, and nothing of training touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.dataset.buckets import Bucket
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import ImageFacts
from sdtui.profile.schema import Validation
from sdtui.training import validation
from sdtui.training.optimizer import GuardedStep
from sdtui.training.store import TensorStore
from sdtui.training.validation import HeldOut, Timetable, Validator, choose, folder_names, noise_of
from tests.training.bench import Bench

SETTINGS = Validation(timesteps=(2, 5, 8), seed=3)


class Told:
    """What a run is told, and a stop after so many looks at the commands."""

    def __init__(self, stop_at: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.states: list[str] = []
        self.done: list[tuple[int, int]] = []
        self.stopping = ""
        self.recorded = 0.0
        self._looks, self._stop_at = 0, stop_at

    def write(self, kind: str, **fields: Any) -> None:
        self.events.append({"kind": kind, **fields})

    def measured(self, loss: float) -> None:
        self.recorded = loss

    def state(self, state: str) -> None:
        self.states.append(state)

    def progress(self, _job: str, done: int, total: int, _unit: str) -> None:
        self.done.append((done, total))

    def poll(self) -> None:
        self._looks += 1
        self.stopping = "stop command" if self._looks == self._stop_at else ""


def sample(name: str, folder: str) -> Sample:
    return Sample(
        Path(f"{name}.png"), name, 1, ImageFacts(Path(name), 16, 16), Bucket(16, 16), folder, role="validation"
    )


def validator(bench: Bench, told: Told, settings: Validation = SETTINGS, folders: str = "aab") -> Validator:
    """Over the first images of `bench`, each in the folder that its letter names."""
    samples = [sample(str(number), f"/data/{folder}") for number, folder in enumerate(folders)]
    held_out = HeldOut(samples, bench.stepper.latents, ["", "xx", "yyyy", "z"][: len(samples)])
    return Validator(bench.stepper, held_out, settings, told, told)  # type: ignore[arg-type]


def loss_of(bench: Bench, **settings: Any) -> float:
    told = Told()
    assert validator(bench, told, SETTINGS.model_copy(update=settings)).measure(0)
    loss: float = told.events[-1]["loss"]
    return loss


def test_the_loss_by_hand(store: TensorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, told = Bench(store, [(0,)]), Told()
    # Images of 0, 1 and 2; noise 2; sqrt of alpha_bar 0.6 and 0.8: the model is shown 0.6 · image + 0.8 · 2 and answers
    # half of it plus 0.01 · timestep · length of the text.
    monkeypatch.setattr(validation, "noise_of", lambda _seed, _name, _timestep, size: torch.full(size, 2.0))
    bench.model.alphas_cumprod = torch.tensor([0.5, 0.36, 0.5])
    assert validator(bench, told, Validation(timesteps=(1,))).measure(40)
    by_image = [(0.8 - 2) ** 2, (1.1 + 0.02 - 2) ** 2, (1.4 + 0.04 - 2) ** 2]
    (event,) = told.events
    assert (event["kind"], event["step"], event["images"]) == ("validation", 40, 3)
    # Each image counts alike in the whole, whatever its folder.
    assert event["loss"] == pytest.approx(sum(by_image) / 3)
    assert told.recorded == event["loss"]
    assert event["folders"] == pytest.approx({"a": (by_image[0] + by_image[1]) / 2, "b": by_image[2]})
    assert told.states == ["validating"]
    assert told.done == [(0, 3), (1, 3), (2, 3)]


def test_velocity_is_measured_as_velocity(store: TensorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(store, [(0,)])
    monkeypatch.setattr(validation, "noise_of", lambda _seed, _name, _timestep, size: torch.full(size, 2.0))
    bench.model.alphas_cumprod, bench.model.prediction_type = torch.tensor([0.36]), "v_prediction"
    told = Told()
    validator(bench, told, Validation(timesteps=(0,)), "aa").measure(0)
    # sqrt(alpha_bar) · noise - sqrt(1 - alpha_bar) · image, against half of what was shown.
    assert told.events[0]["loss"] == pytest.approx(((0.8 - 1.2) ** 2 + (1.1 - (1.2 - 0.8)) ** 2) / 2)


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_every_measurement_asks_the_same_however_it_is_cut(store: TensorStore, batch_size: int) -> None:
    first, second = Bench(store, [(0,)]), Bench(store, [(0,)])
    second.stepper.profile = second.stepper.profile.model_copy(
        update={"training": second.stepper.profile.training.model_copy(update={"batch_size": batch_size})}
    )
    assert loss_of(first) == loss_of(first)
    assert loss_of(second) == pytest.approx(loss_of(first), rel=1e-6)


def test_seed_timesteps_and_number_of_images_decide_what_is_asked(store: TensorStore) -> None:
    bench = Bench(store, [(0,)])
    losses = {
        loss_of(bench, **changed)
        for changed in ({}, {"seed": 4}, {"timesteps": (2, 5)}, {"timesteps": (2, 5, 9)}, {"most_images": 1})
    }
    assert len(losses) == 5


def test_noise_depends_on_seed_image_and_timestep() -> None:
    size = torch.Size((4, 2, 2))
    drawn = [noise_of(*of, size).sum().item() for of in ((1, "a", 200), (2, "a", 200), (1, "b", 200), (1, "a", 400))]
    assert len(set(drawn)) == 4
    assert torch.equal(noise_of(1, "a", 200, size), noise_of(1, "a", 200, size))


@pytest.mark.parametrize(
    "objective",
    [
        {"loss": "l1"},
        {"min_snr_gamma": 1.0},
        {"noise_offset": 0.5},
        {"multires_iterations": 3},
        {"input_perturbation": 0.5},
        {"timestep_min": 9},
    ],
)
def test_how_training_weighs_and_draws_does_not_matter(store: TensorStore, objective: dict[str, Any]) -> None:
    assert loss_of(Bench(store, [(0,)], objective)) == loss_of(Bench(store, [(0,)]))


def test_nothing_of_training_is_touched(store: TensorStore) -> None:
    bench = Bench(store, [(0, 1)])
    unet = bench.model.unet = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout())
    unet.train()
    unet[0].eval()
    seen: list[bool] = []
    predict = bench.model.predict

    def noted(*arguments: Any) -> torch.Tensor:
        seen.extend([unet.training, torch.is_grad_enabled()])
        return predict(*arguments)

    bench.model.predict = noted  # type: ignore[assignment, method-assign]
    state, weight = torch.get_rng_state(), bench.model.weight.item()
    loss_of(bench)
    assert set(seen) == {False}
    assert torch.equal(torch.get_rng_state(), state)
    assert (bench.model.weight.item(), bench.model.weight.grad) == (weight, None)
    assert [unet.training, unet[0].training, unet[1].training] == [True, False, True]


def test_the_moving_average_is_what_is_measured(store: TensorStore) -> None:
    bench, plain = Bench(store, [(0, 1)]), Bench(store, [(0, 1)])
    bench.stepper.apply = GuardedStep(bench.stepper.accelerator, bench.stepper.apply.optimizer, 0.0, ema_decay=0.9)
    bench.take()
    average = bench.stepper.apply.average
    assert average is not None
    with average.in_place():
        value = bench.model.weight.item()
    assert value != bench.model.weight.item()
    plain.model.weight.data.fill_(value)
    assert loss_of(bench) == loss_of(plain)


def test_a_stop_between_two_images_ends_it_without_a_word(store: TensorStore) -> None:
    told = Told(stop_at=2)
    assert validator(Bench(store, [(0,)]), told).measure(5) is False
    assert told.events == []
    assert told.done == [(0, 3)]


def test_so_many_images_of_each_folder_are_drawn_once() -> None:
    samples = [sample(str(number), "ab"[number % 2]) for number in range(40)]
    assert sorted(choose(samples, Validation())) == list(range(40))
    chosen = list(choose(samples, Validation(most_images=3)))
    assert [samples[number].folder for number in chosen] == ["a"] * 3 + ["b"] * 3
    assert chosen == list(choose(samples, Validation(most_images=3)))
    assert chosen != list(choose(samples, Validation(most_images=3, seed=1)))
    assert chosen[:3] != [0, 2, 4]  # not simply the first
    assert sorted(choose(samples, Validation(most_images=100))) == list(range(40))


def test_folders_are_named_by_their_last_part_unless_two_share_it() -> None:
    samples = [sample("1", "/data/cats"), sample("2", "/data/dogs"), sample("3", "/more/cats")]
    assert folder_names(samples) == ["/data/cats", "dogs", "/more/cats"]
    assert folder_names(samples[:2]) == ["cats", "dogs"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Validation(), [0, 5, 10, 12]),
        (Validation(every_epochs=2), [0, 10, 12]),
        (Validation(every_epochs=0, every_steps=4), [0, 4, 8, 12]),
        (Validation(every_epochs=1, every_steps=4), [0, 4, 5, 8, 10, 12]),
        (Validation(every_epochs=0, every_steps=50), [0, 12]),
        (Validation(every_epochs=0), []),
    ],
)
def test_when_it_is_measured(settings: Validation, expected: list[int]) -> None:
    timetable = Timetable(settings, steps_per_epoch=5, total=12)
    assert [step for step in range(13) if timetable.due(step)] == expected


def test_what_was_measured_is_not_due_again() -> None:
    timetable = Timetable(Validation(), steps_per_epoch=5, total=12)
    timetable.measured = 5
    assert [step for step in range(13) if timetable.due(step)] == [0, 10, 12]
