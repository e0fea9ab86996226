from __future__ import annotations

from textual.content import Content

from sdtui.tui.widgets.linelist import LineList
from tests.tui.hostile import HOSTILE
from tests.tui.stage import Stage, screen_text, until


class Recorded(Stage):
    """Also keeps what the list says."""

    def __init__(self, rows: LineList) -> None:
        super().__init__(rows)
        self.said: list[tuple[str, int]] = []

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        self.said.append(("moved", event.index))

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.said.append(("chosen", event.index))


def numbered(count: int, drawn: list[int] | None = None) -> tuple[LineList, Recorded]:
    rows = LineList()
    app = Recorded(rows)

    def draw(index: int, width: int) -> Content:
        if drawn is not None:
            drawn.append(index)
        return Content(f"row {index} of {width}")

    rows.set_rows(count, draw)
    return rows, app


async def test_rows_with_the_cursors_sign() -> None:
    rows, app = numbered(3)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        assert screen_text(app) == ["▸ row 0 of 18", "  row 1 of 18", "  row 2 of 18", "", ""]
        await pilot.press("j")
        assert screen_text(app)[:2] == ["  row 0 of 18", "▸ row 1 of 18"]
        assert rows.cursor == 1


async def test_only_rows_in_view_are_drawn_however_many_there_are() -> None:
    drawn: list[int] = []
    _rows, app = numbered(1_000_000, drawn)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.press("G")
        await until(pilot, lambda: screen_text(app)[-1].startswith("▸ row 999999"))
        assert set(drawn) == {0, 1, 2, 3, 4, 999995, 999996, 999997, 999998, 999999}


async def test_keys_stop_at_the_ends() -> None:
    rows, app = numbered(12)
    async with app.run_test(size=(20, 5)) as pilot:
        places = []
        for key in ("k", "pagedown", "ctrl+d", "pagedown", "j", "pageup", "g", "end", "up", "home", "down"):
            await pilot.press(key)
            places.append(rows.cursor)
        assert places == [0, 4, 8, 11, 11, 7, 0, 11, 10, 0, 1]


async def test_moved_is_told_once_per_place() -> None:
    _rows, app = numbered(3)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.press("j", "G", "j", "g")
        assert app.said == [("moved", 0), ("moved", 1), ("moved", 2), ("moved", 0)]


async def test_headings_are_passed_over_and_come_into_view_with_their_first_row() -> None:
    rows, app = numbered(8)
    rows.set_rows(8, lambda index, _width: Content(f"row {index}"), selectable=lambda index: index not in {0, 4})
    async with app.run_test(size=(20, 4)) as pilot:
        assert rows.cursor == 1
        await pilot.press("j", "j", "j")
        assert rows.cursor == 5
        await pilot.press("G", "g")
        assert rows.cursor == 1
        assert screen_text(app)[0] == "  row 0"


async def test_a_click_moves_and_a_second_one_chooses() -> None:
    _rows, app = numbered(3)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.click(offset=(3, 1))
        await pilot.click(offset=(3, 1))
        await pilot.click(offset=(3, 4))
        assert app.said == [("moved", 0), ("moved", 1), ("chosen", 1)]


async def test_an_empty_list_takes_every_key() -> None:
    rows, app = numbered(0)
    async with app.run_test(size=(20, 3)) as pilot:
        await pilot.press("j", "k", "g", "G", "pagedown", "pageup")
        assert (rows.cursor, app.said) == (-1, [])
        assert screen_text(app) == ["", "", ""]


async def test_fewer_rows_pull_the_cursor_in() -> None:
    rows, app = numbered(100)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.press("G")
        rows.set_rows(3, lambda index, _width: Content(f"new {index}"))
        await until(pilot, lambda: screen_text(app) == ["  new 0", "  new 1", "▸ new 2", "", ""])


async def test_redraw_asks_for_one_row_again() -> None:
    drawn: list[int] = []
    rows, app = numbered(5, drawn)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        drawn.clear()
        rows.redraw(3)
        await until(pilot, lambda: drawn == [3])


async def test_without_a_pointer_the_keys_move_the_rows() -> None:
    rows = LineList(pointer=False)
    app = Stage(rows)
    rows.set_rows(9, lambda index, _width: Content(f"row {index}"))
    async with app.run_test(size=(20, 3)) as pilot:
        await pilot.pause()
        for key, first in [("j", 1), ("k", 0), ("k", 0), ("pagedown", 2), ("G", 6), ("j", 6), ("g", 0)]:
            await pilot.press(key)
            assert screen_text(app)[0][:5] == f"row {first}"


async def test_rows_are_literal() -> None:
    from sdtui.tui.literal import literal

    texts = list(HOSTILE)
    rows = LineList()
    app = Stage(rows)
    rows.set_rows(len(texts), lambda index, _width: literal(texts[index]))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert [row[2:] for row in screen_text(app)[: len(texts)]] == list(HOSTILE.values())


async def test_a_cursor_far_down_is_in_view_from_the_beginning() -> None:
    rows, app = numbered(0)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        rows.set_rows(1000, lambda index, _width: Content(f"row {index}"), cursor=900)
        await until(pilot, lambda: any(row.startswith("▸ row 900") for row in screen_text(app)))


async def test_what_follows_the_cursor_is_called_at_once_and_not_a_message_later() -> None:
    rows = LineList()
    app = Stage(rows)
    async with app.run_test(size=(20, 4)) as pilot:
        followed: list[int] = []
        rows.follow = followed.append
        rows.set_rows(5, lambda index, _width: Content(str(index)), cursor=1)
        rows.move_to(3)
        assert followed == [1, 3]
        rows.set_rows(0, lambda index, _width: Content(str(index)))
        assert followed == [1, 3]
        await pilot.pause()
