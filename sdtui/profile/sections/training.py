"""How long and how the model is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile import devices
from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import BITS_WORDS, KOHYA, PRECISION_WORDS


class Training(Section):
    """How long and how the model is trained."""

    steps: Annotated[
        int | None,
        Field(ge=1, le=100_000_000),
        About(
            "Length of the run in optimizer steps. Give either this or epochs.", unit="steps", aka=("max_train_steps",)
        ),
    ] = None
    epochs: Annotated[
        int | None,
        Field(ge=1, le=1_000_000),
        About(
            "Length of the run in passes over the dataset. Give either this or steps.",
            unit="epochs",
            aka=("max_train_epochs",),
        ),
    ] = None
    batch_size: Annotated[
        int,
        Field(ge=1, le=4096),
        About(
            "Images in one batch; all come from one bucket. Those that do not fit in memory at once are taken in parts, with "
            "the same gradient (see at_once).",
            unit="images",
            aka=("train_batch_size", "effective_batch", "effective_batch_size"),
            words=(
                (
                    "auto",
                    (
                        "Write the batch to learn from, such as 4: where it does not fit in memory at once, it is taken in parts "
                        "as large as fit, with the same gradient"
                    ),
                ),
            ),
        ),
    ] = 1
    at_once: Annotated[
        int,
        Field(ge=0, le=4096),
        About(
            "Images of a batch that go through the model at once; the rest follows, with the same gradient. 0: as many as "
            "fit in memory, found by the run.",
            unit="images",
            aka=("micro_batch_size", "micro_batch", "auto_batch_size"),
            words=(("auto", "Write 0: as many as fit, found by the run"),),
        ),
    ] = 0
    accumulation: Annotated[
        int,
        Field(ge=1, le=4096),
        About(
            "Batches whose gradients are averaged into one step.", unit="batches", aka=("gradient_accumulation_steps",)
        ),
    ] = 1
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"],
        About(
            "Number format of the frozen model and its arithmetic; what is trained stays fp32. auto: bf16 where the device "
            "computes it and it is faster, else fp16 on a GPU and fp32 on the processor.",
            aka=("mixed_precision",),
            words=PRECISION_WORDS,
        ),
    ] = "auto"
    base_precision: Annotated[
        Literal["same", "8bit", "4bit"],
        About(
            "How the frozen UNet's weights are kept in memory: same: as precision says; 8bit and 4bit (NF4, by bitsandbytes): a "
            "half and a quarter of bf16, put together for each product, which takes time and some exactness.",
            aka=("fp8_base", "unet_dtype", "base_model_precision", "load_in_4bit", "load_in_8bit"),
            words=BITS_WORDS,
        ),
    ] = "same"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), About("Every random draw of the run follows from it.")] = 0
    clip_norm: Annotated[
        float,
        Field(ge=0, le=1000),
        About("Gradients longer than this are shortened to it; 0: off.", source=KOHYA, aka=("max_grad_norm",)),
    ] = 1.0
    ema_decay: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "Keep a moving average of what is trained, and save and preview that: after each step it keeps this share of "
            "itself. 0.999 averages about the last 1000 steps; 0: off."
        ),
    ] = 0.0
    gradient_checkpointing: Annotated[
        bool, About("Recompute activations in the backward pass: less memory, about a third slower.")
    ] = False
    fused_backward: Annotated[
        bool,
        About(
            "Apply each gradient within the backward pass and free it: of a whole model 4 bytes less for each weight, a "
            "little slower. Not with accumulation, clip_norm, several processes or fp16.",
            source="kohya sd-scripts; torch's optimizer_step_in_backward tutorial",
            aka=("fused_backward_pass", "optimizer_step_in_backward"),
        ),
    ] = False
    channels_last: Annotated[
        bool,
        About(
            "Keep the UNet's weights and states with channels last in memory: faster convolutions in half precision on many "
            "GPUs, slower ones on the processor.",
            aka=("opt_channels_last",),
        ),
    ] = False
    compile: Annotated[
        bool,
        About(
            "Compile the UNet's blocks with torch.compile: faster steps on a GPU after minutes of compiling for each size of "
            "images. Worth it for long runs of few sizes.",
            aka=("torch_compile", "compile_model"),
        ),
    ] = False
    device: Annotated[
        str,
        Field(pattern=devices.PATTERN),
        About(
            "Where to train: auto takes the first GPU, else the processor.",
            allowed=devices.ALLOWED,
        ),
    ] = "auto"
    threads: Annotated[
        int, Field(ge=0, le=4096), About("Processor threads for PyTorch; 0: its own choice.", unit="threads")
    ] = 0
