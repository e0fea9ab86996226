"""What the model is asked to predict, from which noise, and how its error is weighed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section

_KOHYA_OPTION = "kohya sd-scripts"


class Objective(Section):
    """What the model learns to predict, and how its error is measured."""

    prediction: Annotated[
        Literal["auto", "epsilon", "v_prediction"],
        About(
            "What the model predicts: the noise (epsilon) or the velocity; auto takes what the base model was made for.",
            source="Salimans & Ho 2022",
            aka=("prediction_type", "v_parameterization", "parameterization"),
            words=(("velocity", 'Write "v_prediction"'), ("noise", 'Write "epsilon"')),
        ),
    ] = "auto"
    zero_terminal_snr: Annotated[
        bool,
        About(
            "Make the last timestep pure noise, so that wholly dark and bright images can be drawn. Needs a model that "
            "predicts the velocity; previews are drawn the same way.",
            source="Lin et al. 2023, Common diffusion noise schedules are flawed",
            aka=("rescale_betas_zero_snr",),
        ),
    ] = False
    timestep_min: Annotated[
        int,
        Field(ge=0, le=999),
        About("The first timestep that is trained; low ones are nearly clean.", aka=("min_timestep",)),
    ] = 0
    timestep_max: Annotated[
        int,
        Field(ge=1, le=1000),
        About("Timesteps below this one are trained; 1000 is pure noise or nearly.", aka=("max_timestep",)),
    ] = 1000
    min_snr_gamma: Annotated[
        float,
        Field(ge=0, le=100),
        About(
            "Caps the weight of easy, nearly clean timesteps; 5 is usual, 0: off.", source="Hang et al. 2023, Min-SNR"
        ),
    ] = 0.0
    debiased: Annotated[
        bool,
        About(
            "Weigh each timestep by 1 / √SNR (epsilon) or 1 / (SNR + 1) (velocity), which favours the noisy ones.",
            source="Yu et al. 2024, Debias the training of diffusion models",
            aka=("debiased_estimation_loss", "debiased_estimation"),
        ),
    ] = False
    scale_velocity_loss: Annotated[
        bool,
        About(
            "Weigh the loss of a velocity model by SNR / (SNR + 1), as if it predicted the noise.",
            source=_KOHYA_OPTION,
            aka=("scale_v_pred_loss_like_noise_pred",),
        ),
    ] = False
    velocity_like_loss: Annotated[
        float,
        Field(ge=0, le=100),
        About(
            "Adds this share of the loss as a velocity model would weigh it, × (SNR + 1) / SNR; for epsilon models. 0: off.",
            source=_KOHYA_OPTION,
            aka=("v_pred_like_loss",),
        ),
    ] = 0.0
    noise_offset: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Adds a constant per channel to the noise, so that very dark and bright images are learned; 0: off.",
            source="Guttenberg 2023",
        ),
    ] = 0.0
    noise_offset_adaptive: Annotated[
        float,
        Field(ge=-1, le=1),
        About(
            "Added to noise_offset for each channel, times the channel's mean brightness in the image; 0: off.",
            source=_KOHYA_OPTION,
            aka=("adaptive_noise_scale",),
        ),
    ] = 0.0
    noise_offset_random: Annotated[
        bool,
        About(
            "Draw the offset's strength anew for each image, between 0 and noise_offset.",
            source=_KOHYA_OPTION,
            aka=("noise_offset_random_strength",),
        ),
    ] = False
    multires_iterations: Annotated[
        int,
        Field(ge=0, le=16),
        About(
            "Levels of coarser noise laid over the noise (pyramid noise); 6–10 is usual, 0: off.",
            unit="levels",
            source="Whitaker 2023, Multi-resolution noise",
            aka=("multires_noise_iterations",),
        ),
    ] = 0
    multires_discount: Annotated[
        float,
        Field(gt=0, le=1),
        About(
            "Strength of each level of multires noise, of the one before it.",
            unit="share of 1",
            source=_KOHYA_OPTION,
            aka=("multires_noise_discount",),
        ),
    ] = 0.3
    input_perturbation: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Further noise on what the model sees but not on what it must answer; 0.1 is usual, 0: off.",
            source="Ning et al. 2023, Input perturbation",
            aka=("ip_noise_gamma",),
        ),
    ] = 0.0
    input_perturbation_random: Annotated[
        bool,
        About(
            "Draw its strength anew for each image, between 0 and input_perturbation.",
            source=_KOHYA_OPTION,
            aka=("ip_noise_gamma_random_strength",),
        ),
    ] = False
    loss: Annotated[
        Literal["l2", "l1", "huber", "smooth_l1"],
        About(
            "How an error counts: squared, absolute, or squared when small and absolute when large (huber, smooth_l1), "
            "which forgives odd images.",
            source=_KOHYA_OPTION,
            aka=("loss_type",),
        ),
    ] = "l2"
    huber_schedule: Annotated[
        Literal["constant", "exponential", "snr"],
        About(
            "How the size at which huber and smooth_l1 call an error large changes with the timestep.",
            source=_KOHYA_OPTION,
        ),
    ] = "snr"
    huber_c: Annotated[
        float,
        Field(gt=0, le=1),
        About("That size: everywhere (constant) or at the noisiest timestep.", source=_KOHYA_OPTION),
    ] = 0.1
    huber_scale: Annotated[
        float, Field(gt=0, le=100), About("Factor on that size at every timestep.", source=_KOHYA_OPTION)
    ] = 1.0
    latents: Annotated[
        Literal["random", "once", "deterministic"],
        About(
            "Which latents of an image are trained, of the spread that the VAE says it has: drawn anew in each step, drawn once for "
            "the whole run, or the middle.",
            source="A1111's latent sampling method",
            aka=("latent_sampling_method",),
        ),
    ] = "random"
    even_masks: Annotated[
        bool,
        About(
            "Scale each mask so that its least counts 0 and its mean 1: an image with a small white part then teaches as much "
            "as any other.",
            source="A1111's weighing of the loss by PNG alpha",
        ),
    ] = False
    unmasked_weight: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "How much the loss counts where a mask is black, of what it counts where it is white.", unit="share of 1"
        ),
    ] = 0.0
    unmasked_chance: Annotated[
        float,
        Field(ge=0, le=1),
        About("Chance that a step sees an image without its mask.", unit="share of 1", source="OneTrainer has 0.1"),
    ] = 0.0
