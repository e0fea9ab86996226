"""An image from a model and a prompt, by classifier-free guidance (Ho & Salimans 2022), without a trace left behind.

Noise comes from a generator of its own on the CPU, so an image is the same on every device and whenever in a run it is
made, and the run's own random numbers are the same whether or not it was made.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from sdtui.errors import SdtuiError, UserError
from sdtui.models.family import PLAINLY, Model, Reading, TextStates


class Sampler(NamedTuple):
    """A class of diffusers' schedulers, its module, and the settings that make it what its name says."""

    module: str
    name: str
    settings: dict[str, Any]


_MULTISTEP = ("scheduling_dpmsolver_multistep", "DPMSolverMultistepScheduler")
_SDE: dict[str, Any] = {"solver_order": 2, "algorithm_type": "sde-dpmsolver++"}
# `sdtui.profile.samplers` has the same names, and those they have elsewhere.
SAMPLERS: dict[str, Sampler] = {
    "ddim": Sampler("scheduling_ddim", "DDIMScheduler", {}),
    "pndm": Sampler("scheduling_pndm", "PNDMScheduler", {"skip_prk_steps": True}),
    "euler": Sampler("scheduling_euler_discrete", "EulerDiscreteScheduler", {}),
    "euler_a": Sampler("scheduling_euler_ancestral_discrete", "EulerAncestralDiscreteScheduler", {}),
    "heun": Sampler("scheduling_heun_discrete", "HeunDiscreteScheduler", {}),
    "dpm_2": Sampler("scheduling_k_dpm_2_discrete", "KDPM2DiscreteScheduler", {}),
    "dpm_2_a": Sampler("scheduling_k_dpm_2_ancestral_discrete", "KDPM2AncestralDiscreteScheduler", {}),
    "dpmsingle": Sampler("scheduling_dpmsolver_singlestep", "DPMSolverSinglestepScheduler", {"solver_order": 2}),
    "dpmsolver++": Sampler(*_MULTISTEP, {"solver_order": 2}),
    "dpmsolver++_karras": Sampler(*_MULTISTEP, {"solver_order": 2, "use_karras_sigmas": True}),
    "dpmsolver++_sde": Sampler(*_MULTISTEP, _SDE),
    "dpmsolver++_sde_karras": Sampler(*_MULTISTEP, {**_SDE, "use_karras_sigmas": True}),
    "unipc": Sampler("scheduling_unipc_multistep", "UniPCMultistepScheduler", {}),
}
# What Stable Diffusion was published with; some folders' scheduler files leave it out.
PUBLISHED = {"clip_sample": False, "steps_offset": 1, "set_alpha_to_one": False}


@torch.no_grad()
def sample(
    model: Model,
    prompt: str,
    negative: str = "",
    *,
    width: int = 512,
    height: int = 512,
    steps: int = 20,
    guidance: float = 7.5,
    seed: int = 0,
    sampler: str = "ddim",
    reading: Reading = PLAINLY,
    on_step: Callable[[int, int], None] | None = None,
) -> Image.Image:
    """Draw one RGB image of `width` × `height` pixels; `on_step` hears (steps done, steps in all).

    Raises:
        UserError: a side is no multiple of 8, or the sampler is unknown.
        SdtuiError: the result is not finite, which half precision can bring about.
    """
    _check(width, height, model.latent_factor, sampler)
    generator = torch.Generator().manual_seed(seed)
    scheduler = make_scheduler(sampler, model.scheduler_config)
    scheduler.set_timesteps(steps)
    shape = (1, 4, height // model.latent_factor, width // model.latent_factor)
    latents = torch.randn(shape, generator=generator) * scheduler.init_noise_sigma
    with evaluating(*model.loaded):
        # Rows: without the prompt, with it. At guidance 1 the first has no part in the result.
        texts = [prompt] if guidance == 1 else [negative, prompt]
        text = model.encode_text(texts, reading).to(model.device)
        extra = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
        for done, timestep in enumerate(scheduler.timesteps, start=1):
            noisy = scheduler.scale_model_input(latents, timestep)
            predicted = _guided(model, noisy, timestep, text, guidance)
            latents = scheduler.step(predicted, timestep, latents, return_dict=False, **extra)[0]
            if on_step is not None:
                on_step(done, len(scheduler.timesteps))
        pixels = model.decode_latents(latents)
    return _picture(pixels)


def make_scheduler(sampler: str, config: dict[str, Any]) -> Any:
    """The scheduler of diffusers for `sampler`, over the model's own noise schedule."""
    module, name, settings = SAMPLERS[sampler]
    kind = getattr(importlib.import_module(f"diffusers.schedulers.{module}"), name)
    known = inspect.signature(kind.__init__).parameters
    wanted = {**config, **PUBLISHED, **settings}
    return kind.from_config({key: value for key, value in wanted.items() if key in known})


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Dropout off inside the block, and every module's mode as it was behind it."""
    training = [child for module in modules for child in module.modules() if child.training]
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for child in training:
            child.training = True


def _guided(model: Model, noisy: Tensor, timestep: Tensor, text: TextStates, guidance: float) -> Tensor:
    rows = len(text.states)
    batch = noisy.expand(rows, -1, -1, -1).to(model.device)
    predicted = model.predict(batch, timestep.expand(rows).to(model.device), text).cpu()
    if rows == 1:
        return predicted
    without, with_prompt = predicted.chunk(2)
    return without + guidance * (with_prompt - without)


def _check(width: int, height: int, factor: int, sampler: str) -> None:
    for side, name in ((width, "width"), (height, "height")):
        if side < factor or side % factor:
            nearest = max(round(side / factor), 1) * factor
            raise UserError(f"the {name} is {side} px, and must be a multiple of {factor}", remedy=f"Use {nearest}")
    if sampler not in SAMPLERS:
        raise UserError(f"the sampler {sampler!r} is not known", remedy=f"Known: {', '.join(SAMPLERS)}")


def _picture(pixels: Tensor) -> Image.Image:
    if not pixels.isfinite().all():
        raise SdtuiError("the image came out as not-a-number", remedy='Use training.precision "bf16" or "fp32"')
    rows = ((pixels[0].cpu() + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return Image.frombytes("RGB", (rows.shape[1], rows.shape[0]), rows.numpy().tobytes())
