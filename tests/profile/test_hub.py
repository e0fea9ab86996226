"""Names of models on the hub, found where Hugging Face's own programs put them."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from sdtui.profile.hub import cache_folder, cached_model, is_hub_name, offline
from sdtui.profile.resolve import resolved
from sdtui.profile.schema import Profile
from tests.support.hub import hub_model


@pytest.mark.parametrize(
    ("written", "is_name"),
    [
        ("stabilityai/sdxl-turbo", True),
        ("a_b/c.d-1", True),
        ("model", False),
        ("./model", False),
        ("../models/sd15", False),
        ("/models/sd15", False),
        ("a/b/c", False),
        ("", False),
    ],
)
def test_names(written: str, *, is_name: bool) -> None:
    assert is_hub_name(written) is is_name


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert cache_folder() == Path.home() / ".cache/huggingface/hub"
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/huggingface/hub")
    monkeypatch.setenv("HF_HOME", "/h")
    assert cache_folder() == Path("/h/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/c")
    assert cache_folder() == Path("/c")


def test_a_downloaded_model_is_found_where_huggingface_hub_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert cached_model("owner/name") is None
    hub_model(tmp_path, "owner/name")
    theirs = snapshot_download("owner/name", cache_dir=tmp_path, local_files_only=True)
    assert cached_model("owner/name") == Path(theirs)


def test_what_was_downloaded_without_an_index_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (hub_model(tmp_path, "owner/name") / "model_index.json").unlink()
    assert cached_model("owner/name") is None


def test_a_name_stays_a_name_and_a_path_becomes_absolute(tmp_path: Path) -> None:
    profile = Profile.model_validate({"model": {"base": "owner/name"}})
    assert resolved(profile, tmp_path).model.base == "owner/name"
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert resolved(profile, tmp_path).model.base == str(tmp_path / "owner/name")


@pytest.mark.parametrize(("value", "is_offline"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_offline(monkeypatch: pytest.MonkeyPatch, value: str, *, is_offline: bool) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert offline() is is_offline
