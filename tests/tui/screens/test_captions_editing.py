"""The Captions screen's edits by keys: copied and moved tags, read-only, drafts, a full disk, conflicts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from textual.pilot import Pilot

from sdtui.dataset.edit import Journal
from sdtui.dataset.marks import Marks
from sdtui.errors import SdtuiError
from sdtui.tui.app import SdtuiApp
from sdtui.tui.captions import writing
from sdtui.tui.captions.drafts import Draft, Drafts
from sdtui.tui.captions.model import CaptionsModel
from tests.support.readonly import read_only
from tests.tui.captions.desk import SIZE, app_on, dataset, kept_drafts, pane, ready, saved, screen_of, type_in, written
from tests.tui.stage import says, screen_text, told, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "DRAFT_SECONDS", 0.02)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(
        tmp_path / "images",
        {"bridge": b"city, bridge\n", "canal": b"city, canal, boat\n", "tower": b"city, tower, tower\n"},
    )


def model_of(app: SdtuiApp) -> CaptionsModel:
    model = screen_of(app).model
    assert model is not None
    return model


# -- tags -------------------------------------------------------------------------------------------------------------


async def test_a_tag_moves_and_the_cursor_with_it(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j", "greater_than_sign")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"canal, city, boat\n")
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"canal, boat, city\n")
        await pilot.press("greater_than_sign", "circumflex_accent")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat\n")
        assert screen_of(app).tag == 0
        await pilot.press("tab", "less_than_sign")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"canal, city, boat\n")
        assert [item.label for item in Journal.open(images).history()] == ["move canal (canal.png)"] + [
            "move city (canal.png)"
        ] * 3


async def test_a_tag_goes_to_the_front_of_all_marked(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("M", "G", "tab", "circumflex_accent")
        await until(pilot, lambda: told(app, "'tower' is in front in 1 of 3 marked"))
        assert (images / "tower.txt").read_bytes() == b"tower, tower, city\n"


async def test_copied_tags_are_added_or_put_in_place(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(pilot, lambda: told(app, "no tags copied yet: c copies"))
        await pilot.press("j", "c")
        await until(pilot, lambda: "copied 3 tags" in pane(app)[0])
        await pilot.press("k", "p")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"city, bridge, canal, boat\n")
        await pilot.press("p")
        await until(pilot, lambda: told(app, "all copied tags are there already"))
        await pilot.press("P")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"city, canal, boat\n")


async def test_copied_tags_go_into_all_marked_as_one_edit(images: Path) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("c", "M", "p")
        await until(pilot, lambda: told(app, "pasted into 2 of 3 marked"))
        assert (images / "tower.txt").read_bytes() == b"city, tower, tower, bridge\n"
        await pilot.press("u")
        await until(pilot, lambda: written(images) == before)
        await until(pilot, lambda: says(app, "undone: paste 2 tags"))
        await pilot.press("P")
        await until(pilot, lambda: told(app, "replaced 2 of 3 marked"))
        assert set(written(images).values()) == {b"city, bridge\n"}


# -- read-only --------------------------------------------------------------------------------------------------------


async def test_read_only_refuses_every_key_that_changes_something(images: Path) -> None:
    before = written(images)
    app = SdtuiApp(images.parent, start="captions", target=images, read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        assert says(app, "read-only · .txt · 3 images")
        await pilot.press("c", "tab")
        for number, key in enumerate(
            ["enter", "a", "d", "r", "p", "P", "less_than_sign", "greater_than_sign", "circumflex_accent",
             "u", "U", "e", "E"], 1,
        ):  # fmt: skip
            await pilot.press(key)
            words = "read-only: you said so; R lets you edit again"
            await until(
                pilot,
                lambda: sum(each.message == words for each in app._notifications) == number,  # noqa: B023
            )
        await pilot.press("M", "d")
        await until(pilot, lambda: says(app, "3 marked"))
        assert written(images) == before
        assert not (images / ".sdtui" / "edits").exists()
        await pilot.press("M", "R")
        await until(pilot, lambda: not says(app, "read-only ·"))
        await pilot.press("d")
        await saved(pilot)
        await pilot.press("R", "d")
        await until(pilot, lambda: says(app, "read-only · saved"))
    assert (images / "bridge.txt").read_bytes() == b"city\n"


async def test_a_folder_that_cannot_be_written_is_read_only_and_marks_are_kept_elsewhere(images: Path) -> None:
    app = app_on(images)
    with read_only(images):
        async with app.run_test(size=SIZE) as pilot:
            await ready(pilot)
            assert says(app, "read-only · .txt · 3 images")
            await pilot.press("d")
            await until(pilot, lambda: told(app, "read-only: the folder cannot be written"))
            await pilot.press("R")
            await until(pilot, lambda: len(app._notifications) == 2)
            await pilot.press("space")
            await until(pilot, lambda: says(app, "1 marked"))
            assert await asyncio.to_thread(model_of(app).flush)
        assert Marks(images).selected(1) == {"bridge.png"}
    assert (images / "bridge.txt").read_bytes() == b"city, bridge\n"
    assert not (images / ".sdtui").exists()


# -- whether it is saved ----------------------------------------------------------------------------------------------


async def test_the_header_says_edited_saving_saved(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        assert screen_text(app)[0].endswith("3 images · 0 untagged")
        await pilot.press("enter", "x")
        await until(pilot, lambda: says(app, "● edited · .txt · 3 images"))
        await pilot.press("backspace")
        await until(pilot, lambda: not says(app, "● edited"))
        go_on = threading.Event()
        model_of(app)._thread.submit(go_on.wait)
        await pilot.press("y", "enter")
        await until(pilot, lambda: says(app, "saving · .txt · 3 images"))
        go_on.set()
        await until(pilot, lambda: says(app, "saved · .txt · 3 images"))


async def test_a_full_disk_says_so_and_keeps_the_text(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise SdtuiError("cannot write: no space left on the disk", where="x")

    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "apply", full)
            await pilot.press("d")
            await until(pilot, lambda: says(app, "● not saved: cannot write: no space left on the disk"))
            await until(pilot, lambda: says(app, "enter save"))
            assert pane(app)[1].strip() == "bridge"
            assert told(app, "the text of bridge.png is kept")
            await pilot.resize_terminal(60, 20)
            await until(pilot, lambda: screen_text(app)[0].endswith("● not saved: cannot write: no s…"))
            await pilot.resize_terminal(*SIZE)
            await until(pilot, lambda: says(app, "enter save"))
            assert kept_drafts() == {"bridge.png": ["bridge", "city, bridge"]}
            await pilot.press("enter")
            await until(pilot, lambda: says(app, "enter save"))
            await pilot.press("escape")
            await until(pilot, lambda: not says(app, "not saved"))
            assert pane(app)[1] == " city, bridge"
            await pilot.press("d")
            await until(pilot, lambda: says(app, "● not saved") and says(app, "enter save"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "saved · .txt · 3 images"))
        assert not says(app, "not saved")
        await until(pilot, lambda: kept_drafts() == {})
    assert (images / "bridge.txt").read_bytes() == b"bridge\n"


def leave(folder: Path, drafts: Mapping[str, Draft]) -> None:
    """What was being typed when sdtui closed."""
    kept = Drafts(folder)
    for name, draft in drafts.items():
        kept.put(name, draft)
    kept.close()


async def test_what_was_not_saved_waits_at_its_image(images: Path) -> None:
    leave(images, {"canal.png": Draft("city, canal, boat, duck", "city, canal, boat")})
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: told(app, "this is what you were typing when sdtui closed"))
        assert pane(app)[0].startswith(" canal.png")
        # It is in the editor: there is nothing more to say beside the name.
        await until(pilot, lambda: not says(app, "a text is not saved yet"))
        await pilot.press("enter")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat, duck\n")
        await until(pilot, lambda: kept_drafts() == {})


async def test_what_is_being_typed_in_another_sdtui_is_left_alone(images: Path) -> None:
    other = Drafts(images)
    other.put("bridge.png", Draft("city, bridge, d", "city, bridge"))
    other.save()
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        assert not says(app, "enter save")
        assert not says(app, "a text is not saved yet")
        await pilot.press("a", *"fog", "enter")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"city, bridge, fog\n")
    assert kept_drafts() == {"bridge.png": ["city, bridge, d", "city, bridge"]}
    other.close()


async def test_of_several_texts_that_are_not_saved_each_waits_at_its_image(images: Path) -> None:
    leave(images, {"bridge.png": Draft("one", "city, bridge"), "tower.png": Draft("two", "city, tower, tower")})
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "enter save"))
        await pilot.press("enter")
        await saved(pilot)
        await pilot.press("G")
        await until(pilot, lambda: "a text is not saved yet: enter goes on with it" in pane(app)[0])
        await pilot.press("enter", "enter")
        await until(pilot, lambda: (images / "tower.txt").read_bytes() == b"two\n")
        await until(pilot, lambda: kept_drafts() == {})
    assert (images / "bridge.txt").read_bytes() == b"one\n"


async def test_what_is_typed_is_on_the_disk_before_it_is_saved(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("enter", "x")
        await until(pilot, lambda: kept_drafts() == {"bridge.png": ["city, bridgex", "city, bridge"]})
        await pilot.press("escape")
        await until(pilot, lambda: kept_drafts() == {})


async def test_a_draft_over_a_caption_that_changed_meanwhile_is_asked_about(images: Path) -> None:
    leave(images, {"bridge.png": Draft("city, bridge, river", "city, bridge")})
    (images / "bridge.txt").write_bytes(b"town, bridge\n")
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "bridge.txt was changed on disk by another"))
        assert says(app, "both     town, bridge, river")
        await pilot.press("m")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"town, bridge, river\n")


# -- conflicts --------------------------------------------------------------------------------------------------------


async def test_three_edits_in_a_row_of_a_changed_caption_are_one_question(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("j")
        go_on = threading.Event()
        model_of(app)._thread.submit(go_on.wait)
        await pilot.press("d", "d")
        (images / "canal.txt").write_bytes(b"city, canal, boat, swan\n")
        go_on.set()
        await until(pilot, lambda: says(app, "canal.txt was changed on disk by another"))
        assert says(app, "yours    boat")
        assert says(app, "both     boat, swan")
        await pilot.press("m")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"boat, swan\n")
        assert not says(app, "was changed on disk by another")
        await pilot.press("u")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat, swan\n")


async def add_to_all(pilot: Pilot[None], images: Path) -> None:
    """A tag in all captions, two of which another program then changes."""
    await ready(pilot)
    await pilot.press("M", "a")
    await type_in(pilot, "night")
    await pilot.press("enter")
    await until(pilot, lambda: told(pilot.app, "added 'night' to 3 of 3 marked"))
    (images / "bridge.txt").write_bytes(b"city, bridge, night, swan\n")
    (images / "tower.txt").write_bytes(b"all, new\n")


async def test_an_undo_over_changed_captions_merges_what_can_be(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await add_to_all(pilot, images)
        await pilot.press("u")
        await until(pilot, lambda: says(app, "2 captions were changed by another program since."))
        assert says(app, "bridge.txt, tower.txt")
        assert (images / "canal.txt").read_bytes() == b"city, canal, boat, night\n"
        await pilot.press("m")
        await until(pilot, lambda: says(app, "Both changes cannot be put together here without a look."))
        assert says(app, "1 caption was changed by another program since.")
        assert (images / "canal.txt").read_bytes() == b"city, canal, boat, night\n"
        await pilot.press("k")
        # Written one after the other.
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat\n")
        await until(pilot, lambda: (images / "bridge.txt").read_bytes() == b"city, bridge, swan\n")
        assert (images / "tower.txt").read_bytes() == b"all, new\n"


@pytest.mark.parametrize(
    ("keys", "bridge", "tower"),
    [
        (["w"], b"city, bridge\n", b"city, tower, tower\n"),
        (["k"], b"city, bridge, night, swan\n", b"all, new\n"),
        (["o", "w", "k"], b"city, bridge\n", b"all, new\n"),
    ],
    ids=["mine", "theirs", "each"],
)
async def test_an_undo_over_changed_captions_does_what_was_said(
    images: Path, keys: list[str], bridge: bytes, tower: bytes
) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await add_to_all(pilot, images)
        await pilot.press("u")
        await until(pilot, lambda: says(app, "2 captions were changed by another program since."))
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.05)
        await until(pilot, lambda: says(app, "undone: add night"))
        assert written(images) == {"bridge.txt": bridge, "canal.txt": b"city, canal, boat\n", "tower.txt": tower}
        await pilot.press("U")
        await until(pilot, lambda: says(app, "done again: add night"))
        assert (images / "bridge.txt").read_bytes() == b"city, bridge, night, swan\n"
        assert (images / "tower.txt").read_bytes() == b"all, new\n"


async def test_an_undo_that_nobody_answers_for_changes_nothing(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await add_to_all(pilot, images)
        now = written(images)
        await pilot.press("u")
        await until(pilot, lambda: says(app, "2 captions were changed by another program since."))
        await pilot.press("escape")
        await until(pilot, lambda: told(app, "nothing was written"))
        assert written(images) == now


def test_two_names_of_one_dataset_have_the_same_drafts(images: Path) -> None:
    (images.parent / "link").symlink_to(images)
    leave(images.parent / "link", {"x.png": Draft("x", "")})
    assert list(Drafts(dataset(images.parent / "other", {}))) == []
    assert list(Drafts(images)) == ["x.png"]
