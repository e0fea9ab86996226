"""A model told to predict something else, over another schedule, in training and in sampling."""

from __future__ import annotations

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

from sdtui.errors import UserError
from sdtui.models.noise_schedule import end_in_noise, retarget
from sdtui.models.sampling import make_scheduler
from tests.training.fakes import FakeModel

SCHEDULE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def model(prediction: str = "v_prediction") -> FakeModel:
    made = FakeModel()
    made.prediction_type = prediction
    made.scheduler_config = {**SCHEDULE, "prediction_type": prediction}
    made.alphas_cumprod = make_scheduler("ddim", made.scheduler_config).alphas_cumprod
    return made


def test_the_schedule_is_shifted_to_zero_and_scaled_to_its_start() -> None:
    # Roots 0.9, 0.5, 0.1 become 0.9, 0.45, 0.
    ended = end_in_noise(torch.tensor([0.81, 0.25, 0.01]))
    assert ended.tolist() == pytest.approx([0.81, 0.2025, 0.0])


def test_it_is_the_schedule_that_diffusers_makes() -> None:
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    theirs = torch.cumprod(1 - rescale_zero_terminal_snr(betas), dim=0)
    assert torch.allclose(end_in_noise(torch.cumprod(1 - betas, dim=0)), theirs, atol=1e-6)


def test_auto_leaves_the_model_as_it_is() -> None:
    kept = model()
    before = kept.alphas_cumprod
    retarget(kept, "auto", zero_terminal_snr=False)
    assert kept.alphas_cumprod is before
    assert (kept.prediction_type, kept.scheduler_config["prediction_type"]) == ("v_prediction", "v_prediction")


@pytest.mark.parametrize("sampler", ["ddim", "pndm", "euler", "euler_a", "heun", "dpmsolver++", "unipc"])
def test_every_sampler_predicts_what_training_does(sampler: str) -> None:
    changed = model("epsilon")
    retarget(changed, "v_prediction", zero_terminal_snr=False)
    assert changed.prediction_type == "v_prediction"
    assert make_scheduler(sampler, changed.scheduler_config).config.prediction_type == "v_prediction"


@pytest.mark.parametrize("sampler", ["ddim", "euler", "euler_a", "dpmsolver++", "unipc"])
def test_samplers_start_from_pure_noise_at_the_last_timestep(sampler: str) -> None:
    changed = model()
    retarget(changed, "auto", zero_terminal_snr=True)
    scheduler = make_scheduler(sampler, changed.scheduler_config)
    scheduler.set_timesteps(10)
    assert int(scheduler.timesteps[0]) == 999
    # Some keep a trace of the image, 2^-24, so as not to divide by zero.
    assert scheduler.alphas_cumprod[-1] < 1e-6
    assert torch.allclose(scheduler.alphas_cumprod[:-1], changed.alphas_cumprod[:-1], atol=1e-6)


def test_a_model_that_predicts_noise_cannot_end_in_noise() -> None:
    with pytest.raises(UserError, match="predicts noise") as caught:
        retarget(model("epsilon"), "auto", zero_terminal_snr=True)
    assert caught.value.where == "objective.zero_terminal_snr"
