"""Steps of a LoRA as other trainers take them, written anew from what those do at each step, and bare loops below them.

`kohya-like` and `OneTrainer-like` do what kohya sd-scripts (v0.10.1) and OneTrainer (23df383) do between two optimizer
steps in fp32 on the processor, over diffusers' UNet. Left out, in their favour: their data loaders, tokenizing, drawing of noise,
TensorBoard and the looks for samples and saves; the inputs of every step lie ready in memory. `diffusers-like` is the
step of diffusers' `train_text_to_image_lora.py` with the real peft and accelerate, `peft` and `bare` are loops with nothing else
in them, `bare` with the best settings found (a LoRA of one line, fused AdamW).
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from diffusers.models.attention_processor import AttnProcessor2_0
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from peft import LoraConfig
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm  # type: ignore[import-untyped]

from sdtui.models.convolution import WideConv2d

if TYPE_CHECKING:
    from benchmarks.feed import Feed

Rates = torch.optim.lr_scheduler.LambdaLR


def share(unet: Any) -> Any:
    """A UNet of the same tensors, into whose layers something else may be put, with PyTorch's and diffusers' own layers."""
    copied = copy.deepcopy(unet, {id(each): each for each in chain(unet.parameters(), unet.buffers())})
    for layer in copied.modules():
        if isinstance(layer, WideConv2d):
            layer.__class__ = nn.Conv2d  # type: ignore[assignment]
    copied.set_attn_processor(AttnProcessor2_0())
    return copied


def halve(unet: nn.Module) -> None:
    """Weights of its own in bf16; `to` would change those of all that share them."""
    for module in unet.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(weight.to(torch.bfloat16), requires_grad=False))


class Peer:
    """What all of them have: a UNet with LoRA in it, an optimizer and a progress bar that nobody sees.

    Args:
        feed: what the steps are given.
        fused: whether AdamW is PyTorch's fused one.
        half: whether the frozen weights are bf16 and the step runs under autocast.
    """

    network: Any

    def __init__(self, feed: Feed, *, fused: bool = False, half: bool = False) -> None:
        settings = feed.profile
        self.feed, self.half = feed, half
        self.rank, self.alpha, self.clip = settings.method.rank, settings.method.alpha, settings.training.clip_norm
        self.unet: Any = share(feed.model.unet)
        if half:
            halve(self.unet)
        self.adapt()
        self.unet.train()
        self.trained = [each for each in self.unet.parameters() if each.requires_grad] or self.beside()
        self.optimizer: Any = torch.optim.AdamW(self.trained, lr=settings.optimizer.learning_rate, fused=fused)
        self.schedule: Any = Rates(self.optimizer, lambda _step: 1.0)
        self.noises = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
        self.bar = tqdm(total=10**6, file=open(os.devnull, "w"))  # noqa: SIM115 - open as long as the bar is
        self.average = 0.0

    def sites(self) -> Iterator[tuple[str, nn.Module, Tensor]]:
        """Path, layer and first `down` of each layer that is adapted."""
        for name, down in self.feed.start.items():
            path = name.removesuffix(".down")
            yield path, self.unet.get_submodule(path), down

    def adapt(self) -> None:
        """Put the LoRA in."""
        raise NotImplementedError

    def beside(self) -> list[nn.Parameter]:
        """What is trained, where it is no part of the UNet."""
        return []

    def step(self, number: int) -> float:
        """Take the step of that number; its loss."""
        raise NotImplementedError


class Factors(nn.Module):
    """`lora_down` and `lora_up` as layers of their own, beside a layer whose `forward` they replace."""

    alpha: Tensor

    def __init__(self, base: Any, down: Tensor, alpha: float) -> None:
        super().__init__()
        rank, inputs, *kernel = down.shape
        outputs = base.weight.shape[0]
        self.lora_down: nn.Module = (
            nn.Conv2d(inputs, rank, 1, bias=False) if kernel else nn.Linear(inputs, rank, bias=False)
        )
        self.lora_up: nn.Module = (
            nn.Conv2d(rank, outputs, 1, bias=False) if kernel else nn.Linear(rank, outputs, bias=False)
        )
        self.lora_down.weight.data, self.lora_up.weight = (
            down.clone(),
            nn.Parameter(torch.zeros(outputs, rank, *kernel)),
        )
        self.register_buffer("alpha", torch.tensor(alpha))
        self.rank, self.scale, self.multiplier = rank, alpha / rank, 1.0
        self.dropout: Any = None
        self.rank_dropout: Any = None
        self.module_dropout: Any = None
        self.of_base: Callable[[Tensor], Tensor] = base.forward
        base.forward = self.forward

    def forward(self, x: Tensor) -> Tensor:
        """The layer's answer and the LoRA's, with kohya's looks for dropout and its two scalings."""
        out = self.of_base(x)
        if self.module_dropout is not None and self.training and torch.rand(1) < self.module_dropout:
            return out
        hidden = self.lora_down(x)
        if self.dropout is not None and self.training:
            hidden = functional.dropout(hidden, self.dropout)
        if self.rank_dropout is not None and self.training:
            raise NotImplementedError
        added: Tensor = self.lora_up(hidden) * self.multiplier * self.scale
        return out + added


class DroppingFactors(Factors):
    """OneTrainer's: a dropout layer between the two, always called, and a scale divided anew from a buffer."""

    def __init__(self, base: Any, down: Tensor, alpha: float) -> None:
        super().__init__(base, down, alpha)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's answer and the LoRA's."""
        added: Tensor = self.lora_up(self.dropout(self.lora_down(x))) * (self.alpha / self.rank)
        return self.of_base(x) + added


class KohyaLike(Peer):
    """Latents cached, text encoded at each step; accelerate around everything, gradients reduced one by one, AdamW not fused."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self.accelerator = Accelerator(cpu=True)
        self.network, self.optimizer, self.schedule = self.accelerator.prepare(
            self.network, self.optimizer, self.schedule
        )

    def adapt(self) -> None:
        """All of them in a network beside the UNet."""
        self.network = nn.ModuleList(Factors(layer, down, self.alpha) for _, layer, down in self.sites())

    def beside(self) -> list[nn.Parameter]:
        """Those of the network."""
        return list(self.network.parameters())

    def step(self, number: int) -> float:
        """One step."""
        given, accelerator = self.feed.given[number], self.accelerator
        encoder, _ = self.feed.model.encoders[0]
        with accelerator.accumulate(self.network):
            with torch.no_grad(), accelerator.autocast():
                states = encoder(given.token_ids)[0]
            noisy = self.noises.add_noise(given.latents, given.noise, given.timesteps)
            with accelerator.autocast():
                predicted = self.unet(noisy, given.timesteps, states).sample
            errors = functional.mse_loss(predicted.float(), given.noise.float(), reduction="none")
            loss = (errors.mean([1, 2, 3]) * torch.ones(len(errors))).mean()
            accelerator.backward(loss)
            for parameter in self.network.parameters():
                if parameter.grad is not None:
                    parameter.grad = accelerator.reduce(parameter.grad, reduction="mean")
            accelerator.clip_grad_norm_(list(self.network.parameters()), self.clip)
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad(set_to_none=True)
        self.bar.update(1)
        told = float(loss.detach().item())
        self.average += (told - self.average) / (number + 1)
        self.bar.set_postfix(avr_loss=self.average)
        return told


class OneTrainerLike(Peer):
    """Latents and text cached in a file for each image and each caption; AdamW not fused, as its presets have it, or fused."""

    def __init__(self, feed: Feed, *, fused: bool = False) -> None:
        super().__init__(feed, fused=fused)
        self._cache = TemporaryDirectory()
        for number, given in enumerate(feed.given):
            torch.save({"latent_image": given.latents}, self._file("image", number))
            torch.save({"text_encoder_hidden_state": given.states}, self._file("text", number))

    def _file(self, kind: str, number: int) -> Path:
        return Path(self._cache.name) / f"{kind}{number}.pt"

    def adapt(self) -> None:
        """All of them in a network beside the UNet."""
        self.network = nn.ModuleList(DroppingFactors(layer, down, self.alpha) for _, layer, down in self.sites())

    def beside(self) -> list[nn.Parameter]:
        """Those of the network."""
        return list(self.network.parameters())

    def step(self, number: int) -> float:
        """One step."""
        given = self.feed.given[number]
        latents = torch.load(self._file("image", number), weights_only=False)["latent_image"]
        states = torch.load(self._file("text", number), weights_only=False)["text_encoder_hidden_state"]
        with nullcontext():
            noisy = self.noises.add_noise(latents, given.noise, given.timesteps)
            predicted = self.unet(noisy, given.timesteps, states).sample
        errors = functional.mse_loss(predicted.float(), given.noise.float(), reduction="none")
        loss = (errors.mean([1, 2, 3]) * torch.ones(len(errors))).mean() / 1
        torch.autograd.backward(loss)
        total = torch.zeros(()) + loss.detach()
        nn.utils.clip_grad_norm_(self.trained, self.clip)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        told = float(total.item())
        if math.isnan(told):
            raise RuntimeError("the loss is not a number")
        self.average = self.average * 0.99 + told * 0.01
        self.bar.update(1)
        self.bar.set_postfix({"loss": told, "smooth loss": self.average})
        return told


class Peft(Peer):
    """diffusers' UNet with peft's LoRA, in a loop with nothing else in it."""

    def adapt(self) -> None:
        """By diffusers' own way to peft."""
        starts = list(self.sites())
        self.unet.add_adapter(
            LoraConfig(r=self.rank, lora_alpha=self.alpha, target_modules=[path for path, *_ in starts])
        )
        for path, _, down in starts:
            self.unet.get_submodule(path).lora_A["default"].weight.data = down.clone()

    def step(self, number: int) -> float:
        """One step."""
        given = self.feed.given[number]
        noisy = self.noises.add_noise(given.latents, given.noise, given.timesteps)
        with torch.autocast("cpu", torch.bfloat16) if self.half else nullcontext():
            predicted = self.unet(noisy, given.timesteps, given.states).sample
        loss = functional.mse_loss(predicted.float(), given.noise)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.trained, self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())


class DiffusersLike(Peft):
    """Images and text encoded at each step, accelerate around everything, nothing clipped (its list of parameters is empty)."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self.accelerator = Accelerator(cpu=True)
        self.unet, self.optimizer, self.schedule = self.accelerator.prepare(self.unet, self.optimizer, self.schedule)

    def step(self, number: int) -> float:
        """One step."""
        given, accelerator, model = self.feed.given[number], self.accelerator, self.feed.model
        with accelerator.accumulate(self.unet):
            found = model.vae.encode(given.pixels).latent_dist
            latents = (found.mean + found.std * given.latent_noise) * model.vae.config.scaling_factor
            noisy = self.noises.add_noise(latents, given.noise, given.timesteps)
            states = model.encoders[0][0](given.token_ids, return_dict=False)[0]
            predicted = self.unet(noisy, given.timesteps, states, return_dict=False)[0]
            loss = functional.mse_loss(predicted.float(), given.noise.float(), reduction="mean")
            told = float(accelerator.gather(loss.repeat(len(noisy))).mean().item())
            accelerator.backward(loss)
            accelerator.clip_grad_norm_([], self.clip)
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
        self.bar.update(1)
        self.bar.set_postfix(step_loss=loss.detach().item(), lr=self.schedule.get_last_lr()[0])
        return told


class Bare(Peft):
    """The fewest lines of LoRA, fused AdamW."""

    def __init__(self, feed: Feed, *, half: bool = False) -> None:
        super().__init__(feed, fused=True, half=half)

    def adapt(self) -> None:
        """In the layers' places."""
        for path, layer, down in self.sites():
            self.unet.set_submodule(path, Lora(layer, down))


class Lora(nn.Module):
    """The base's answer and that of two matrices, alpha being the rank."""

    def __init__(self, base: Any, down: Tensor) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(down.clone())
        self.up = nn.Parameter(torch.zeros(base.weight.shape[0], down.shape[0], *down.shape[2:]))
        self.operate = functional.conv2d if down.dim() == 4 else functional.linear

    def forward(self, x: Tensor) -> Tensor:
        """The answer to `x`."""
        return self.base(x) + self.operate(self.operate(x, self.down), self.up)  # type: ignore[no-any-return]


PEERS: dict[str, Callable[[Feed], Peer]] = {
    "kohya-like": KohyaLike,
    "OneTrainer-like": OneTrainerLike,
    "OneTrainer-like, fused AdamW": lambda feed: OneTrainerLike(feed, fused=True),
    "peft": Peft,
    "bare": Bare,
    "bare bf16": lambda feed: Bare(feed, half=True),
    "diffusers-like": DiffusersLike,
}
