"""Editing a caption: tags are completed in the middle of a text, and arrows move where nothing is offered."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.pilot import Pilot

from sdtui.dataset.complete import Completer, Offer, OwnTags
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.offers import Offers
from tests.tui.stage import Stage, until


class Page(Vertical):
    def __init__(self, editor: CaptionEditor) -> None:
        super().__init__()
        self.editor = editor

    def compose(self) -> ComposeResult:
        with Vertical() as inside:
            inside.styles.margin = (12, 0, 0, 0)
            yield self.editor

    def on_mount(self) -> None:
        self.editor.focus()


class Recorded(Stage):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.said: list[str] = []

    def on_caption_editor_cancelled(self) -> None:
        self.said.append("cancelled")

    def on_text_area_changed(self) -> None:
        self.said.append("changed")


def staged(text: str) -> tuple[Recorded, CaptionEditor]:
    completer = Completer(OwnTags([("stone wall", 9), ("long hair", 5), ("longboat", 2)]))
    editor = CaptionEditor(text)

    def offering(typed: str, there: Collection[str]) -> Sequence[Offer]:
        return completer.offers(typed, 8, without=there)

    editor.offering = offering
    return Recorded(Page(editor)), editor


def offered(app: Recorded) -> list[str]:
    return [offer.tag for offer in app.screen.query_one(Offers).offers]


async def typed(pilot: Pilot[None], text: str) -> None:
    names = {" ": "space", ",": "comma"}
    await pilot.press(*(names.get(letter, letter) for letter in text))


async def test_the_tag_at_the_cursor_is_completed() -> None:
    app, editor = staged("sky, x")
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("left", "left", "left")
        await typed(pilot, ", lo")
        await until(pilot, lambda: offered(app) == ["long hair", "longboat"])
        await pilot.press("down", "down")
        assert editor.text == "sky, longboat, x"
        await pilot.press("tab")
        assert (editor.text, editor.cursor_location, editor.has_focus) == ("sky, longboat, x", (0, 13), True)
        assert offered(app) == []
        assert "changed" in app.said


async def test_one_letter_offers_nothing() -> None:
    app, _editor = staged("")
    async with app.run_test(size=(60, 24)) as pilot:
        await typed(pilot, "l")
        await pilot.pause(0.05)
        assert offered(app) == []
        await typed(pilot, "o")
        await until(pilot, lambda: offered(app) != [])


async def test_arrows_move_where_nothing_is_offered_and_tab_goes_nowhere() -> None:
    app, editor = staged("one\ntwo")
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("up")
        assert editor.cursor_location == (0, 3)
        await pilot.press("down", "tab")
        assert (editor.cursor_location, editor.text, editor.has_focus) == ((1, 3), "one\ntwo", True)


async def test_escape_closes_the_list_first_and_moving_on_closes_it_too() -> None:
    app, editor = staged("")
    async with app.run_test(size=(60, 24)) as pilot:
        await typed(pilot, "lo")
        await until(pilot, lambda: offered(app) != [])
        await pilot.press("escape")
        assert (offered(app), app.said.count("cancelled")) == ([], 0)
        await typed(pilot, "n")
        await until(pilot, lambda: offered(app) != [])
        await pilot.press("left")
        await until(pilot, lambda: offered(app) == [])
        await pilot.press("escape")
        await until(pilot, lambda: app.said[-1] == "cancelled")
        assert editor.text == "lon"


async def test_what_was_chosen_can_be_undone_like_typing() -> None:
    app, editor = staged("")
    async with app.run_test(size=(60, 24)) as pilot:
        await typed(pilot, "lo")
        await until(pilot, lambda: offered(app) != [])
        await pilot.press("tab")
        assert editor.text == "long hair"
        editor.undo()
        assert editor.text == "lo"
