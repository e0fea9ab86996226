"""What a base model predicts and over which noise schedule, when a profile wants it otherwise than the folder says."""

from __future__ import annotations

from torch import Tensor

from sdtui.errors import UserError
from sdtui.models.family import Model


def retarget(model: Model, prediction: str, *, zero_terminal_snr: bool) -> None:
    """Make `model` predict "epsilon" or "v_prediction" ("auto": what it does), over a schedule that may end in pure noise.

    Training reads `prediction_type` and `alphas_cumprod`, sampling the scheduler's settings: both are changed alike.

    Raises:
        UserError: pure noise is to be reached by a model that predicts noise, for which the image is then lost.
    """
    if prediction != "auto":
        model.prediction_type = prediction
        model.scheduler_config = {**model.scheduler_config, "prediction_type": prediction}
    if not zero_terminal_snr:
        return
    if model.prediction_type == "epsilon":
        raise UserError(
            f"the base model {model.name} predicts noise, and zero terminal SNR needs one that predicts the velocity",
            where="objective.zero_terminal_snr",
            remedy='Leave it out, or set objective.prediction = "v_prediction" and train long enough to relearn',
        )
    model.alphas_cumprod = end_in_noise(model.alphas_cumprod)
    # Lin et al. 2023, §3.3: with the spacing "leading" the last timestep would never be drawn.
    model.scheduler_config = {
        **model.scheduler_config,
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    }


def end_in_noise(alphas_cumprod: Tensor) -> Tensor:
    """The schedule with √ᾱ shifted so that the last is 0 and scaled so that the first is unchanged (Lin et al. 2023)."""
    roots = alphas_cumprod.sqrt()
    first, last = roots[0], roots[-1]
    return ((roots - last) * first / (first - last)).square()
