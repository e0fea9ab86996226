from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sdtui.runs.watch import Watch


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"{}\n")
    return path


def append_soon(path: Path) -> threading.Timer:
    def append() -> None:
        with path.open("ab") as stream:
            stream.write(b"{}\n")

    timer = threading.Timer(0.1, append)
    timer.start()
    return timer


def test_a_change_wakes_it_without_looking(log: Path) -> None:
    with Watch([log], poll_seconds=50.0) as watch:
        assert watch.notified
        append_soon(log)
        assert watch.wait(60.0)


def test_it_looks_where_there_are_no_notifications(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def used_up(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", used_up)
    with Watch([log], poll_seconds=0.05) as watch:
        assert not watch.notified
        append_soon(log)
        assert watch.wait(60.0)


def test_a_file_that_appears_or_vanishes_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "later"
    with Watch([path], poll_seconds=0.05) as watch:
        path.touch()
        assert watch.wait(60.0)
        path.unlink()
        assert watch.wait(60.0)


def test_reading_and_other_files_do_not_wake_it(log: Path) -> None:
    with Watch([log], poll_seconds=50.0) as watch:
        log.read_bytes()
        (log.parent / "log.txt").write_text("noise")
        assert not watch.wait(0.3)


def test_no_change_times_out_and_no_folder_is_no_error(tmp_path: Path) -> None:
    with Watch([tmp_path / "gone" / "events.jsonl"], poll_seconds=0.05) as watch:
        assert not watch.notified
        assert not watch.wait(0.1)


def test_close_ends_a_wait_from_another_thread(log: Path) -> None:
    watch = Watch([log], poll_seconds=50.0)
    threading.Timer(0.1, watch.close).start()
    assert not watch.wait()
    assert watch.closed
    watch.close()


def test_an_event_that_comes_while_it_is_closed_is_no_error(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch([log])
    assert watch._observer is not None
    emitters = list(watch._observer.emitters)
    watch.close()
    assert len(emitters) == 1
    emitters[0].queue_events(0)
    assert caplog.records == []


def test_a_fast_run_wakes_it_no_more_often_than_wished(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("sdtui.runs.watch.time.monotonic", lambda: clock[0])
    with Watch([log], poll_seconds=0.01, least_seconds=0.5) as watch:
        pauses: list[float | None] = []
        monkeypatch.setattr(watch._ending, "wait", pauses.append)
        for _ in range(2):
            with log.open("ab") as stream:
                stream.write(b"{}\n")
            assert watch.wait(60.0)
            clock[0] += 0.2
    assert pauses == [0.0, pytest.approx(0.3)]
