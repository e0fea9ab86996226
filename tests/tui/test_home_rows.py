from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.runs.layout import RunFolder
from sdtui.runs.registry import RunInfo
from sdtui.tui.board import Board
from sdtui.tui.glyphs import UNICODE
from sdtui.tui.home_rows import Item, Line, details, draw, empty_lines, lines_of
from sdtui.tui.keys import KeyTable
from sdtui.tui.workspace import DatasetRow, ProfileRow

LONG_AGO = 86400.0 * 365


def pressed(name: str) -> str:
    return {"home.new": "n", "home.launch": "L", "everywhere.captions": "2", "captions.folder": "O"}[name]


def drawn(item: Item, width: int = 75) -> str:
    content = draw(Line(item=item), width, UNICODE, ascii_only=False)
    return " ".join(content.plain.split())


def run(state: str, **more: object) -> RunInfo:
    return RunInfo(RunFolder(Path("/w/runs/lora-1")), state, **more)  # type: ignore[arg-type]


def test_profiles() -> None:
    path = Path("/w/x.toml")
    assert drawn(ProfileRow(path, LONG_AGO, kind="lora")) == "x.toml lora edited 1971-01-01"
    assert drawn(ProfileRow(path, LONG_AGO, errors=2)) == "x.toml - edited 1971-01-01 2 problems"
    both = ProfileRow(path, LONG_AGO, "lora", errors=2, warnings=1)
    assert drawn(both, width=100).endswith("1971-01-01 2 problems, 1 warning")
    assert drawn(both, width=80).endswith("1971-01-01 2 problems")
    sound = ProfileRow(path, LONG_AGO, "lora", errors=0, looked=True)
    assert drawn(replace(sound, warnings=1)) == "x.toml lora edited 1971-01-01 1 warning"
    assert drawn(sound, width=56) == "x.toml lora ready"
    assert drawn(replace(sound, warnings=1, looked=False), width=56) == "x.toml lora checking"


def test_runs() -> None:
    live = run("running", step=1890, steps_total=3000, eta_seconds=2460.0, loss=0.0912)
    assert drawn(live) == "lora-1 running 63% 41 min 00 s left loss 0.091"
    assert drawn(run("starting", steps_total=3000)) == "lora-1 starting 0%"
    assert drawn(run("killed", step=4200, steps_total=8000)) == "lora-1 killed step 4 200 of 8 000"
    assert drawn(run("killed", step=4200, steps_total=8000), width=56) == "lora-1 killed 4 200 of 8 000"
    assert drawn(run("killed", step=4200, steps_total=18000), width=54) == "lora-1 killed 4 200 of 18 0…"
    assert drawn(run("finished", changed=LONG_AGO, loss=0.094)) == "lora-1 finished 1971-01-01 loss 0.094"
    assert drawn(run("newer")) == "lora-1 newer sdtui"
    assert "━━━" in drawn(live, width=150)


def test_datasets() -> None:
    path = Path("/sets/city")
    assert drawn(DatasetRow(path)) == "city"
    assert drawn(DatasetRow(path, 1240, 12)) == "city 1 240 images 12 untagged"
    assert drawn(DatasetRow(path, 1, 0)) == "city 1 image all captioned"
    assert drawn(DatasetRow(path, 29, 4, outside=4)) == "city 29 images 4 untagged, 4 left out"
    facts = details(DatasetRow(path, 29, 4, outside=4), 60, pressed, ascii_only=False).plain
    assert "left out" in facts
    assert "4 outside kohya's folders" in facts
    assert drawn(DatasetRow(path, 0, problem="the folder does not exist")) == "city the folder does not exist"


@pytest.mark.parametrize("width", [56, 75, 150])
def test_a_row_never_leaves_its_width(width: int) -> None:
    items: list[Item] = [
        ProfileRow(Path(f"/w/{'城' * 40}.toml"), LONG_AGO, kind="k" * 40, errors=3),
        DatasetRow(Path("/w/d"), 0, problem="p" * 200),
        RunInfo(RunFolder(Path(f"/w/{'r' * 90}")), "killed", step=1, steps_total=3),
    ]
    lengths = [draw(Line(item=item), width, UNICODE, ascii_only=False).cell_length for item in items]
    assert max(lengths) <= max(width, 28 + 13 + 22)


def test_sections_say_what_would_be_there() -> None:
    board = Board(profiles=(ProfileRow(Path("/w/City.toml"), LONG_AGO),), complete=True)
    texts = [line.text or line.item for line in lines_of(board, "", pressed, UNICODE)]
    assert texts == [
        "profiles", board.profiles[0], None,
        "runs", "none yet: L on a profile starts one", None,
        "datasets", "none yet: a profile names its folders of images",
    ]  # fmt: skip


def test_before_the_workspace_is_read_nothing_is_said_to_be_missing() -> None:
    texts = [line.text for line in lines_of(Board(), "", pressed, UNICODE)]
    assert texts == ["profiles", "reading…", "", "runs", "reading…", "", "datasets", "reading…"]


def test_a_filter_ignores_case_and_leaves_empty_sections_out() -> None:
    board = Board(profiles=(ProfileRow(Path("/w/City.toml"), LONG_AGO),), runs=(run("killed"),))
    assert [line.item for line in lines_of(board, "city", pressed, UNICODE) if line.item] == [board.profiles[0]]
    assert [line.text for line in lines_of(board, "zzz", pressed, UNICODE)] == [
        "nothing on this screen contains that text"
    ]


def test_what_to_do_in_an_empty_folder_names_the_keys() -> None:
    assert [line.text[:5] for line in empty_lines(pressed)] == ["nothi", "n    ", "2 O  ", "", "or, i", "`sdtu"]
    # Beside the pointer and the margin of the list, in a window of 80 columns.
    assert max(len(line.text) for line in empty_lines(pressed)) <= 76


def test_details_put_long_values_below_their_label() -> None:
    row = ProfileRow(Path("/w/[x].toml"), 0.0, "lora", "/models/" + "m" * 40, errors=1, first_problem="a\nb")
    assert details(row, 30, pressed, ascii_only=False).plain.splitlines() == [
        "[x].toml",
        "/w",
        "",
        "trains      lora",
        "base       ",
        "/models/" + "m" * 40,
        "check       1 problem",
        "problem     a\\nb",
    ]
    assert details(None, 30, pressed, ascii_only=False).plain == ""


def test_runs_that_cannot_be_listed_are_not_passed_off_as_none() -> None:
    board = Board(trouble="/w/runs: the runs cannot be listed: Permission\x1b denied")
    texts = [line.text for line in lines_of(board, "", pressed, UNICODE)]
    assert texts[texts.index("runs") + 1] == r"/w/runs: the runs cannot be listed: Permission\x1b denied"


def test_resuming_says_from_where_with_the_users_own_key(tmp_path: Path) -> None:
    press = KeyTable({"home.resume": "f2"}).press
    info = RunInfo(RunFolder(tmp_path), "failed", step=12)
    assert details(info, 60, press, ascii_only=False).plain.splitlines()[-1] == (
        "resume      f2 starts over: no checkpoint yet"
    )
    (tmp_path / "checkpoints" / "step-000010").mkdir(parents=True)
    (tmp_path / "checkpoints" / "step-000010" / "complete").touch()
    assert details(info, 60, press, ascii_only=False).plain.splitlines()[-1] == (
        "resume      f2 goes on from the checkpoint of step 10"
    )
    assert "resume" not in details(RunInfo(RunFolder(tmp_path), "finished"), 60, press, ascii_only=False).plain
