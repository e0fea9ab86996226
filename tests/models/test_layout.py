"""A pipeline folder judged by headers alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sdtui.models.layout import base_problems, vae_problems
from tests.support.tiny import tiny_pipeline

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "model"
    tiny_pipeline(folder)
    return folder


@pytest.fixture
def base(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "model")
    return tmp_path / "model"


def told(base: Path) -> list[str]:
    return [str(problem).replace(str(base), "BASE") for problem in base_problems(base)]


def test_a_whole_pipeline_has_no_problems(base: Path) -> None:
    assert told(base) == []
    assert vae_problems(base) == vae_problems(base / "vae") == []


def test_truncated_weights_are_told_by_their_length(base: Path) -> None:
    size = (base / UNET).stat().st_size
    os.truncate(base / UNET, size - 4)
    cause = f"the file is cut short: it has {size - 4} bytes, and its header tells of {size}"
    assert told(base) == [f"BASE/{UNET}: {cause}. Copy or download it again"]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS, not the file itself"),
        (b"\3\0\0\0\0\0\0\0[1]", "not a readable safetensors file ("),
    ],
    ids=["empty", "pointer", "a list"],
)
def test_what_is_no_safetensors_file_is_told(base: Path, content: bytes, cause: str) -> None:
    (base / UNET).write_bytes(content)
    (problem,) = told(base)
    assert problem.startswith(f"BASE/{UNET}: {cause}")


def test_every_missing_part_is_told(base: Path) -> None:
    for part in ("vae", "tokenizer"):
        shutil.rmtree(base / part)
    (base / UNET).unlink()
    told_first = [problem.split(". ")[0] for problem in told(base)]
    assert told_first == [
        "BASE/unet: unet/ holds no weights",
        "BASE: the pipeline has no tokenizer/ folder",
        "BASE: the pipeline has no vae/ folder",
    ]
    assert len(base_problems(base, own_vae=False)) == 2


@pytest.mark.parametrize(
    ("index", "cause"), [(json.dumps({"_class_name": "StableDiffusionXLPipeline"}), "StableDiffusionXL"), ("{", "read")]
)
def test_another_family_and_a_broken_index_are_told_alone(base: Path, index: str, cause: str) -> None:
    (base / "model_index.json").write_text(index)
    (problem,) = told(base)
    assert cause in problem


def test_a_vae_folder_without_weights_is_told(base: Path) -> None:
    (base / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert [problem.message for problem in vae_problems(base / "vae")] == ["vae/ holds no weights"]


def test_it_needs_no_pytorch() -> None:
    code = "import sys, sdtui.models.layout; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
