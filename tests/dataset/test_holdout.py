from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.holdout import END_BYTES, Candidate, files_of, hold_out


def folder(*names: str) -> list[Candidate]:
    return [Candidate(name, name) for name in names]


TEN = folder(*(f"{number}.png" for number in range(10)))


def test_which_are_held_out_follows_from_seed_and_names() -> None:
    # The smallest SHA-256 of "<seed>\0<name>".
    assert hold_out([TEN], 0.3, 0) == {"4.png", "6.png", "8.png"}
    assert hold_out([TEN[::-1]], 0.3, 0) == hold_out([TEN], 0.3, 0)
    assert hold_out([TEN], 0.3, 1) == {"0.png", "2.png", "4.png"}


@pytest.mark.parametrize(
    ("images", "share", "held"),
    [(10, 0.0, 0), (10, 0.3, 3), (10, 0.01, 1), (10, 0.99, 9), (2, 0.01, 1), (2, 0.9, 1), (1, 0.9, 0), (0, 0.5, 0)],
)
def test_at_least_one_and_never_all(images: int, share: float, held: int) -> None:
    assert len(hold_out([TEN[:images]], share, 0)) == held


def test_an_image_that_is_added_moves_at_most_the_one_at_the_border() -> None:
    before = hold_out([TEN], 0.3, 0)
    after = hold_out([[*TEN, Candidate("new.png", "new.png")]], 0.3, 0)
    assert len(before & after) >= 2


def test_each_folder_is_divided() -> None:
    held = hold_out([TEN[:4], TEN[4:]], 0.5, 0)
    assert [len(held & {candidate.file for candidate in part}) for part in (TEN[:4], TEN[4:])] == [2, 3]


def test_a_file_in_two_folders_is_on_one_side() -> None:
    again = [Candidate(f"other {name}", file) for name, file in TEN]
    assert hold_out([TEN, again], 0.3, 0) == hold_out([TEN], 0.3, 0)
    some = [*again[:5], *folder("x.png", "y.png")]
    both = hold_out([TEN, some], 0.3, 0)
    assert both - {"x.png", "y.png"} == hold_out([TEN], 0.3, 0)


def test_files_that_are_held_out_or_kept_in_any_case() -> None:
    held = hold_out([TEN], 0.3, 0, held=["0.png", "1.png"], kept=["1.png", "2.png", "3.png"])
    assert len(held) == 3
    assert {"0.png", "1.png"} < held
    assert not held & {"2.png", "3.png"}
    assert hold_out([], 0.0, 0, held=["0.png"]) == {"0.png"}


def test_links_and_copies_are_the_file_itself(tmp_path: Path) -> None:
    contents = {"a": b"one", "b": b"two", "copy": b"one", "longer": b"one one"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to("longer")
    found = files_of(tmp_path / name for name in (*contents, "link", "gone", "gone too"))
    assert found[tmp_path / "a"] == found[tmp_path / "copy"]
    assert found[tmp_path / "longer"] == found[tmp_path / "link"]
    assert len(found) == 7
    assert len(set(found.values())) == 5


def test_of_files_of_one_size_only_the_end_is_read(tmp_path: Path) -> None:
    end = bytes(END_BYTES)
    for name, start in (("a", b"1"), ("b", b"2"), ("c", b"")):
        (tmp_path / name).write_bytes(start + end)
    (tmp_path / "d").write_bytes(b"1" + end[:-1] + b"1")
    found = files_of(tmp_path / name for name in "abcd")
    assert found[tmp_path / "a"] == found[tmp_path / "b"]
    assert len(set(found.values())) == 3
