"""Going on from a finished file: the same answers at the start, whatever program wrote it, or a clear refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sdtui.errors import UserError
from sdtui.formats import FORMATS
from sdtui.models.family import Model, load_model
from sdtui.models.suited import suits
from sdtui.profile.factors import RANK_AXES
from sdtui.profile.schema import Method, Profile
from sdtui.training.methods.lora import Lora, prepare
from tests.support.adapters import stir
from tests.support.tiny import shallow_pipeline

BASE: dict[str, Any] = {"rank": 4, "alpha": 2.0}
K = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


def fresh(folder: Path) -> Model:
    return load_model(shallow_pipeline(folder), None, torch.device("cpu"), torch.float32)


@torch.no_grad()
def predict(model: Model) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    noisy, text = torch.randn(1, 4, 8, 8, generator=generator), model.encode_text(["a cat"])
    return model.predict(noisy, torch.tensor([3]), text)


def learned(folder: Path, settings: dict[str, Any], layout: str = "kohya") -> tuple[Path, torch.Tensor]:
    """A finished file, and what the model it was learned beside predicts."""
    model = fresh(folder)
    trainable = prepare(model, Method.model_validate(settings), 0)
    stir(trainable, scale=0.2)
    path = folder / "kept.safetensors"
    FORMATS[layout](path, trainable.export(), {}, "fp32")
    return path, predict(model)


def go_on(model: Model, path: Path, settings: dict[str, Any]) -> Lora:
    return prepare(model, Method.model_validate({**settings, "continue_from": str(path)}), 1)


@pytest.mark.parametrize("algorithm", ["lora", "loha", "lokr", "ia3", "oft", "boft", "full"])
def test_every_algorithm_goes_on_where_it_was(tmp_path: Path, algorithm: str) -> None:
    settings = {**BASE, "algorithm": algorithm, "norms": True, "targets": ["attention", "projection", "convolution"]}
    path, expected = learned(tmp_path, settings)
    model = fresh(tmp_path)
    go_on(model, path, settings)
    assert (predict(model) - expected).abs().max() < 1e-5
    # The check before a run says nothing of it either.
    asked = {"model": {"base": str(tmp_path)}, "method": {**settings, "continue_from": str(path)}}
    assert list(suits(Profile.model_validate({**asked, "training": {"steps": 1}}), tmp_path)) == []


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
@pytest.mark.parametrize(
    "changes", [{}, {"alpha": 8.0}, {"rs_lora": True}, {"block_alphas": {"mid_block": 1.0}}, {"text_encoder": True}]
)
def test_the_strength_of_the_file_is_kept(tmp_path: Path, layout: str, changes: dict[str, Any]) -> None:
    path, expected = learned(tmp_path, {**BASE, "weight_decompose": True}, layout)
    model = fresh(tmp_path)
    trainable = go_on(model, path, {**BASE, "weight_decompose": True, **changes})
    assert (predict(model) - expected).abs().max() < 1e-5
    # What the file has nothing for starts at the base.
    text = [value for name, value in trainable.state().items() if name.startswith("text_") and name.endswith(".up")]
    assert len(text) == (12 if "text_encoder" in changes else 0)
    assert not any(value.any() for value in text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rank": 2},
            rf"unet\.{K}: down is \[4, 32\] in the file, and \[2, 32\] by the profile. .*smaller ranks are filled up",
        ),
        ({"algorithm": "loha"}, "holds lora_down.weight, lora_up.weight in the file, and the profile trains hada_w1_a"),
        ({"weight_decompose": True}, "the profile trains dora_scale, lora_down.weight, lora_up.weight"),
        ({"targets": ["projection"]}, f"lora_unet_{K.replace('.', '_')}.* are for layers that are not trained here"),
    ],
    ids=["a larger rank", "another algorithm", "lengths", "another layer"],
)
def test_what_does_not_fit_is_refused_with_the_layers_name(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path, _ = learned(tmp_path, {**BASE, "include": [f"*{K}"]})
    with pytest.raises(UserError, match=message):
        go_on(fresh(tmp_path), path, {**BASE, **changes})


def test_a_file_of_a_run_that_diverged_is_refused(tmp_path: Path) -> None:
    path, _ = learned(tmp_path, BASE)
    held = load_file(path)
    held[f"lora_unet_{K.replace('.', '_')}.lora_up.weight"][0, 0] = torch.nan
    save_file(held, path)
    with pytest.raises(UserError, match=rf"unet\.{K}: up holds values that are not finite.*choose a file from before"):
        go_on(fresh(tmp_path), path, BASE)


@pytest.mark.parametrize("ranks", [{"rank": 8}, {"block_ranks": {"down_blocks": 6, "up_blocks": 9}}])
@pytest.mark.parametrize("algorithm", ["lora", "loha", "lokr"])
def test_a_smaller_rank_is_filled_up_and_all_of_it_learns(
    tmp_path: Path, algorithm: str, ranks: dict[str, Any]
) -> None:
    settings = {**BASE, "algorithm": algorithm, "rank": 2}
    path, expected = learned(tmp_path, settings)
    model = fresh(tmp_path)
    trainable = go_on(model, path, {**settings, **ranks})
    assert (predict(model) - expected).abs().max() < 1e-5
    text, noisy = model.encode_text(["a cat"]), torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    model.predict(noisy, torch.tensor([3]), text).square().sum().backward()  # type: ignore[no-untyped-call]
    for name, layer in trainable.layers.items():
        # A new rank is one factor that is zero and one that is not: the first has a gradient. Attention to one place has none.
        found = {part: axis for part, axis in RANK_AXES.items() if part in layer.learned and "w1" not in part}
        if "mid_block" not in name and found:
            moving = [_moves(layer.get_parameter(part), axis) for part, axis in found.items()]
            assert all(map(any, zip(*moving, strict=True))), name


def _moves(parameter: torch.Tensor, axis: int) -> list[bool]:
    """Of each rank, whether a step would change the parameter."""
    assert parameter.grad is not None
    return [bool(gradient.any()) for gradient in parameter.grad.unbind(axis)]


def test_a_product_goes_on_as_the_whole_factor_that_the_profile_keeps(tmp_path: Path) -> None:
    settings = {**BASE, "algorithm": "lokr", "rank": 1, "alpha": 3.0, "decompose_both": True}
    path, expected = learned(tmp_path, settings)
    model = fresh(tmp_path)
    go_on(model, path, {"algorithm": "lokr", "full_matrix": True})
    assert (predict(model) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("ending", [".pt", ".ckpt", ".bin"])
def test_a_pickled_file_goes_on_without_running_anything(tmp_path: Path, ending: str) -> None:
    path, expected = learned(tmp_path, BASE)
    torch.save(load_file(path), path.with_suffix(ending))
    model = fresh(tmp_path)
    go_on(model, path.with_suffix(ending), BASE)
    assert (predict(model) - expected).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["fp16", "bf16"])
def test_what_learns_is_fp32_whatever_the_file_has(tmp_path: Path, dtype: torch.dtype) -> None:
    path, expected = learned(tmp_path, BASE)
    save_file({name: value.to(dtype) for name, value in load_file(path).items()}, path)
    model = fresh(tmp_path)
    trainable = go_on(model, path, BASE)
    assert {value.dtype for value in trainable.state().values()} == {torch.float32}
    assert (predict(model) - expected).abs().max() < 0.05


def test_ia3_on_the_other_side_is_refused(tmp_path: Path) -> None:
    path, _ = learned(tmp_path, {"algorithm": "ia3", "include": [f"*{K}"]})
    tensors = {name: torch.tensor(1) if name.endswith("on_input") else value for name, value in load_file(path).items()}
    save_file(tensors, path)
    with pytest.raises(UserError, match=rf"unet\.{K}: on_input is 1 in the file, and 0 here"):
        go_on(fresh(tmp_path), path, {"algorithm": "ia3"})


@pytest.mark.parametrize("content", [None, b"not a file of tensors"], ids=["missing", "text"])
def test_what_is_no_adapter_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.safetensors: (cannot be read|not a readable)"):
        go_on(fresh(tmp_path), path, BASE)
