"""Settings of the objective that are each allowed and do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdtui.profile.problem import Finding
from sdtui.profile.schema import Objective, Profile

# diffusers' schedulers for these cannot rescale their schedule.
_NO_ZERO_SNR = ("pndm", "heun")
# Settings that only shape another one: (what shapes, what must be set for it, when it is).
_SHAPES: tuple[tuple[str, str, Callable[[Objective], bool]], ...] = (
    ("noise_offset_random", "noise_offset", lambda objective: objective.noise_offset > 0),
    ("multires_discount", "multires_iterations", lambda objective: objective.multires_iterations > 0),
    ("input_perturbation_random", "input_perturbation", lambda objective: objective.input_perturbation > 0),
    *(
        (name, 'loss = "huber" or "smooth_l1"', lambda objective: objective.loss in {"huber", "smooth_l1"})
        for name in ("huber_schedule", "huber_c", "huber_scale")
    ),
)


def timesteps(profile: Profile) -> Iterator[Finding]:
    """The range of timesteps holds at least one."""
    objective = profile.objective
    if objective.timestep_min >= objective.timestep_max:
        yield Finding(
            "contradiction",
            "objective.timestep_min",
            f"objective.timestep_min = {objective.timestep_min} leaves no timestep below "
            f"objective.timestep_max = {objective.timestep_max}",
            "Swap them, or leave both out",
            f"up to {objective.timestep_max - 1}",
        )


def zero_terminal_snr(profile: Profile) -> Iterator[Finding]:
    """Pure noise tells a model that predicts noise nothing, and not every sampler can start from it."""
    if not profile.objective.zero_terminal_snr:
        return
    if profile.objective.prediction == "epsilon":
        yield Finding(
            "contradiction",
            "objective.zero_terminal_snr",
            'objective.zero_terminal_snr needs a velocity model, and objective.prediction = "epsilon"',
            'Set prediction = "v_prediction", or leave zero_terminal_snr out',
        )
    if profile.objective.min_snr_gamma:
        yield Finding(
            "no-effect",
            "objective.min_snr_gamma",
            "objective.min_snr_gamma gives the last timestep, which objective.zero_terminal_snr makes pure noise, no weight",
            "Leave min_snr_gamma out, so that this timestep is trained; debiased = true favours noisy ones",
            severity="warning",
        )
    if profile.previews.prompts and profile.previews.sampler in _NO_ZERO_SNR:
        yield Finding(
            "contradiction",
            "previews.sampler",
            f'previews.sampler = "{profile.previews.sampler}" cannot draw with objective.zero_terminal_snr',
            "Choose another sampler",
            '"ddim" or "euler" or "euler_a" or "dpmsolver++" or "unipc"',
        )


def velocity(profile: Profile) -> Iterator[Finding]:
    """Weights that turn one kind of prediction's loss into the other's suit one kind only."""
    objective = profile.objective
    for name in unsuited(objective, objective.prediction):
        yield Finding(
            "contradiction",
            f"objective.{name}",
            f'objective.{name} is not for objective.prediction = "{objective.prediction}"',
            "Leave one of the two out",
        )


def unsuited(objective: Objective, prediction: str) -> Iterator[str]:
    """The settings that a model with this `prediction` cannot be trained with; with "auto" only the trainer can tell."""
    if objective.scale_velocity_loss and prediction == "epsilon":
        yield "scale_velocity_loss"
    if objective.velocity_like_loss and prediction == "v_prediction":
        yield "velocity_like_loss"


def shapes(profile: Profile) -> Iterator[Finding]:
    """A setting that shapes something which is off does nothing."""
    objective = profile.objective
    for name, needed, is_on in _SHAPES:
        if getattr(objective, name) != Objective.model_fields[name].default and not is_on(objective):
            message = f"objective.{name} has no effect without {needed}"
            yield Finding(
                "no-effect", f"objective.{name}", message, f"Set {needed}, or leave it out", severity="warning"
            )


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    timesteps: ("objective.timestep_min", "objective.timestep_max"),
    zero_terminal_snr: (
        "objective.zero_terminal_snr",
        "objective.prediction",
        "objective.min_snr_gamma",
        "previews.sampler",
    ),
    velocity: ("objective.scale_velocity_loss", "objective.velocity_like_loss", "objective.prediction"),
    shapes: tuple(f"objective.{name}" for name, *_ in _SHAPES),
}
