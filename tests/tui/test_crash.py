from __future__ import annotations

from pathlib import Path

from sdtui.tui.crash import crash_line, write_crash


def crashed() -> ValueError:
    secret = "token-" + "12345"
    try:
        int("x" * len(secret), base=2)
    except ValueError as error:
        return error
    raise AssertionError


def test_the_file_tells_where_but_no_local_variables(own_folders: Path) -> None:
    path = write_crash(crashed(), "captions")
    assert path is not None
    assert path.parent == own_folders / "state" / "crashes"
    text = path.read_text(encoding="utf-8")
    assert "screen: captions" in text
    assert "in crashed" in text
    assert "token-12345" not in text


def test_one_line_for_the_terminal(tmp_path: Path) -> None:
    line = crash_line(ValueError("first\nsecond"), tmp_path / "crash.txt")
    assert line == (
        f"sdtui stopped because of a fault of its own: ValueError: first; details in {tmp_path}/crash.txt. Runs go on."
    )
    assert "could not be written" in crash_line(ValueError("x"), None)


def test_no_place_to_write_is_no_second_crash(own_folders: Path) -> None:
    (own_folders / "state").write_text("in the way", encoding="utf-8")
    assert write_crash(crashed()) is None
