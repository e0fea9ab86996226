"""The reading thread: first snapshot, news, deaths, and no pile of messages."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sdtui.runs.view import RunView
from sdtui.tui.monitor import reader as reading
from sdtui.tui.monitor.reader import RunReader
from sdtui.tui.monitor.snapshot import Snapshot, take_snapshot
from tests.tui.monitor.actor import Actor

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LEAST_SECONDS", 0.01)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.05)


class Listener:
    """Counts what the thread tells."""

    def __init__(self) -> None:
        self.told = 0
        self.news = threading.Event()

    def __call__(self, _reader: RunReader) -> None:
        self.told += 1
        self.news.set()

    def next(self, reader: RunReader) -> Snapshot:
        assert self.news.wait(PATIENCE)
        self.news.clear()
        snapshot = reader.take()
        assert snapshot is not None
        return snapshot


def test_news_and_a_death_without_a_word(tmp_path: Path) -> None:
    listener = Listener()
    with Actor(tmp_path) as actor:
        actor.step(1)
        reader = RunReader(actor.run, listener)
        reader.start()
        first = listener.next(reader)
        assert (first.step, first.state, first.phase) == (1, "running", "training")
        actor.step(2)
        assert listener.next(reader).step == 2
        actor.die()
        assert listener.next(reader).state == "killed"
        reader.close()
        reader.join(PATIENCE)
        assert not reader.is_alive()


def test_a_screen_that_does_not_take_is_told_once(tmp_path: Path) -> None:
    listener = Listener()
    with Actor(tmp_path) as actor:
        reader = RunReader(actor.run, listener)
        for number in range(5):
            actor.step(number + 1)
            view = RunView(actor.run)
            view.refresh()
            reader.hand_over(take_snapshot(view, None))
        assert listener.told == 1
        assert (taken := reader.take()) is not None
        assert taken.step == 5
        assert reader.take() is None


def test_a_failure_is_handed_over_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "take_snapshot", lambda *_: 1 / 0)
    listener = Listener()
    with Actor(tmp_path) as actor:
        reader = RunReader(actor.run, listener)
        reader.start()
        reader.join(PATIENCE)
    assert isinstance(reader.problem, ZeroDivisionError)
    assert listener.told == 1


def test_device_totals_only_for_a_live_gpu_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Actor(tmp_path) as actor:
        actor.stats(1)
        view = RunView(actor.run)
        view.refresh()
        totals = reading._Totals()
        asked: list[int] = []
        monkeypatch.setattr(totals._probe, "read", lambda: asked.append(1))
        totals.of(view)
        assert asked == []
        view.memory["kind"] = "cuda"
        totals.of(view)
        totals.of(view)
        assert asked == [1]
