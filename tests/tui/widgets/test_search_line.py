from __future__ import annotations

from sdtui.tui.widgets.search_line import SearchLine
from tests.tui.stage import Stage, screen_text, until


async def test_hidden_until_opened_and_empty_after_it_was_closed() -> None:
    search = SearchLine()
    app = Stage(search)
    async with app.run_test(size=(40, 3)) as pilot:
        await pilot.pause()
        assert screen_text(app) == ["", "", ""]
        assert not search.children
        await search.open()
        await pilot.press("[", "b", "]")
        search.say("1 of 3")
        await until(pilot, lambda: screen_text(app)[0] == " / [b]                           1 of 3")
        assert (search.is_open, search.value) == (True, "[b]")
        search.close()
        await until(pilot, lambda: screen_text(app)[0] == "")
        assert (search.is_open, search.value) == (False, "")
        await search.open()
        await until(pilot, lambda: screen_text(app)[0].rstrip() == " /")
