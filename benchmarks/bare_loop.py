"""The floor under a training step: a plain PyTorch loop over the same model, LoRA modules and cached inputs.

Run as a program of its own (`python -m benchmarks.bare_loop MODEL STEPS BATCH SIDE RANK`), so that its imports, threads and memory
are its own. Prints the median milliseconds of a step after a warm-up.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor, nn
from torch.nn import functional

WARM_UP = 15
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]


class Lora(nn.Module):
    """LoRA in the fewest lines: the base's answer and that of two matrices."""

    def __init__(self, base: nn.Module, rank: int) -> None:
        super().__init__()
        self.base = base
        weight: Tensor = base.weight  # type: ignore[assignment]
        outputs, inputs, *kernel = weight.shape
        self.down = nn.Parameter(torch.empty(rank, inputs, *kernel).uniform_(-(inputs**-0.5), inputs**-0.5))
        self.up = nn.Parameter(torch.zeros(outputs, rank, *kernel))
        self.operate = functional.conv2d if kernel else functional.linear

    def forward(self, x: Tensor) -> Tensor:
        """The answer to `x`."""
        return self.base(x) + self.operate(self.operate(x, self.down), self.up)  # type: ignore[no-any-return]


def main(model: Path, steps: int, batch: int, side: int, rank: int) -> float:
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32).requires_grad_(False)
    for path, layer in list(unet.named_modules()):
        if any(path.endswith(f".{target}") for target in TARGETS):
            unet.set_submodule(path, Lora(layer, rank))
    unet.train()
    parameters = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
    alpha_bar = DDPMScheduler.from_pretrained(model / "scheduler").alphas_cumprod
    mean = torch.randn(batch, 4, side // 8, side // 8)  # (B, 4, h, w)
    std = torch.rand(batch, 4, side // 8, side // 8) * 0.1
    conditioning = torch.randn(batch, 77, unet.config.cross_attention_dim)  # (B, 77, D)
    times = []
    for _ in range(steps):
        begun = time.perf_counter()
        latents = mean + std * torch.randn_like(mean)
        noise = torch.randn_like(latents)
        timesteps = torch.randint(0, 1000, (batch,))
        signal = alpha_bar[timesteps].view(-1, 1, 1, 1)
        noisy = signal.sqrt() * latents + (1 - signal).sqrt() * noise
        predicted = unet(noisy, timesteps, conditioning).sample
        loss = torch.nn.functional.mse_loss(predicted, noise)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times[WARM_UP:]) * 1000


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    print(main(Path(folder), *map(int, numbers)))
