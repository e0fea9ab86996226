"""Sampling: the images diffusers' own pipeline draws, and nothing left changed behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from sdtui.errors import SdtuiError, UserError
from sdtui.models.assemble import assemble
from sdtui.models.family import Reading
from sdtui.models.recognise import recognise
from sdtui.models.sampling import SAMPLERS, evaluating, make_scheduler, sample
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.profile.samplers import SAMPLER_NAMES
from tests.support.families import tiny_folder


def draw(model: StableDiffusion, prompt: str = "a red cat", **how: Any) -> Image.Image:
    return sample(model, prompt, **{"width": 64, "height": 64, "steps": 3, "seed": 5, **how})


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def difference(one: Image.Image, other: Image.Image) -> npt.NDArray[np.int64]:
    return np.abs(np.asarray(one, dtype=np.int64) - np.asarray(other, dtype=np.int64))


@pytest.fixture(scope="module")
def pipeline(model: StableDiffusion) -> Any:
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline(
        vae=model.vae,
        text_encoder=model.encoders[0][0],
        tokenizer=model.encoders[0][1],
        unet=model.unet,
        scheduler=make_scheduler("ddim", model.scheduler_config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_it_draws_what_diffusers_draws(model: StableDiffusion, pipeline: Any, sampler: str) -> None:
    mine = draw(model, negative="blue", height=72, steps=5, sampler=sampler)
    pipeline.scheduler = make_scheduler(sampler, model.scheduler_config)
    theirs = pipeline(
        "a red cat",
        negative_prompt="blue",
        width=64,
        height=72,
        num_inference_steps=5,
        generator=torch.Generator().manual_seed(5),
    ).images[0]
    assert mine.size == (64, 72)
    assert difference(mine, theirs).max() <= 1


@pytest.mark.parametrize("family", ["sd2", "sdxl"])
def test_other_families_draw_what_diffusers_draws(tmp_path: Path, family: str) -> None:
    import diffusers

    folder = tiny_folder(tmp_path, family)
    change(folder / "scheduler/scheduler_config.json", prediction_type="v_prediction" if family == "sd2" else "epsilon")
    model = assemble(recognise(folder), None, torch.device("cpu"), torch.float32)
    mine = sample(model, "a red cat", "blue", width=64, height=96, steps=4, seed=5)
    kind = diffusers.StableDiffusionXLPipeline if family == "sdxl" else diffusers.StableDiffusionPipeline
    theirs = kind.from_pretrained(folder, local_files_only=True, dtype=torch.float32)(
        "a red cat",
        negative_prompt="blue",
        width=64,
        height=96,
        num_inference_steps=4,
        guidance_scale=7.5,
        generator=torch.Generator().manual_seed(5),
    )
    assert mine.size == (64, 96)
    assert difference(mine, theirs.images[0]).max() <= 1


def test_the_profile_offers_exactly_these_samplers() -> None:
    assert set(SAMPLER_NAMES) == set(SAMPLERS)


def test_a_seed_is_an_image(model: StableDiffusion) -> None:
    assert difference(draw(model), draw(model)).max() == 0
    assert difference(draw(model), draw(model, seed=6)).mean() > 5


def test_prompt_negative_and_guidance_each_matter(model: StableDiffusion) -> None:
    plain = draw(model)
    for change in (
        {"prompt": "a blue dog"},
        {"negative": "ugly"},
        {"guidance": 2.0},
        {"reading": Reading(clip_skip=2)},
    ):
        assert difference(plain, draw(model, **change)).max() > 1, change


def test_at_guidance_1_the_negative_prompt_has_no_part(model: StableDiffusion) -> None:
    assert difference(draw(model, guidance=1.0), draw(model, guidance=1.0, negative="ugly")).max() == 0


def test_nothing_global_is_touched(model: StableDiffusion) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].tolist()  # type: ignore[index] # noqa: NPY002
    model.unet.train()
    for sampler in SAMPLERS:
        draw(model, sampler=sampler, steps=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.get_state()[1].tolist() == numpy_before  # type: ignore[index] # noqa: NPY002
    assert model.unet.training
    assert not model.encoders[0][0].training
    assert torch.is_grad_enabled()
    assert all(weight.grad is None for weight in model.unet.parameters())
    model.unet.eval()


def test_modes_come_back_as_they_were_part_by_part_even_after_a_failure() -> None:
    module = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Dropout()).train()
    module[1].eval()
    with pytest.raises(KeyboardInterrupt), evaluating(module):
        assert not any(child.training for child in module.modules())
        raise KeyboardInterrupt
    assert [child.training for child in module.modules()] == [True, True, False]


def test_each_step_is_told_and_may_end_it(model: StableDiffusion) -> None:
    told: list[tuple[int, int]] = []
    draw(model, on_step=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError(done, total)

    with pytest.raises(InterruptedError):
        draw(model, on_step=stop)


@pytest.mark.parametrize(("width", "height", "text"), [(60, 64, "the width is 60 px"), (64, 4, "the height is 4 px")])
def test_sides_are_multiples_of_8(model: StableDiffusion, width: int, height: int, text: str) -> None:
    with pytest.raises(UserError, match=text):
        draw(model, width=width, height=height)


def test_an_unknown_sampler_is_answered_with_the_known(model: StableDiffusion) -> None:
    with pytest.raises(UserError, match=r"'eular' is not known.*euler_a"):
        draw(model, sampler="eular")


def test_an_image_that_is_not_a_number_is_an_error(model: StableDiffusion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "predict", lambda noisy, *_: noisy * float("nan"))
    with pytest.raises(SdtuiError, match="not-a-number"):
        draw(model)


def test_schedulers_missing_the_published_settings_get_them(tmp_path: Path) -> None:
    scheduler = make_scheduler("ddim", {"beta_schedule": "scaled_linear"})
    assert (scheduler.config.clip_sample, scheduler.config.steps_offset) == (False, 1)
    assert scheduler.config.set_alpha_to_one is False
