from __future__ import annotations

from textual.content import Content

from sdtui.tui.captions.pair import compared


def plain(both: tuple[Content, Content]) -> tuple[str, str]:
    return both[0].plain, both[1].plain


def test_what_only_one_has_stands_first_with_a_plus() -> None:
    mine, theirs = ["city", "night", "tower", "rain"], ["tower", "city", "[red]day"]
    assert plain(compared(mine, theirs)) == ("+night, +rain", "city, tower")
    assert plain(compared(theirs, mine)) == ("+[red]day", "tower, city")


def test_nothing_of_its_own_and_nothing_at_all() -> None:
    assert plain(compared(["a"], ["a", "b"])) == ("nothing of its own", "a")
    assert plain(compared([], ["a"])) == ("no caption", "")
    assert plain(compared(["caf\u00e9"], [], ascii_only=True)) == ("+caf\\xe9", "")
