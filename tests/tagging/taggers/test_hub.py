from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from sdtui.errors import UserError
from sdtui.tagging import taggers
from sdtui.tagging.taggers.base import Where
from tests.tagging.taggers.models import write_wd

CPU = Where("cpu", threads=1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The newest snapshot of someone/model in a cache of the hub that is otherwise empty, and no network."""

    def unreachable(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", unreachable)
    home = tmp_path / "hub" / "models--someone--model"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("ab" * 20)
    return home / "snapshots" / ("ab" * 20)


def test_a_repository_in_the_cache_is_used_without_a_look_at_the_network(cache: Path) -> None:
    write_wd(cache, [("general", 9), ("cat", 0)], side=8)
    assert taggers.open_tagger("someone/model", CPU).facts.name == "model"


def test_a_repository_that_was_fetched_in_part_is_fetched_again(cache: Path) -> None:
    cache.mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json", "model-1.safetensors"):
        (cache / name).write_text("{}")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (cache / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="hub cannot be reached"):
        taggers.resolved("someone/model")
    (cache / "model-2.safetensors").touch()
    assert taggers.resolved("someone/model") == cache


def test_of_a_wd_repository_its_two_files_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_wd(tmp_path / "snapshot", [("general", 9), ("cat", 0)], side=8)
    asked: list[tuple[str, str]] = []

    def download(repository: str, name: str) -> str:
        asked.append((repository, name))
        return str(folder / name)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert taggers.open_tagger("someone/wd-test", CPU).facts.name == "wd-test"
    assert asked == [("someone/wd-test", "model.onnx"), ("someone/wd-test", "selected_tags.csv")]


def test_a_repository_that_cannot_be_had_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: str) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(UserError, match="no route to host"):
        taggers.open_tagger("someone/wd-test", CPU)


def test_a_path_that_is_not_there_may_be_a_repository_which_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("outgoing traffic has been disabled")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(UserError, match="there is no folder models/wd here"):
        taggers.open_tagger("models/wd", CPU)
