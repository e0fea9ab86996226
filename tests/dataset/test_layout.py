from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.dataset.layout import Layout, Part, find_layout
from sdtui.dataset.problem import Problem
from sdtui.dataset.scan import DatasetError
from sdtui.profile.schema import Folder


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def layout_of(path: Path, passed_over: frozenset[Path] = frozenset(), **table: Any) -> tuple[Layout, list[Problem]]:
    problems: list[Problem] = []
    return find_layout(2, Folder.model_validate({"path": str(path), **table}), problems, passed_over), problems


def parts(layout: Layout) -> list[tuple[str, int, str]]:
    return [(part.folder, part.repeats, part.class_tokens) for part in layout.parts]


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """The folders of the classic guide."""
    root = tmp_path / "train"
    for name in ("60_statue city", "20_exterior city", "40_interior city"):
        picture(root / name / "1.jpg")
    return root


@pytest.mark.parametrize("wanted", ["auto", "kohya"])
def test_kohyas_folders(guide: Path, wanted: str) -> None:
    layout, problems = layout_of(guide, layout=wanted, repeats=2)
    assert (layout.row, layout.kind, layout.note, problems) == (2, "kohya", "", [])
    assert layout.parts == (
        Part(guide / "20_exterior city", f"{guide}/20_exterior city", 40, "exterior city"),
        Part(guide / "40_interior city", f"{guide}/40_interior city", 80, "interior city"),
        Part(guide / "60_statue city", f"{guide}/60_statue city", 120, "statue city"),
    )


def test_class_tokens_of_the_profile_win_over_those_of_names(guide: Path) -> None:
    layout, _ = layout_of(guide, class_tokens="my city")
    assert {part.class_tokens for part in layout.parts} == {"my city"}


def test_what_kohyas_layout_leaves_out_is_told_with_its_name(guide: Path) -> None:
    picture(guide / "cover.png")
    picture(guide / "cover2.png")
    picture(guide / "drafts" / "old" / "1.png")
    picture(guide / "0_never" / "1.png")
    (guide / "log").mkdir()
    (guide / "log" / "events.txt").write_text("no image")
    layout, problems = layout_of(guide)
    assert len(layout.parts) == 3
    (problem,) = problems
    assert (problem.kind, problem.path) == ("left-out", guide)
    assert problem.message == (
        "kohya's layout reads only folders named <repeats>_<class tokens> and leaves out "
        "2 images directly in it, 1 image in 0_never, 1 image in drafts"
    )
    for number in range(9):
        picture(guide / f"more{number}" / "1.png")
    (problem,) = layout_of(guide)[1]
    assert problem.message.endswith("1 image in more0, 1 image in more1 and 7 more folders")


def test_masks_among_kohyas_folders_are_not_left_out(guide: Path) -> None:
    picture(guide / "masks" / "1.png")
    assert layout_of(guide, frozenset({guide / "masks"}))[1] == []


def test_a_folder_that_is_itself_named_so(guide: Path) -> None:
    inner = guide / "20_exterior city"
    layout, problems = layout_of(inner, layout="kohya", repeats=3)
    assert (layout.kind, parts(layout), problems) == ("kohya", [(str(inner), 60, "exterior city")], [])
    # Its name may have been chosen for its own sake: only who asks gets the repeats, and the others are told.
    layout, problems = layout_of(inner, repeats=3)
    assert (layout.kind, parts(layout), problems) == ("flat", [(str(inner), 3, "")], [])
    assert layout.note == '20 repeats in its name not taken (layout = "kohya" takes them)'


def test_flat_takes_no_name_for_more_than_a_name(guide: Path) -> None:
    layout, problems = layout_of(guide, layout="flat", class_tokens="city")
    assert (layout.kind, parts(layout), problems) == ("flat", [(str(guide), 1, "city")], [])
    assert layout.note == "20_exterior city, 40_interior city, 60_statue city in it not looked into"
    assert layout_of(guide, layout="flat", recursive=True)[0].note == ""
    for number in range(4):
        picture(guide / f"more{number}" / "1.png")
    known = frozenset({guide / "more0"})
    assert layout_of(guide, known, layout="flat")[0].note.endswith("more1, more2 and 1 more in it not looked into")


def test_auto_is_flat_without_such_names(tmp_path: Path) -> None:
    picture(tmp_path / "cats" / "1.png")
    picture(tmp_path / "0.png")
    layout, problems = layout_of(tmp_path)
    assert (layout.kind, layout.note, problems) == ("flat", "cats in it not looked into", [])


def test_kohyas_layout_without_such_names_is_a_problem(tmp_path: Path) -> None:
    root = picture(tmp_path / "cats" / "1.png").parent
    _, problems = layout_of(root, layout="kohya")
    assert [(problem.kind, problem.path) for problem in problems] == [("bad-layout", root)]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        layout_of(tmp_path / "gone")


def test_a_folder_inside_that_may_not_be_read(guide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sdtui.dataset import layout, scan

    (guide / "closed").mkdir()

    def refused(path: Path, *, recursive: bool) -> scan.Listing:
        if path.name == "closed":
            raise DatasetError("no permission to read the folder")
        return scan.scan(path, recursive=recursive)

    monkeypatch.setattr(layout, "scan", refused)
    _, problems = layout_of(guide)
    assert [(problem.kind, problem.path) for problem in problems] == [("unreadable-folder", guide / "closed")]
