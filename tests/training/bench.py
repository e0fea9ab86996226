"""A stepper without a network, for tests of what happens inside a step."""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator

from sdtui.profile.schema import Optimizer, Profile
from sdtui.training.cache import Latents
from sdtui.training.captions import CaptionSource
from sdtui.training.data import Batch, DataOrder
from sdtui.training.methods.method import ParameterGroup
from sdtui.training.optimizer import GuardedStep, build
from sdtui.training.step import Stepper
from sdtui.training.store import TensorStore
from tests.training.fakes import FakeModel, FakeWays


class FixedOrder(DataOrder):
    """The same batches at every step."""

    def __init__(self, batches: list[Batch], regularization: frozenset[int]) -> None:
        super().__init__([(64, 64)] * 4, [1] * 4, 4, 1, 0, regularization)
        self.fixed = batches

    def at(self, step: int) -> list[Batch]:
        return self.fixed


class Bench:
    """A stepper over four images of one colour each and the captions "a" to "dddd", on a model of one weight."""

    def __init__(
        self,
        store: TensorStore,
        batches: list[Batch],
        objective: dict[str, Any] | None = None,
        prior: dict[str, Any] | None = None,
        regularization: frozenset[int] = frozenset(),
        **captions: Any,
    ) -> None:
        self.model = FakeModel()
        for number in range(4):
            store.put(f"{number:064}", {"mean": torch.full((4, 2, 2), float(number)), "std": torch.ones(4, 2, 2)})
        profile = Profile.model_validate(
            {
                "model": {"base": "x"},
                "training": {"steps": 1, "seed": 7},
                "objective": objective or {},
                "prior": prior or {},
                "captions": captions,
            }
        )
        order = FixedOrder(batches, regularization)
        accelerator = Accelerator(cpu=True)
        groups = [ParameterGroup(params=[self.model.weight], name="unet", lr=0.1)]
        optimizer = accelerator.prepare(build(groups, Optimizer()))
        self.stepper = Stepper(
            accelerator=accelerator,
            model=self.model,
            order=order,
            latents=Latents(store, [FakeWays(f"{number:064}") for number in range(4)]),
            captions=CaptionSource(["a", "bb", "ccc", "dddd"], [profile.captions] * 4, order, 7, 1),
            conditioning=self.model.encode_text,
            apply=GuardedStep(accelerator, optimizer, 0.0),
            profile=profile,
            trains_text_encoder=False,
            frozen=self.model.frozen,
        )

        self.kept = 0.0

    def take(self, step: int = 0) -> tuple[float, float]:
        """Loss and gradient norm of a step; what of the loss teaches what to keep stays in `kept`."""
        loss, norm, refused, self.kept = self.stepper.take(step).readout.read()
        assert not refused
        return loss, norm
