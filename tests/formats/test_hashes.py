"""The hashes, against their definition carried out on the file the safetensors library makes."""

from __future__ import annotations

import hashlib

import safetensors.torch
import torch

from sdtui.formats.hashes import identity


def test_the_model_hash_is_of_everything_behind_the_header() -> None:
    tensors = {"a.lora_up.weight": torch.arange(8.0), "a.alpha": torch.tensor(4.0)}
    file = safetensors.torch.save(tensors, {"ss_x": "1"})
    behind = file[8 + int.from_bytes(file[:8], "little") :]
    assert identity(tensors, {"ss_x": "1"})["sshs_model_hash"] == hashlib.sha256(behind).hexdigest()


def test_the_legacy_hash_is_of_64_kib_at_1_mib_with_the_ss_metadata_alone() -> None:
    tensors = {f"t{i}": torch.randn(100_000, generator=torch.Generator().manual_seed(i)) for i in range(4)}
    # One entry only, since the library orders several at random.
    file = safetensors.torch.save(tensors, {"ss_x": "1"})
    expected = hashlib.sha256(file[0x100000:0x110000]).hexdigest()[:8]
    found = identity(tensors, {"ss_x": "1", "modelspec.title": "not counted", "sdtui.profile": "nor this"})
    assert found["sshs_legacy_hash"] == expected


def test_a_small_file_s_legacy_hash_is_that_of_no_bytes() -> None:
    assert identity({"a": torch.zeros(2)}, {})["sshs_legacy_hash"] == "e3b0c442"


def test_the_model_hash_names_the_tensors_not_what_is_said_of_them() -> None:
    tensors = {"a": torch.ones(3)}
    assert identity(tensors, {"ss_x": "1"})["sshs_model_hash"] == identity(tensors, {})["sshs_model_hash"]
    assert identity({"a": torch.zeros(3)}, {})["sshs_model_hash"] != identity(tensors, {})["sshs_model_hash"]
