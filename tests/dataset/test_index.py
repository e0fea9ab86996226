from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdtui.dataset import caption_read, index_file, postings
from sdtui.dataset import index as index_module
from sdtui.dataset.columns import CAPTIONED, EMPTY, MISSING, UNREADABLE
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library

LONG_AGO = 1_600_000_000_000_000_000


@pytest.fixture(autouse=True)
def small_sets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "KEPT_FROM", 0)


def write(folder: Path, name: str, text: str | bytes, *, ago: int = 0) -> None:
    """A caption that was written long ago, so that its time can be trusted."""
    path = folder / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").touch()
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, ns=(LONG_AGO - ago, LONG_AGO - ago))


def loaded(folder: Path) -> Index:
    index = Index(Library.scan(folder))
    for _ in index.load():
        pass
    return index


def read_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Index, list[str | None]]:
    """The index opened again, and the captions it read from disk to that end; None where there was no file."""
    read: list[str | None] = []
    real = caption_read.read_text

    def watched(path: str | None) -> caption_read.CaptionRead:
        read.append(path and os.path.relpath(path, folder))
        return real(path)

    monkeypatch.setattr(index_module, "read_text", watched)
    index = loaded(folder)
    monkeypatch.setattr(index_module, "read_text", real)
    return index, read


def having(index: Index, *words: str) -> list[int]:
    return np.flatnonzero(index.postings.having(np.array([index.words.index(word) for word in words]))).tolist()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "a", "sky, wall, sky\n")
    write(tmp_path, "b", "wall\nSky, ,")
    write(tmp_path, "c", " \n")
    write(tmp_path, "d", b"\xff")
    (tmp_path / "e.png").touch()
    return tmp_path


def test_what_it_knows_of_each_image(folder: Path) -> None:
    index = loaded(folder)
    assert index.ready
    assert index.words == ["sky", "wall", "Sky"]
    assert having(index, "sky") == [0]
    assert having(index, "wall") == [0, 1]
    columns = index.columns
    assert columns.state.tolist() == [CAPTIONED, CAPTIONED, EMPTY, UNREADABLE, MISSING]
    assert columns.tags.tolist() == [3, 2, 0, 0, 0]
    assert columns.chars.tolist() == [14, 11, 1, 0, 0]
    assert columns.twice.tolist() == [True, False, False, False, False]
    assert [index.text(at) for at in range(5)] == ["sky, wall, sky", "wall\nSky, ,", " ", None, None]


def test_tag_counts_count_captions(folder: Path) -> None:
    index = loaded(folder)
    assert index.tag_counts() == {"sky": 1, "wall": 2, "Sky": 1}
    assert index.tag_counts([1, 2]) == {"wall": 1, "Sky": 1}
    assert index.tag_counts([]) == {}
    assert [index.captions_with(tag) for tag in ("wall", "Sky", "gate")] == [2, 1, 0]


def test_progress_and_leaving_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_CHUNK", 2)
    index = Index(Library.scan(folder))
    loading = index.load()
    assert [next(loading), next(loading)] == [0, 2]
    del loading
    assert not index.ready
    assert not index.keep()
    assert list(index.load()) == [0, 2, 4, 5]
    assert having(index, "wall") == [0, 1]


def test_more_pairs_than_are_sorted_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_CHUNK", 1)
    monkeypatch.setattr(postings, "_WAITING", 2)
    assert loaded(folder).tag_counts() == {"sky": 1, "wall": 2, "Sky": 1}


@pytest.mark.parametrize("parts", [0, 1, 2, 100])
def test_however_many_parts_of_captions_are_remembered(
    folder: Path, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    monkeypatch.setattr(index_module, "_PARTS", parts)
    index = loaded(folder)
    assert index.tag_counts() == {"sky": 1, "wall": 2, "Sky": 1}
    assert index.columns.tags.tolist() == [3, 2, 0, 0, 0]
    assert index.columns.twice.tolist() == [True, False, False, False, False]
    write(folder, "a", "sky\n|||wall")
    index.changed([0])
    assert index.columns.tags.tolist() == [2, 2, 0, 0, 0]
    assert not index.columns.twice.any()


def test_who_asks_for_one_tag_does_not_wait_for_one_who_writes(folder: Path) -> None:
    index = loaded(folder)
    held, asked = threading.Event(), threading.Event()

    def hold() -> None:
        with index.lock:
            held.set()
            asked.wait(120)

    writer = threading.Thread(target=hold)
    writer.start()
    held.wait(120)
    answer = index.captions_with("wall")
    asked.set()
    writer.join()
    assert (answer, index.captions_with("wall")) == (None, 2)


def test_a_changed_caption_is_taken_in(folder: Path) -> None:
    index = loaded(folder)
    write(folder, "a", "gate")
    write(folder, "e", "gate, wall")
    index.changed([0, 4])
    assert index.tag_counts() == {"wall": 2, "Sky": 1, "gate": 2}
    assert [index.captions_with(tag) for tag in ("wall", "sky", "gate")] == [2, 0, 2]
    assert having(index, "sky") == []
    assert (index.text(0), index.text(4)) == ("gate", "gate, wall")
    (folder / "a.txt").unlink()
    index.changed([0])
    assert index.text(0) is None
    assert index.columns.state[0] == MISSING
    assert having(index, "gate") == [4]
    assert index.vocabulary.equal("GATE").tolist() == [index.words.index("gate")]


def test_a_change_while_it_is_loaded_is_not_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_CHUNK", 1)
    index = Index(Library.scan(folder))
    for done in index.load():
        if done == 3:
            write(folder, "a", "gate")
            index.changed([0])
    assert index.text(0) == "gate"
    assert having(index, "gate") == [0]


def test_opened_again_nothing_is_read_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = loaded(folder)
    assert before.keep()
    assert not before.keep()
    index, read = read_now(folder, monkeypatch)
    assert read == []
    assert index.tag_counts() == before.tag_counts()
    assert [index.text(at) for at in range(5)] == [before.text(at) for at in range(5)]
    assert index.columns.state.tolist() == before.columns.state.tolist()
    assert not index.keep()


def test_opened_again_what_changed_since_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(folder).keep()
    write(folder, "a", "sea, wall, sky\n", ago=1)  # another time, the same size
    write(folder, "e", "sea")
    (folder / "c.txt").unlink()
    index, read = read_now(folder, monkeypatch)
    assert read == ["a.txt", None, "e.txt"]
    assert index.tag_counts() == {"sea": 2, "wall": 2, "sky": 1, "Sky": 1}
    assert index.words == ["sky", "wall", "Sky", "sea"]
    assert index.columns.state[2] == MISSING
    assert index.keep()
    assert read_now(folder, monkeypatch)[1] == []


def test_tags_that_no_caption_has_any_more_are_forgotten(folder: Path) -> None:
    index = loaded(folder)
    write(folder, "a", "gate")
    index.changed([0, 0])
    assert index.words == ["sky", "wall", "Sky", "gate"]
    index.keep()
    again = loaded(folder)
    assert again.words == ["wall", "Sky", "gate"]
    assert again.tag_counts() == {"wall": 1, "Sky": 1, "gate": 1}
    assert having(again, "gate") == [0]


def test_a_file_put_in_the_place_of_another_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(folder).keep()
    write(folder, "new", "sea, wall, sky\n")
    os.replace(folder / "new.txt", folder / "a.txt")
    (folder / "new.png").unlink()
    index, read = read_now(folder, monkeypatch)
    assert read == ["a.txt"]
    assert index.text(0) == "sea, wall, sky"


def test_a_caption_read_right_after_it_was_written_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    os.utime(folder / "a.txt", ns=(now, now))
    loaded(folder).keep()
    (folder / "a.txt").write_text("sea, wall, sky\n")
    os.utime(folder / "a.txt", ns=(now, now))  # as if within one tick of the file system's clock
    index, read = read_now(folder, monkeypatch)
    assert read == ["a.txt"]
    assert index.text(0) == "sea, wall, sky"


def test_images_that_came_and_went(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = loaded(folder)
    before.columns.tokens[1] = 77
    before.keep()
    write(folder, "00", "dawn, wall")
    write(folder, "set/x", "wall")
    for name in ("a.png", "a.txt", "d.png", "d.txt"):
        (folder / name).unlink()
    index, read = read_now(folder, monkeypatch)
    assert read == ["00.txt", "set/x.txt"]
    assert index.library.relatives() == ["00.png", "b.png", "c.png", "e.png", "set/x.png"]
    assert index.tag_counts() == {"dawn": 1, "wall": 3, "Sky": 1}
    assert having(index, "wall") == [0, 1, 4]
    assert [index.text(at) for at in range(5)] == ["dawn, wall", "wall\nSky, ,", " ", None, "wall"]
    assert index.columns.tokens.tolist() == [-1, 77, -1, -1, -1]
    assert index.keep()


def test_an_index_of_other_images_is_no_help(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(folder).keep()
    for path in folder.glob("*.png"):
        path.rename(folder / f"new-{path.name}")
    assert loaded(folder).tag_counts() == {}


@pytest.mark.parametrize("damage", [b"", b"PK", b"\0" * 400])
def test_a_damaged_index_is_made_again(folder: Path, damage: bytes) -> None:
    loaded(folder).keep()
    path = index_file.index_path(folder / ".sdtui")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] + damage)
    assert loaded(folder).tag_counts() == {"sky": 1, "wall": 2, "Sky": 1}


def test_a_small_set_is_left_without_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "KEPT_FROM", 6)
    assert not loaded(folder).keep()
    assert not (folder / ".sdtui").exists()


def test_kill_9_while_it_is_written_leaves_the_old_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(folder).keep()
    before = index_file.index_path(folder / ".sdtui").read_bytes()
    write(folder, "e", "sea")
    script = """
        import os, signal, sys
        from pathlib import Path
        import numpy as np
        from sdtui.dataset import index as module
        from sdtui.dataset.library import Library

        module.KEPT_FROM = 0
        index = module.Index(Library.scan(Path(sys.argv[1])))
        for _ in index.load():
            pass
        real = np.savez

        def cut(stream, **arrays):
            real(stream, **arrays)
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)

        np.savez = cut
        index.keep()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert index_file.index_path(folder / ".sdtui").read_bytes() == before
    index, read = read_now(folder, monkeypatch)
    assert read == ["e.txt"]
    assert index.text(4) == "sea"


def test_tokens_are_counted_once_where_they_are_asked(folder: Path) -> None:
    index = loaded(folder)
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return len(text.split())

    inside = np.array([True, False, True, True, True])
    assert index.count_tokens(count, inside).tolist() == [3, -1, 0, 0, 0]
    assert index.count_tokens(count, inside | True).tolist() == [3, 3, 0, 0, 0]
    assert asked == ["sky, wall, sky", " ", "wall\nSky, ,"]
    assert index.keep()
    again = loaded(folder)
    assert again.columns.tokens.tolist() == [3, 3, 0, 0, 0]
    write(folder, "a", "sea")
    again.changed([0])
    assert again.columns.tokens.tolist() == [-1, 3, 0, 0, 0]


def test_a_caption_edited_while_its_tokens_are_counted(folder: Path) -> None:
    index = loaded(folder)

    def count(text: str) -> int:
        if text.startswith("sky"):
            write(folder, "a", "gate")
            index.changed([0])
        return len(text.split())

    assert index.count_tokens(count, np.ones(5, np.bool_)).tolist() == [-1, 3, 0, 0, 0]


def test_counting_is_left_off_when_no_longer_wanted(folder: Path) -> None:
    index = loaded(folder)
    assert index.count_tokens(len, np.ones(5, np.bool_), lambda: True).tolist() == [-1] * 5
    index.read_sizes(np.ones(5, np.bool_), lambda: True)
    assert index.columns.image_size.tolist() == [-1] * 5


def test_sizes_are_read_once_as_long_as_the_file_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (3, 2)).save(folder / "a.png")
    Image.new("RGB", (4, 5)).save(folder / "b.png")
    index = loaded(folder)
    index.read_sizes(np.array([True, False, True, False, False]))
    assert index.columns.width.tolist() == [3, 0, 0, 0, 0]
    index.read_sizes(np.ones(5, np.bool_))
    assert (index.columns.width.tolist(), index.columns.height.tolist()) == ([3, 4, 0, 0, 0], [2, 5, 0, 0, 0])
    assert index.keep()
    Image.new("RGB", (7, 7)).save(folder / "b.png")
    os.utime(folder / "b.png", ns=(1, 1))
    read: list[str] = []

    def watched(path: Path) -> tuple[int, int]:
        read.append(path.name)
        return caption_read.size_of(path)

    monkeypatch.setattr(index_module, "size_of", watched)
    again = loaded(folder)
    again.read_sizes(np.ones(5, np.bool_))
    assert read == ["b.png"]
    assert again.columns.width.tolist() == [3, 7, 0, 0, 0]
