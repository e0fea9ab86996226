from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from sdtui.runs.layout import RunFolder
from sdtui.tui import workspace
from sdtui.tui.workspace import DatasetRow

PROFILE = """\
[model]
base = "~/models/sd15"
[method]
kind = "lora"
[[dataset.folders]]
path = "../images"
[[dataset.folders]]
path = "more"
[training]
epochs = 8
[launch]
runs = "out"
"""


def test_profiles_lie_in_the_workspace_and_in_profiles(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    for name in ("b.toml", "a.toml", "pyproject.toml", ".hidden.toml", "notes.txt", "profiles/c.toml"):
        (tmp_path / name).touch()
    found = workspace.profile_files(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a.toml", "b.toml", "profiles/c.toml"]
    assert workspace.profile_files(tmp_path / "none") == []


def test_a_quick_row_says_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "profiles" / "x.toml"
    path.parent.mkdir()
    path.write_text(PROFILE)
    row = workspace.quick_row(path)
    assert (row.kind, row.base, row.length, row.errors) == ("lora", "~/models/sd15", "8 epochs", -1)
    assert row.folders == (tmp_path / "images", tmp_path / "profiles" / "more")
    assert row.runs == tmp_path / "out"


def test_what_is_no_profile_is_a_row_with_a_problem(tmp_path: Path) -> None:
    cases = {
        "toml": (b"[method\n", "not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 8)"),
        "latin": (b'a = 1\nx = "\xe9"', "line 2: byte 0xe9 is not UTF-8. Save it as UTF-8 in your editor"),
    }
    for name, (raw, problem) in cases.items():
        path = tmp_path / f"{name}.toml"
        path.write_bytes(raw)
        row = workspace.quick_row(path)
        assert (row.errors, row.first_problem) == (1, problem)
    row = workspace.quick_row(tmp_path / "gone.toml")
    assert (row.errors, row.first_problem) == (1, "cannot read the profile: No such file or directory")


def test_a_broken_profile_adds_no_folder_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The current folder's own runs/ is none of this workspace's business.
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "toml.toml").write_bytes(b"[method\n")
    (folder / "latin.toml").write_bytes(b'x = "\xe9"')
    rows = [workspace.quick_row(path) for path in workspace.profile_files(folder)]
    assert workspace.runs_folders(folder, rows) == [folder / "runs"]


def test_values_of_the_wrong_kind_are_left_to_the_check(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('method = 1\ndataset = "x"\n[training]\nsteps = true\n[model]\nbase = 3\n')
    row = workspace.quick_row(path)
    assert (row.kind, row.base, row.length, row.folders) == ("", "3", "", ())


def test_a_file_nested_deeper_than_can_be_read_is_a_row_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text("model = " + "[" * 9999)
    assert workspace.quick_row(tmp_path / "deep.toml").first_problem.startswith("not valid TOML")


def test_trigger_words_of_the_profiles_that_use_the_images(tmp_path: Path) -> None:
    images = tmp_path / "images" / "cats"
    profiles = {
        "a": ('"images"', '[saving]\ntrigger = "ohwx cat"\n[prior]\ntrigger = "tabby"\n'),
        "b": ('"images/cats/10_x"', '[saving]\ntrigger = "ohwx cat"\n'),
        "c": ('"elsewhere"', '[saving]\ntrigger = "nope"\n'),
        "d": ('"images"', '[saving]\ntrigger = 7\n[prior]\ntrigger = " "\n'),
    }
    for name, (folder, more) in profiles.items():
        (tmp_path / f"{name}.toml").write_text(f"[[dataset.folders]]\npath = {folder}\n{more}")
    (tmp_path / "broken.toml").write_text("[dataset")
    assert workspace.triggers(tmp_path, images) == ["ohwx cat", "tabby"]
    assert workspace.triggers(tmp_path, tmp_path / "dogs") == []


def test_a_checked_row_counts_problems_and_names_the_first(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[method]\nkind = "lora"\nranc = 3\n')
    row = workspace.checked_row(workspace.quick_row(path))
    assert row.errors >= 2
    assert row.first_problem
    path.write_text("[method]\nrank = 3\n")
    quick = workspace.quick_row(path)
    assert (quick.kind, workspace.checked_row(quick).kind) == ("", "lora")
    path.unlink()
    assert workspace.checked_row(row).errors == 1


def test_a_dataset_is_counted(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    (tmp_path / "a.txt").write_text("x")
    assert workspace.dataset_row(tmp_path) == DatasetRow(tmp_path, 3, 2, "")
    for name in ("2_cat/d.png", "2_cat/deep/e.png", "notes/f.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert workspace.dataset_row(tmp_path) == DatasetRow(tmp_path, 6, 5, "", outside=5)
    assert workspace.dataset_row(tmp_path / "none") == DatasetRow(
        tmp_path / "none", 0, problem="the folder does not exist"
    )
    (tmp_path / "empty").mkdir()
    assert workspace.dataset_row(tmp_path / "empty").problem == "it is empty"


def test_every_dataset_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[[dataset.folders]]\npath = "images"\n')
    assert workspace.dataset_folders(tmp_path) == [tmp_path / "images"]


def test_runs_of_every_folder_newest_first(tmp_path: Path) -> None:
    for number, folder in enumerate(("runs", "out", "runs")):
        run = RunFolder.create(tmp_path / folder, f"r{number}")
        run.run_json.write_text("{")
        os.utime(run.path, (number, number))
    infos, trouble = workspace.all_runs([tmp_path / "runs", tmp_path / "out", tmp_path / "none"])
    assert trouble == ""
    assert {info.run.name[:2] for info in infos} == {"r0", "r1", "r2"}
    assert {info.state for info in infos} == {"unreadable"}
