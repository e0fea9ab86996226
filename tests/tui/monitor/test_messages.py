"""The list of messages: wrapped, literal, at its end until someone scrolls back."""

from __future__ import annotations

import re

from sdtui.runs.figures import Message
from sdtui.tui.monitor.messages import MessagePanel
from tests.tui.hostile import HOSTILE
from tests.tui.stage import Stage, screen_text, until


def message(number: int, text: str = "") -> Message:
    return Message(float(number), "warning", "warning", text or f"message {number}")


def rows(app: Stage) -> list[str]:
    """What the panel says, the time of day as a C."""
    return [re.sub(r"\d\d:\d\d:\d\d", "C", row[2:]).rstrip() for row in screen_text(app)]


async def test_a_long_message_is_wrapped_under_its_beginning() -> None:
    app = Stage(MessagePanel())
    async with app.run_test(size=(32, 6)) as pilot:
        app.query_one(MessagePanel).show([message(1, "the loss is not finite. Lower the learning rate"), message(2)])
        await until(pilot, lambda: "C message 2" in rows(app))
        assert rows(app)[:4] == [
            "C the loss is not",
            "         finite. Lower the",
            "         learning rate",
            "C message 2",
        ]
        await pilot.resize_terminal(80, 6)
        await until(pilot, lambda: rows(app)[0] == "C the loss is not finite. Lower the learning rate")


async def test_it_stays_at_the_end_until_someone_goes_back() -> None:
    app = Stage(MessagePanel())
    async with app.run_test(size=(40, 3)) as pilot:
        panel = app.query_one(MessagePanel)
        panel.focus()
        panel.show([message(number) for number in range(9)])
        await until(pilot, lambda: rows(app)[2].startswith("C message 8"))
        panel.show([message(number) for number in range(10)])
        await until(pilot, lambda: rows(app)[2].startswith("C message 9"))
        await pilot.press("g")
        panel.show([message(number) for number in range(11)])
        await pilot.pause(0.05)
        assert rows(app)[0].startswith("C message 0")


async def test_a_scroll_bar_that_appears_stands_where_the_list_stands() -> None:
    app = Stage(MessagePanel())
    async with app.run_test(size=(40, 3)) as pilot:
        panel = app.query_one(MessagePanel)
        panel.show([message(number) for number in range(9)])
        await until(pilot, lambda: rows(app)[2].startswith("C message 8"))
        panel.show_vertical_scrollbar = False
        panel.move_to(0)
        panel.show_vertical_scrollbar = True
        assert panel.vertical_scrollbar.position == panel.scroll_offset.y == 0


async def test_hostile_messages_appear_literally() -> None:
    app = Stage(MessagePanel())
    async with app.run_test(size=(60, 20)) as pilot:
        app.query_one(MessagePanel).show([message(1, text) for text in HOSTILE])
        await until(pilot, lambda: "[artist:foo]" in "".join(rows(app)))
        assert [said for said in HOSTILE.values() if said not in "\n".join(rows(app))] == []
