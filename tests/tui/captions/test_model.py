from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.dataset import tags
from sdtui.dataset.edit import ConflictError
from sdtui.errors import UserError
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.states import BROKEN, FINE, UNTAGGED
from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.captions.writer import Edited

CAPTIONS = {"a": b"city, tower\n", "b": b"city\n", "c": b"\n", "d": None, "e": b"\xff"}


@pytest.fixture
def model(tmp_path: Path) -> Iterator[CaptionsModel]:
    for name, raw in CAPTIONS.items():
        (tmp_path / f"{name}.png").touch()
        if raw is not None:
            (tmp_path / f"{name}.txt").write_bytes(raw)
    model = CaptionsModel.open_slowly(tmp_path)
    for _ in model.load_slowly():
        pass
    yield model
    model.close()


def ranked(ranks: TagRanks) -> list[tuple[str, int]]:
    return [ranks[rank] for rank in range(len(ranks))]


def edited(model: CaptionsModel, hand: InHand, text: str) -> tuple[InHand, Exception | None]:
    """Edit and wait for the file to be written."""
    heard: list[Exception | None] = []
    written = threading.Event()

    def done(_after: InHand, error: Exception | None) -> None:
        heard.append(error)
        written.set()

    after = model.edit(hand, text, "edit", done)
    assert written.wait(120)
    return after, heard[0]


def test_untagged_blank_and_unreadable_are_told_apart(model: CaptionsModel) -> None:
    assert [model.known.state(at) for at in range(5)] == [FINE, FINE, UNTAGGED, UNTAGGED, BROKEN]
    assert (model.known.count(UNTAGGED), model.known.count(BROKEN)) == (2, 1)
    assert [model.next_untagged(row) for row in (0, 2, 3, 4)] == [2, 3, 4, 2]


def test_an_edit_is_written_and_counted(model: CaptionsModel) -> None:
    model.take_counts(model.count_slowly())
    assert model.ranks is not None
    assert ranked(model.ranks) == [("city", 2), ("tower", 1)]
    after, error = edited(model, model.take(1), "canal, city")
    assert error is None
    assert (after.text, (model.folder / "b.txt").read_bytes()) == ("canal, city", b"canal, city\n")
    assert ranked(model.ranks) == [("city", 2), ("canal", 1), ("tower", 1)]
    after, _error = edited(model, after, "")
    assert model.known.state(1) == UNTAGGED
    assert ranked(model.ranks) == [("city", 1), ("tower", 1)]


def test_tags_counted_before_an_edit_are_shown_after_it(model: CaptionsModel) -> None:
    before = model.count_slowly()
    edited(model, model.take(1), "canal, city")
    model.flush()
    between = model.count_slowly()
    hand = model.take(2)
    edited(model, hand, "canal")
    for counted in (before, between, model.count_slowly()):
        model.take_counts(counted)
        assert model.ranks is not None
        assert ranked(model.ranks) == [("canal", 2), ("city", 2), ("tower", 1)]


def test_tags_counted_while_an_edit_waits_to_be_read(model: CaptionsModel, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, read = threading.Event(), model.known.edited_by_hand

    def late(position: int, number: int) -> None:
        go_on.wait(120)
        read(position, number)

    monkeypatch.setattr(model.known, "edited_by_hand", late)
    model.edit(model.take(1), "canal, city", "edit", lambda _after, _error: None)
    for _ in range(2):
        model.take_counts(model.count_slowly())
        assert model.ranks is not None
        assert ranked(model.ranks) == [("city", 2), ("canal", 1), ("tower", 1)]
        assert list(model.known.completer.recent) == ["canal"]
    go_on.set()
    model.flush(120)
    model.take_counts(counted := model.count_slowly())
    assert ranked(counted.ranks) == [("city", 2), ("canal", 1), ("tower", 1)]


def test_an_edit_that_could_not_be_written_is_not_counted(model: CaptionsModel) -> None:
    hand = model.take(1)
    (model.folder / "b.txt").write_bytes(b"harbour\n")
    _after, error = edited(model, hand, "canal, city")
    assert isinstance(error, ConflictError)
    model.take_counts(model.count_slowly())
    assert model.ranks is not None
    assert ranked(model.ranks) == [("city", 1), ("harbour", 1), ("tower", 1)]


def test_the_same_text_writes_nothing(model: CaptionsModel) -> None:
    hand = model.take(0)
    assert model.edit(hand, "city, tower", "edit", lambda _after, _error: pytest.fail("written")) is hand
    model.flush()
    assert not (model.folder / ".sdtui").exists()


def test_a_second_edit_need_not_wait_for_the_first(model: CaptionsModel) -> None:
    errors: list[Exception | None] = []
    hand = model.take(0)
    for text in ("one", "two", "three"):
        hand = model.edit(hand, text, "edit", lambda _after, error: errors.append(error))
    assert model.flush(10)
    assert errors == [None, None, None]
    assert (model.folder / "a.txt").read_bytes() == b"three\n"


def test_another_programs_text_is_never_replaced(model: CaptionsModel) -> None:
    model.take_counts(model.count_slowly())
    assert model.ranks is not None
    hand = model.take(0)
    (model.folder / "a.txt").write_bytes(b"theirs\n")
    assert model.changed_on_disk(hand)
    after, error = edited(model, hand, "mine")
    assert isinstance(error, ConflictError)
    assert (model.folder / "a.txt").read_bytes() == b"theirs\n"
    fresh = model.read_again(after)
    assert fresh.text == "theirs"
    assert not model.changed_on_disk(fresh)
    assert ranked(model.ranks) == [("city", 1), ("theirs", 1)]


def test_an_image_that_went_away_is_named(model: CaptionsModel) -> None:
    (model.folder / "d.png").unlink()
    hand = model.take(3)
    assert hand.caption is None
    assert hand.problem == f"{model.folder / 'd.png'} is no longer there"


def test_undo_waits_for_what_is_being_written(model: CaptionsModel) -> None:
    model.edit(model.take(3), "new", "edit d", lambda _after, _error: None)
    operation = model.step_slowly(back=True)
    assert operation is not None
    assert model.writer.positions_of([change.path for change in operation.changes]) == [3]
    assert not (model.folder / "d.txt").exists()
    assert model.known.state(3) == UNTAGGED
    assert model.step_slowly(back=True) is None
    model.step_slowly(back=False)
    assert (model.folder / "d.txt").read_bytes() == b"new\n"


def test_search_and_matches_go_round(model: CaptionsModel) -> None:
    found = model.search_slowly("CITY")
    assert found == [0, 1]
    model.matches = found
    assert [model.next_match(row, 1) for row in (0, 1)] == [1, 0]
    assert model.next_match(0, -1) == 1
    model.show([1])
    assert (model.row_of(1), model.row_of(0)) == (0, None)
    assert ranked(model.count_slowly().ranks) == [("city", 1)]


def test_a_query_that_is_none(model: CaptionsModel) -> None:
    with pytest.raises(UserError, match="never closed"):
        model.search_slowly("(city")


def test_marks_are_kept_beside_the_images(model: CaptionsModel) -> None:
    heard: list[Exception | None] = []
    model.marks.put([0, 3], 1, heard.append, on=True)
    model.marks.put([3], 1, heard.append, on=False)
    assert model.marked == {0}
    assert model.flush()
    assert heard == [None, None]
    assert model.search_slowly("mark:1") == [0]
    again = CaptionsModel.open_slowly(model.folder)
    assert again.marked == {0}
    again.close()


def test_a_disk_that_hangs_is_not_waited_for(model: CaptionsModel) -> None:
    held = threading.Event()
    model._thread.submit(held.wait, 10)
    assert not model.flush(0.01)
    held.set()
    assert model.flush(10)


def test_marked_captions_are_one_operation_and_the_rest_stays(model: CaptionsModel) -> None:
    done = model.writer.edit_many_slowly([0, 1, 3, 4], lambda text: tags.add(text, "city"), "add city")
    assert done == Edited(changed=1, images=4, unreadable=1)
    assert (model.folder / "d.txt").read_bytes() == b"city\n"
    assert (model.known.count(UNTAGGED), model.known.state(3)) == (1, FINE)
    operation = model.step_slowly(back=True)
    assert operation is not None
    assert [change.path.name for change in operation.changes] == ["d.txt"]
    assert not (model.folder / "d.txt").exists()
    assert model.known.state(3) == UNTAGGED


def test_a_caption_that_two_marked_images_share_is_edited_once(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "a.txt").write_bytes(b"city\n")
    model = CaptionsModel.open_slowly(tmp_path)
    assert model.writer.edit_many_slowly([0, 1], lambda text: tags.add(text, "night"), "add") == Edited(2, 2, 0)
    assert (tmp_path / "a.txt").read_bytes() == b"city, night\n"
    model.close()


def test_nothing_is_written_when_the_edit_refuses(model: CaptionsModel) -> None:
    with pytest.raises(UserError, match="the tag is empty"):
        model.writer.edit_many_slowly([0, 1], lambda text: tags.add(text, " , "), "add")
    assert (model.folder / "a.txt").read_bytes() == CAPTIONS["a"]


def test_what_is_taken_back_is_edited_no_more(model: CaptionsModel) -> None:
    now_edited = model.known.edited
    edited(model, model.take(0), "city, tower, night")
    edited(model, model.take(3), "new")
    assert [at in now_edited for at in range(5)] == [True, False, False, True, False]
    model.step_slowly(back=True)
    assert [at in now_edited for at in (0, 3)] == [True, False]
    model.step_slowly(back=True)
    assert len(now_edited) == 0
    model.step_slowly(back=False)
    assert 0 in now_edited
    model.writer.edit_many_slowly(range(5), lambda text: tags.remove(text, "night"), "drop night")
    assert len(now_edited) == 0
    model.writer.edit_many_slowly(range(5), lambda text: tags.add(text, "x"), "add x")
    assert [at in now_edited for at in range(5)] == [True, True, True, True, False]
    model.step_slowly(back=True)
    assert len(now_edited) == 0
