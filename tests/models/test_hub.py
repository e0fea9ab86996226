"""Base models by their name on the hub: the copy that is here, a download where it is allowed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from sdtui.errors import UserError
from sdtui.models.hub import chosen, fetched, known_name, located
from tests.support.hub import hub_model

UNET, TEXT = "unet/diffusion_pytorch_model", "text_encoder/model"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path / "hub"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, cache: Path) -> list[str]:
    """Downloads that were asked for; each puts the model into the cache."""
    names: list[str] = []

    def download(name: str, **wanted: Any) -> str:
        names.append(name)
        assert wanted["allow_patterns"] == ["model_index.json", "unet/diffusion_pytorch_model.safetensors"]
        return str(hub_model(cache, name))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub, "list_repo_files", lambda _: ["model_index.json", f"{UNET}.safetensors"])
    return names


def test_paths_are_left_alone(asked: list[str]) -> None:
    for path in ("/models/sd15", "model", "/models/sd15.safetensors"):
        assert located(path) == fetched(path, download=True) == Path(path)
    assert asked == []


def test_a_downloaded_model_is_used_without_asking(cache: Path, asked: list[str]) -> None:
    snapshot = hub_model(cache, "owner/name")
    assert located("owner/name") == fetched("owner/name", download=False) == snapshot
    assert asked == []


def test_it_is_downloaded_where_the_profile_allows(cache: Path, asked: list[str]) -> None:
    found = fetched("owner/name", download=True)
    assert found == cache / "models--owner--name/snapshots/0123abcd"
    assert asked == ["owner/name"]


def test_it_is_not_downloaded_otherwise(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"model\.download is false"):
        fetched("owner/name", download=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        fetched("owner/name", download=True)
    assert asked == []


def test_a_failed_download_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route to host\nmore")

    monkeypatch.setattr(huggingface_hub, "list_repo_files", fail)
    with pytest.raises(UserError, match=r"owner/name: the model cannot be downloaded: no route to host\. Check"):
        fetched("owner/name", download=True)


def test_a_download_that_is_no_pipeline_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "list_repo_files", lambda _: [])
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: "")
    with pytest.raises(UserError, match="no diffusers pipeline"):
        fetched("owner/name", download=True)


ALWAYS = ["model_index.json", "scheduler/scheduler_config.json", "tokenizer/merges.txt", "unet/config.json"]


@pytest.mark.parametrize(
    ("weights", "taken"),
    [
        ([f"{UNET}.safetensors", f"{UNET}.fp16.safetensors", f"{UNET}.bin"], [f"{UNET}.safetensors"]),
        ([f"{UNET}.fp16.safetensors", f"{UNET}.bin", f"{TEXT}.fp16.safetensors"], [f"{TEXT}.fp16.safetensors", f"{UNET}.fp16.safetensors"]),
        ([f"{UNET}.bin", f"{UNET}.fp16.bin", "text_encoder/pytorch_model.bin"], ["text_encoder/pytorch_model.bin", f"{UNET}.bin"]),
        ([f"{UNET}.non_ema.safetensors", f"{UNET}.fp16.bin"], [f"{UNET}.fp16.bin"]),
        (
            [f"{UNET}-00001-of-00002.safetensors", f"{UNET}-00002-of-00002.safetensors", f"{UNET}.fp16.safetensors"],
            [f"{UNET}-00001-of-00002.safetensors", f"{UNET}-00002-of-00002.safetensors"],
        ),
        (["v1-5-pruned.ckpt", "v1-5-pruned.safetensors", "safety_checker/model.safetensors", "unet/flax_model.msgpack"], []),
    ],
    ids=["full precision", "only half", "only pickles", "not the moving average", "shards", "nothing else"],
)  # fmt: skip
def test_each_part_s_weights_are_fetched_in_one_form(weights: list[str], taken: list[str]) -> None:
    others = ["README.md", "safety_checker/config.json", "samples/a.png"]
    assert chosen([*ALWAYS, *weights, *others]) == sorted([*ALWAYS, *taken])


def test_a_downloaded_model_keeps_its_name(cache: Path, tmp_path: Path) -> None:
    assert known_name(hub_model(cache, "owner/name-1.5")) == "name-1.5"
    (tmp_path / "sd15").mkdir()
    (tmp_path / "sd15.safetensors").touch()
    assert (known_name(tmp_path / "sd15"), known_name(tmp_path / "sd15.safetensors")) == ("sd15", "sd15.safetensors")
