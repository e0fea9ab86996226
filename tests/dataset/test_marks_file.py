"""Many marks: changes are lines, until these are as long as the file they are to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdtui.dataset import marks_file
from sdtui.dataset.marks import Marks
from sdtui.errors import SdtuiError

NAMES = [f"{number:04}.png" for number in range(20)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks_file, "SMALL", 300)


def many(folder: Path) -> Marks:
    """Marks whose file is not small any more."""
    marks = Marks(folder)
    marks.mark(NAMES, 1)
    assert marks.home.joinpath("marks.json").stat().st_size > 300
    return marks


def lines(folder: Path) -> list[object]:
    return [json.loads(line) for line in (folder / ".sdtui/marks/changes.jsonl").read_text().splitlines()]


def test_a_change_of_many_marks_is_a_line(tmp_path: Path) -> None:
    marks = many(tmp_path)
    before = (marks.home / "marks.json").stat().st_ino
    assert marks.mark(["0007.png", "gone.png"], 1, on=False) == 1
    assert marks.rate(["0001.png"], 3) == 1
    marks.save_query("dark", "tag:night")
    marks.rename_query("dark", "night")
    assert marks.mark(NAMES[:2], 9) == 2
    assert lines(tmp_path) == [
        ["select", 1, ["0007.png"], False],
        ["rate", 3, ["0001.png"]],
        ["query", "dark", "tag:night"],
        ["query", "night", "tag:night"],
        ["query", "dark", None],
        ["select", 9, NAMES[:2], True],
    ]
    assert (marks.home / "marks.json").stat().st_ino == before
    for each in (marks, Marks(tmp_path)):
        assert each.selected(1) == set(NAMES) - {"0007.png"}
        assert each.selected(9) == set(NAMES[:2])
        assert each.now.stars == {"0001.png": 3}
        assert each.now.queries == {"night": "tag:night"}


def test_lines_longer_than_the_file_go_into_it(tmp_path: Path) -> None:
    marks = many(tmp_path)
    other = Marks(tmp_path)
    marks.mark(NAMES, 2)
    assert lines(tmp_path) == [["select", 2, NAMES, True]]
    marks.mark(NAMES, 3)
    assert not (marks.home / "changes.jsonl").exists()
    assert json.loads((marks.home / "marks.json").read_text())["selections"] == dict.fromkeys("123", NAMES)
    other.look_again()
    assert other.selected(3) == set(NAMES)


def test_screens_take_in_each_others_lines(tmp_path: Path) -> None:
    one, other = many(tmp_path), Marks(tmp_path)
    now = other.now
    other.look_again()
    assert other.now is now
    one.rate(["a.png"], 1)
    other.rate(["b.png"], 2)
    assert other.now.stars == {"a.png": 1, "b.png": 2}
    one.look_again()
    assert one.now.stars == {"a.png": 1, "b.png": 2}
    assert one.now is not now


def test_half_a_line_that_a_kill_left_is_none(tmp_path: Path) -> None:
    marks = many(tmp_path)
    marks.rate(["a.png"], 1)
    with (marks.home / "changes.jsonl").open("ab") as stream:
        stream.write(b'["rate", 5, ["b.p')
    again = Marks(tmp_path)
    assert again.now.stars == {"a.png": 1}
    again.rate(["c.png"], 2)
    assert lines(tmp_path) == [["rate", 1, ["a.png"]], ["rate", 2, ["c.png"]]]


def test_lines_that_are_in_the_file_already_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = many(tmp_path)
    marks.rate(["a.png", "b.png"], 2)
    marks.rate(["a.png"], 4)
    # As if a kill had come between the file and the end of its lines.
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    marks.mark(NAMES, 2)
    assert lines(tmp_path)[:2] == [["rate", 2, ["a.png", "b.png"]], ["rate", 4, ["a.png"]]]
    assert json.loads((marks.home / "marks.json").read_text())["stars"] == {"a.png": 4, "b.png": 2}
    again = Marks(tmp_path)
    for each in (marks, again):
        assert (each.now.stars, each.selected(2)) == ({"a.png": 4, "b.png": 2}, frozenset(NAMES))
    marks.rate(["a.png"], 1)
    again.rate(["b.png"], 5)
    assert Marks(tmp_path).now.stars == {"a.png": 1, "b.png": 5}


def test_a_damaged_line_is_never_written_over(tmp_path: Path) -> None:
    marks = many(tmp_path)
    log = marks.home / "changes.jsonl"
    log.write_bytes(b'["paint", 5]\n')
    with pytest.raises(SdtuiError, match="cannot read the marks"):
        Marks(tmp_path)
    with pytest.raises(SdtuiError, match="cannot read the marks"):
        marks.rate(["a.png"], 1)
    assert log.read_bytes() == b'["paint", 5]\n'


FULL = textwrap.dedent("""
    import resource, signal, sys
    from pathlib import Path
    from sdtui.dataset import marks_file
    from sdtui.dataset.marks import Marks
    from sdtui.errors import SdtuiError
    marks_file.SMALL = 300
    marks = Marks(Path(sys.argv[1]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
    try:
        marks.rate(["a.png", "b.png", "c.png", "d.png"], 2)
    except SdtuiError:
        print(sorted(marks.now.stars))
""")


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    marks = many(tmp_path)
    marks.rate(["a.png"], 1)
    before = (marks.home / "changes.jsonl").read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True, env=os.environ
    )
    assert done.stdout == "['a.png']\n"
    assert (marks.home / "changes.jsonl").read_bytes() == before


WORDS = st.sampled_from(["a.png", "b.png", "sea/ü.png", "\udce9.png"])
CHANGES = st.one_of(
    st.tuples(st.just("mark"), st.lists(WORDS), st.integers(1, 9), st.booleans()),
    st.tuples(st.just("rate"), st.lists(WORDS), st.integers(0, 5), st.none()),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, max_size=25), st.sampled_from([0, 60, 1_000_000]))
def test_any_changes_are_read_as_they_were_made(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, list[str], int, bool | None]], small: int
) -> None:
    folder = tmp_path_factory.mktemp("marks")
    selections: dict[int, set[str]] = {}
    stars: dict[str, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks_file, "SMALL", small)
        marks = Marks(folder)
        for verb, names, number, on in changes:
            if verb == "mark":
                marks.mark(names, number, on=bool(on))
                there = selections.get(number, set())
                selections[number] = there | set(names) if on else there - set(names)
            else:
                marks.rate(names, number)
                stars.update(dict.fromkeys(names, number))
        for each in (marks, Marks(folder)):
            assert {number: set(each.selected(number)) for number in range(1, 10)} == {
                number: selections.get(number, set()) for number in range(1, 10)
            }
            assert each.now.stars == {name: count for name, count in stars.items() if count}
