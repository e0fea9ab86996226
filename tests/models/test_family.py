"""Which folders are taken for which family, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.models.family import family_of


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def refusal(base: Path) -> str:
    with pytest.raises(UserError) as caught:
        family_of(base)
    return str(caught.value)


def test_a_stable_diffusion_1_folder_is_recognised(base: Path) -> None:
    assert getattr(family_of(base), "__name__", "") == "sdtui.models.sd1"


def test_an_sdxl_folder_is_named(base: Path) -> None:
    change(base / "model_index.json", _class_name="StableDiffusionXLPipeline")
    assert "StableDiffusionXLPipeline" in refusal(base)
    assert "sd1" in refusal(base)


def test_stable_diffusion_2_shares_the_class_and_is_not_taken(base: Path) -> None:
    change(base / "unet/config.json", use_linear_projection=True)
    assert "cannot be trained yet" in refusal(base)


def test_an_inpainting_model_is_not_taken(base: Path) -> None:
    change(base / "unet/config.json", in_channels=9)
    assert "cannot be trained yet" in refusal(base)


def test_a_folder_that_is_no_pipeline_tells_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    assert "not a pipeline folder (it holds holiday.jpg)" in refusal(tmp_path)
    assert "model_index.json" in refusal(tmp_path)


def test_an_empty_folder_is_no_pipeline(tmp_path: Path) -> None:
    assert "it holds nothing" in refusal(tmp_path)


def test_a_missing_folder_and_a_single_file(tmp_path: Path) -> None:
    assert "there is no such folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "model.safetensors").touch()
    assert "this is a file" in refusal(tmp_path / "model.safetensors")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe"])
def test_a_broken_index_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model_index.json").write_bytes(content)
    assert str(tmp_path / "model_index.json") in refusal(tmp_path)
