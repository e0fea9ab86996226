"""Which of a run's processes is which."""

from __future__ import annotations

import os

import pytest

from sdtui.profile.schema import Launch
from sdtui.training import place
from sdtui.training.place import Place


def test_ranks() -> None:
    one = Place(machine=1, machines=3, process=2, processes=4)
    assert (one.rank, one.world, one.leads, one.told()) == (6, 12, False, "process 6 on machine 1")
    assert (Place().rank, Place().world, Place().leads) == (0, 1, True)
    assert Place(process=1, processes=2).told() == "process 1"


def test_a_place_is_handed_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Place(1, 2, 3, 4, "node-7", 29500, 5)
    monkeypatch.setenv(place.VARIABLE, given.written())
    assert place.inherited() == given
    assert place.VARIABLE not in os.environ
    assert place.inherited() is None


def test_the_place_of_what_a_user_starts() -> None:
    assert place.launched(Launch(processes=2)) == Place(0, 1, 0, 2, "127.0.0.1", 0)
    several = Launch(processes=2, machines=3, machine_rank=1, main_address="a", main_port=7)
    assert place.launched(several) == Place(1, 3, 0, 2, "a", 7)
