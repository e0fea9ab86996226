"""Class images of DreamBooth in whole runs: drawn before training, topped up, never drawn twice, the same after a kill."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file

from sdtui.models import sampling
from sdtui.runs.layout import RunFolder
from sdtui.runs.record import read
from sdtui.training import class_images
from sdtui.training.__main__ import main
from tests.training.workplace import events, make_run, start, wait_for


def dreambooth(workplace: Path, folder: Path, count: int = 3, **folder_settings: Any) -> dict[str, dict[str, Any]]:
    kept = {
        "path": str(folder), "regularization": True, "generate": count, "class_tokens": "a photo of a house",
        **folder_settings,
    }  # fmt: skip
    return {
        "dataset": {"folders": [{"path": str(workplace / "images")}, kept]},
        "prior": {"generate_steps": 2},
    }


def trained(workplace: Path, changes: dict[str, dict[str, Any]]) -> RunFolder:
    run = make_run(workplace, changes)
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return run


def drawn(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("generated-*/*"))}


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seed of each class image that is drawn in this process."""
    found: list[int] = []

    def counted(*args: Any, **settings: Any) -> Image.Image:
        found.append(settings["seed"])
        return sampling.sample(*args, **settings)

    monkeypatch.setattr(class_images, "sample", counted)
    return found


def test_missing_class_images_are_drawn_before_the_first_step(workplace: Path, tmp_path: Path) -> None:
    run = trained(workplace, dreambooth(workplace, tmp_path / "class"))
    pictures = drawn(tmp_path / "class")
    assert list(pictures) == ["000001.png", "000002.png", "000003.png"]
    assert len(set(pictures.values())) == 3
    (place,) = (tmp_path / "class").iterdir()
    with Image.open(place / "000002.png") as picture:
        assert picture.size == (96, 96)
        facts = dict(picture.text)  # type: ignore[attr-defined]
    assert (facts["prompt"], facts["seed"], facts["steps"], facts["model"]) == ("a photo of a house", "2", "2", "model")
    told = events(run)
    kinds = [event["kind"] for event in told]
    assert kinds.index("run") < kinds.index("class_images") < kinds.index("step")
    (made,) = events(run, "class_images")
    assert (made["folder"], made["prompt"], made["drawn"]) == (str(place), "a photo of a house", 3)
    progress = [event for event in events(run, "progress") if event["job"] == "drawing class images"]
    assert (progress[0]["done"], progress[-1]["done"], progress[-1]["total"]) == (0, 3, 3)
    # Six images, and as many that show the class.
    assert events(run, "run")[0]["images"] == 12
    assert (
        0 < sum(step["loss_prior"] for step in events(run, "step")) < sum(step["loss"] for step in events(run, "step"))
    )


def test_what_is_there_is_counted_and_left_alone(workplace: Path, tmp_path: Path, seeds: list[int]) -> None:
    folder = tmp_path / "class"
    shutil.copytree(workplace / "kept", folder)
    trained(workplace, dreambooth(workplace, folder, 5))
    # Three images were supplied.
    assert seeds == [1, 2]
    before = drawn(folder)
    run = trained(workplace, dreambooth(workplace, folder, 6))
    assert seeds == [1, 2, 3]
    after = drawn(folder)
    assert {name: after[name] for name in before} == before
    assert [event["drawn"] for event in events(run, "class_images")] == [1]
    # One that was thrown away is not drawn again: another is.
    next(folder.glob("generated-*/000002.png")).unlink()
    trained(workplace, dreambooth(workplace, folder, 6))
    assert seeds == [1, 2, 3, 4]
    assert events(trained(workplace, dreambooth(workplace, folder, 6)), "class_images") == []


def test_another_prompt_or_base_draws_its_own(workplace: Path, tmp_path: Path, seeds: list[int]) -> None:
    folder = tmp_path / "class"
    plain = dreambooth(workplace, folder, 1)
    trained(workplace, plain)
    for changes in (
        dreambooth(workplace, folder, 1, class_tokens="a photo of a tower"),
        {**plain, "prior": {"generate_steps": 2, "generate_negative": "blurry"}},
        {**plain, "prior": {"generate_steps": 3}},
        {**plain, "prior": {"generate_steps": 2, "generate_guidance": 3.0}},
        {**plain, "prior": {"generate_steps": 2, "generate_sampler": "euler"}},
        {**plain, "model": {"vae": str(other_vae(workplace, tmp_path))}},
    ):
        trained(workplace, changes)
    assert seeds == [1] * 7
    pictures = {file.read_bytes() for file in folder.glob("generated-*/*.png")}
    assert len(pictures) == 7
    trained(workplace, plain)
    assert seeds == [1] * 7


def other_vae(workplace: Path, tmp_path: Path) -> Path:
    """The model's VAE with one weight changed."""
    from safetensors.torch import save_file

    folder = tmp_path / "vae"
    shutil.copytree(workplace / "model" / "vae", folder)
    file = folder / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["decoder.conv_out.bias"] += 0.5
    save_file(weights, file)
    return folder


def test_they_are_drawn_by_the_base_model_as_it_is(workplace: Path, tmp_path: Path) -> None:
    trained(workplace, dreambooth(workplace, tmp_path / "a", 1))
    # What the run makes of the model for training is not what it knows.
    changes = dreambooth(workplace, tmp_path / "b", 1)
    trained(
        workplace,
        {**changes, "objective": {"prediction": "v_prediction"}, "training": {"base_precision": "8bit", "seed": 9}},
    )
    one, two = (Image.open(next(folder.rglob("*.png"))) for folder in (tmp_path / "a", tmp_path / "b"))
    assert one.tobytes() == two.tobytes()


def test_killed_while_it_draws_a_run_ends_with_the_same_bits(workplace: Path, tmp_path: Path) -> None:
    whole = trained(workplace, dreambooth(workplace, tmp_path / "whole", 4))
    changes = dreambooth(workplace, tmp_path / "killed", 4)
    run = make_run(workplace, changes)
    process = start(run)
    wait_for(lambda: list((tmp_path / "killed").glob("generated-*/000002.png")), "the second picture", process)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert events(run, "step") == []
    first = {name: made for name, made in drawn(tmp_path / "killed").items() if name.endswith(".png")}
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    after = drawn(tmp_path / "killed")
    assert {name: after[name] for name in first} == first
    assert after == drawn(tmp_path / "whole")
    assert (run.output_dir / "tiny.safetensors").exists()
    one, two = (load_file(each.output_dir / "tiny.safetensors") for each in (whole, run))
    assert all(one[name].equal(two[name]) for name in one)


def test_a_stop_while_it_draws_ends_the_run_in_order(
    workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(workplace, dreambooth(workplace, tmp_path / "class"))

    def stopped(*args: Any, **settings: Any) -> Image.Image:
        if settings["seed"] == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return sampling.sample(*args, **settings)

    monkeypatch.setattr(class_images, "sample", stopped)
    assert main([str(run.path)]) == 0
    assert read(run).state == "stopped"
    assert list(drawn(tmp_path / "class")) == ["000001.png"]


def test_the_prior_holds_the_class_where_it_was(workplace: Path, tmp_path: Path) -> None:
    changes = dreambooth(workplace, tmp_path / "class", 4)
    fast: dict[str, Any] = {"optimizer": {"learning_rate": 1e-3}, "training": {"steps": 24, "batch_size": 4}}

    def kept(weight: float) -> tuple[RunFolder, float]:
        method: dict[str, Any] = {"method": {"kind": "full"}, "saving": {"formats": ["folder"]}}
        run = trained(workplace, {**changes, **fast, **method, "prior": {"generate_steps": 2, "weight": weight}})
        return run, class_loss(run.output_dir / "tiny", tmp_path / "class")

    (without, alone), (held, with_prior) = kept(0.0), kept(1.0)
    # The loss of the class's images under the class's prompt, same seeds.
    assert with_prior < 0.9 * alone
    name = "tiny/unet/diffusion_pytorch_model.safetensors"
    one, two = (load_file(run.output_dir / name) for run in (without, held))
    assert any(not one[name].equal(two[name]) for name in one)
    assert all(step["loss_prior"] == 0 for step in events(without, "step"))
    assert any(step["loss_prior"] > 0 for step in events(held, "step"))


def class_loss(base: Path, folder: Path) -> float:
    """The mean loss of the class's images over 32 triples of image, noise and timestep that never change."""
    import numpy as np
    import torch

    from sdtui.models.family import load_model
    from sdtui.training import objective

    model = load_model(base, None, torch.device("cpu"), torch.float32)
    with torch.no_grad():
        pictures = [np.array(Image.open(file).convert("RGB")) for file in sorted(folder.rglob("*.png"))]
        latents = [
            model.encode_images(torch.from_numpy(each).permute(2, 0, 1)[None] / 127.5 - 1).mean[0] for each in pictures
        ]
        generator = torch.Generator().manual_seed(5)
        noise = torch.randn(32, *latents[0].shape, generator=generator)
        timesteps = torch.randint(0, 1000, (32,), generator=generator)
        noisy = objective.add_noise(torch.stack(latents * 8), noise, model.alphas_cumprod[timesteps])
        text = model.encode_text(["a photo of a house"] * 32)
        return float((model.predict(noisy, timesteps, text) - noise).square().mean())
