from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.tagging import taggers
from sdtui.tagging.taggers.base import Where
from tests.tagging.taggers.models import write_wd

CPU = Where("cpu", threads=1)


def test_a_folder_is_a_tagger_by_what_lies_in_it(tmp_path: Path) -> None:
    folder = write_wd(tmp_path / "my-wd", [("general", 9), ("cat", 0)], side=8)
    assert taggers.open_tagger(str(folder), CPU).facts.name == "my-wd"


def test_names_are_those_of_the_folder_file_or_repository() -> None:
    assert taggers.name_of("/models/model-resnet_custom_v3.pt") == "model-resnet_custom_v3"
    assert taggers.name_of("SmilingWolf/wd-vit-tagger-v3") == "wd-vit-tagger-v3"
    assert taggers.name_of("starter") == "starter"


def test_what_is_no_tagger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a tagger"):
        taggers.open_tagger(str(tmp_path), CPU)
    with pytest.raises(UserError, match="there is no tagger nonsense"):
        taggers.open_tagger("nonsense", CPU)


@pytest.mark.parametrize("lacking", ["model.onnx", "selected_tags.csv"])
def test_a_folder_with_one_of_two_files_says_which_it_lacks(tmp_path: Path, lacking: str) -> None:
    (write_wd(tmp_path, [("general", 9)], side=8) / lacking).unlink()
    with pytest.raises(UserError, match=f"there is no {lacking} in it"):
        taggers.open_tagger(str(tmp_path), CPU)


def test_a_folder_with_one_torch_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "model-resnet_custom_v3.pt").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"model-resnet_custom_v3\.pt"):
        taggers.open_tagger(str(tmp_path), CPU)
    (tmp_path / "other.pt").write_bytes(b"junk")
    with pytest.raises(UserError, match="not a tagger"):
        taggers.open_tagger(str(tmp_path), CPU)


def test_a_word_means_the_same_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wd").mkdir()
    # The name of the shipped tagger means that, whatever lies here.
    (tmp_path / "starter").mkdir()
    monkeypatch.chdir(tmp_path)
    assert taggers.checked("wd") == str(tmp_path / "wd")
    assert taggers.checked("starter") == "starter"
    assert taggers.checked("someone/wd-test") == "someone/wd-test"
    with pytest.raises(UserError, match="there is no tagger some where"):
        taggers.checked("some where")
