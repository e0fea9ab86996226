"""A part of a model is in memory while it is asked, and out of the way while it rests."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest
import torch
from torch import nn

from sdtui.models.part import Part

CPU, GPU = torch.device("cpu"), torch.device("cuda")


class Loads:
    """Makes a layer of 2 × 2 ones; every one that it made."""

    def __init__(self) -> None:
        self.made: list[weakref.ref[nn.Module]] = []

    def __call__(self) -> nn.Module:
        layer = nn.Linear(2, 2, bias=False)
        nn.init.ones_(layer.weight)
        self.made.append(weakref.ref(layer))
        return layer

    @property
    def living(self) -> int:
        gc.collect()
        return sum(made() is not None for made in self.made)


def answer(module: Any) -> list[float]:
    found: list[float] = module(torch.tensor([1.0, 2.0])).tolist()
    return found


def test_nothing_is_loaded_before_it_is_asked() -> None:
    loads = Loads()
    part = Part(loads, CPU)
    assert part.present is None
    assert loads.made == []
    assert part.ask(answer) == [3.0, 3.0]
    assert part.ask(answer) == [3.0, 3.0]
    assert (len(loads.made), loads.living) == (1, 1)
    assert part.module is part.present


def test_on_the_processor_what_rests_is_not_in_memory_between_questions() -> None:
    loads = Loads()
    part = Part(loads, CPU)
    part.ask(answer)
    part.rest()
    assert (part.present, loads.living) == (None, 0)
    assert part.ask(answer) == [3.0, 3.0]
    assert (part.present, len(loads.made), loads.living) == (None, 2, 0)


def test_a_question_that_fails_leaves_nothing_behind() -> None:
    part = Part(Loads(), CPU)
    part.rest()
    with pytest.raises(ZeroDivisionError):
        part.ask(lambda _: 1 / 0)
    assert part.present is None


def test_what_is_kept_does_not_rest() -> None:
    part = Part(Loads(), CPU)
    part.rest()
    kept = part.module
    part.ask(answer)
    assert part.present is kept


def test_of_several_threads_the_last_to_be_answered_lets_it_go() -> None:
    loads = Loads()
    part = Part(loads, CPU)
    part.rest()
    inner: list[nn.Module | None] = []

    def ask_again(module: nn.Module) -> None:
        thread = threading.Thread(target=lambda: part.ask(inner.append))
        thread.start()
        thread.join()
        inner.append(part.present)
        assert inner == [module, module]

    part.ask(ask_again)
    inner.clear()
    assert (part.present, len(loads.made), loads.living) == (None, 1, 0)


def test_what_is_told_to_rest_while_it_is_asked_stays_for_the_answer() -> None:
    part = Part(Loads(), CPU)

    def rest(module: nn.Module) -> bool:
        part.rest()
        return part.present is module

    assert part.ask(rest)
    assert part.present is None


class Moved(nn.Module):
    """Says where it was moved."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def to(self, *args: Any, **_: Any) -> Any:
        self.places.append(str(args[0]))
        return self


def test_on_a_gpu_what_rests_waits_in_the_machine_s_memory() -> None:
    module = Moved()
    part = Part(lambda: module, GPU)
    part.ask(lambda _: None)
    part.rest()
    assert module.places == ["cuda", "cpu"]
    part.ask(lambda _: None)
    assert module.places == ["cuda", "cpu", "cuda", "cpu"]
    assert part.present is module
