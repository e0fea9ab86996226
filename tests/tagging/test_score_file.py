from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open

from sdtui.errors import SdtuiError
from sdtui.tagging import score_file
from sdtui.tagging.tag_list import TagList
from tests.tagging.helpers import TAGS, table, told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "000001.safetensors"
    score_file.write(path, table({"a": [0, 0.5, 0.25, 0], "b": [0, 0, 0, 0.75]}), None)
    return path


def test_what_was_written_is_read(path: Path) -> None:
    found = score_file.read(path, TAGS)
    assert told(found, "a") == {"cat": 0.5, "night_sky": 0.25}
    assert told(found, "b") == {"tom": 0.75}


def test_other_programs_read_it_as_safetensors(path: Path) -> None:
    with safe_open(path, "numpy") as found:
        assert found.get_tensor("pointers").tolist() == [0, 2, 3]
        assert found.get_tensor("ids").tolist() == [1, 2, 3]
        assert found.get_tensor("scores").tolist() == [0.5, 0.25, 0.75]


def test_the_arrays_stay_on_the_disk(path: Path) -> None:
    assert not score_file.read(path, TAGS).scores.flags.owndata


def test_a_single_changed_byte_is_noticed(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for at in (0, 9, len(raw) - 1, len(raw) - 20):
        spoiled = raw.copy()
        spoiled[at] ^= 0x40
        path.write_bytes(spoiled)
        with pytest.raises(SdtuiError, match="damaged"):
            score_file.read(path, TAGS)


@pytest.mark.parametrize("size", [0, 4, 100, -1], ids=["empty", "length", "header", "last byte"])
def test_a_file_that_is_cut_short_is_noticed(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SdtuiError, match="damaged"):
        score_file.read(path, TAGS)


def test_scores_of_other_tags_are_refused(path: Path) -> None:
    with pytest.raises(SdtuiError, match="damaged"):
        score_file.read(path, TagList(("a", "b", "c", "d"), ("general",) * 4))


def test_a_file_says_which_it_stands_for(tmp_path: Path, path: Path) -> None:
    assert score_file.replaced_from(path) is None
    joined = tmp_path / "000007.safetensors"
    score_file.write(joined, table({}), 3)
    assert score_file.replaced_from(joined) == 3


def test_a_newer_schema_is_told(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"schema":"1"', b'"schema":"2"'))
    with pytest.raises(SdtuiError, match="schema 2"):
        score_file.replaced_from(path)


def test_scores_that_are_none_are_refused_though_the_checksum_fits(path: Path) -> None:
    whole = score_file.read(path, TAGS)
    score_file.write(path, replace(whole, scores=-whole.scores), None)
    with pytest.raises(SdtuiError, match="not what was written"):
        score_file.read(path, TAGS)
