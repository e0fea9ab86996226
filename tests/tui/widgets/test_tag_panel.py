from __future__ import annotations

from collections import Counter

from textual.app import App, ComposeResult

from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.theme import FALLBACK, use_theme
from sdtui.tui.widgets.tag_panel import TagPanel
from tests.tui.stage import Stage, screen_text, until


class Desk(App[None]):
    """Shows the panel and keeps what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        use_theme(self, "sdtui")
        self.said: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(FALLBACK)

    def compose(self) -> ComposeResult:
        yield TagPanel()

    def on_tag_panel_chosen(self, event: TagPanel.Chosen) -> None:
        self.said.append(f"{event.deed} {event.tag}")

    def on_tag_panel_left(self) -> None:
        self.said.append("left")


def ranks() -> TagRanks:
    return TagRanks(Counter({"city": 3, "tower": 2, "Bridge": 2, "old stone wall": 1}))


def rows(app: App[None]) -> list[str]:
    return [" ".join(row.split()[: -1 if "━" in row else None]) for row in screen_text(app) if row.strip()]


async def test_most_frequent_first_then_by_name() -> None:
    panel = TagPanel()
    app = Stage(panel)
    async with app.run_test(size=(34, 6)) as pilot:
        panel.show(TagRanks(Counter({"[b]boat": 1, "city": 1240, "arch": 1})), "tags")
        await until(pilot, lambda: screen_text(app)[0] == " tags  3")
        assert [" ".join(row.split()) for row in screen_text(app)[1:4]] == [
            "city 1 240 ━━━━━━━━", "[b]boat 1", "arch 1",
        ]  # fmt: skip
        assert not panel.query("LineList").first().can_focus
        panel.show(TagRanks(Counter()), "tags in view")
        await until(pilot, lambda: screen_text(app)[:2] == [" tags in view  0", ""])
        panel.show_message("reading the captions")
        await until(pilot, lambda: screen_text(app)[0] == " reading the captions")


async def test_a_long_name_has_the_room_of_the_bar() -> None:
    panel = TagPanel()
    app = Stage(panel)
    async with app.run_test(size=(34, 6)) as pilot:
        panel.show(
            TagRanks(Counter({"city": 50, "holding fishing rod": 12, "a" * 60: 3, "looking to the side": 40})), "tags"
        )
        # A bar that no longer fits whole is left out, as a shorter one would say something else.
        await until(
            pilot,
            lambda: (
                [" ".join(row.split()) for row in screen_text(app)[1:5]]
                == ["city 50 ━━━━━━━━", "looking to the side 40", "holding fishing rod 12 ━━", f"{'a' * 23}… 3"]
            ),
        )


async def test_sorted_by_count_by_name_by_length() -> None:
    app = Desk()
    async with app.run_test(size=(40, 8)) as pilot:
        panel = app.query_one(TagPanel)
        panel.show(ranks(), "tags")
        panel.enter()
        await until(pilot, lambda: rows(app) == ["tags 4", "▸ city 3", "Bridge 2", "tower 2", "old stone wall 1"])
        await pilot.press("s")
        await until(
            pilot, lambda: rows(app) == ["tags 4 by name", "Bridge 2", "▸ city 3", "old stone wall 1", "tower 2"]
        )
        await pilot.press("s")
        await until(pilot, lambda: rows(app)[1:] == ["old stone wall 1", "Bridge 2", "tower 2", "▸ city 3"])
        await pilot.press("s")
        await until(pilot, lambda: rows(app)[1] == "▸ city 3")


async def test_filtered_chosen_from_and_left() -> None:
    app = Desk()
    async with app.run_test(size=(40, 8)) as pilot:
        panel = app.query_one(TagPanel)
        panel.show(ranks(), "tags")
        panel.enter()
        await pilot.press("slash", "T", "O")
        await until(pilot, lambda: rows(app) == ["tags 2 of 4", "TO", "▸ tower 2", "old stone wall 1"])
        await pilot.press("enter", "j", "W", "k", "enter", "escape")
        await until(pilot, lambda: rows(app)[0] == "tags 4")
        assert app.said == ["without old stone wall", "only tower"]
        assert panel.tag == "tower"
        await pilot.press("escape")
        await until(pilot, lambda: app.said[-1] == "left")
        panel.leave()
        await until(pilot, lambda: "▸" not in "".join(rows(app)))
        assert not panel.query("LineList").first().can_focus


async def test_the_cursor_stays_on_its_tag_when_the_counts_change() -> None:
    app = Desk()
    async with app.run_test(size=(40, 8)) as pilot:
        panel, counted = app.query_one(TagPanel), ranks()
        panel.show(counted, "tags")
        panel.enter()
        await pilot.press("G")
        counted.change([], ["old stone wall", "old stone wall", "old stone wall"])
        panel.show(counted, "tags")
        await until(pilot, lambda: rows(app)[1] == "▸ old stone wall 4")
