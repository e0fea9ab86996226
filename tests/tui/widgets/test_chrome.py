from __future__ import annotations

from textual.content import Content

from sdtui.tui.key import Key
from sdtui.tui.widgets.chrome import HeaderLine, HintLine
from tests.tui.stage import Stage, screen_text, until


async def header_text(width: int) -> str:
    line = HeaderLine("captions")
    app = Stage(line)
    async with app.run_test(size=(width, 2)) as pilot:
        line.show("~/sets/medieval-[b]city", Content("1 240 images"), Content("run lora-7 63%"))
        await until(pilot, lambda: "run" in screen_text(app)[0])
        return screen_text(app)[0]


async def test_the_place_gives_way_first_then_the_facts_the_run_stays() -> None:
    assert await header_text(80) == (" sdtui  captions  ~/sets/medieval-[b]city         1 240 images   run lora-7 63%")
    assert await header_text(60) == " sdtui  captions  ~/set…]city 1 240 images   run lora-7 63%"
    assert await header_text(44) == " sdtui  captions  ~/se…]city run lora-7 63%"


async def test_hints_fit_and_help_is_never_cut() -> None:
    line = HintLine()
    app = Stage(line)
    rows = [
        Key("home.open", "enter", "open", "", 1),
        Key("home.new", "n", "new", "", 2),
        Key("home.launch", "L", "launch", "", 3),
        Key("everywhere.help", "question_mark", "keys", "", 90),
        Key("everywhere.back", "q", "back", "", 92),
    ]
    async with app.run_test(size=(60, 2)) as pilot:
        line.show(rows)
        await until(pilot, lambda: screen_text(app)[-1] == " enter open  n new  L launch  ? keys  q back")
        await pilot.resize_terminal(38, 2)
        await until(pilot, lambda: screen_text(app)[-1] == " enter open  n new  ? keys  q back")
        await pilot.resize_terminal(20, 2)
        await until(pilot, lambda: screen_text(app)[-1] == " ? keys  q back")
