"""Finding a part's weights, and telling contents apart by digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.models.folder import digest, part, weight_files


def test_full_precision_comes_before_variants(tmp_path: Path) -> None:
    (tmp_path / "model.fp16.safetensors").touch()
    assert weight_files(tmp_path, "model") == ([tmp_path / "model.fp16.safetensors"], "fp16")
    (tmp_path / "model.safetensors").touch()
    assert weight_files(tmp_path, "model") == ([tmp_path / "model.safetensors"], None)


def test_sharded_weights_are_all_listed(tmp_path: Path) -> None:
    weights = {"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    for name in set(weights.values()):
        (tmp_path / name).touch()
    assert weight_files(tmp_path, "model") == (
        [tmp_path / "model-1.safetensors", tmp_path / "model-2.safetensors"],
        None,
    )


@pytest.mark.parametrize(("stem", "name"), [("model", "pytorch_model"), ("diffusion_pytorch_model",) * 2])
def test_pickled_weights_are_taken_where_there_are_no_others(tmp_path: Path, stem: str, name: str) -> None:
    (tmp_path / f"{name}.fp16.bin").touch()
    assert weight_files(tmp_path, stem) == ([tmp_path / f"{name}.fp16.bin"], "fp16")
    (tmp_path / f"{name}.bin").touch()
    assert weight_files(tmp_path, stem) == ([tmp_path / f"{name}.bin"], None)
    (tmp_path / f"{stem}.fp16.safetensors").touch()
    assert weight_files(tmp_path, stem) == ([tmp_path / f"{stem}.fp16.safetensors"], "fp16")


def test_a_part_without_weights_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(UserError, match="holds no weights"):
        weight_files(tmp_path, "model")


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    weights = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    (tmp_path / "model-1.safetensors").touch()
    with pytest.raises(UserError, match=r"holds an index of weights, but not model-2\.safetensors"):
        weight_files(tmp_path, "model")


@pytest.mark.parametrize("weight_map", [None, [], {}, {"a": 1}], ids=["none", "list", "empty", "number"])
def test_an_index_that_is_none_is_told(tmp_path: Path, weight_map: object) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(UserError, match="is no index of weights"):
        weight_files(tmp_path, "model")


@pytest.mark.parametrize("infix", ["", ".fp16"], ids=["full", "half"])
def test_pickled_weights_may_lie_in_several_files(tmp_path: Path, infix: str) -> None:
    parts = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    index = {"weight_map": {"a": parts[1], "b": parts[0], "c": parts[1]}}
    (tmp_path / f"pytorch_model.bin.index{infix}.json").write_text(json.dumps(index))
    (tmp_path / parts[0]).touch()
    with pytest.raises(UserError, match=r"holds an index of weights, but not pytorch_model-00002-of-00002\.bin"):
        weight_files(tmp_path, "model")
    (tmp_path / parts[1]).touch()
    assert weight_files(tmp_path, "model") == ([tmp_path / part for part in parts], infix[1:] or None)


def test_a_missing_part_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the pipeline has no vae/ folder"):
        part(tmp_path, "vae")
    (tmp_path / "vae").mkdir()
    with pytest.raises(UserError, match=r"the file vae/config\.json is missing"):
        part(tmp_path, "vae", "config.json")


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    inner = [hashlib.sha256(content).digest() for content in (b"one", b"two")]
    expected = hashlib.sha256(b"a" + inner[0] + b"b" + inner[1]).hexdigest()
    assert digest([tmp_path / "a", tmp_path / "b"]) == expected
