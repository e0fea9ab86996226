from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sdtui import paths
from sdtui.tui.captions.drafts import Draft, Drafts


def files() -> list[Path]:
    return list((paths.state_dir() / "drafts").glob("*"))


def left(folder: Path) -> dict[str, Draft | None]:
    """What is offered to who opens the dataset now."""
    drafts = Drafts(folder)
    found = {name: drafts.get(name) for name in drafts}
    drafts.close()
    return found


def test_a_draft_is_there_again_and_goes_with_its_file(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    assert drafts.put("a.png", Draft("city, n", "city"))
    assert not drafts.put("a.png", Draft("city, n", "city"))
    assert drafts.save()
    drafts.close()
    again = Drafts(tmp_path)
    assert (list(again), again.get("a.png"), again.get("b.png")) == (["a.png"], Draft("city, n", "city"), None)
    assert again.put("a.png", None)
    assert again.save()
    assert files() == []
    assert again.put("a.png", Draft("city, m", "city"))
    again.close()
    assert left(tmp_path) == {"a.png": Draft("city, m", "city")}


def test_nothing_is_written_before_it_is_told_to(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    assert drafts.save()
    drafts.put("a.png", Draft("x", ""))
    assert files() == []


def test_what_one_types_is_left_alone_by_another_at_the_same_dataset(tmp_path: Path) -> None:
    one = Drafts(tmp_path)
    one.put("a.png", Draft("a", ""))
    one.save()
    other = Drafts(tmp_path)
    assert len(other) == 0
    other.put("a.png", Draft("another", ""))
    other.put("b.png", Draft("b", ""))
    other.save()
    assert left(tmp_path) == {}
    one.put("a.png", Draft("ab", ""))
    one.close()
    assert left(tmp_path) == {"a.png": Draft("ab", "")}
    other.close()
    assert sorted(left(tmp_path)) == ["a.png", "b.png"]


def test_drafts_of_several_that_ended_are_one_file_after_the_next_change(tmp_path: Path) -> None:
    several = [Drafts(tmp_path) for _ in range(3)]
    for name, drafts in zip("abc", several, strict=True):
        drafts.put(f"{name}.png", Draft(name, ""))
        drafts.save()
    for drafts in several:
        drafts.close()
    last = Drafts(tmp_path)
    assert sorted(last) == ["a.png", "b.png", "c.png"]
    last.put("a.png", None)
    last.save()
    assert len([path for path in files() if path.suffix == ".json"]) == 1
    last.close()
    assert sorted(left(tmp_path)) == ["b.png", "c.png"]


def test_kill_9_leaves_the_draft_to_the_next(tmp_path: Path) -> None:
    script = """
        import sys, time
        from pathlib import Path
        from sdtui.tui.captions.drafts import Draft, Drafts

        drafts = Drafts(Path(sys.argv[1]))
        drafts.put("a.png", Draft("city, n", "city"))
        drafts.save()
        print("saved", flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], stdout=subprocess.PIPE
    ) as typing:
        assert typing.stdout is not None
        assert typing.stdout.readline() == b"saved\n"
        living = left(tmp_path)
        typing.kill()
    assert living == {}
    assert left(tmp_path) == {"a.png": Draft("city, n", "city")}


def test_a_file_system_without_locks_still_keeps_drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    drafts = Drafts(tmp_path)
    drafts.put("a.png", Draft("a", ""))
    drafts.close()
    assert left(tmp_path) == {"a.png": Draft("a", "")}


@pytest.mark.parametrize("content", ["{", "[1]", '{"a.png": "text"}', '{"a.png": ["text"]}', '{"a.png": [1, 2]}'])
def test_a_file_that_is_something_else_is_none(tmp_path: Path, content: str) -> None:
    drafts = Drafts(tmp_path)
    drafts.put("a.png", Draft("x", ""))
    drafts.close()
    (path,) = (path for path in files() if path.suffix == ".json")
    path.write_text(content)
    assert len(Drafts(tmp_path)) == 0


def test_lone_surrogates_and_odd_names_come_back(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.put("bad\udcff.png", Draft("half \ud800", "\n"))
    drafts.close()
    assert Drafts(tmp_path).get("bad\udcff.png") == Draft("half \ud800", "\n")


def test_a_state_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SDTUI_STATE", str(tmp_path / "file"))
    drafts = Drafts(tmp_path)
    drafts.put("a.png", Draft("x", ""))
    assert not drafts.save()
    assert drafts.get("a.png") == Draft("x", "")
