"""The Captions screen driven by keys: what is shown, and which bytes end up on disk."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from sdtui.dataset.marks import Marks
from sdtui.errors import SdtuiError
from sdtui.tui.app import SdtuiApp
from sdtui.tui.captions.known import Counted
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.words import Note
from sdtui.tui.captions.writing import CaptionsWriting
from sdtui.tui.screens import captions as captions_screen
from sdtui.tui.widgets.picture import PicturePanel
from tests.support.readonly import read_only
from tests.tui.captions.desk import (
    SIZE,
    app_on,
    counted,
    dataset,
    pane,
    ready,
    saved,
    screen_of,
    shows,
    type_in,
    written,
)
from tests.tui.hostile import HOSTILE
from tests.tui.stage import says, screen_text, told, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions_screen, "LOOK_SECONDS", 0.05)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(
        tmp_path / "images",
        {"bridge": b"city, bridge\n", "canal": b"city, canal, boat\n", "tower": b"city, tower, tower\n"},
    )


# -- looking ----------------------------------------------------------------------------------------------------------


async def test_images_caption_counts_and_length(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: says(app, "tags  5"))
        rows = screen_text(app)
        # A long path is cut in the middle.
        assert rows[0].startswith(" sdtui  captions  /")
        assert "/images " in rows[0]
        assert rows[0].endswith("3 images · 0 untagged")
        assert rows[1].startswith("▸    bridge.png")
        assert rows[2].startswith("     canal.png")
        assert "tags  5" in rows[1]
        assert "city" in rows[2]
        assert counted(app, "city") == "3"
        await until(pilot, lambda: pane(app)[0].endswith("2 tags · tokens   3 / 75"))
        assert pane(app)[0].startswith(" bridge.png   48×32")
        assert pane(app)[1] == " city, bridge"


async def test_a_narrow_window_leaves_out_what_can_be_done_without(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=(60, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "d")
        await until(pilot, lambda: screen_text(app)[0].endswith(" saved · 0 untagged · 1 marked"))
        await pilot.resize_terminal(44, 24)
        await until(pilot, lambda: screen_text(app)[0].endswith(" saved · 1 marked") and not says(app, "bracket alone"))
        # In a wide window all of it is there again, also the letters of the colours.
        await pilot.resize_terminal(*SIZE)
        await until(pilot, lambda: screen_text(app)[0].endswith("saved · .txt · 3 images · 0 untagged · 1 marked"))
        await until(pilot, lambda: says(app, "bracket alone"))


async def test_next_previous_and_a_tag_that_stands_twice(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j", "j")
        await until(pilot, lambda: says(app, "3 tags · 1 twice") and pane(app)[1] == " city, tower, =tower")
        await pilot.press("k")
        await until(pilot, shows(app, "canal.png   48×32", "city, canal, boat"))


async def test_the_tag_cursor_goes_round(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        assert screen_of(app).tag == 0
        await pilot.press("tab", "tab")
        assert screen_of(app).tag == 0
        await pilot.press("shift+tab")
        assert screen_of(app).tag == 1


async def test_no_images_and_no_dataset_say_what_to_do(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.pdf").write_bytes(b"")
    app = app_on(empty)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "0 images"))
        assert pane(app)[1] == " no images here: it holds 1 other file (.pdf)"
        await pilot.press("j", "enter", "a", "d", "n", "o", "space", "u", "e")
        assert says(app, "? keys")
    app = SdtuiApp(empty, start="captions")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "No dataset in this workspace yet. O opens a folder of images."))


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    app = app_on(tmp_path / "none")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "none: the folder does not exist"))


async def test_open_another_folder(images: Path, tmp_path: Path) -> None:
    dataset(tmp_path / "b", {"x": b"other\n"})
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("O")
        await until(pilot, lambda: says(app, "Open a folder of images"))
        await type_in(pilot, "b")
        await pilot.press("enter")
        await until(pilot, shows(app, "x.png", "other"))


async def test_an_image_that_cannot_be_read_is_said_and_its_caption_still_edited(images: Path) -> None:
    (images / "bridge.png").write_bytes(b"not an image")
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "not an image" in pane(app)[0].lower() or "cannot" in pane(app)[0])
        await until(pilot, lambda: bool("".join(app.screen.query_one(PicturePanel).plain()).strip()))
        await pilot.press("a")
        await type_in(pilot, "old")
        await pilot.press("enter")
        await saved(pilot)
    assert (images / "bridge.txt").read_bytes() == b"city, bridge, old\n"


async def test_hostile_names_and_captions_are_shown_literally(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "!.png")
    texts = [text for text in HOSTILE if not text.startswith("\udcff")]
    (folder / "!.txt").write_text(", ".join(texts), encoding="utf-8")
    for text in HOSTILE:
        if "/" not in text:
            Image.new("RGB", (8, 8)).save(folder / f"{text.removesuffix('.png')}.png", "PNG")
    app = app_on(folder)
    async with app.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: says(app, "tags  10"))
        rows = screen_text(app)
        listed = "\n".join(row[:58] for row in rows)
        counted = "\n".join(row[140:] for row in rows)
        for text, shown in HOSTILE.items():
            if "/" not in text:
                assert shown in listed
            if text in texts:
                # A tab at a tag's end is a blank around it, and no part of the tag.
                tag = shown.removesuffix(r"\t")
                assert tag in counted
                assert tag in "\n".join(pane(app))


# -- searching --------------------------------------------------------------------------------------------------------


async def test_search_narrows_counts_and_goes_away(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("slash")
        await type_in(pilot, "boat")
        await until(pilot, lambda: says(app, "1 of 3"))
        assert screen_text(app)[3].startswith("▸    canal.png")
        assert not says(app, "tower.png")
        await until(pilot, lambda: says(app, "tags in view  3"))
        await pilot.press("enter", "d")
        await saved(pilot)
        assert (images / "canal.txt").read_bytes() == b"canal, boat\n"
        await pilot.press("escape")
        await until(pilot, lambda: says(app, "tower.png") and not says(app, "1 of 3"))
        assert pane(app)[0].startswith(" canal.png")


async def test_n_goes_through_the_matches_without_narrowing(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("n")
        await until(pilot, lambda: told(app, "nothing searched yet"))
        await pilot.press("slash")
        await type_in(pilot, "w")
        await until(pilot, lambda: says(app, "1 of 3"))
        await pilot.press("escape", "g", "n")
        await until(pilot, shows(app, "tower.png", "city, tower, =tower"))


async def test_nothing_found_leaves_an_empty_list_and_says_so(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("slash")
        await type_in(pilot, "zebra")
        await until(pilot, lambda: says(app, "0 of 3"))
        await until(pilot, lambda: says(app, "nothing here matches the search"))
        await pilot.press("enter", "a", "d", "enter", "space", "escape")
        await until(pilot, lambda: says(app, "canal.png"))
        await until(pilot, shows(app, "bridge.png", "city, bridge"))


async def test_a_word_typed_in_one_go_is_searched_for_whole(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        for key in ("slash", "t", "o", "w"):
            app.post_message(_key(key))
        await until(pilot, lambda: says(app, "1 of 3"))
        assert screen_text(app)[1].startswith(" / tow")


# -- editing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a, b\n", b"a, b, c\n"),
        (b"a, b", b"a, b, c"),
        (b"\xef\xbb\xbfa, b\r\n", b"\xef\xbb\xbfa, b, c\r\n"),
        (b"a, b ,\r\nx\r\n\r\n", b"a, b ,\r\nx, c\r\n\r\n"),
        (b"", b"c"),
        (None, b"c\n"),
    ],
)
async def test_add_keeps_every_byte_it_need_not_touch(tmp_path: Path, before: bytes | None, after: bytes) -> None:
    folder = dataset(tmp_path / "images", {"bridge": before, "other": b"x"})
    app = app_on(folder)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("a", "c", "enter")
        await saved(pilot)
    assert (folder / "bridge.txt").read_bytes() == after
    assert sorted(path.name for path in folder.iterdir()) == [
        ".sdtui", "bridge.png", "bridge.txt", "other.png", "other.txt",
    ]  # fmt: skip


async def test_edit_in_place_with_a_line_break(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("enter")
        assert screen_text(app)[-1] == " enter save  ctrl+j new line  esc cancel"
        await pilot.press("ctrl+j", "q", "1")
        await pilot.press("enter")
        await saved(pilot)
        assert pane(app)[1:3] == [" city, bridge", " q1"]
    assert (images / "bridge.txt").read_bytes() == b"city, bridge\nq1\n"


async def test_leaving_the_editor_changes_nothing(images: Path) -> None:
    before = os.stat(images / "bridge.txt")
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("enter", "x")
        await until(pilot, lambda: pane(app)[1].strip() == "city, bridgex")
        await pilot.press("escape")
        await until(pilot, lambda: pane(app)[1] == " city, bridge")
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "enter save"))
        await pilot.press("enter")
        await until(pilot, lambda: not says(app, "enter save"))
    after = os.stat(images / "bridge.txt")
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not (images / ".sdtui").exists()


async def test_drop_and_replace_the_tag_under_the_cursor(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j", "tab", "d")
        await saved(pilot)
        assert (images / "canal.txt").read_bytes() == b"city, boat\n"
        await pilot.press("r", *["backspace"] * 4)
        await type_in(pilot, "ship")
        await pilot.press("enter")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, ship\n")


async def test_tab_completes_a_tag_from_the_dataset(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("a", "c", "a")
        await until(pilot, lambda: says(app, "canal                                         1 here"))
        await pilot.press("tab", "enter")
        await saved(pilot)
    assert (images / "bridge.txt").read_bytes() == b"city, bridge, canal\n"


async def test_undo_and_redo_across_sessions(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("d")
        await saved(pilot)
        assert (images / "bridge.txt").read_bytes() == b"bridge\n"
    again = app_on(images)
    async with again.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("G", "u")
        await until(pilot, lambda: "undone: drop city (bridge.png)" in pane(again)[0])
        assert shows(again, "bridge.png", "city, bridge")()
        assert (images / "bridge.txt").read_bytes() == b"city, bridge\n"
        await pilot.press("u")
        await until(pilot, lambda: "nothing to undo" in pane(again)[0])
        # Only what was done has the colour of a success.
        assert screen_of(again)._note == Note("nothing to undo", "$foreground")
        await pilot.press("U")
        await until(pilot, lambda: "done again: drop city (bridge.png)" in pane(again)[0])
        assert (images / "bridge.txt").read_bytes() == b"bridge\n"


async def test_edits_in_a_row_and_quitting_at_once_lose_nothing(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("d", "j", "d", "j", "d", "d", "ctrl+q")
    assert app.return_code == 0
    assert [(images / f"{name}.txt").read_bytes() for name in ("bridge", "canal", "tower")] == [
        b"bridge\n", b"canal, boat\n", b"tower\n",
    ]  # fmt: skip


async def test_untagged_images_are_marked_and_found(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "images", {"bridge": b"x", "canal": None, "tower": b" \n", "wall": b"caf\xe9"})
    app = app_on(folder)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: says(app, "4 images · 2 untagged · 1 unreadable"))
        rows = screen_text(app)
        assert [row[:16].rstrip() for row in rows[1:5]] == [
            "▸    bridge.png", "   ! canal.png", "   ! tower.png", "   ? wall.png",
        ]  # fmt: skip
        await pilot.press("o")
        await until(pilot, shows(app, "canal.png", "no caption yet: enter writes one, a adds a tag"))
        await pilot.press("a", "x", "enter")
        await saved(pilot)
        assert says(app, "4 images · 1 untagged · 1 unreadable")
        await pilot.press("u")
        await until(pilot, lambda: says(app, "4 images · 2 untagged"))
        assert not (folder / "canal.txt").exists()


async def test_marks_are_shown_and_remembered(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("space", "j", "m")
        await until(pilot, lambda: says(app, "2 marked"))
        assert screen_text(app)[1].startswith("  ●  bridge.png")
        app.exit()
    again = app_on(images)
    async with again.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(again, "2 marked"))
    assert Marks(images).selected(1) == {"bridge.png", "tower.png"}


async def test_marks_that_cannot_be_written_are_told(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> int:
        raise SdtuiError("cannot write: no space left on the disk")

    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        monkeypatch.setattr(Marks, "mark", full)
        await pilot.press("space")
        await until(pilot, lambda: told(app, "no space left on the disk"))


async def test_a_search_is_a_query(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("slash", *"tag:city AND NOT tag:boat", "enter")
        await until(pilot, lambda: says(app, "2 of 3"))
        await pilot.press("slash", *" tags:")
        await until(pilot, lambda: says(app, "tags: needs a value right after the colon"))
        await pilot.press(*">2")
        await until(pilot, lambda: says(app, "1 of 3"))


async def test_marked_images_are_edited_as_one_operation(images: Path) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("space", "space", "a")
        await until(pilot, lambda: says(app, "add tag (2 marked)"))
        await type_in(pilot, "bridge")
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "added 'bridge' to 1 of 2 marked"))
        after = written(images)
        assert after == {**before, "canal.txt": b"city, canal, boat, bridge\n"}
        await pilot.press("k", "k", "d")
        await until(pilot, lambda: told(app, "dropped 'city' from 2 of 2 marked"))
        assert (images / "bridge.txt").read_bytes() == b"bridge\n"
        assert (images / "canal.txt").read_bytes() == b"canal, boat, bridge\n"
        assert (images / "tower.txt").read_bytes() == before["tower.txt"]
        await until(pilot, shows(app, "bridge.png", "bridge"))
        await pilot.press("u")
        await until(pilot, lambda: says(app, "undone: drop city (2 marked images)"))
        assert written(images) == after
        await until(pilot, shows(app, "bridge.png", "city, bridge"))
        await until(pilot, lambda: counted(app, "city") == "3")


async def test_a_tag_is_replaced_in_all_marked_images_then_nothing_is_marked(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("M")
        await until(pilot, lambda: says(app, "3 marked"))
        assert screen_text(app)[-1].startswith(" M unmark all  enter edit")
        await pilot.press("r", *["backspace"] * 4)
        await type_in(pilot, "town")
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "replaced 'city' by 'town' in 3 of 3 marked"))
        assert [(images / f"{name}.txt").read_bytes() for name in ("bridge", "canal", "tower")] == [
            b"town, bridge\n",
            b"town, canal, boat\n",
            b"town, tower, tower\n",
        ]
        await pilot.press("M")
        await until(pilot, lambda: not says(app, " marked"))
        assert screen_text(app)[-1].startswith(" enter edit")


async def test_marked_captions_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    images = dataset(tmp_path / "images", {"a": b"city\n", "b": b"\xff\xfe"})
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("M", "a", "n", "enter")
        await until(pilot, lambda: told(app, "added 'n' to 1 of 2 marked\n1 caption cannot be read"))
        assert ((images / "a.txt").read_bytes(), (images / "b.txt").read_bytes()) == (b"city, n\n", b"\xff\xfe")


async def test_a_tag_that_is_there_is_neither_offered_nor_added(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: says(app, "tags  5"))
        await pilot.press("a")
        await type_in(pilot, "ci")
        await pilot.pause(0.1)
        assert not says(app, "add tag  city")
        await type_in(pilot, "ty")
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "'city' is already there"))
        assert (images / "bridge.txt").read_bytes() == b"city, bridge\n"


async def test_length_moves_while_one_types(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: pane(app)[0].endswith("2 tags · tokens   3 / 75"))
        await pilot.press("enter")
        await type_in(pilot, ", arch")
        await until(pilot, lambda: pane(app)[0].endswith("3 tags · tokens   5 / 75"))
        await pilot.press("escape")
        await until(pilot, lambda: pane(app)[0].endswith("2 tags · tokens   3 / 75"))


async def test_a_folder_that_cannot_be_opened_leaves_the_open_one(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("O")
        await type_in(pilot, "/nonexist")
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "nonexist"))
        assert says(app, "3 images")
        await pilot.press("j")
        await until(pilot, shows(app, "canal.png", "city, canal, boat"))


# -- what can go wrong ------------------------------------------------------------------------------------------------


async def test_a_caption_that_is_not_utf8_is_never_written(tmp_path: Path) -> None:
    raw = b"caf\xe9, crab"
    folder = dataset(tmp_path / "images", {"bridge": raw})
    app = app_on(folder)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        words = "".join(pane(app)[1:4])
        assert words.startswith(
            " the caption is not UTF-8: byte 0xe9 at offset 3. It looks like WINDOWS-1252; convert it with:"
        )
        assert "iconv -f WINDOWS-1252 -t UTF-8" in words
        await pilot.press("enter", "a", "d", "r")
        await until(pilot, lambda: told(app, "not editable here"))
    assert (folder / "bridge.txt").read_bytes() == raw


async def test_another_program_changes_the_caption_on_the_screen(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        (images / "bridge.txt").write_bytes(b"harbour\n")
        await until(pilot, lambda: "changed on disk: read again" in pane(app)[0])
        assert pane(app)[1] == " harbour"
        # The list of tags is counted anew in a thread.
        await until(pilot, lambda: counted(app, "city") == "2")
        (images / "bridge.txt").unlink()
        await until(pilot, lambda: says(app, "3 images · 1 untagged"))


async def test_a_change_that_was_counted_before_it_is_shown_is_counted_once(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, look = app_on(images), CaptionsWriting._look_at_disk
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        monkeypatch.setattr(CaptionsWriting, "_look_at_disk", lambda _screen: None)
        (images / "bridge.txt").write_bytes(b"harbour\n")
        await until(pilot, lambda: counted(app, "city") == "2")
        monkeypatch.setattr(CaptionsWriting, "_look_at_disk", look)
        await until(pilot, lambda: "changed on disk: read again" in pane(app)[0])
        await until(pilot, lambda: counted(app, "city") == "2")


async def test_a_caption_of_very_many_tags_is_gone_through(images: Path) -> None:
    (images / "canal.txt").write_text(", ".join([*(f"tag number {number}" for number in range(1_200)), "tag number 3"]))
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j")
        await until(pilot, lambda: "tag number 0, tag number 1, tag number 2" in pane(app)[1])
        # Its length and what the colours say of so many are worked out in threads.
        await until(pilot, lambda: "1 201 tags" in pane(app)[0] and "1 twice" in pane(app)[0])
        await until(pilot, lambda: says(app, "= twice 1"))
        await pilot.press("h")
        await until(pilot, lambda: says(app, "tag number 1199, =tag number 3"))
        await pilot.press("j")
        await until(pilot, lambda: "1 201 tags" not in pane(app)[0])


async def test_an_edit_while_the_tags_are_counted_anew_is_counted(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, count = app_on(images), CaptionsModel.count_slowly
    begun, go_on = threading.Event(), threading.Event()

    def slow(model: CaptionsModel) -> Counted:
        found = count(model)
        begun.set()
        go_on.wait(120)
        return found

    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await until(pilot, lambda: counted(app, "boat") == "1")
        monkeypatch.setattr(CaptionsModel, "count_slowly", slow)
        (images / "canal.txt").write_bytes(b"city, canal\n")
        await until(pilot, begun.is_set)
        await pilot.press("a", *"fog", "enter")
        await saved(pilot)
        go_on.set()
        await until(pilot, lambda: counted(app, "boat") == "")
        await until(pilot, lambda: (counted(app, "fog"), counted(app, "canal")) == ("1", "1"))


async def edit_under_a_change(pilot: Pilot[None], images: Path) -> None:
    await ready(pilot)
    await pilot.press("enter", "comma", "x")
    (images / "bridge.txt").write_bytes(b"theirs\n")
    await pilot.press("enter")
    await until(pilot, lambda: says(pilot.app, "bridge.txt was changed on disk by another"))


async def test_a_change_under_the_editor_keeps_theirs(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await edit_under_a_change(pilot, images)
        assert (images / "bridge.txt").read_bytes() == b"theirs\n"
        await pilot.press("k")
        await until(pilot, lambda: pane(app)[1] == " theirs")
        assert not says(app, "enter save")
    assert (images / "bridge.txt").read_bytes() == b"theirs\n"


async def test_a_change_under_the_editor_writes_mine_when_told(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await edit_under_a_change(pilot, images)
        await pilot.press("w")
        await saved(pilot)
        assert (images / "bridge.txt").read_bytes() == b"city, bridge,x\n"
        await pilot.press("u")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"theirs\n")


async def test_without_an_answer_a_conflict_gives_the_typed_text_back(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await edit_under_a_change(pilot, images)
        rows = [row.strip() for row in screen_text(app)]
        assert "yours    city, bridge,x" in rows
        assert "on disk  theirs" in rows
        await pilot.press("escape")
        await until(pilot, lambda: says(app, "enter save"))
        assert pane(app)[1].strip() == "city, bridge,x"
        await pilot.press("y", "enter")
        await saved(pilot)
        assert (images / "bridge.txt").read_bytes() == b"city, bridge,xy\n"


@pytest.mark.parametrize("key", ["w", "e"], ids=["write mine", "go on editing"])
async def test_a_text_stays_that_met_a_file_which_is_no_text_any_more(images: Path, key: str) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("enter", "comma", "x")
        (images / "bridge.txt").write_bytes(b"caf\xe9\n")
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "bridge.txt was changed on disk by another"))
        await pilot.press(key)
        if key == "e":
            await until(pilot, lambda: says(app, "enter save"))
            await pilot.press("enter")
        await until(pilot, lambda: told(app, "not written, but kept: the caption is not UTF-8"))
        (images / "bridge.txt").write_bytes(b"city, sky\n")
        await until(pilot, lambda: pane(app)[1] == " city, sky")
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "enter save"))
        assert pane(app)[1].strip() == "city, bridge,x"


async def test_a_conflict_waits_until_another_caption_is_typed(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        go_on = threading.Event()
        model = screen_of(app).model
        assert model is not None
        model._thread.submit(go_on.wait)
        await pilot.press("enter", "x")
        (images / "bridge.txt").write_bytes(b"theirs, " * 60)
        await pilot.press("enter", "j", "enter", "y")
        go_on.set()
        assert await asyncio.to_thread(model.flush)
        await until(pilot, lambda: says(app, "enter save"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "was changed on disk by another"))
        # All of it fits, whatever the other program wrote.
        assert says(app, "yours    city, bridgex")
        assert says(app, "e  go on editing my text")
        assert says(app, "esc leave")
        await pilot.press("e")
        await until(pilot, lambda: says(app, "enter save") and pane(app)[1].strip() == "city, bridgex")
    assert (images / "canal.txt").read_bytes() == b"city, canal, boaty\n"


async def test_a_folder_that_becomes_read_only_refuses_clearly_and_keeps_what_was_typed(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        with read_only(images):
            await pilot.press("enter", "comma", "x", "enter")
            await until(pilot, lambda: told(app, "ead-only") or told(app, "ermission"))
            await until(pilot, lambda: says(app, "enter save"))
            assert pane(app)[1].strip() == "city, bridge,x"
            await pilot.press("escape")
            await until(pilot, lambda: pane(app)[1] == " city, bridge")
            await until(pilot, lambda: counted(app, "city") == "3")
    assert (images / "bridge.txt").read_bytes() == b"city, bridge\n"


async def test_the_folder_goes_away(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        os.rename(images, images.parent / "moved")
        await until(pilot, lambda: says(app, "bridge.png is no longer there"))
        await pilot.press("j", "enter", "a")
        await until(pilot, lambda: told(app, "not editable here"))
        await pilot.press("f5")
        await until(pilot, lambda: told(app, "the folder does not exist"))
        (images.parent / "moved").rename(images)
        await pilot.press("f5")
        await until(pilot, lambda: "city" in pane(app)[1])
    assert sorted(path.name for path in images.parent.iterdir()) == ["images"]


async def test_reload_takes_in_new_images(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j")
        Image.new("RGB", (8, 8)).save(images / "abbey.png")
        await pilot.press("f5")
        await until(pilot, lambda: says(app, "4 images · 1 untagged"))
        await until(pilot, shows(app, "canal.png", "city, canal, boat"))


async def test_a_click_into_the_list_does_not_end_typing(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("enter", "x")
        await pilot.click("#images", offset=(8, 2))
        await pilot.press("y", "f5", "enter")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"city, bridgexy\n")
        assert (images / "tower.txt").read_bytes() == b"city, tower, tower\n"


async def test_what_was_being_typed_survives_the_end_of_the_program(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j", "enter")
        await type_in(pilot, ", ducks")
        await pilot.press("ctrl+q")
    assert (images / "canal.txt").read_bytes() == b"city, canal, boat\n"
    again = app_on(images)
    async with again.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: told(again, "this is what you were typing when sdtui closed"))
        await pilot.press("enter")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat, ducks\n")
        again.exit()
    third = app_on(images)
    async with third.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(third, "city, canal, boat, ducks"))
        assert says(third, "enter edit")


# -- $EDITOR ----------------------------------------------------------------------------------------------------------


def editor(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "fake-editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(path))
    monkeypatch.delenv("VISUAL", raising=False)


async def test_the_editor_writes_the_caption(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(images.parent, "printf 'by hand\\n' > \"$1\"", monkeypatch)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("e")
        await until(pilot, shows(app, "bridge.png", "by hand"))
        assert "read again after the editor" in pane(app)[0]
        await pilot.press("j")
        await until(pilot, shows(app, "canal.png", "city, canal, boat"))


async def test_an_editor_that_fails_is_said(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(images.parent, "exit 3", monkeypatch)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("e")
        await until(pilot, lambda: told(app, "the editor ended with exit code 3"))
        assert pane(app)[1] == " city, bridge"


# -- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (250, 70)])
async def test_sizes(images: Path, size: tuple[int, int]) -> None:
    app = app_on(images)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        rows = screen_text(app)
        assert len(rows) == size[1]
        assert rows[-1].startswith(" enter edit  a add  d drop  / search")
        assert "? keys  : commands  q back" in rows[-1]
        assert max(map(len, rows)) <= size[0]
        if size[0] == 80:
            assert not says(app, "tags  5")
            await pilot.press("i")
        await until(pilot, lambda: says(app, "tags  5"))


async def test_ascii_draws_nothing_else(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "images", {"bridge": "città, 城市\n".encode()})
    app = app_on(folder, ascii_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        assert says(app, r"citt\xe0, \u57ce\u5e02")
        await pilot.press("colon")
        await until(pilot, lambda: says(app, "command"))
        assert all(row.isascii() for row in screen_text(app)), [r for r in screen_text(app) if not r.isascii()]


async def test_twenty_thousand_images_are_moved_through_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(20_000):
        (folder / f"{number:05d}.jpg").touch()
    app = app_on(folder)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "20 000 images"))
        await pilot.press("G")
        await until(pilot, lambda: pane(app)[0].startswith(" 19999.jpg"))
        await pilot.press("k", "pageup")
        page = app.screen.query_one("#images").size.height - 1
        await until(pilot, lambda: pane(app)[0].startswith(f" {19998 - page}.jpg"))
        await pilot.press("g", "j", "pagedown")
        await until(pilot, lambda: pane(app)[0].startswith(f" {1 + page:05d}.jpg"))


def _key(key: str):  # type: ignore[no-untyped-def]
    from textual import events

    return events.Key(key, key if len(key) == 1 else "/")


async def test_what_was_found_in_one_dataset_is_not_shown_in_another(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataset(images.parent / "other", {"dog": b"dog\n"})
    go_on, searched = threading.Event(), threading.Event()

    search = CaptionsModel.search_slowly

    def slow(model: CaptionsModel, query: str, stopped: Callable[[], bool]) -> list[int]:
        go_on.wait(120)
        searched.set()
        return search(model, query, stopped)

    monkeypatch.setattr(CaptionsModel, "search_slowly", slow)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "tower.png"))
        await pilot.press("slash", *"tower")
        await until(pilot, lambda: says(app, "searching"))
        screen_of(app).open_target(other)
        await until(pilot, lambda: says(app, "dog.png"))
        go_on.set()
        await until(pilot, searched.is_set)
        await pilot.pause(0.1)
        assert says(app, "dog.png")
        assert screen_of(app).model is not None
        assert not says(app, "/ tower")


async def test_the_folder_is_not_read_again_under_the_hands_of_somebody_typing(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "tags  5"))
        go_on = threading.Event()
        opened = CaptionsModel.open_slowly

        def slow(folder: Path) -> CaptionsModel:
            go_on.wait(120)
            return opened(folder)

        monkeypatch.setattr(CaptionsModel, "open_slowly", slow)
        await pilot.press("f5", "enter", "x")
        go_on.set()
        await until(pilot, lambda: told(app, "as you are typing"))
        await pilot.press("enter")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"city, bridgex\n")


async def test_a_narrow_window_says_how_to_see_the_tags(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "tags  5"))
        assert not screen_text(app)[-1].endswith("i tags")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: screen_text(app)[-1].endswith("q back  i tags"))
        assert not says(app, "tags  5")
        await pilot.press("i")
        await until(pilot, lambda: says(app, "tags  5"))
