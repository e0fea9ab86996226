"""What scores come to: thresholds moved, rows of one image, totals of the list; by hand."""

from __future__ import annotations

import pytest

from sdtui.dataset.library import Library
from sdtui.errors import UserError
from sdtui.starter.demo import IMAGES
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scored_images import ScoredImages
from sdtui.tagging.survey import Totals
from sdtui.tagging.tag_list import TagList
from sdtui.tui.captions import score_desk
from sdtui.tui.captions.schemes import Score
from sdtui.tui.captions.score_desk import Found, ScoreDesk, Setting, Whose, whose_choices
from sdtui.tui.widgets.score_panel import Outcome
from tests.tagging.helpers import digest

TAGS = TagList(("sky", "tom", "(o)_(o)"), ("general", "character", "general"))


def desk(setting: Setting | None = None) -> ScoreDesk:
    listed = [(digest("a"), [(0, 0.9), (1, 0.8), (2, 0.3)]), (digest("b"), [(0, 0.2), (1, 0.95)]), (digest("c"), [])]
    images = ScoredImages(ScoreTable.of_lists(TAGS, listed))
    one = Whose(("wd-1",), "union")
    return ScoreDesk(Library.scan(IMAGES), Found(images, "wd", one, [one]), setting or Setting())


def told(found: ScoreDesk, view: list[int], tag: str = "") -> list[Outcome]:
    return list(found.outcomes_slowly(view, tag, lambda: False, len))


def test_rows_say_what_is_kept_and_what_the_caption_has() -> None:
    rows = desk().rows(0, "blue sky, (Sky:1.2), (sky:1.2)", len)
    assert [(row.tag.name, row.needed, row.why, row.there) for row in rows] == [
        ("sky", 0.35, "", True),
        ("tom", 0.85, "below", False),
        ("(o)_(o)", 0.35, "below", False),
    ]


def test_steps_stay_on_the_grid_and_between_0_and_1() -> None:
    found = desk()
    found.step(0.05)
    assert found.rules.threshold == 0.4
    for _ in range(50):
        found.step(-0.05)
    assert found.rules.threshold == 0.0
    found.step(-0.01, "tom")
    assert (found.needed("tom"), found.needed("sky"), dict(found.rules.tags)) == (0.84, 0.0, {"tom": 0.84})
    found.usual("tom")
    assert found.needed("tom") == 0.85


def test_a_tag_that_never_comes_comes_again() -> None:
    found = desk()
    found.never("sky")
    assert found.rows(0, "", len)[0].why == "never"
    found.never("sky")
    assert found.rows(0, "", len)[0].why == ""


def test_a_step_of_a_tag_that_never_comes_begins_at_the_top() -> None:
    found = desk()
    found.never("sky")
    found.step(-0.05, "sky")
    assert found.needed("sky") == 0.95


def test_totals_first_then_what_changed_and_the_histogram() -> None:
    found = desk()
    found.step(-0.1)
    first, whole = told(found, [0, 1, 2], "sky")
    assert first.totals is not None
    assert (first.totals.images, first.totals.kept, first.totals.empty) == (3, 3, 1)
    assert (first.changed, whole.changed, whole.named, whole.before) == (None, (1, 0), (("(o)_(o)", 1),), 0.35)
    # As half floats 0.9 and 0.2 are a little less.
    assert [at for at, number in enumerate(whole.histogram) if number] == [3, 17]


def test_totals_are_those_of_the_list() -> None:
    (first, _) = told(desk(), [1])
    assert first.totals is not None
    assert (first.totals.images, first.totals.kept, first.totals.empty) == (1, 1, 0)


def test_rules_that_look_at_whole_images_take_a_moment_once() -> None:
    found = desk(Setting(options={"threshold": "mcut"}))
    found.set(Setting(options={"threshold": "mcut"}, tags={"sky": 0.95}))
    view = [0, 1, 2]
    begun, totals, whole = told(found, view)
    assert (begun.totals, begun.changed, totals.changed) == (None, None, None)
    # The largest gaps are above the general tags' 0.3 and below the characters' own; then sky needs more.
    assert whole.totals == totals.totals == Totals(3, 2, 1)
    assert whole.named == (("sky", -2),)
    found.step(0.01, "sky")
    assert told(found, view)[0].totals == Totals(3, 2, 1)


def test_a_limit_of_tokens_is_counted_image_by_image_with_totals_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_desk, "TELL_SECONDS", -1.0)
    # Characters are counted here, so of image a's "tom, sky" the one with the higher score has room.
    found = desk(Setting(options={"max_tokens": "4"}, tags={"tom": 0.5}))
    found.step(-0.3)
    begun, so_far, totals, whole = told(found, [0, 1, 2])
    assert (begun.totals, so_far.counting, totals.counting, whole.counting) == (None, (3, 3), None, None)
    # a keeps sky, b tom; with 0.05 as the threshold no other tag has room.
    assert [each.totals for each in (so_far, totals, whole)] == [Totals(3, 2, 1)] * 3
    assert whole.changed == (0, 0)
    found.set(Setting(tags={"tom": 0.5}))
    assert told(found, [0, 1, 2])[-1].named == (("tom", 1),)


def test_nothing_is_counted_for_nobody() -> None:
    assert list(desk().outcomes_slowly([0], "", lambda: True, len)) == []


def test_what_colours_ask() -> None:
    ask = desk().score_of(0, "sky", len)
    assert ask("sky") == Score(pytest.approx(0.9, abs=1e-3), 0.35, "")  # type: ignore[arg-type]
    assert ask("my cat") is None
    assert desk().score_of(1, "", len)(r"\(o\) \(o\)") == Score(0.0, 0.35, "below")


def test_a_tag_is_written_as_the_rules_say() -> None:
    assert desk().written(desk().rows(0, "", len)[2]) == "(o)_(o)"
    spelt = desk(Setting(options={"preset": "a1111"}))
    assert spelt.written(spelt.rows(0, "", len)[2]) == r"\(o\) \(o\)"


def test_a_setting_survives_being_kept() -> None:
    setting = Setting(("a", "b"), "mean", {"order": "score"}, 0.4, {"sky": 2.0})
    assert Setting.recalled(setting.kept()) == setting
    assert Setting.recalled({"how": "guess", "threshold": 7, "tags": [1], "taggers": "x"}) == Setting()
    assert Setting.recalled(None) == Setting()


def test_a_setting_that_makes_no_sense_changes_nothing() -> None:
    found = desk()
    with pytest.raises(UserError, match="knows no tag"):
        found.set(Setting(options={"ban": "moon"}))
    assert found.rows(0, "", len)[0].why == ""


def test_each_tagger_alone_then_all_together() -> None:
    assert whose_choices(["a"]) == [(("a",), "union")]
    assert [each.words for each in whose_choices(["a", "b"])] == [
        "a", "b", "union of 2", "intersection of 2", "mean of 2", "maximum of 2",
    ]  # fmt: skip
