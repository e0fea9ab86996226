"""Tags offered while one types: shown above the line, taken over, chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.pilot import Pilot

from sdtui.dataset.complete import Completer, Offer, OwnTags
from sdtui.dataset.tag_csv import Row, TagList
from sdtui.dataset.vocabulary import compiled
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.offers import Offers
from sdtui.tui.widgets.tag_input import TagInput
from tests.tui.stage import Stage, screen_text, until

LISTED = [
    Row("long_sleeves", "general", 1_900_000, (), deprecated=False),
    Row("longcat", "character", 120, ("nyan",), deprecated=False),
    Row("lone_tree", "general", 50_000, (), deprecated=True),
]
OWN = [("stone wall", 90), ("long hair", 30), ("longboat", 2), ("lo\x1bng", 1)]


class Page(Vertical):
    def __init__(self, line: TagInput, above: int) -> None:
        super().__init__()
        self.line, self.above = line, above

    def compose(self) -> ComposeResult:
        self.line.styles.margin = (self.above, 0, 0, 4)
        yield self.line

    def on_mount(self) -> None:
        self.line.focus()


class Recorded(Stage):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.said: list[str] = []

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        self.said.append(f"accepted {event.value}")

    def on_line_input_left(self) -> None:
        self.said.append("left")


def staged(above: int = 12) -> tuple[Recorded, TagInput]:
    completer = Completer(OwnTags(OWN), compiled([TagList(rows=LISTED)]))
    line = TagInput()

    def offering(typed: str, there: Collection[str]) -> Sequence[Offer]:
        return completer.offers(typed, 8, without=there)

    line.offering = offering
    return Recorded(Page(line, above)), line


async def typed(pilot: Pilot[None], text: str) -> None:
    names = {" ": "space", ",": "comma"}
    await pilot.press(*(names.get(letter, letter) for letter in text))


async def test_own_tags_then_others_with_counts_kind_and_old_names() -> None:
    app, _line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "lo")
        await until(pilot, lambda: any("longboat" in row for row in screen_text(app)))
        assert [" ".join(row.split()) for row in screen_text(app)[7:13]] == [
            "long hair 30 here", "longboat 2 here", "long sleeves 1.9M", "lone tree old name 50k", "c longcat 120", "lo",
        ]  # fmt: skip


async def test_below_where_above_is_no_room() -> None:
    app, _line = staged(above=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "longb")
        await until(pilot, lambda: "longboat" in screen_text(app)[2])
        assert screen_text(app)[1] == "    longb"


async def test_tab_takes_the_first_and_then_nothing_is_offered() -> None:
    app, line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "lo")
        await pilot.press("tab")
        assert (line.value, line.cursor_position) == ("long hair", 9)
        assert not app.screen.query_one(Offers).is_open
        await pilot.press("tab", "down", "up")
        assert (line.value, line.has_focus) == ("long hair", True)


async def test_down_and_up_choose_and_come_back_to_what_was_typed() -> None:
    app, line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "lo")
        await pilot.press("down")
        assert line.value == "long hair"
        await pilot.press("down")
        assert line.value == "longboat"
        await until(pilot, lambda: any("▸   longboat" in row for row in screen_text(app)))
        await pilot.press("up", "up")
        assert line.value == "lo"
        await pilot.press("up")
        assert line.value == "longcat"
        await typed(pilot, "s")
        assert line.value == "longcats"


async def test_the_tag_at_the_cursor_is_completed_and_the_others_stay() -> None:
    app, line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "sky, long hair, lo, x")
        await pilot.press("left", "left", "left")
        await typed(pilot, "n")
        await until(pilot, lambda: app.screen.query_one(Offers).is_open)
        await pilot.press("tab")
        # `long hair` is there already.
        assert line.value == "sky, long hair, longboat, x"


async def test_another_name_leads_to_the_tag_and_is_told() -> None:
    app, line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "nya")
        await until(pilot, lambda: any("longcat ← nyan" in row for row in screen_text(app)))
        await pilot.press("tab")
        assert line.value == "longcat"


async def test_enter_hands_over_what_stands_in_the_line_and_escape_leaves() -> None:
    app, _line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "lo")
        await pilot.press("enter")
        await until(pilot, lambda: app.said == ["accepted lo"])
        assert not app.screen.query_one(Offers).is_open
        await typed(pilot, "n")
        await pilot.press("down", "enter", "escape")
        await until(pilot, lambda: app.said == ["accepted lo", "accepted long hair", "left"])


async def test_escape_first_closes_what_is_offered() -> None:
    app, line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "lo")
        await until(pilot, lambda: app.screen.query_one(Offers).is_open)
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query_one(Offers).is_open)
        assert (line.value, app.said) == ("lo", [])
        await pilot.press("escape")
        await until(pilot, lambda: app.said == ["left"])


async def test_a_value_that_was_put_in_offers_nothing_and_leaving_the_line_closes_the_list() -> None:
    app, line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        line.begin("lo")
        await pilot.pause(0.05)
        assert not app.screen.query_one(Offers).is_open
        await typed(pilot, "n")
        await until(pilot, lambda: app.screen.query_one(Offers).is_open)
        app.screen.set_focus(None)
        await until(pilot, lambda: not app.screen.query_one(Offers).is_open)


async def test_a_tag_typed_to_its_end_and_one_a_terminal_would_obey_are_not_offered() -> None:
    app, _line = staged()
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "stone wall")
        await pilot.pause(0.05)
        assert not app.screen.query_one(Offers).is_open
        await pilot.press(*["backspace"] * 10)
        await typed(pilot, "lo")
        await until(pilot, lambda: app.screen.query_one(Offers).is_open)
        assert all("\x1b" not in offer.tag for offer in app.screen.query_one(Offers).offers)
