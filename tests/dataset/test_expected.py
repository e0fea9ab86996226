from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.expected import ABSENT, ChangedError, Expected, bytes_of, holds, stamp_if_held
from sdtui.errors import SdtuiError


def test_what_a_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert (bytes_of(path), holds(path, None), holds(path, b"")) == (None, True, False)
    path.write_bytes(b"sky")
    assert (bytes_of(path), holds(path, b"sky"), holds(path, b"sk"), holds(path, None)) == (b"sky", True, False, False)
    assert stamp_if_held(path, b"sea") is None
    with pytest.raises(SdtuiError, match="cannot read"):
        bytes_of(tmp_path)


def test_a_file_that_came_or_went_or_was_written_is_another(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"sky")
    stamp = stamp_if_held(path, b"sky")
    assert stamp is not None
    expected = Expected(lambda: [str(path)], [stamp])
    expected.check(str(path), stamp)
    with pytest.raises(ChangedError, match="in this moment"):
        expected.check(str(path), ABSENT)
    path.write_bytes(b"a cloud")
    with pytest.raises(ChangedError, match="in this moment"):
        expected.check(str(path), stamp)
    path.unlink()
    expected.check(str(path), ABSENT)
    with pytest.raises(ChangedError, match="in this moment"):
        expected.check(str(path), stamp)


def test_two_names_of_one_file_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"sky")
    (tmp_path / "b.txt").symlink_to("a.txt")
    both = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    Expected(lambda: both, [1, 1]).check(both[1], 1)
