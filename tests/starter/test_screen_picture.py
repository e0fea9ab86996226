from __future__ import annotations

from PIL import ImageFont
from textual.app import App, ComposeResult
from textual.widgets import Static

from sdtui.starter.build.screen_picture import Cell, cells_of, picture_of

INK, GROUND = (200, 100, 50), (10, 20, 30)


class Words(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("[bold #c86432 on #0a141e]a世[/]b")


async def test_cells_have_the_colours_of_the_screen() -> None:
    app = Words(ansi_color=False)
    async with app.run_test(size=(6, 1)) as pilot:
        await pilot.pause()
        row = cells_of(app)[0]
    assert row[0] == Cell("a", INK, GROUND, bold=True)
    assert [cell.char for cell in row] == ["a", "世", "", "b", " ", " "]
    assert not row[3].bold


def test_blocks_and_dots_are_drawn_as_what_they_are() -> None:
    cells = [Cell(char, INK, GROUND, bold=False) for char in "▀▖⠁ "]
    font = ImageFont.load_default()
    picture = picture_of([cells], [font, font])
    assert picture.size == (40, 20)
    upper_half, lower_left, first_dot, nothing = (picture.crop((10 * at, 0, 10 * at + 10, 20)) for at in range(4))

    def inked(of: object) -> list[tuple[int, int]]:
        return [(x, y) for y in range(20) for x in range(10) if of.getpixel((x, y)) == INK]  # type: ignore[attr-defined]

    assert inked(upper_half) == [(x, y) for y in range(10) for x in range(10)]
    assert inked(lower_left) == [(x, y) for y in range(10, 20) for x in range(5)]
    assert inked(first_dot) == [(2, 2), (3, 2), (2, 3), (3, 3)]
    assert inked(nothing) == []
