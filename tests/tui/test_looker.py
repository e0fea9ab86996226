"""Profiles looked at in the background: what `sdtui check` would say, each once, and only while somebody waits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.cli import main
from sdtui.dataset import sources
from sdtui.dataset.collect import collect
from sdtui.dataset.image import ImageFacts, read_facts
from sdtui.models import preflight
from sdtui.tui import looking
from sdtui.tui.looker import Looked, Looker
from sdtui.tui.workspace import ProfileRow, checked_row, quick_row
from tests.runs.helpers import until
from tests.support.hollow import hollow_pipeline

PROFILE = """\
[model]
base = "model"
[[dataset.folders]]
path = "images"
[training]
steps = 3
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    hollow_pipeline(tmp_path / "model")
    (tmp_path / "images").mkdir()
    for name, colour in (("a", "teal"), ("b", "olive")):
        Image.new("RGB", (512, 512), colour).save(tmp_path / "images" / f"{name}.png")
        (tmp_path / "images" / f"{name}.txt").write_text("x")
    path = tmp_path / "city.toml"
    path.write_text(PROFILE)
    return path


def row_of(path: Path) -> ProfileRow:
    return checked_row(quick_row(path))


def looked(path: Path, through: Looker | None = None) -> ProfileRow:
    """The row after a look at it."""
    done = threading.Event()
    each = through or Looker(lambda: True, lambda: None)
    each._done = done.set
    each.look_at([each.last(row_of(path)) or row_of(path)])
    assert done.wait(120)
    found = each.last(row_of(path))
    assert found is not None
    return found


def test_it_agrees_with_check(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = looked(profile)
    assert (row.looked, row.errors, row.warnings) == (True, 0, 0)
    (profile.parent / "images" / "a.png").write_bytes(b"")
    (profile.parent / "model" / "unet" / "config.json").unlink()
    profile.write_text(PROFILE + '[dataset]\non_unreadable = "skip"\n')
    row = looked(profile)
    assert (row.errors, row.warnings) == (1, 1)
    assert "unet" in row.first_problem
    assert main(["check", str(profile)]) == 2
    assert capsys.readouterr().err == f"{profile}: 1 error, 1 warning\n"


def test_it_looks_again_only_at_what_changed(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    look = Looker._look

    def counted(self: Looker, row: ProfileRow) -> Looked:
        looks.append(row.path.name)
        return look(self, row)

    monkeypatch.setattr(Looker, "_look", counted)
    through = Looker(lambda: True, lambda: None)
    row = looked(profile, through)
    through.look_at([row])
    until(lambda: not through._busy, "the look")
    assert looks == ["city.toml"]
    (profile.parent / "images" / "a.txt").unlink()
    assert looked(profile, through).errors == 1


def test_profiles_on_the_same_images_share_one_look(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def counted(path: Path) -> ImageFacts:
        reads.append(path.name)
        return read_facts(path)

    monkeypatch.setattr(sources, "read_facts", counted)
    other = profile.with_name("other.toml")
    other.write_text(PROFILE.replace("steps = 3", "steps = 5"))
    through = Looker(lambda: True, lambda: None)
    rows = [row_of(profile), row_of(other)]
    through.look_at(rows)
    until(lambda: all(through.last(row) for row in rows), "the look")
    assert sorted(reads) == ["a.png", "b.png"]


def test_a_look_that_nobody_waits_for_ends_at_the_next_image_and_is_taken_up_again(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, begun = threading.Event(), threading.Event()
    wanted.set()

    def leaving(*given: Any) -> Any:
        begun.set()
        wanted.clear()
        return collect(*given)

    monkeypatch.setattr(looking, "collect", leaving)
    ended: list[bool] = []
    through = Looker(wanted.is_set, lambda: ended.append(True))
    through.look_at([row_of(profile)])
    assert begun.wait(120)
    until(lambda: not through._busy, "the look")
    assert (ended, through.last(row_of(profile))) == ([], None)
    monkeypatch.setattr(looking, "collect", collect)
    wanted.set()
    assert looked(profile, through).looked


def test_trouble_with_one_profile_is_told_at_its_row(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_profile: object) -> Any:
        raise OSError("stale file handle")

    monkeypatch.setattr(preflight, "JUDGES", (broken,))
    row = looked(profile)
    assert (row.errors, row.first_problem) == (1, "cannot be checked: OSError: stale file handle")


def test_a_profile_with_errors_of_its_own_is_not_looked_at(profile: Path) -> None:
    profile.write_text(PROFILE.replace("steps", "stepps"))
    through = Looker(lambda: True, lambda: None)
    through.look_at([row_of(profile)])
    until(lambda: not through._busy, "the look")
    assert through.last(row_of(profile)) is None
