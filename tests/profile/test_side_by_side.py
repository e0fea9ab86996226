"""How many images are encoded at once, by their size and the threads that there are."""

from __future__ import annotations

import os

import pytest

from sdtui.profile.schema import Profile
from sdtui.profile.side_by_side import encoders, threads_of


@pytest.mark.parametrize(
    ("side", "threads", "at_once"),
    [(128, 2, 2), (256, 2, 2), (256, 16, 4), (512, 16, 1), (1024, 16, 1), (64, 1, 1), (64, 100, 64)],
)
def test_many_small_images_or_a_large_one(side: int, threads: int, at_once: int) -> None:
    assert encoders(side * side, threads) == at_once


def profile(**sections: dict[str, int]) -> Profile:
    training = {"steps": 1, **sections.pop("training", {})}
    return Profile.model_validate({"model": {"base": "/none"}, "training": training, **sections})


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert threads_of(profile()) == 6
    assert threads_of(profile(launch={"processes": 4})) == 1
    assert threads_of(profile(training={"threads": 3})) == 3
