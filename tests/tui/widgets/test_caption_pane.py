"""The lower part of the captions screen: showing, editing and asking in one place."""

from __future__ import annotations

from textual.content import Content

from sdtui.dataset.caption import parse_tags
from sdtui.tui.captions.drawing import PLAIN, caption_content
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_pane import CaptionPane
from tests.tui.hostile import HOSTILE
from tests.tui.stage import Stage, screen_text, until


class Recorded(Stage):
    def __init__(self) -> None:
        self.pane = CaptionPane()
        super().__init__(self.pane)
        self.said: list[str] = []

    def show(self, text: str, cursor: int) -> None:
        self.pane.view.show(*caption_content(text, parse_tags(text), cursor, PLAIN))

    def on_caption_editor_saved(self, event: CaptionEditor.Saved) -> None:
        self.said.append(f"saved {event.text}")

    def on_caption_editor_cancelled(self) -> None:
        self.said.append("cancelled")


async def test_facts_at_both_ends_and_the_caption_below() -> None:
    app = Recorded()
    async with app.run_test(size=(40, 9)) as pilot:
        app.pane.show_facts("a.png", (), Content("2 tags"))
        app.show("city, boat", 0)
        await until(pilot, lambda: screen_text(app)[1] == " a.png                           2 tags")
        assert screen_text(app)[2] == " city, boat"
        await pilot.resize_terminal(30, 9)
        await until(pilot, lambda: screen_text(app)[1] == " a.png                 2 tags")


async def test_a_long_name_gives_way_to_the_facts_and_the_length() -> None:
    app = Recorded()
    async with app.run_test(size=(50, 9)) as pilot:
        app.pane.show_facts("name" * 30, (Content("64x64"), Content("saved")), Content("tokens 5 / 75"))
        # The size is known from the picture, too.
        await until(pilot, lambda: screen_text(app)[1] == " namenamenam…namenamename   saved   tokens 5 / 75")
        await pilot.resize_terminal(60, 9)
        await until(pilot, lambda: screen_text(app)[1].endswith("   64x64   saved   tokens 5 / 75"))
        # The last cells go to the length, as the caption is what one edits.
        await pilot.resize_terminal(34, 9)
        await until(pilot, lambda: screen_text(app)[1] == " namenam…namename   tokens 5 / 75")
        await pilot.resize_terminal(28, 9)
        await until(pilot, lambda: screen_text(app)[1] == " name…ename   tokens 5 / 75")


async def test_enter_saves_ctrl_j_breaks_escape_cancels() -> None:
    app = Recorded()
    async with app.run_test(size=(40, 9)) as pilot:
        app.pane.edit("[/x] one")
        await pilot.press("2", "ctrl+j", "q")
        assert app.pane.typed == "[/x] one2\nq"
        assert [row.strip() for row in screen_text(app)[2:4]] == ["[/x] one2", "q"]
        await pilot.press("enter", "ctrl+s", "escape")
        assert app.said == ["saved [/x] one2\nq", "saved [/x] one2\nq", "cancelled"]


async def test_what_a_terminal_would_obey_is_a_question_mark_in_the_editor() -> None:
    app = Recorded()
    async with app.run_test(size=(40, 9)) as pilot:
        app.pane.edit("a\x1b[31mb\u202ec\td")
        await until(pilot, lambda: screen_text(app)[2].startswith(" a?[31mb?c "))
        assert app.pane.typed == "a\x1b[31mb\u202ec\td"


async def test_the_editor_begins_anew_each_time() -> None:
    app = Recorded()
    async with app.run_test(size=(40, 9)) as pilot:
        app.pane.edit("first")
        await pilot.press("x")
        app.pane.close()
        assert (app.pane.busy, app.pane.typed) == (False, None)
        app.pane.edit("second")
        await pilot.press("ctrl+z", "y")
        assert app.pane.typed == "secondy"
        assert len(app.pane.query(CaptionEditor)) == 1


async def test_asking_shows_the_caption_and_a_line() -> None:
    app = Recorded()
    async with app.run_test(size=(40, 9)) as pilot:
        app.show("city, boat", 0)
        app.pane.ask("add tag", "[b]", lambda _typed, _there: ())
        await until(pilot, lambda: screen_text(app)[1] == " add tag  [b]")
        assert screen_text(app)[3] == " city, boat"
        assert (app.pane.busy, app.pane.typed) == (True, None)
        app.pane.close()
        await until(pilot, lambda: screen_text(app)[2] == " city, boat")


async def test_a_long_caption_follows_the_tag_cursor() -> None:
    app = Recorded()
    text = ", ".join(f"tag number {number}" for number in range(60))
    async with app.run_test(size=(40, 9)) as pilot:
        app.show(text, 59)
        await until(pilot, lambda: any(row.endswith("59") for row in screen_text(app)))
        app.show(text, 0)
        await until(pilot, lambda: screen_text(app)[2].startswith(" tag number 0,"))


async def test_no_word_is_lost_beside_the_scroll_bar() -> None:
    app = Recorded()
    text = ", ".join(f"tag number {number}" for number in range(60))
    async with app.run_test(size=(40, 9)) as pilot:
        app.show("short", 0)
        await until(pilot, lambda: screen_text(app)[2] == " short")
        app.show(text, 0)
        await until(pilot, lambda: screen_text(app)[2].startswith(" tag number 0,"))
        await pilot.pause(0.05)
        seen = " ".join(row[:38].strip() for row in screen_text(app)[2:])
        assert text.startswith(seen)
        assert len(seen) > 200


async def test_captions_are_literal() -> None:
    app = Recorded()
    async with app.run_test(size=(60, 20)) as pilot:
        app.pane.styles.height = 20
        app.show("\n".join(HOSTILE), -1)
        await until(pilot, lambda: "[/x]" in " ".join(screen_text(app)))
        assert [row[1:] for row in screen_text(app)[2 : 2 + len(HOSTILE)]] == list(HOSTILE.values())


async def test_what_is_shown_already_is_not_asked_for_again() -> None:
    app = Recorded()
    async with app.run_test(size=(40, 9)):
        one, other = object(), object()
        view = app.pane.view
        assert [view.shows(one, 0), view.shows(one, 0), view.shows(one, 1), view.shows(other, 1)] == [
            False, True, False, False,
        ]  # fmt: skip
        view.show_message("no caption yet")
        assert not view.shows(other, 1)
