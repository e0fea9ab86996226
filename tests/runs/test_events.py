from __future__ import annotations

import errno
import json
import math
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from sdtui.runs.events import EventReader, EventWriter, decode, encode


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def steps(reader: EventReader) -> list[int]:
    return [event["step"] for event in reader.poll()]


def _write_many(events: EventWriter) -> None:
    for _ in range(50):
        events.write("note", text="x" * 3000)


def test_a_line_is_there_as_soon_as_it_is_written(log: Path) -> None:
    with EventWriter(log) as events:
        events.write("step", step=1, loss=0.5)
        line = log.read_bytes()
    found = json.loads(line)
    assert line.endswith(b"\n")
    assert list(found) == ["t", "kind", "step", "loss"]
    assert (found["kind"], found["step"], found["loss"]) == ("step", 1, 0.5)


def test_what_is_not_finite_is_null() -> None:
    assert (
        encode({"kind": "step", "loss": math.nan, "lr": {"unet": math.inf}})
        == b'{"kind":"step","loss":null,"lr":{"unet":null}}\n'
    )


def test_a_file_name_that_is_not_utf8_does_not_stop_the_log() -> None:
    line = encode({"kind": "error", "where": os.fsdecode(b"caf\xe9.png"), "folder": Path("/w")})
    assert decode(line) == {"kind": "error", "where": "caf\udce9.png", "folder": "/w"}


def test_lines_of_several_threads_never_mix(log: Path) -> None:
    with EventWriter(log) as events:
        threads = [threading.Thread(target=_write_many, args=(events,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reader = EventReader(log)
    assert len(reader.poll()) == 200
    assert reader.skipped == 0


def test_two_writers_append_whole_lines(log: Path) -> None:
    with EventWriter(log) as one, EventWriter(log) as other:
        for step in range(4):
            (one if step % 2 else other).write("step", step=step)
    assert steps(EventReader(log)) == [0, 1, 2, 3]


def test_a_writer_starts_a_new_line_after_one_that_was_killed(log: Path) -> None:
    log.write_bytes(b'{"t":1,"kind":"step","step":1}\n{"t":2,"kind":"st')
    with EventWriter(log) as events:
        events.write("step", step=2)
    reader = EventReader(log)
    assert steps(reader) == [1, 2]
    assert reader.skipped == 1


def test_a_full_disk_loses_no_event(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.write
    room = [10]

    def full(handle: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken, room[0] = min(room[0], len(data)), 0
        return real_write(handle, data[:taken])

    with EventWriter(log) as events:
        monkeypatch.setattr(os, "write", full)
        for step in (1, 2, 3):
            events.write("step", step=step)
        failures = [events.failure]
        assert len(log.read_bytes()) == 10
        monkeypatch.setattr(os, "write", real_write)
        events.write("step", step=4)
        failures.append(events.failure)
    assert [str(failure) for failure in failures] == ["[Errno 28] No space left on device", "None"]
    reader = EventReader(log)
    assert steps(reader) == [1, 2, 3, 4]
    assert reader.skipped == 1


def test_reader_waits_for_the_end_of_a_line(log: Path) -> None:
    reader = EventReader(log)
    assert reader.poll() == []
    line = b'{"t":1,"kind":"step","step":7}\n'
    log.write_bytes(line[:12])
    assert reader.poll() == []
    with log.open("ab") as stream:
        stream.write(line[12:])
    assert steps(reader) == [7]
    assert reader.poll() == []
    assert reader.skipped == 0


def test_reader_skips_garbage_and_keeps_unknown_kinds(log: Path) -> None:
    log.write_bytes(
        b'\x00\xff\n[1]\n{"t":1}\n\n"text"\n{"kind":5}\n{"t":1,"kind":"from-the-future","x":[1]}\n'
        + b"[" * 100_000
        + b"\n"
    )
    reader = EventReader(log)
    assert reader.poll() == [{"t": 1, "kind": "from-the-future", "x": [1]}]
    assert reader.skipped == 6


def test_reader_starts_again_after_a_truncation(log: Path) -> None:
    log.write_bytes(encode({"kind": "step", "step": 1}) * 3 + b'{"half')
    reader = EventReader(log)
    assert steps(reader) == [1, 1, 1]
    log.write_bytes(encode({"kind": "step", "step": 2}))
    assert steps(reader) == [2]
    assert reader.restarts == 1


def test_reader_goes_on_after_a_rotation_without_losing_the_end(log: Path) -> None:
    log.write_bytes(encode({"kind": "step", "step": 1}))
    reader = EventReader(log)
    assert steps(reader) == [1]
    with log.open("ab") as stream:
        stream.write(encode({"kind": "step", "step": 2}))
    log.rename(log.with_suffix(".1"))
    assert steps(reader) == [2]
    log.write_bytes(encode({"kind": "step", "step": 3}))
    assert steps(reader) == [3]
    assert reader.restarts == 0


def test_a_line_longer_than_a_chunk_is_one_event(log: Path) -> None:
    text = "ä" * 400_000
    with EventWriter(log) as events:
        events.write("note", text=text)
        events.write("step", step=1)
    found: list[dict[str, Any]] = EventReader(log).poll()
    assert [event["kind"] for event in found] == ["note", "step"]
    assert found[0]["text"] == text
