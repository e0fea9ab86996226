from __future__ import annotations

from collections import Counter

from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.widgets.tag_panel import TagPanel
from tests.tui.stage import Stage, screen_text, until


async def test_most_frequent_first_then_by_name() -> None:
    panel = TagPanel()
    app = Stage(panel)
    async with app.run_test(size=(34, 5)) as pilot:
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
