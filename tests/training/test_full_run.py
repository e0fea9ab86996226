"""Whole runs of full fine-tuning: that they learn, what stays as it was, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from sdtui.models.family import load_model
from sdtui.runs.layout import RunFolder
from sdtui.training import objective
from tests.training.test_run import train
from tests.training.workplace import events, make_run

FULL: dict[str, dict[str, Any]] = {"method": {"kind": "full"}, "saving": {"formats": ["folder"]}}


def trained(workplace: Path, changes: dict[str, dict[str, Any]]) -> RunFolder:
    both = {section: {**FULL.get(section, {}), **changes.get(section, {})} for section in {*FULL, *changes}}
    run = make_run(workplace, both)
    assert train(run) == 0, run.log_file.read_text()
    return run


def parts(folder: Path) -> dict[str, dict[str, Tensor]]:
    """The weights of a model's folder by part, all in fp32 and text encoders without the level `text_model`."""
    return {
        file.parent.name: {name.removeprefix("text_model."): value.float() for name, value in load_file(file).items()}
        for file in folder.glob("*/*.safetensors")
    }


def changed(run: RunFolder, workplace: Path) -> dict[str, set[str]]:
    """The names of all weights that are not as they were, by part."""
    before, after = parts(workplace / "model"), parts(run.output_dir / "tiny")
    assert {part: set(tensors) for part, tensors in before.items()} == {
        part: set(tensors) for part, tensors in after.items()
    }
    return {
        part: {name for name in tensors if not torch.equal(tensors[name], after[part][name])}
        for part, tensors in before.items()
    }


@torch.no_grad()
def fixed_loss(base: Path, workplace: Path) -> float:
    """The mean loss over 32 triples of a trained image, noise and timestep that never change."""
    model = load_model(base, None, torch.device("cpu"), torch.float32)
    latents = [model.encode_images(pixels).mean[0] for pixels in squares(workplace)]
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(32, *latents[0].shape, generator=generator)
    timesteps = torch.randint(0, 1000, (32,), generator=generator)
    images = torch.stack(latents * 8)[:32]
    noisy = objective.add_noise(images, noise, model.alphas_cumprod[timesteps])
    text = model.encode_text(["a red square"] * 32)
    return float((model.predict(noisy, timesteps, text) - noise).square().mean())


def squares(workplace: Path) -> Iterator[Tensor]:
    """Five of the images, each (1, 3, 96, 96) in [-1, 1]."""
    for number in range(5):
        with Image.open(workplace / f"images/{number:02d}.png") as image:
            pixels = torch.from_numpy(np.array(image.resize((96, 96))))
        yield pixels.permute(2, 0, 1)[None] / 127.5 - 1


def test_the_fixed_loss_falls_and_what_is_frozen_stays_bit_for_bit(workplace: Path) -> None:
    run = trained(workplace, {"training": {"steps": 60}, "optimizer": {"learning_rate": 1e-3}})
    before, after = (fixed_loss(base, workplace) for base in (workplace / "model", run.output_dir / "tiny"))
    # A plain trainer came from 1.08 to 0.10 with such a model: at least half of that fall.
    assert before - after > 0.49
    found = changed(run, workplace)
    assert found["vae"] == found["text_encoder"] == set()
    # Everything that a gradient reaches moves, by weight decay at least.
    assert found["unet"] == parts(workplace / "model")["unet"].keys()


def test_only_named_layers_move_and_the_text_encoder_with_them(workplace: Path) -> None:
    method = {"text_encoder": True, "include": ["*.attn2.to_k", "text_encoder.encoder.layers.0.*"]}
    found = changed(trained(workplace, {"method": method}), workplace)
    names = parts(workplace / "model")
    assert found["unet"] == {name for name in names["unet"] if ".attn2.to_k." in name}
    layer = {name for name in names["text_encoder"] if name.startswith("encoder.layers.0.")}
    assert found["text_encoder"] <= layer
    assert {name for name in layer if "q_proj.weight" in name} <= found["text_encoder"]


@pytest.mark.parametrize(
    "section",
    [
        {"training": {"gradient_checkpointing": True}},
        {"training": {"ema_decay": 0.9}},
        {"training": {"accumulation": 2}},
        {"training": {"clip_norm": 1e-4}},
        {"prior": {"class_caption": "a house", "class_weight": 5.0}},
        {"optimizer": {"block_rates": {"mid_block": 0.0}}},
        {"method": {"text_encoder": True}, "optimizer": {"text_encoder_learning_rate": 1e-2}},
        {"optimizer": {"name": "schedule-free-adamw"}, "schedule": {"warmup": 1}},
    ],
    ids=lambda section: "-".join(key for values in section.values() for key in values),
)
def test_settings_of_training_do_to_a_whole_model_what_they_do_to_adapters(
    workplace: Path, section: dict[str, dict[str, Any]]
) -> None:
    plain, other = trained(workplace, {}), trained(workplace, section)
    one, two = (parts(run.output_dir / "tiny")["unet"] for run in (plain, other))
    if section == {"training": {"gradient_checkpointing": True}}:
        assert all(torch.equal(one[name], two[name]) for name in one)
    else:
        assert any(not torch.equal(one[name], two[name]) for name in one)
    assert all(bool(torch.isfinite(value).all()) for value in two.values())


def test_in_bf16_changes_too_small_for_it_are_kept(workplace: Path) -> None:
    training = {"precision": "bf16", "steps": 1}
    run = trained(workplace, {"training": training, "optimizer": {"learning_rate": 1e-6}})
    before, after = parts(workplace / "model")["unet"], parts(run.output_dir / "tiny")["unet"]
    name = "mid_block.attentions.0.transformer_blocks.0.ff.net.2.weight"
    moved = (after[name] - before[name]).abs()
    assert 0 < moved.max() < 1.1e-6
    assert (moved > 0).float().mean() > 0.9


def test_with_a_class_caption_the_first_step_has_nothing_to_keep(workplace: Path) -> None:
    run = trained(workplace, {"method": {"text_encoder": True}, "prior": {"class_caption": "a house"}})
    first, *_, last = events(run, "step")
    assert first["loss_prior"] == pytest.approx(0, abs=1e-9)
    assert last["loss_prior"] > 0


def test_what_a_run_leaves(workplace: Path) -> None:
    previews = {"every": 2, "prompts": ["a red square --w 64 --h 64 --s 1"]}
    saving = {"formats": ["single-file", "folder"], "every_steps": 2, "precision": "bf16", "trigger": "sks"}
    run = trained(workplace, {"saving": saving, "previews": previews})
    assert sorted(path.name for path in run.output_dir.iterdir()) == ["tiny", "tiny.safetensors"]
    told = {event["path"]: event["bytes"] for event in events(run, "output")}
    folder = sum(file.stat().st_size for file in (run.output_dir / "tiny").rglob("*") if file.is_file())
    assert told == {
        "output/tiny.safetensors": (run.output_dir / "tiny.safetensors").stat().st_size,
        "output/tiny": folder,
    }
    with safe_open(run.output_dir / "tiny.safetensors", "pt") as opened:
        facts, name = opened.metadata(), "model.diffusion_model.out.2.weight"
        assert opened.get_tensor(name).dtype == torch.bfloat16
    assert facts["modelspec.architecture"] == "stable-diffusion-v1"
    assert facts["modelspec.implementation"] == "https://github.com/Stability-AI/generative-models"
    assert facts["modelspec.trigger_phrase"] == "sks"
    assert not [key for key in facts if key.startswith("ss_network")]
    # The model is in a checkpoint once, as what training goes on from.
    assert sorted(path.name for path in run.checkpoint_dir(2).iterdir()) == [
        "complete", "state.json", "state.safetensors",
    ]  # fmt: skip
    assert len(list(run.previews_dir.glob("*/*.png"))) == 2


def test_the_average_is_what_is_written_and_shown(workplace: Path) -> None:
    training = {"ema_decay": 0.9, "steps": 4}
    run = trained(workplace, {"training": training, "saving": {"formats": ["folder"], "every_steps": 4}})
    state = load_file(run.checkpoint_dir(4) / "state.safetensors")
    written = parts(run.output_dir / "tiny")["unet"]
    name = "conv_in.weight"
    assert torch.equal(written[name], state[f"average/unet.{name}"])
    assert not torch.equal(written[name], state[f"parameter/unet.{name}"])


@pytest.mark.parametrize(
    "section",
    [
        {"training": {"channels_last": True, "steps": 4}},
        {"training": {"precision": "bf16", "steps": 4}},
        {"method": {"text_encoder": True}, "optimizer": {"name": "adafactor"}},
    ],
    ids=["channels-last", "bf16", "adafactor"],
)
def test_a_run_that_goes_on_from_its_checkpoint_ends_with_the_same_model(
    workplace: Path, section: dict[str, dict[str, Any]]
) -> None:
    run = trained(workplace, {**section, "saving": {"formats": ["folder"], "every_steps": 3, "precision": "fp32"}})
    kept = parts(run.output_dir / "tiny")
    (run.output_dir / "tiny").rename(run.path / "first")
    assert train(run) == 0
    assert [event["step"] for event in events(run, "step")] == [1, 2, 3, 4, 4]
    again = parts(run.output_dir / "tiny")
    for part, tensors in kept.items():
        assert all(torch.equal(tensor, again[part][name]) for name, tensor in tensors.items()), part


def test_a_checkpoint_of_other_layers_is_not_taken_up(workplace: Path) -> None:
    run = trained(workplace, {"saving": {"formats": ["folder"], "every_steps": 3}})
    text = run.profile_file.read_text()
    run.profile_file.write_text(text.replace("include = []", 'include = ["*.attn2.*"]'))
    assert train(run) == 1
    assert "another choice of layers" in events(run, "error")[0]["message"]
