from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.descriptions import DescriberFacts, Descriptions, describers, descriptions_of

FACTS = DescriberFacts("some/blip", "cd" * 32, "at most 75 tokens")


def test_words_are_kept_by_image_and_the_later_counts(tmp_path: Path) -> None:
    made = Descriptions.of(tmp_path, FACTS)
    assert made.texts() == {}
    made.append(["aa", "bb"], ["a cat", "a dog"])
    made.append(["aa"], ["a black cat"])
    assert made.home == tmp_path / ".sdtui" / "descriptions" / "some-blip-cdcdcdcd"
    assert made.texts() == {"aa": "a black cat", "bb": "a dog"}
    (found,) = describers(tmp_path)
    assert found.facts == FACTS


def test_a_line_that_a_killed_process_left_half_written_is_passed_over(tmp_path: Path) -> None:
    made = Descriptions.of(tmp_path, FACTS)
    made.append(["aa"], ["a cat"])
    path = made.home / "descriptions.jsonl"
    path.write_bytes(path.read_bytes() + b'{"t":1,"kind":"descr')
    made.append(["bb"], ["a dog"])
    assert made.texts() == {"aa": "a cat", "bb": "a dog"}


def test_words_are_found_when_a_dataset_can_be_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("os.access", lambda *_: False)
        Descriptions.of(tmp_path, FACTS).append(["aa", "bb"], ["a cat", "a dog"])
    assert not (tmp_path / ".sdtui").exists()
    Descriptions.of(tmp_path, FACTS).append(["aa"], ["a black cat"])
    (found,) = describers(tmp_path)
    assert found.home.is_relative_to(tmp_path / ".sdtui")
    assert found.texts() == Descriptions.of(tmp_path, FACTS).texts() == {"aa": "a black cat", "bb": "a dog"}


def test_models_are_found_by_name(tmp_path: Path) -> None:
    Descriptions.of(tmp_path, FACTS).append(["aa"], ["a cat"])
    assert descriptions_of(tmp_path, "some/blip").id == descriptions_of(tmp_path, "some-blip-cdcdcdcd").id
    with pytest.raises(UserError, match="no model 'git' has described"):
        descriptions_of(tmp_path, "git")


def test_what_says_which_model_it_is_may_be_damaged(tmp_path: Path) -> None:
    made = Descriptions.of(tmp_path, FACTS)
    made.append(["aa"], ["a cat"])
    (made.home / "describer.json").write_text("{")
    with pytest.raises(SdtuiError, match="cannot be read"):
        describers(tmp_path)
