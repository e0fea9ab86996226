"""The Captions screen driven by keys: scores of taggers, the threshold moved, tags ticked and applied."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.pilot import Pilot

from sdtui.dataset.digests import Digests
from sdtui.dataset.marks import Marks
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scores import Scores, TaggerFacts
from sdtui.tagging.tag_list import TagList
from sdtui.tui.app import SdtuiApp
from sdtui.tui.captions import edit_form
from sdtui.tui.screens.captions import CaptionsScreen
from tests.tui.captions.desk import SIZE, app_on, dataset, pane, ready, saved, screen_of, written
from tests.tui.stage import says, screen_text, told, until

NAMES = ("sky", "long_hair", "night", "rating:safe")
ROWS = {
    "a": [(0, 0.9), (1, 0.52), (2, 0.48), (3, 0.97)],
    "b": [(0, 0.8), (2, 0.3)],
    "c": [(0, 0.45)],
}


def score(images: Path, name: str, rows: dict[str, list[tuple[int, float]]], tags: TagList) -> None:
    known = Digests(images)
    listed = [(known.of(images / f"{stem}.png"), pairs) for stem, pairs in rows.items()]
    Scores.of(images, TaggerFacts(name, name.encode().hex().ljust(64, "0"), "as it is", tags)).append(
        ScoreTable.of_lists(tags, listed)
    )


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(edit_form, "PREVIEW_DELAY", 0.01)
    folder = dataset(tmp_path / "images", {"a": b"sky, my cat\n", "b": b"bird\n", "c": b"", "d": b"tree\n"})
    for shade, name in enumerate("abcd"):
        # Images are told apart by their bytes.
        Image.new("RGB", (48, 32), (40 * shade, 90, 90)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def scored(images: Path) -> Path:
    score(images, "one", ROWS, TagList.plain(NAMES))
    return images


def spoil(images: Path) -> None:
    """Damage the file of scores."""
    next(images.glob(".sdtui/scores/*/*.safetensors")).write_bytes(b"nothing")


def rows(app: SdtuiApp) -> list[str]:
    """The lines of the panel; empty ones while a dialog is open."""
    if not isinstance(app.screen, CaptionsScreen):
        return [""] * 4
    panel = app.screen.panel
    x, y, width, height = panel.content_region
    return [row[x : x + width].rstrip() for row in screen_text(app)[y : y + height]]


def signs(app: SdtuiApp) -> list[str]:
    """Sign, mark and name of the tags that the panel lists."""
    return ["".join(row[2:].split(" ")[:1]) + " " + row[4:].split()[0] for row in rows(app)[2:6] if row[2:].strip()]


async def open_panel(pilot: Pilot[None]) -> None:
    """Keys mean the tags of the panel once it has some."""
    await pilot.press("t")
    await until(pilot, lambda: "threshold" in rows(pilot.app)[0] and bool(signs(pilot.app)))  # type: ignore[arg-type]


async def test_the_threshold_decides_before_ones_eyes(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "threshold 0.50" in rows(app)[0])
        assert signs(app) == ["- rating:safe", "+● sky", "+ long_hair", "- night"]
        assert "+ 2 kept, 1 new  - 2 dropped" in rows(app)[1]
        await until(pilot, lambda: "3 images  3 tags  1 left empty" in rows(app)[-3])
        await until(pilot, lambda: "as before, at 0.50" in rows(app)[-2])
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: "threshold 0.48" in rows(app)[0])
        assert signs(app)[-1] == "+ night"
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "threshold 0.43" in rows(app)[0])
        await until(pilot, lambda: "3 images  5 tags  0 left empty" in rows(app)[-3])
        await until(pilot, lambda: "+2 -0 against 0.50" in rows(app)[-2])
        await pilot.press("right_curly_bracket", "right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: "as before, at 0.50" in rows(app)[-2])
    assert written(scored) == {"a.txt": b"sky, my cat\n", "b.txt": b"bird\n", "c.txt": b"", "d.txt": b"tree\n"}


def held_back(app: SdtuiApp, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Scores are read once the event is set."""
    release, screen = threading.Event(), screen_of(app)
    read = screen._load_desk

    def read_later(*what: Any) -> None:
        release.wait()
        read(*what)

    monkeypatch.setattr(screen, "_load_desk", read_later)
    return release


async def test_keys_pressed_before_the_tags_are_there_are_meant_for_them(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        release = held_back(app, monkeypatch)
        await pilot.press("t", "j", "enter", "left_square_bracket")
        await until(pilot, lambda: "reading the scores" in rows(app)[0])
        release.set()
        await until(pilot, lambda: "threshold 0.49" in rows(app)[0])
        await until(pilot, lambda: written(scored)["a.txt"] == b"my cat\n")


async def test_keys_for_tags_are_forgotten_when_the_panel_closes(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        release = held_back(app, monkeypatch)
        await pilot.press("t", "right_square_bracket", "escape")
        await until(pilot, lambda: not app.screen.has_class("-scores"))
        release.set()
        await until(pilot, lambda: screen_of(app).desk is not None)
        await open_panel(pilot)
        assert "threshold 0.50" in rows(app)[0]


async def test_the_panel_follows_the_images_and_the_list(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "threshold" in rows(app)[0])
        await pilot.press("J")
        await until(pilot, lambda: signs(app) == ["+ sky", "- night"])
        await pilot.press("J", "J")
        await until(pilot, lambda: "this image has no scores" in rows(app)[1])
        await pilot.press("K", "t", "k", "k", "slash")
        await pilot.press(*"bird")
        await until(pilot, lambda: "1 image  1 tags  0 left empty" in rows(app)[-3])


async def test_one_tag_has_a_threshold_of_its_own(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "threshold" in rows(app)[0])
        await pilot.press("j", "j", "equals_sign", "right_curly_bracket")
        await until(pilot, lambda: rows(app)[0].startswith("long_hair 0.55"))
        assert signs(app) == ["- rating:safe", "+● sky", "- long_hair", "- night"]
        await pilot.press("equals_sign", "backspace")
        await until(pilot, lambda: rows(app)[0].startswith("threshold 0.50  "))
        await pilot.press("k", "x")
        await until(pilot, lambda: "never" in rows(app)[3])
        await until(pilot, lambda: "3 images  1 tags  2 left empty" in rows(app)[-3])
        await until(pilot, lambda: "+0 -2 against 0.50  sky -2" in rows(app)[-2])
        await pilot.press("ctrl+q")
    # By what was decided is remembered.
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "never" in rows(app)[3])
        await pilot.press("j", "x")
        await until(pilot, lambda: "never" not in rows(app)[3])


async def test_the_threshold_of_one_tag_is_that_of_the_tag_under_the_cursor(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await open_panel(pilot)
        await pilot.press("j", "j", "j", "equals_sign")
        await until(pilot, lambda: rows(app)[0].startswith("night 0.50") and rows(app)[-1].startswith("night"))
        # The next image but one has no such tag.
        await pilot.press("J", "J")
        await until(pilot, lambda: rows(app)[0].startswith("sky 0.50") and rows(app)[-1].startswith("sky"))


async def test_the_histogram_is_of_the_tag_under_the_cursor(scored: Path) -> None:
    app = app_on(scored, ascii_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await open_panel(pilot)
        await pilot.press("j")
        # As half floats 0.45, 0.8 and 0.9 are a little less: the parts that begin at 0.40, 0.75 and 0.85.
        await until(pilot, lambda: rows(app)[-1] == "sky            0        @ |     @ @  1 3")


async def test_a_tag_is_ticked_and_taken_out_again(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await open_panel(pilot)
        await pilot.press("j", "j", "enter")
        await saved(pilot)
        assert (scored / "a.txt").read_bytes() == b"sky, my cat, long hair\n"
        assert signs(app)[2] == "+● long_hair"
        await pilot.press("u")
        await until(pilot, lambda: (scored / "a.txt").read_bytes() == b"sky, my cat\n")
        await until(pilot, lambda: signs(app)[2] == "+ long_hair")
        await pilot.press("U")
        await until(pilot, lambda: (scored / "a.txt").read_bytes() == b"sky, my cat, long hair\n")
        await until(pilot, lambda: signs(app)[2] == "+● long_hair")
        await pilot.press("k", "space")
        await until(pilot, lambda: (scored / "a.txt").read_bytes() == b"my cat, long hair\n")
        await pilot.press("escape", "u")
        await until(pilot, lambda: (scored / "a.txt").read_bytes() == b"sky, my cat, long hair\n")
        await until(pilot, lambda: "undone" in pane(app)[0])
        await pilot.press("u")
        await until(pilot, lambda: (scored / "a.txt").read_bytes() == b"sky, my cat\n")


async def test_tags_are_applied_after_a_preview_and_taken_back(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await open_panel(pilot)
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "threshold 0.45" in rows(app)[0])
        await pilot.press("A")
        await until(pilot, lambda: says(app, "changes 3 of 4 captions"))
        assert says(app, "+ sky, my cat, long hair, night")
        await pilot.press("right", "right")
        await until(pilot, lambda: says(app, "keep-own"))
        await until(pilot, lambda: says(app, "+ my cat, long hair, night, sky"))
        await pilot.press("enter")
        words = "tags by score from 0.45 on, keep-own (all): 3 of 4 captions changed, u takes it back"
        await until(pilot, lambda: told(app, words))
        assert written(scored) == {
            "a.txt": b"my cat, long hair, night, sky\n", "b.txt": b"bird, sky\n", "c.txt": b"sky", "d.txt": b"tree\n",
        }  # fmt: skip
        await until(pilot, lambda: "as before, at 0.45" in rows(app)[-2])
        await pilot.press("escape", "u")
        await until(pilot, lambda: (scored / "c.txt").read_bytes() == b"")
        assert (scored / "a.txt").read_bytes() == b"sky, my cat\n"


async def test_the_palette_offers_to_move_the_threshold_only_while_the_scores_are_open(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("colon", *"threshold")
        await until(pilot, lambda: says(app, "Scores of a tagger: move the threshold"))
        assert not says(app, "The threshold 0.05 lower")
        await pilot.press("escape", "t")
        await until(pilot, lambda: "threshold 0.50" in rows(app)[0])
        await open_panel(pilot)
        await pilot.press("colon", *"threshold")
        await until(pilot, lambda: says(app, "The threshold 0.05 lower"))


async def test_several_taggers_alone_and_together(scored: Path) -> None:
    score(scored, "two", {"a": [(0, 0.2), (1, 0.7)]}, TagList.plain(["long hair", "tree"]))
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: rows(app)[0].endswith("one-6f6e6500"))
        await pilot.press("c")
        await until(pilot, lambda: rows(app)[0].endswith("two-74776f00"))
        assert signs(app) == ["+ tree", "- long"]
        await pilot.press("c")
        await until(pilot, lambda: rows(app)[0].endswith("union of 2"))
        assert signs(app) == ["- rating:safe", "+● sky", "+ tree", "+ long_hair"]
        await pilot.press("c")
        await until(pilot, lambda: rows(app)[0].endswith("intersection of 2"))
        # Of tags that both know, the lower score; of the others, the one there is.
        assert rows(app)[6].split()[:3] == ["-", "long_hair", "0.20"]


async def test_scores_that_another_process_stored_are_there_when_the_panel_opens_again(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "3 images  3 tags" in rows(app)[-3])
        await pilot.press("escape")
        score(scored, "one", {"d": [(0, 0.9)]}, TagList.plain(NAMES))
        await pilot.press("t")
        await until(pilot, lambda: "4 images  4 tags" in rows(app)[-3])


async def test_rules_are_options_of_a_form_and_remembered(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await open_panel(pilot)
        await pilot.press("o")
        await until(pilot, lambda: says(app, "Rules: which scored tags an image gets"))
        await pilot.press("down", "down", "down", *"sky")
        await pilot.press("down", "down", "down", "right", "right", "enter")
        await until(pilot, lambda: "banned" in rows(app)[3] and signs(app)[0] == "+ rating:safe")
        await pilot.press("o", "down", "down", "down", "end", *"x", "enter")
        await until(pilot, lambda: says(app, "the tagger knows no tag 'skyx'"))
        await pilot.press("escape", "ctrl+q")
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "banned" in rows(app)[3])


async def test_another_preset_begins_with_its_own_threshold(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await open_panel(pilot)
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "threshold 0.45" in rows(app)[0])
        await pilot.press("o", "right", "right", "enter")
        await until(pilot, lambda: "threshold 0.35" in rows(app)[0])
        await pilot.press("right_square_bracket", "o", "down", "right", "right", "enter")
        await until(pilot, lambda: says(app, "no threshold of equal precision and recall is known for one"))
        # Other options leave the threshold where it is.
        await pilot.press("left", "left", "down", "down", *"night", "enter")
        await until(pilot, lambda: "threshold 0.36" in rows(app)[0] and "banned" in rows(app)[5])


async def test_colours_say_what_the_scores_say(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press(*["C"] * 7)
        await until(pilot, lambda: pane(app)[1] == " +sky, omy cat")
        await until(pilot, lambda: "sky: 0.90, needs 0.50" in pane(app)[-2])
        # The panel opens with what the colours have read.
        await pilot.press("t")
        await until(pilot, lambda: rows(app)[0].startswith("threshold 0.50") and rows(app)[0].endswith("one-6f6e6500"))
        await pilot.press("escape")
        await pilot.press("j")
        await until(pilot, lambda: pane(app)[1] == " obird")
        await pilot.press("G")
        await until(pilot, lambda: "no scores of this image" in pane(app)[-2])


async def test_colours_tell_a_taggers_tags_from_ones_own(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press(*["C"] * 8)
        await until(pilot, lambda: pane(app)[1] == " bsky, omy cat")
        await pilot.press("A")
        await until(pilot, lambda: says(app, "changes 2 of 4 captions"))
        await pilot.press("enter")
        await until(pilot, lambda: pane(app)[1] == " bsky, omy cat, tlong hair")
        await pilot.press("tab", "tab")
        await until(pilot, lambda: "long hair: from a tagger, 0.52" in pane(app)[-2])
        # Taken out and put back by hand it is the user's.
        await pilot.press("d")
        await until(pilot, lambda: pane(app)[1] == " bsky, omy cat")
        await pilot.press("a", *"long", "space", *"hair", "enter")
        await until(pilot, lambda: pane(app)[1] == " bsky, omy cat, blong hair")


async def test_without_scores_that_is_said(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("A")
        await until(pilot, lambda: told(app, "no scores were read yet: t opens them"))
        await pilot.press("t")
        await until(pilot, lambda: says(app, "No tagger has scored these images"))
        await pilot.press("escape")
        await until(pilot, lambda: "no tagger has scored these images" in rows(app)[0])
        await pilot.press("escape", "left_square_bracket")
        await until(pilot, lambda: told(app, "t opens the scores"))


async def test_damaged_scores_are_told(scored: Path) -> None:
    spoil(scored)
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "the scores cannot be read" in rows(app)[0])


async def test_a_search_by_damaged_scores_says_so(scored: Path) -> None:
    spoil(scored)
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("slash", *"score:sky>0.5")
        await until(pilot, lambda: says(app, "the scores are damaged"))


async def test_saved_queries_are_counted_past_one_by_damaged_scores(scored: Path) -> None:
    spoil(scored)
    marks = Marks(scored)
    marks.save_query("by score", "score:sky>0.5")
    marks.save_query("by tag", "bird")
    app = app_on(scored)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("S")
        await until(pilot, lambda: any(re.search(r"by tag +1  bird", row) for row in screen_text(app)))
        assert any(re.search(r"by score +-  score:sky>0.5", row) for row in screen_text(app))


async def test_in_a_small_window_the_scores_stand_beside_the_picture(scored: Path) -> None:
    app = app_on(scored)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: "threshold 0.50" in rows(app)[0])
        await pilot.press("t")
        await until(pilot, lambda: app.focused is screen_of(app).images)
        assert not screen_of(app).has_class("-scores")


async def test_images_are_scored_from_the_screen(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: says(app, "No tagger has scored these images. Score them with:"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "the images are being scored"))
        assert says(app, "esc esc stops it")
        await pilot.press("s")
        await until(pilot, lambda: told(app, "; one tagger at a time"))
        await until(pilot, lambda: told(app, "4 images scored"))
        await until(pilot, lambda: "threshold 0.50" in rows(app)[0] and "4 images" in rows(app)[-3])


async def test_a_tagger_that_is_none_is_told(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("t")
        await until(pilot, lambda: says(app, "No tagger has scored these images"))
        await pilot.press("o")
        await until(pilot, lambda: says(app, "Score the images with which tagger?"))
        await pilot.press(*"nosuch", "enter")
        await until(pilot, lambda: told(app, "there is no tagger nosuch"))
        assert not says(app, "stops it")
