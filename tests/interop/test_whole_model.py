"""What full fine-tuning writes, as diffusers opens it: the same weights in every family, and the same picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sdtui.formats import FORMATS
from sdtui.models.family import Model, load_model
from sdtui.models.sampling import sample
from sdtui.profile.schema import Method
from sdtui.training.methods.full import Full, prepare
from tests.support.families import FAMILIES, tiny_file, tiny_folder

CPU = torch.device("cpu")


@torch.no_grad()
def learned(base: Path) -> Full:
    """A model whose UNet and text encoders are no longer those of `base`."""
    trainable = prepare(load_model(base, None, CPU, torch.float32), Method(kind="full", text_encoder=True), 0)
    generator = torch.Generator().manual_seed(1)
    for weight in trainable.weights.values():
        weight.mul_(1 + 0.05 * torch.randn(weight.shape, generator=generator))
    return trainable


def written(trainable: Full, layout: str, path: Path, precision: str = "fp32") -> Path:
    FORMATS[layout](path, trainable.results()[""], {}, precision)
    return path


def weights(model: Model) -> dict[str, dict[str, Tensor]]:
    parts: dict[str, Any] = {**model.components, "vae": model.vae}  # type: ignore[attr-defined]
    return {name: part.state_dict() for name, part in parts.items()}


def opened(base: Path, family: str, config: Path | None = None) -> Any:
    import diffusers

    kind = diffusers.StableDiffusionXLPipeline if family == "sdxl" else diffusers.StableDiffusionPipeline
    if base.is_dir():
        return kind.from_pretrained(str(base), local_files_only=True, torch_dtype=torch.float32)
    return kind.from_single_file(str(base), config=str(config), local_files_only=True, torch_dtype=torch.float32)


@pytest.mark.parametrize("layout", ["folder", "single-file"])
@pytest.mark.parametrize("family", FAMILIES)
def test_diffusers_has_the_weights_that_were_learned(tmp_path: Path, family: str, layout: str) -> None:
    folder = tiny_folder(tmp_path / "base", family)
    trainable = learned(folder)
    theirs = opened(written(trainable, layout, tmp_path / "made.safetensors"), family, folder)
    for part, tensors in weights(trainable.model).items():
        found = getattr(theirs, part).state_dict()
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], tensor.reshape(found[name].shape)) for name, tensor in tensors.items()), (
            part
        )


@pytest.mark.parametrize("layout", ["folder", "single-file"])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_read_here_again(tmp_path: Path, family: str, layout: str) -> None:
    trainable = learned(tiny_folder(tmp_path / "base", family))
    again = load_model(written(trainable, layout, tmp_path / "made.safetensors"), None, CPU, torch.float32)
    assert again.family == family
    for part, tensors in weights(trainable.model).items():
        found = weights(again)[part]
        assert all(torch.equal(found[name], tensor.reshape(found[name].shape)) for name, tensor in tensors.items()), (
            part
        )


@torch.no_grad()
def picture(pipe: Any) -> Tensor:
    pipe.set_progress_bar_config(disable=True)
    for part in (pipe.unet, pipe.vae, pipe.text_encoder):
        for weight in part.parameters():
            # Where the numbers lie in a mapped file decides a sum's last bits.
            weight.data = weight.data.clone()
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    made: Tensor = pipe("a cat", num_inference_steps=2, latents=latents, output_type="pt").images
    return made


def test_diffusers_draws_the_same_picture_from_folder_and_file(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "base", "sd1")
    trainable = learned(folder)
    base, whole = opened(folder, "sd1"), opened(written(trainable, "folder", tmp_path / "made"), "sd1")
    file = opened(written(trainable, "single-file", tmp_path / "made.safetensors"), "sd1", folder)
    assert torch.equal(picture(whole), picture(file))
    assert not torch.equal(picture(whole), picture(base))
    # The same weights put into the base's own pipeline by hand.
    base.unet.load_state_dict(trainable.model.unet.state_dict())
    base.text_encoder.load_state_dict(trainable.model.components["text_encoder"].state_dict())
    assert torch.equal(picture(whole), picture(base))


def test_of_a_single_file_a_folder_is_made_that_draws_the_same_picture(tmp_path: Path) -> None:
    trainable = learned(tiny_file(tmp_path / "base.safetensors", "sd1"))
    again = load_model(written(trainable, "folder", tmp_path / "made"), None, CPU, torch.float32)
    first, second = (
        sample(model, "a cat", "", width=64, height=64, steps=2, guidance=5.0, seed=1)
        for model in (trainable.model, again)
    )
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_text_encoders_stand_behind_their_old_level(tmp_path: Path, family: str) -> None:
    made = written(learned(tiny_folder(tmp_path / "base", family)), "folder", tmp_path / "made", "fp16")
    for file in made.glob("text_encoder*/model.safetensors"):
        tensors = load_file(file)
        names = {name for name in tensors if not name.startswith("text_model.")}
        assert names == ({"text_projection.weight"} if file.parent.name == "text_encoder_2" else set())
        assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}


def test_no_place_of_this_machine_is_told(tmp_path: Path) -> None:
    made = written(learned(tiny_folder(tmp_path / "base", "sdxl")), "folder", tmp_path / "made")
    for file in made.rglob("*.json"):
        assert str(tmp_path) not in file.read_text()
