"""The log view: following the end, and lines as a terminal would show them."""

from __future__ import annotations

from pathlib import Path

from sdtui.tui.widgets.log import LogTail, LogView
from tests.tui.stage import Stage


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_lines_colours_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"one\n\x1b[32mgreen\x1b[0m\n 10%\r 50%\r100%\r\n\xff bad\nhalf")
    tail = LogTail(path)
    assert tail.poll()
    assert [tail.line(n) for n in range(len(tail))] == ["one", "green", "100%", "\ufffd bad", "half"]


def test_it_grows_is_truncated_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    tail = LogTail(path)
    assert (tail.poll(), len(tail)) == (False, 0)
    path.write_text("a\nb")
    assert (tail.poll(), tail.line(1)) == (True, "b")
    append(path, "c\nd\n")
    assert (tail.poll(), len(tail), tail.line(1), tail.line(2)) == (True, 3, "bc", "d")
    assert tail.poll() is False
    path.write_text("new\n")
    assert (tail.poll(), len(tail), tail.line(0)) == (True, 1, "new")


def test_a_very_long_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("x" * 100_000 + "\n")
    tail = LogTail(path)
    tail.poll()
    assert len(tail.line(0)) == 4096


async def test_the_view_follows_the_end_until_one_scrolls_away(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"line {n}\n" for n in range(50)))
    view = LogView()
    app = Stage(view)
    async with app.run_test(size=(30, 5)) as pilot:
        view.show(path)
        await pilot.pause()
        assert view.plain() == [f"line {n}" for n in range(45, 50)]
        append(path, "[red]line[/x] 50\n")
        view.catch_up()
        await pilot.pause()
        assert view.plain()[-1] == "[red]line[/x] 50"
        view.focus()
        await pilot.press("g")
        append(path, "line 51\n")
        view.catch_up()
        await pilot.pause()
        assert view.plain()[0] == "line 0"
        await pilot.press("G")
        assert view.plain()[-1] == "line 51"


async def test_control_characters_are_spelt_out_and_nothing_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    view = LogView()
    app = Stage(view)
    async with app.run_test(size=(40, 3)) as pilot:
        view.show(path)
        await pilot.pause()
        assert view.plain()[0] == "(nothing printed yet)"
        path.write_text("a\x07b\x1b]0;title\n")
        view.catch_up()
        await pilot.pause()
        assert view.plain()[0] == r"a\x07b\x1b]0;title"
