"""Finding one's way on the Captions screen by keys: signs, stars, selections, queries, tags, yes or no, side by side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from sdtui.dataset.edit import Journal
from sdtui.dataset.index import Index
from sdtui.dataset.marks import Marks
from sdtui.tui.app import SdtuiApp
from tests.tui.captions.desk import SIZE, app_on, dataset, pane, ready, screen_of, shows, type_in, written
from tests.tui.stage import says, screen_text, told, until

NAMES = ("bridge", "canal", "tower", "wall")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(
        tmp_path / "images",
        {
            "bridge": b"city, bridge\n",
            "canal": b"city, canal, boat\n",
            "tower": b"city, tower, tower\n",
            "wall": None,
        },
    )


def listed(app: SdtuiApp) -> list[str]:
    """The rows of the list of images, without the cursor."""
    region = screen_of(app).images.region
    rows = screen_text(app)[region.y : region.bottom]
    return [row[2 : region.width].rstrip() for row in rows if ".png" in row[: region.width]]


def names(app: SdtuiApp) -> list[str]:
    return [row[3:].split(".png")[0] for row in listed(app)]


def tells(app: SdtuiApp, words: str) -> bool:
    """Whether a row says these words, however far apart they stand."""
    return any(words in " ".join(row.split()) for row in screen_text(app))


async def loaded(pilot: Pilot[None]) -> None:
    await ready(pilot)
    await until(pilot, lambda: says(pilot.app, "tags  5"))


# -- signs, stars, selections -----------------------------------------------------------------------------------------


async def test_rows_tell_what_is_wrong_what_was_edited_and_stars(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        assert listed(app) == ["   bridge.png", "   canal.png", " = tower.png", " ! wall.png"]
        await pilot.press("plus", "plus", "plus", "minus", "apostrophe", "3", "apostrophe", "7", "tab", "d")
        await until(pilot, lambda: listed(app)[0].split() == ["bridge.png", "37", "★★", "~"])
    again = app_on(images, ascii_only=True)
    async with again.run_test(size=SIZE) as pilot:
        await ready(pilot)
        assert listed(again)[0].split() == ["bridge.png", "37", "**"]
    assert Marks(images).now.stars == {"bridge.png": 2}


async def test_a_selection_is_recalled_emptied_and_takes_the_marked(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("space", "space", "apostrophe", "j", "m", "g", "apostrophe")
        await until(pilot, lambda: tells(app, "3 2 images this one is in it"))
        await pilot.press("j", "o")
        await until(pilot, lambda: says(app, "/ mark:3") and says(app, "2 of 4"))
        assert names(app) == ["bridge", "canal"]
        await pilot.press("escape", "apostrophe", "j", "d")
        await until(pilot, lambda: says(app, "Take 2 images out of selection 3?"))
        await pilot.press("y")
        await until(pilot, lambda: listed(app)[0] == "●  bridge.png")
    assert Marks(images).selected(3) == frozenset()
    assert Marks(images).selected(1) == {"bridge.png", "canal.png"}


async def test_next_problem_and_a_random_image(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("exclamation_mark")
        await until(pilot, shows(app, "tower.png   48×32", "city, tower, =tower"))
        await pilot.press("exclamation_mark", "exclamation_mark")
        await until(pilot, shows(app, "tower.png   48×32", "city, tower, =tower"))
        seen = set()
        for _ in range(30):
            before = screen_of(app).images.cursor
            await pilot.press("x")
            seen.add(screen_of(app).images.cursor)
            assert screen_of(app).images.cursor != before
        assert seen == {0, 1, 2, 3}


# -- loading ----------------------------------------------------------------------------------------------------------


async def test_reading_is_told_in_figures_and_stopped_by_esc(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, load = threading.Event(), Index.load

    def slow(index: Index) -> Iterator[int]:
        yield 2
        go_on.wait(120)
        yield 3
        yield from load(index)

    monkeypatch.setattr(Index, "load", slow)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "reading 2 of 4"))
        assert says(app, "reading the captions: 50 %")
        await pilot.press("j")
        await until(pilot, shows(app, "canal.png   48×32", "city, canal, boat"))
        await pilot.press("escape")
        await until(pilot, lambda: told(app, "reading stopped"))
        # How many are untagged is not known by then.
        assert screen_text(app)[0].endswith("4 images · captions not read yet")
        monkeypatch.setattr(Index, "load", load)
        go_on.set()
        await pilot.press("slash", *"boat")
        await until(pilot, lambda: says(app, "1 of 4"))


# -- queries ----------------------------------------------------------------------------------------------------------


async def test_what_is_wrong_is_pointed_at_while_the_list_stays(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("slash", *"tag:city")
        await until(pilot, lambda: says(app, "3 of 4"))
        await pilot.press(*" AND (tga:x")
        await until(pilot, lambda: says(app, "there is no field tga:. Did you mean tag:?"))
        assert names(app) == ["bridge", "canal", "tower"]
        await until(pilot, lambda: screen_text(app)[1] == " / tag:city AND (tga:x")
        rows = screen_text(app)
        assert rows[2].index("^") == rows[1].index("tga:") == 17
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) == 4)


async def test_fields_and_tags_are_completed(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("slash", *"prob")
        await until(pilot, lambda: screen_text(app)[1].startswith(" / problem:"))
        await pilot.press("tab", *"tw", "tab")
        await until(pilot, lambda: says(app, "1 of 4"))
        assert screen_of(app).query_input.value == "problem:twice"
        await pilot.press(*" OR tag:bo", "tab")
        await until(pilot, lambda: says(app, "2 of 4"))
        assert screen_of(app).query_input.value == "problem:twice OR tag:boat"


async def test_case_and_earlier_queries(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("slash", *"CITY")
        await until(pilot, lambda: says(app, "3 of 4"))
        await pilot.press("f2")
        await until(pilot, lambda: says(app, "0 of 4"))
        assert screen_of(app).query_input.value == "case:on CITY"
        await pilot.press("f2", "enter", "slash", "ctrl+u", *"boat", "enter", "escape")
        await until(pilot, lambda: len(names(app)) == 4)
        app.exit()
    again = app_on(images)
    async with again.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(again, "tags  5"))
        await pilot.press("slash", "x", "up")
        line = screen_of(again).query_input
        assert line.value == "boat"
        await pilot.press("up", "up")
        assert line.value == "CITY"
        await pilot.press("down", "down")
        assert line.value == "x"


async def test_a_query_is_saved_listed_with_its_count_renamed_recalled_and_deleted(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("S")
        await until(pilot, lambda: says(app, "none yet"))
        await pilot.press("a")
        await until(pilot, lambda: told(app, "nothing is looked for now"))
        await pilot.press("escape", "slash", *"tags:3", "enter", "S", "a")
        await type_in(pilot, "three")
        await pilot.press("enter")
        await until(pilot, lambda: tells(app, "three 2 tags:3"))
        await pilot.press("r", *["backspace"] * 5)
        await type_in(pilot, "3 tags")
        await pilot.press("enter", "escape", "escape", "S")
        await until(pilot, lambda: tells(app, "3 tags 2 tags:3"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "/ tags:3") and says(app, "2 of 4"))
        assert names(app) == ["canal", "tower"]
        await pilot.press("S", "d", "y")
        await until(pilot, lambda: says(app, "none yet"))
    assert Marks(images).now.queries == {}


async def test_the_place_is_kept_while_half_a_query_finds_nothing(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("j", "j", "slash", *"tag:ci")
        # What was listed is listed still, as a tag begins like this.
        await until(pilot, lambda: says(app, "0 of 4"))
        assert len(names(app)) == 4
        await pilot.press("x")
        await until(pilot, lambda: says(app, "nothing here matches the search"))
        await pilot.press("backspace", "t", "y")
        await until(pilot, lambda: says(app, "3 of 4"))
        assert pane(app)[0].startswith(" tower.png")


async def test_what_is_listed_stays_while_a_term_is_not_complete(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("slash", *"boat")
        await until(pilot, lambda: says(app, "1 of 4"))
        await pilot.press(*" AND tag:")
        await until(pilot, lambda: says(app, "tag: needs a value right after the colon"))
        assert (names(app), says(app, "1 of 4")) == (["canal"], True)
        # Enter says the same, and takes nothing for a query that is none.
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "tag: needs a value right after the colon"))
        assert screen_of(app).query_input.has_focus
        await pilot.press("ctrl+u", *"tag:")
        await until(pilot, lambda: len(names(app)) == 4)


async def test_enter_means_what_is_there_also_where_more_may_come(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("slash", *"tag:ci")
        await until(pilot, lambda: says(app, "0 of 4") and len(names(app)) == 4)
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "nothing here matches the search"))


async def test_the_tag_cursor_is_on_the_tag_that_is_looked_for(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("j", "j", "T", "slash", *"boat", "enter")
        await until(pilot, lambda: tells(app, "tags 1 of 5"))
        await pilot.press("enter")
        await until(pilot, lambda: names(app) == ["canal"] and screen_of(app).tag == 2)
        # So that replacing it everywhere takes no search for it in the caption.
        await pilot.press("r", "s", "enter")
        await until(pilot, lambda: written(images)["canal.txt"] == b"city, canal, boats\n")


# -- tags -------------------------------------------------------------------------------------------------------------


async def test_with_the_tag_without_it_and_back(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("j", "w")
        await until(pilot, lambda: says(app, "3 of 4"))
        assert pane(app)[0].startswith(" canal.png")
        await pilot.press("tab", "W")
        await until(pilot, lambda: says(app, "2 of 4"))
        assert says(app, '/ tag:"city" AND NOT tag:"canal"')
        assert names(app) == ["bridge", "tower"]
        assert pane(app)[0].startswith(" tower.png")
        await pilot.press("escape", "k", "k", "tab", "W")
        await until(pilot, lambda: says(app, "3 of 4") and names(app) == ["canal", "tower", "wall"])
        await pilot.press("escape", "g", "w")
        await until(pilot, lambda: says(app, "3 of 4") and names(app) == ["bridge", "canal", "tower"])
        await pilot.press("w")
        await until(pilot, lambda: len(names(app)) == 4 and not says(app, " of 4"))


async def test_the_list_of_tags_has_the_keys_until_it_is_left(images: Path) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("T")
        await until(pilot, lambda: screen_text(app)[-1].startswith(" enter only with it  W only without  / filter"))
        await pilot.press("d", "a", "space", "slash", *"ca", "enter")
        await until(pilot, lambda: says(app, "tags  1 of 5"))
        assert written(images) == before
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "1 of 4") and names(app) == ["canal"])
        assert screen_of(app).images.has_focus
        await pilot.press("T", "enter")
        await until(pilot, lambda: len(names(app)) == 4)
        await pilot.press("T", "escape", "escape", "j")
        await until(pilot, shows(app, "tower.png   48×32", "city, tower, =tower"))


async def test_in_a_narrow_window_the_list_of_tags_takes_it_and_gives_it_back(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("T")
        await until(pilot, lambda: says(app, "tags  5") and not says(app, "canal.png"))
        await pilot.press("q")
        await until(pilot, lambda: says(app, "canal.png") and not says(app, "tags  5"))


# -- yes or no --------------------------------------------------------------------------------------------------------


async def test_yes_or_no_writes_goes_on_and_takes_back(images: Path) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("y")
        await until(pilot, lambda: says(app, "Yes or no: which tag, of 4 images?"))
        # It takes the place of the tag under the tag cursor.
        await until(pilot, lambda: any(row.strip() == "city" for row in screen_text(app)))
        await pilot.press(*"boat", "enter")
        await until(pilot, lambda: says(app, "yes or no: boat") and says(app, "1 of 4"))
        await pilot.press("y")
        await until(pilot, lambda: says(app, "2 of 4") and says(app, "has it now   canal.png"))
        await pilot.press("n")
        await until(pilot, lambda: says(app, "1 yes · 1 no   3 of 4"))
        await pilot.press("space", "y", "y")
        await until(pilot, lambda: says(app, "that was the last image") and says(app, "2 yes · 1 no   4 of 4"))
        await pilot.press("u", "u", "u")
        await until(pilot, lambda: says(app, "1 yes · 0 no   2 of 4") and says(app, "has it now   canal.png"))
        await pilot.press("escape")
        await until(pilot, shows(app, "canal.png   48×32", "city, canal, boat"))
        await until(pilot, lambda: written(images) == {**before, "bridge.txt": b"city, bridge, boat\n"})
        await until(pilot, lambda: tells(app, "boat 2"))
        await pilot.press("u")
        await until(pilot, lambda: written(images) == before)


async def test_the_last_image_shows_its_answer_before_that_is_written(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, apply = threading.Event(), Journal.apply

    def late(self: Journal, *args: Any) -> Any:
        go_on.wait(30)
        return apply(self, *args)

    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        monkeypatch.setattr(Journal, "apply", late)
        await pilot.press("slash", *"boat", "enter")
        await until(pilot, lambda: says(app, "1 of 4"))
        await pilot.press("y", "ctrl+u", *"city", "enter")
        await until(pilot, lambda: says(app, "has it now"))
        await pilot.press("n")
        await until(pilot, lambda: says(app, "that was the last image") and " canal, boat" in screen_text(app))
        go_on.set()
        await pilot.press("escape")
        await until(pilot, lambda: written(images)["canal.txt"] == b"canal, boat\n")


async def test_a_caption_that_cannot_be_read_gets_no_answer(tmp_path: Path) -> None:
    images = dataset(tmp_path / "images", {"a": b"\xff\xfe", "b": b"city\n"})
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("y", *"night", "enter", "y")
        await until(pilot, lambda: told(app, "cannot be answered here"))
        assert says(app, "1 of 2")
        await pilot.press("space", "y", "escape")
        await until(pilot, lambda: written(images) == {"a.txt": b"\xff\xfe", "b.txt": b"city, night\n"})


async def test_an_answer_that_meets_another_programs_text_is_told_and_not_counted(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("y", *["backspace"] * 4, *"boat", "enter")
        await until(pilot, lambda: says(app, "1 of 4"))
        (images / "bridge.txt").write_bytes(b"theirs\n")
        await pilot.press("y")
        await until(pilot, lambda: told(app, "not written") and says(app, "0 yes · 0 no   2 of 4"))
        assert (images / "bridge.txt").read_bytes() == b"theirs\n"


async def test_yes_or_no_from_the_list_of_tags(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("T", "j", "y")
        await until(pilot, lambda: says(app, "yes or no: boat"))


# -- side by side -----------------------------------------------------------------------------------------------------


async def test_two_images_side_by_side(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("v")
        await until(pilot, lambda: says(app, "1 tag in both · 1 only left · 2 only right"))
        assert says(app, "+bridge")
        assert says(app, "+canal, +boat")
        assert [row[1:40].strip() for row in screen_text(app)][1] == "bridge.png"
        await pilot.press("j")
        await until(pilot, lambda: says(app, "+tower") and says(app, "3 of 4"))
        await pilot.press("v")
        await until(pilot, lambda: [row[1:38].strip() for row in screen_text(app)][1] == "tower.png")
        assert says(app, "no caption")
        assert says(app, "4 of 4")
        await pilot.press("j", "space")
        await until(pilot, lambda: says(app, "● bridge.png"))
        await pilot.press("escape")
        await until(pilot, shows(app, "bridge.png   48×32", "city, bridge"))
        assert says(app, "1 marked")


async def test_enter_goes_back_to_the_one_that_is_held(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await loaded(pilot)
        await pilot.press("j", "v", "j", "enter")
        await until(pilot, shows(app, "canal.png   48×32", "city, canal, boat"))
