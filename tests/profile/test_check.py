"""The whole check: literal output, places, everything at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.profile.check import check_file, check_text
from sdtui.profile.problem import ProfileError
from tests.profile.conftest import SOUND

MANY = """\
rank = 8
[model]
base = "model"

[method]
text_encoder = "false"   # quoted
rnak = 3

[[dataset.folders]]
path = "images"
repeats = 0

[training]
steps = 100
epochs = 3
resolution = 512

[schedule]
warmup = 101

[saving]
every_steps = 10
min_free_mib = 2 GB
"""


def test_a_sound_profile_has_no_problem_and_absolute_paths(workspace: Path) -> None:
    report = check_file(workspace / "sound.toml")
    assert report.problems == ()
    assert report.profile is not None
    assert report.profile.name == "sound"
    assert report.profile.dataset.folders[0].path == str(workspace / "images")
    assert report.profile.launch.runs == str(workspace / "runs")


def test_every_problem_at_once_with_its_place(workspace: Path) -> None:
    report = check_text(MANY, workspace / "many.toml")
    assert report.profile is None
    assert [
        (problem.line, problem.column, problem.code, problem.key, problem.found) for problem in report.problems
    ] == [
        (1, 1, "unknown-key", "rank", "8"),
        (6, 16, "quoted-boolean", "method.text_encoder", '"false"'),
        (7, 1, "unknown-key", "method.rnak", "3"),
        (11, 11, "out-of-range", "dataset.folders[0].repeats", "0"),
        (15, 10, "contradiction", "training.epochs", "3"),
        (16, 1, "unknown-key", "training.resolution", "512"),
        (19, 10, "contradiction", "schedule.warmup", "101"),
        (23, 18, "syntax", "min_free_mib", "min_free_mib = 2 GB"),
    ]
    assert [problem.remedy for problem in report.problems[:3]] == [
        "rank belongs to [method]",
        "Write it without quotes: text_encoder = false",
        "Did you mean rank?",
    ]


def test_a_broken_line_is_not_missing(workspace: Path) -> None:
    report = check_text(SOUND.replace('base = "model"', r'base = "C:\model"'), workspace / "p.toml")
    assert [(problem.line, problem.code) for problem in report.problems] == [(2, "syntax")]
    report = check_text(SOUND.replace("steps = 100", "steps = 100 steps"), workspace / "p.toml")
    assert [(problem.line, problem.code) for problem in report.problems] == [(8, "syntax")]


def test_values_behind_a_broken_line_are_quoted_right(workspace: Path) -> None:
    report = check_text(SOUND.replace("steps = 100", "seed = x\nsteps = 0"), workspace / "p.toml")
    assert [(problem.line, problem.found) for problem in report.problems] == [(8, "seed = x"), (9, "0")]


def test_an_item_of_a_list_is_pointed_at(workspace: Path) -> None:
    text = SOUND + '[previews]\nprompts = [\n  "fine --w 64",\n  "wrong --w 65",\n]\n'
    (problem,) = check_text(text, workspace / "p.toml").problems
    assert (problem.line, problem.column, problem.key) == (15, 3, "previews.prompts")
    assert problem.message == "previews.prompts[1]: the width is 65, allowed: a multiple of 8, such as 64"


def test_warnings_do_not_stop(workspace: Path) -> None:
    report = check_text(SOUND.replace("every_steps = 50", "every_steps = 0"), workspace / "p.toml")
    assert [problem.severity for problem in report.problems] == ["warning"]
    assert report.profile is not None
    assert (report.errors, len(report.warnings)) == ((), 1)


def test_overrides_have_no_line(workspace: Path) -> None:
    report = check_text(SOUND, workspace / "p.toml", ["method.rank=0", "training.epochs=3", "oops"])
    assert [str(problem) for problem in report.problems] == [
        "--set method.rank: error: method.rank is 0\n    allowed: whole number 1…1 024",
        "--set oops: error: 'oops' is not key=value\n    Write it as --set method.rank=8",
    ]


def test_an_override_in_a_section_that_is_not_there_is_pointed_at(workspace: Path) -> None:
    (problem,) = check_text(SOUND, workspace / "p.toml", ["traning.steps=3"]).problems
    assert (problem.where, problem.found) == ("--set traning.steps", "3")
    (problem,) = check_text(f"{SOUND}[traning]\nsteps = 4\n", workspace / "p.toml", ["traning.steps=3"]).problems
    assert problem.where.startswith(f"{workspace / 'p.toml'}:")


def test_overrides_win(workspace: Path) -> None:
    report = check_text(SOUND, workspace / "p.toml", ["training.epochs=3", "method.rank=4"])
    assert report.profile is not None
    assert (report.profile.training.steps, report.profile.training.epochs) == (None, 3)
    assert report.profile.method.rank == 4


def test_without_places_nothing_on_disk_matters(tmp_path: Path) -> None:
    assert check_text(SOUND, tmp_path / "p.toml", places=False).problems == ()
    assert len(check_text(SOUND, tmp_path / "p.toml").problems) == 2


def test_crlf_and_byte_order_mark(workspace: Path) -> None:
    text = "\ufeff" + SOUND.replace("steps = 100", "steps = 0").replace("\n", "\r\n")
    (problem,) = check_text(text, workspace / "p.toml").problems
    assert (problem.line, problem.column, problem.found) == (8, 9, "0")


def test_an_empty_profile_tells_what_it_needs(workspace: Path) -> None:
    report = check_text("", workspace / "p.toml")
    assert [(problem.line, problem.key) for problem in report.errors] == [
        (1, "dataset.folders"),
        (1, "model.base"),
        (1, "training.steps"),
    ]


def test_files_that_cannot_be_read(workspace: Path) -> None:
    with pytest.raises(UserError, match="cannot read the profile: No such file"):
        check_file(workspace / "none.toml")
    with pytest.raises(UserError, match="cannot read the profile: Is a directory"):
        check_file(workspace)
    (workspace / "latin.toml").write_bytes("# ok\n# caf\xe9\n".encode("latin-1"))
    with pytest.raises(ProfileError) as caught:
        check_file(workspace / "latin.toml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.message) == (2, 6, "byte 0xe9 is not UTF-8")
