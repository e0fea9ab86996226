from __future__ import annotations

from textual.widgets import Placeholder

from sdtui.dataset.operations import Parameter
from sdtui.tui.captions.fields import FormLine, FormRow, TurnField, entry_for
from tests.tui.stage import Stage, screen_text


def parameter(kind: str, default: object, *, choices: tuple[str, ...] = ()) -> Parameter:
    return Parameter("by", kind, "two: the second; other words", "BY", required=False, default=default, choices=choices)  # type: ignore[arg-type]


async def test_a_choice_is_turned_round_and_says_what_its_value_means() -> None:
    entry = entry_for(parameter("choice", "one", choices=("one", "two")), None)
    assert isinstance(entry, TurnField)
    app = Stage(FormRow("by", entry))
    async with app.run_test(size=(60, 3)) as pilot:
        entry.focus()
        await pilot.pause()
        assert screen_text(app)[0] == "by            < one >"
        await pilot.press("right")
        assert screen_text(app)[0] == "by            < two >   the second"
        assert entry.value == "two"
        await pilot.press("left", "h")
        assert entry.value == "two"


async def test_a_switch_says_what_it_is_for() -> None:
    entry = entry_for(parameter("switch", False), "yes")
    assert entry.value == "yes"
    app = Stage(FormRow("by", entry))
    async with app.run_test(size=(60, 3)) as pilot:
        await pilot.pause()
        assert "two: the second; other words" in screen_text(app)[0]


async def test_a_line_holds_what_was_typed_the_last_time_else_its_default() -> None:
    for typed, held in (("7", "7"), (None, "3"), ("", "")):
        app = Stage(Placeholder())
        async with app.run_test(size=(60, 3)):
            entry = entry_for(parameter("number", 3), typed)
            assert isinstance(entry, FormLine)
            assert entry.value == held
