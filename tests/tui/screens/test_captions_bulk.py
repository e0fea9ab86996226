"""The Captions screen's edits of many: chosen, previewed, made, called off; the history; an edit that was cut short."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from sdtui.dataset import edit as dataset_edit
from sdtui.dataset.edit import Change, Journal
from sdtui.tui.app import SdtuiApp
from sdtui.tui.captions import bulk, edit_form, history
from sdtui.tui.captions.operations import OperationForm
from sdtui.tui.captions.task import Task
from tests.tui.captions.desk import SIZE, app_on, dataset, pane, ready, type_in, written
from tests.tui.stage import says, screen_text, told, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edit_form, "PREVIEW_DELAY", 0.01)
    monkeypatch.setattr(history, "_DELAY", 0.01)
    monkeypatch.setattr(bulk, "TICK", 0.02)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(
        tmp_path / "images",
        {
            "bridge": b"city, blue_eyes\n",
            "canal": b"city, canal, boat\n",
            "tower": b"tower, tower\n",
            "wall": b"caf\xe9",
        },
    )


def lines(app: SdtuiApp) -> list[str]:
    return [row.strip() for row in screen_text(app)]


async def open_form(pilot: Pilot[None], verb: str) -> None:
    await pilot.press("E")
    await until(pilot, lambda: says(pilot.app, "edit captions: which edit"))
    await type_in(pilot, verb)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, OperationForm))


async def apply(pilot: Pilot[None], verb: str, typed: str, previewed: str) -> None:
    """The edit `verb` with `typed` in its first field, once its preview says what is expected of it."""
    await open_form(pilot, verb)
    await type_in(pilot, typed)
    await until(pilot, lambda: says(pilot.app, previewed))
    await pilot.press("enter")


# -- choosing and looking ---------------------------------------------------------------------------------------------


async def test_edits_are_found_by_name_and_by_what_they_do(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("E")
        await until(pilot, lambda: says(app, "suffix       put a text after"))
        assert says(app, "▸ add")
        assert says(app, 'sdtui caption add ~/cats "night sky"')
        await type_in(pilot, "regular")
        await until(pilot, lambda: says(app, "▸ regex") and not says(app, "dedupe"))
        # The command beside it is that edit's.
        await until(pilot, lambda: says(app, "sdtui caption regex"))
        await type_in(pilot, "xx")
        await until(pilot, lambda: says(app, "no edit is called so"))
        await pilot.press("enter")
        assert written(images)["bridge.txt"] == b"city, blue_eyes\n"


async def test_the_preview_follows_what_is_typed_and_writes_nothing(images: Path) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await open_form(pilot, "replace")
        await until(pilot, lambda: says(app, "old: still empty"))
        await type_in(pilot, "city")
        await pilot.press("down")
        await type_in(pilot, "town")
        await until(pilot, lambda: says(app, "tags  city 2 → 0   town 0 → 2"))
        assert says(app, "changes 2 of 4 captions  1 cannot be read and stay")
        rows = lines(app)
        at = rows.index("bridge.txt")
        assert rows[at + 1 : at + 3] == ["- city, blue_eyes", "+ town, blue_eyes"]
        assert says(app, "wall.txt: the caption is not UTF-8")
        await pilot.press("space")
        await until(pilot, lambda: says(app, "town 0"))
        # First what is offered closes.
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, OperationForm))
    assert written(images) == before
    assert not (images / ".sdtui" / "edits").exists()


async def test_form_and_history_in_ascii(images: Path) -> None:
    three_edits(images)
    (images / "canal.txt").write_bytes("città\n".encode())
    app = app_on(images, ascii_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("H")
        await until(pilot, lambda: says(app, "third  - now"))
        await until(pilot, lambda: says(app, "+ three"))
        assert all(row.isascii() for row in screen_text(app))
        await pilot.press("escape")
        await open_form(pilot, "case")
        await pilot.press("right")
        await until(pilot, lambda: says(app, "< upper >") and says(app, r"- citt\xe0"))
        assert all(row.isascii() for row in screen_text(app))


async def test_what_is_wrong_with_the_fields_is_said_and_nothing_applied(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await open_form(pilot, "regex")
        await pilot.press("left_parenthesis")
        await until(pilot, lambda: says(app, "the regular expression cannot be used"))
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert isinstance(app.screen, OperationForm)
        await pilot.press("backspace")
        await until(pilot, lambda: says(app, "pattern: still empty"))
        await pilot.press("z")
        await until(pilot, lambda: says(app, "changes 0 of 4 captions"))
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "nothing would change: nothing to apply"))
        assert isinstance(app.screen, OperationForm)


async def test_a_preview_that_comes_after_the_next_key_says_nothing(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, given = threading.Event(), threading.Event(), threading.Event()
    propose = OperationForm._propose

    def slow(self: OperationForm, typed: Any, positions: Iterable[int]) -> Any:
        if typed["pattern"] != "(":
            return propose(self, typed, positions)
        asked.set()
        assert go_on.wait(60)
        given.set()
        return propose(self, typed, positions)

    monkeypatch.setattr(OperationForm, "_propose", slow)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await open_form(pilot, "regex")
        await pilot.press("left_parenthesis")
        await until(pilot, asked.is_set)
        # No other preview takes the place of that one.
        monkeypatch.setattr(edit_form, "PREVIEW_DELAY", 3600)
        await pilot.press("backspace", *"boat")
        go_on.set()
        await until(pilot, given.is_set)
        await until(pilot, lambda: all(worker.is_finished for worker in app.workers if worker.group == "preview"))
        await pilot.press("enter")
        await until(pilot, lambda: written(images)["canal.txt"] == b"city, canal, \n")


async def test_what_belongs_into_a_line_and_a_long_complaint_are_whole_in_a_small_window(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await open_form(pilot, "regex")
        await pilot.press("c", "tab")
        await until(pilot, lambda: says(app, r"what takes its place; \1 or \g<name> is what a group found"))
        await pilot.press(*r"\2", "shift+tab")
        await until(pilot, lambda: says(app, "a regular expression of Python's re"))
        # Two lines of it.
        await until(pilot, lambda: says(app, "invalid group reference 2") and says(app, "position 1"))


async def test_enter_goes_by_what_is_typed_and_not_by_an_older_preview(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await open_form(pilot, "regex")
        await pilot.press("z", "z")
        await until(pilot, lambda: says(app, "changes 0 of 4 captions"))
        monkeypatch.setattr(edit_form, "PREVIEW_DELAY", 60.0)
        await pilot.press("backspace", "backspace", *"city", "enter")
        await until(pilot, lambda: not isinstance(app.screen, OperationForm))


# -- making -----------------------------------------------------------------------------------------------------------


async def test_groups_of_an_expression_over_all_and_one_undo(images: Path) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await open_form(pilot, "regex")
        for letter in r"(\w+)_eyes":
            await pilot.press(letter)
        await pilot.press("down")
        for letter in r"eyes of \1":
            await pilot.press(letter)
        await until(pilot, lambda: says(app, "+ city, eyes of blue"))
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "1 of 4 captions changed, u takes it back\n1 caption cannot be read"))
        assert written(images) == {**before, "bridge.txt": b"city, eyes of blue\n"}
        await until(pilot, lambda: says(app, "saved · .txt · 4 images"))
        await pilot.press("u")
        await until(pilot, lambda: written(images) == before)


@pytest.mark.parametrize(
    ("first", "turns", "scope", "changed"),
    [
        ([], 0, "all (4)", {"bridge", "canal", "tower"}),
        ([], 1, "this image (1)", {"bridge"}),
        (["j", "space"], 0, "marked (1)", {"canal"}),
        (["slash", "b", "o", "a", "t", "enter"], 0, "listed (1)", {"canal"}),
    ],
    ids=["all", "this", "marked", "listed"],
)
async def test_the_scope(images: Path, first: list[str], turns: int, scope: str, changed: set[str]) -> None:
    before = written(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press(*first)
        if "slash" in first:
            await until(pilot, lambda: says(app, "1 of 4"))
        await open_form(pilot, "suffix")
        for letter in ", x":
            await pilot.press("comma" if letter == "," else "space" if letter == " " else letter)
        await pilot.press("down", "down", *["right"] * turns)
        await until(pilot, lambda: says(app, scope))
        await until(pilot, lambda: says(app, f"changes {len(changed)} of"))
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "captions changed, u takes it back"))
    assert {name.removesuffix(".txt") for name, raw in written(images).items() if raw != before[name]} == changed


async def test_the_last_edit_and_its_fields_are_there_again(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await apply(pilot, "trim", "2", "changes 1 of 4")
        await until(pilot, lambda: told(app, "trim to 2 tags"))
        app.exit()
    again = app_on(images)
    async with again.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("E")
        await until(pilot, lambda: says(again, "▸ trim"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(again.screen, OperationForm))
        assert again.screen.typed == {"tags": "2", "tokens": "", "each_line": "no"}  # type: ignore[attr-defined]


async def test_an_edit_under_way_tells_how_far_it_is_refuses_others_and_is_called_off(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(images)
    go_on = threading.Event()
    reading = Task.reading

    def slow(task: Task, positions: Sequence[int]) -> Any:
        for number, position in enumerate(reading(task, positions)):
            if number == 2 and task.label != "suffix":
                task.words = "reading 2 of 4"
                go_on.wait(120)
            yield position

    monkeypatch.setattr(Task, "reading", slow)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await apply(pilot, "suffix", "x", "changes 3 of 4")
        await until(pilot, lambda: says(app, "reading 2 of 4, esc stops it"))
        await pilot.press("d")
        await until(pilot, lambda: told(app, "suffix 'x' (all): reading 2 of 4; try again in a moment"))
        await pilot.press("j")
        await until(pilot, lambda: pane(app)[1] == " city, canal, boat")
        await pilot.press("escape")
        go_on.set()
        await until(pilot, lambda: told(app, "called off: suffix 'x' (all); the captions are as they were"))
        assert not says(app, "esc stops it")
        await pilot.press("d")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"canal, boat\n")
    assert written(images) == {**before, "canal.txt": b"canal, boat\n"}


@pytest.mark.parametrize(("key", "suffixed"), [("w", True), ("c", False)], ids=["wait", "call off"])
async def test_leaving_during_an_edit_waits_for_it_or_calls_it_off(
    images: Path, monkeypatch: pytest.MonkeyPatch, key: str, suffixed: bool
) -> None:
    before = written(images)
    begun, go_on = threading.Event(), threading.Event()
    writing = Task.writing

    def slow(task: Task, share: float) -> None:
        begun.set()
        go_on.wait(120)
        writing(task, share)

    monkeypatch.setattr(Task, "writing", slow)
    for number in range(40):
        (images / f"more{number}.txt").write_bytes(b"x")
        (images / f"more{number}.png").touch()
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await apply(pilot, "suffix", "y", "changes 43 of 44")
        await until(pilot, lambda: begun.is_set() and says(app, "esc stops it"))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: says(app, "is still under way:"))
        await pilot.press(key)
        await pilot.pause(0.05)
        assert app.is_running
        go_on.set()
        await until(pilot, lambda: not app.is_running or app.return_code is not None)
    assert written(images)["bridge.txt"] == before["bridge.txt"].rstrip(b"\n") + (b"y\n" if suffixed else b"\n")


async def test_a_caption_written_between_reading_and_writing_is_edited_as_it_is(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = Journal.apply
    again: list[Callable[[], object]] = [lambda: (images / "canal.txt").write_bytes(b"theirs\n")]

    def late(journal: Journal, changes: Iterable[Change], *args: Any, **more: Any) -> Any:
        if again:
            again.pop()()
        return apply(journal, changes, *args, **more)

    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await open_form(pilot, "add")
        await type_in(pilot, "x")
        await until(pilot, lambda: says(app, "changes 3 of 4"))
        monkeypatch.setattr(Journal, "apply", late)
        await pilot.press("enter")
        await until(pilot, lambda: told(app, "3 of 4 captions changed"))
        assert (images / "canal.txt").read_bytes() == b"theirs, x\n"


# -- history ----------------------------------------------------------------------------------------------------------


def three_edits(images: Path) -> None:
    journal = Journal.open(images)
    for label, before, after in (
        ("first", b"city, canal, boat\n", b"one\n"),
        ("second", b"one\n", b"two\n"),
        ("third", b"two\n", b"three\n"),
    ):
        journal.apply([Change(images / "canal.txt", before, after)], label)


async def test_the_history_lists_edits_in_the_smallest_window(images: Path) -> None:
    three_edits(images)
    app = app_on(images)
    async with app.run_test(size=(40, 10)) as pilot:
        await until(pilot, lambda: says(app, "bridge.png"))
        await pilot.press("H")
        await until(pilot, lambda: says(app, "third  · now") and says(app, "second"))


async def test_the_history_shows_each_edit_and_goes_back_and_forth(images: Path) -> None:
    three_edits(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("H")
        await until(pilot, lambda: says(app, "History of edits"))
        await until(pilot, lambda: "+ three" in lines(app))
        assert "- two" in lines(app)
        assert says(app, "third  · now")
        assert not says(app, "second  · now")
        await pilot.press("j", "j")
        await until(pilot, lambda: "+ one" in lines(app))
        await pilot.press("enter")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"one\n")
        await until(pilot, lambda: "now after: first" in pane(app)[0] and pane(app)[1] == " one")
        await pilot.press("H")
        await until(pilot, lambda: says(app, "third  undone"))
        await pilot.press("k", "k", "enter")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"three\n")
        await until(pilot, lambda: "now after: third" in pane(app)[0])
        await pilot.press("H")
        await until(pilot, lambda: says(app, "History of edits"))
        await pilot.press("G", "enter")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat\n")


async def test_originals_come_back_as_one_edit_if_one_means_it(images: Path) -> None:
    three_edits(images)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("H")
        await until(pilot, lambda: says(app, "History of edits"))
        await pilot.press("o")
        await until(pilot, lambda: says(app, "Put all captions back as they were before all edits?"))
        await pilot.press("y")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"city, canal, boat\n")
        await until(pilot, lambda: told(app, "1 of 4 captions are as they were"))
        await pilot.press("u")
        await until(pilot, lambda: (images / "canal.txt").read_bytes() == b"three\n")


async def test_without_edits_there_is_no_history(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("H")
        await until(pilot, lambda: told(app, "no edit has been recorded yet"))


# -- an edit that was cut short ---------------------------------------------------------------------------------------


@pytest.fixture
def cut_short(images: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edit of two captions that ended after the first, as if its process had been killed there."""

    class Killed(BaseException):
        pass

    def one_only(self: Journal, changes: Iterable[Change], *_more: object) -> None:
        first = next(iter(changes))
        first.path.write_bytes(first.after or b"")
        raise Killed

    changes = [
        Change(images / "bridge.txt", b"city, blue_eyes\n", b"x\n"),
        Change(images / "canal.txt", b"city, canal, boat\n", b"y\n"),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(dataset_edit.Journal, "_write", one_only)
        with pytest.raises(Killed):
            Journal.open(images).apply(changes, "rework")
    return images


@pytest.mark.parametrize(
    ("key", "bridge", "canal", "said"),
    [
        ("f", b"x\n", b"y\n", "finished: rework"),
        ("t", b"city, blue_eyes\n", b"city, canal, boat\n", "taken back: rework"),
    ],
    ids=["finish", "take back"],
)
async def test_an_edit_that_was_cut_short_is_asked_about(
    cut_short: Path, key: str, bridge: bytes, canal: bytes, said: str
) -> None:
    app = app_on(cut_short)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "This edit was cut short, 1 of 2 captions done:"))
        assert (cut_short / "canal.txt").read_bytes() == b"city, canal, boat\n"
        await pilot.press("escape", "d")
        await until(pilot, lambda: says(app, "was cut short"))
        await pilot.press(key)
        await until(pilot, lambda: said in pane(app)[0])
        assert ((cut_short / "bridge.txt").read_bytes(), (cut_short / "canal.txt").read_bytes()) == (bridge, canal)
        await pilot.press("k", "d")
        await until(pilot, lambda: "saved" in pane(app)[0])


async def test_read_only_leaves_an_edit_that_was_cut_short_alone(cut_short: Path) -> None:
    app = SdtuiApp(cut_short.parent, start="captions", target=cut_short, read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: told(app, "read-only: an edit that was cut short stays as it is: rework"))
        await pilot.press("H")
        await until(pilot, lambda: told(app, "no edit has been recorded yet"))
    assert Journal.unfinished(cut_short) is not None
