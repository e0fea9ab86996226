"""What is told of a process that is gone, and by whom."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError
from sdtui.runs.layout import RunFolder
from sdtui.training import siblings
from sdtui.training.failures import BrokenLinkError, LostProcessError
from sdtui.training.siblings import Siblings

LOST = LostProcessError("process 1", -9)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[SdtuiError]:
    monkeypatch.setattr(siblings, "_GRACE_SECONDS", 0.01)
    monkeypatch.setattr(siblings, "_NOTICE_SECONDS", 0.01)
    return []


@pytest.fixture
def crew(tmp_path: Path, told: list[SdtuiError]) -> Siblings:
    return Siblings(RunFolder(tmp_path), told.append)


def test_a_process_that_waits_for_ever_is_ended(crew: Siblings, told: list[SdtuiError]) -> None:
    crew.lose(LOST)
    assert told == [LOST]


def test_one_that_ends_by_itself_tells_of_it_itself(crew: Siblings, told: list[SdtuiError]) -> None:
    crew.ending()
    crew.lose(LOST)
    assert told == []


def test_who_is_gone_after_the_last_step_was_not_needed(crew: Siblings, told: list[SdtuiError]) -> None:
    crew.dismiss()
    crew.lose(LOST)
    broken = BrokenLinkError(RuntimeError("closed by peer"))
    assert (told, crew.blame(broken)) == ([], broken)


def test_a_broken_connection_is_the_fault_of_who_is_gone(crew: Siblings) -> None:
    broken, own = BrokenLinkError(RuntimeError("closed by peer\nand more")), SdtuiError("the disk is full")
    assert str(broken).startswith("the connection to the other processes of the run broke: closed by peer. ")
    # Nobody is known to be gone.
    assert crew.blame(broken) is broken
    crew.lose(LOST)
    assert crew.blame(broken) is LOST
    assert crew.blame(own) is own


def test_blame_waits_for_the_death_to_be_noticed(crew: Siblings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siblings, "_NOTICE_SECONDS", 20.0)
    threading.Timer(0.1, crew.lose, [LOST]).start()
    assert crew.blame(BrokenLinkError(RuntimeError("closed"))) is LOST


@pytest.mark.parametrize(
    ("code", "said", "message"),
    [
        (-9, "", "process 1 was ended by SIGKILL, and the run cannot go on without it"),
        (3, "", "process 1 ended with exit code 3, and the run cannot go on without it"),
        (1, "no room", "process 1 failed: no room"),
    ],
)
def test_what_is_said_of_it(code: int, said: str, message: str) -> None:
    assert LostProcessError("process 1", code, said).message == message
