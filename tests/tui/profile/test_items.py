"""The two dialogs for lists, driven by keys."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from sdtui.tui.profile.items import EditItems, PickWords
from sdtui.tui.screens.dialogs import Dialog
from sdtui.tui.theme import FALLBACK, use_theme
from tests.tui.hostile import HOSTILE
from tests.tui.stage import screen_text, until


class Asking(App[None]):
    """Opens one dialog and keeps its answer."""

    def __init__(self, dialog: Dialog[list[str]]) -> None:
        super().__init__()
        self.dialog = dialog
        self.answer: list[str] | str | None = "no answer"
        self.animation_level = "none"
        use_theme(self, "sdtui")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(FALLBACK)

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        def keep(answer: list[str] | None) -> None:
            self.answer = answer

        self.push_screen(self.dialog, keep)


async def answered(app: Asking, pilot: Pilot[None]) -> list[str] | str | None:
    await until(pilot, lambda: app.answer != "no answer")
    return app.answer


def shown(app: Asking) -> list[str]:
    return [row.strip() for row in screen_text(app) if row.strip()]


async def test_words_are_ticked_and_handed_over_in_their_own_order() -> None:
    app = Asking(PickWords("method.targets", ["projection"], ["attention", "feed-forward", "projection"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "[x] projection" in " ".join(shown(app)))
        await pilot.press("space", "j", "space", "space", "enter")
        assert await answered(app, pilot) == ["attention", "projection"]


async def test_leaving_changes_nothing() -> None:
    for dialog in (PickWords("a", ["x"], ["x", "y"]), EditItems("a", ["x"])):
        app = Asking(dialog)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("space", "escape")
            assert await answered(app, pilot) is None


async def test_lines_are_edited_added_moved_and_dropped() -> None:
    app = Asking(EditItems("previews.prompts", ["one", "two", "three"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "three" in " ".join(shown(app)))
        await pilot.press("enter", "!", "enter")  # one → one!
        await pilot.press("J")  # two, one!, three
        await pilot.press("j", "d")  # two, one!
        await pilot.press("a", "n", "e", "w", "enter", "K")  # two, new, one!
        await pilot.press("s")
        assert await answered(app, pilot) == ["two", "new", "one!"]


async def test_an_empty_list_says_how_to_begin_and_an_empty_line_is_none() -> None:
    app = Asking(EditItems("previews.prompts", []))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "(nothing yet: a adds a line)" in " ".join(shown(app)))
        await pilot.press("d", "enter", "enter", "enter", "x", "enter", "ctrl+s")
        assert await answered(app, pilot) == ["x"]


async def test_hostile_lines_appear_literally() -> None:
    app = Asking(EditItems("previews.prompts", list(HOSTILE)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "[artist:foo]" in " ".join(shown(app)))
        missing = [said for said in HOSTILE.values() if said not in "\n".join(screen_text(app))]
        assert missing == []
