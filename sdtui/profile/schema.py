"""The training profile: every setting declared once, with its type, range, default, unit, help and source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, Strict

from sdtui.profile.declare import About, Section

SCHEMA = 1

Target = Literal["attention", "feed-forward", "projection"]
Precision = Literal["fp32", "bf16", "fp16"]
SamplerName = Literal["ddim", "pndm", "euler", "euler_a", "heun", "dpmsolver++", "unipc"]
# TOML has arrays only; everything inside stays strict.
FromArray = Strict(strict=False)

_KOHYA = "kohya sd-scripts' default"
_OPTIONAL_PATH = "Relative paths start at the profile's folder."


class Model(Section):
    """The base model that is trained on."""

    base: Annotated[
        str,
        Field(min_length=1),
        About(
            f"Folder of the base model in diffusers layout (it holds a model_index.json). {_OPTIONAL_PATH}",
            path="model",
            aka=("pretrained_model_name_or_path", "base_model", "checkpoint"),
        ),
    ]
    vae: Annotated[
        str,
        About(
            f"Folder of another VAE in diffusers layout; empty: the base model's own. {_OPTIONAL_PATH}", path="folder"
        ),
    ] = ""


class Method(Section):
    """What is trained, and how large it is."""

    kind: Annotated[
        Literal["lora"],
        About(
            "What is trained: lora adds a small pair of matrices to each chosen layer.", aka=("network_module", "type")
        ),
    ] = "lora"
    rank: Annotated[
        int,
        Field(ge=1, le=1024),
        About(
            "Size of the low-rank matrices; file size and capacity grow with it. Guides: 16–32 for one subject, 64–128 for several.",
            source="Hu et al. 2021, LoRA, §4.1",
            aka=("network_dim", "dim", "lora_rank"),
        ),
    ] = 16
    alpha: Annotated[
        float,
        Field(gt=0, le=4096),
        About(
            "Strength of the learned change: it is scaled by alpha / rank, so alpha = rank means 1.",
            source="Hu et al. 2021, LoRA, §4.1",
            aka=("network_alpha", "lora_alpha"),
        ),
    ] = 16.0
    dropout: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "Chance that an input of the low-rank matrices is zeroed in a step.",
            unit="share of 1",
            aka=("network_dropout",),
        ),
    ] = 0.0
    targets: Annotated[
        tuple[Target, ...],
        Field(min_length=1),
        FromArray,
        About(
            "UNet layers that get matrices: attention (to_q, to_k, to_v, to_out), feed-forward, projection (proj_in, proj_out). "
            "All three together are what kohya trains.",
            source=_KOHYA,
            aka=("target_modules",),
        ),
    ] = ("attention", "feed-forward", "projection")
    text_encoder: Annotated[
        bool,
        About(
            "Train the text encoder too. Helps a new word to mean the subject; costs time and memory.",
            aka=("train_text_encoder",),
        ),
    ] = False


class Folder(Section):
    """One folder of images with their caption files."""

    path: Annotated[
        str,
        Field(min_length=1),
        About(f"Folder of images. {_OPTIONAL_PATH}", path="folder", aka=("image_dir", "train_data_dir")),
    ]
    repeats: Annotated[
        int,
        Field(ge=1, le=10_000),
        About("How often each image of this folder is seen in an epoch.", aka=("num_repeats",)),
    ] = 1
    recursive: Annotated[bool, About("Look into the folders inside it too.")] = False


class Dataset(Section):
    """The images, and the sizes they are trained at."""

    resolution: Annotated[
        int,
        Field(ge=16, le=4096),
        About(
            "Each image is trained at about resolution × resolution pixels, in the bucket nearest to its own shape. "
            "Stable Diffusion 1.x learned at 512.",
            unit="px",
            source="Stable Diffusion 1 model card",
        ),
    ] = 512
    bucket_step: Annotated[
        int,
        Field(ge=8, le=256, multiple_of=8),
        About("Bucket sides are multiples of this.", unit="px", source=_KOHYA, aka=("bucket_reso_steps",)),
    ] = 64
    bucket_min: Annotated[
        int,
        Field(ge=16, le=4096),
        About("The shortest side a bucket may have.", unit="px", source=_KOHYA, aka=("min_bucket_reso",)),
    ] = 256
    bucket_max: Annotated[
        int,
        Field(ge=16, le=4096),
        About("The longest side a bucket may have.", unit="px", source=_KOHYA, aka=("max_bucket_reso",)),
    ] = 1024
    background: Annotated[
        str,
        Field(min_length=1),
        About("Colour laid under transparent pixels.", allowed="a colour name such as white, or #rrggbb"),
    ] = "white"
    on_unreadable: Annotated[
        Literal["stop", "skip"],
        About("What to do about an image that cannot be read: stop before training, or train without it."),
    ] = "stop"
    folders: Annotated[
        tuple[Folder, ...],
        FromArray,
        About("One [[dataset.folders]] table for each folder of images.", aka=("subsets",)),
    ] = ()


class Captions(Section):
    """How the text beside an image becomes what the model reads."""

    extension: Annotated[
        str,
        Field(pattern=r"^(auto|\.[A-Za-z0-9_.-]+)$"),
        About(
            "Ending of the caption files; auto takes .txt, else .caption.",
            allowed="auto, or an ending such as .txt",
            aka=("caption_extension", "caption_ext"),
        ),
    ] = "auto"
    prefix: Annotated[str, About("Text put before every caption, as it stands.", aka=("caption_prefix",))] = ""
    suffix: Annotated[str, About("Text put after every caption, as it stands.", aka=("caption_suffix",))] = ""
    dropout: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Chance that a caption is replaced by the empty one in a step, which keeps classifier-free guidance working.",
            unit="share of 1",
            source="Ho & Salimans 2022 use 0.1–0.2",
            aka=("caption_dropout_rate",),
        ),
    ] = 0.0
    on_missing: Annotated[
        Literal["stop", "empty"],
        About(
            "What to do about an image with no caption file or an empty one: stop before training, or train it with empty text."
        ),
    ] = "stop"
    clip_skip: Annotated[
        int,
        Field(ge=1, le=12),
        About(
            "Which layer of the text encoder is read, counted from the last. Anime models often want 2.", unit="layers"
        ),
    ] = 1


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
            "Images in one forward pass; all of one batch come from one bucket.",
            unit="images",
            aka=("train_batch_size",),
        ),
    ] = 1
    accumulation: Annotated[
        int,
        Field(ge=1, le=4096),
        About(
            "Batches whose gradients are averaged into one step.", unit="batches", aka=("gradient_accumulation_steps",)
        ),
    ] = 1
    precision: Annotated[
        Precision,
        About(
            "Number format of the frozen model's arithmetic; what is trained stays fp32. bf16 is right on recent GPUs.",
            aka=("mixed_precision",),
        ),
    ] = "fp32"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), About("Every random draw of the run follows from it.")] = 0
    clip_norm: Annotated[
        float,
        Field(ge=0, le=1000),
        About("Gradients longer than this are shortened to it; 0: off.", source=_KOHYA, aka=("max_grad_norm",)),
    ] = 1.0
    min_snr_gamma: Annotated[
        float,
        Field(ge=0, le=100),
        About(
            "Caps the weight of easy, nearly clean timesteps; 5 is usual, 0: off.", source="Hang et al. 2023, Min-SNR"
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
    gradient_checkpointing: Annotated[
        bool, About("Recompute activations in the backward pass: less memory, about a third slower.")
    ] = False
    device: Annotated[
        str,
        Field(pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$"),
        About(
            "Where to train: auto takes the first GPU, else the processor.",
            allowed="auto, cpu, cuda, cuda:0, cuda:1 … or mps",
        ),
    ] = "auto"
    threads: Annotated[
        int, Field(ge=0, le=4096), About("Processor threads for PyTorch; 0: its own choice.", unit="threads")
    ] = 0


class Optimizer(Section):
    """How gradients become changes."""

    name: Annotated[Literal["adamw"], About("The update rule.", aka=("optimizer_type",))] = "adamw"
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        About(
            "Size of each change, at the top of the schedule. 1e-4 is usual for LoRA.",
            source="diffusers' LoRA example",
            aka=("lr", "unet_lr"),
        ),
    ] = 1e-4
    text_encoder_learning_rate: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Learning rate of the text encoder; 0: the same as learning_rate. Half of it or less is usual.",
            aka=("text_encoder_lr",),
        ),
    ] = 0.0
    weight_decay: Annotated[
        float, Field(ge=0, le=1), About("Pull of the trained values towards zero.", source="PyTorch AdamW's default")
    ] = 0.01
    betas: Annotated[
        tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]],
        FromArray,
        About("Memory of AdamW's two running averages.", source="PyTorch AdamW's default"),
    ] = (0.9, 0.999)
    eps: Annotated[
        float, Field(gt=0, le=0.1), About("Keeps AdamW's division away from zero.", source="PyTorch AdamW's default")
    ] = 1e-8


class Schedule(Section):
    """How the learning rate changes over the run."""

    name: Annotated[
        Literal["constant", "linear", "cosine"],
        About(
            "Shape after the warm-up: constant, or falling to zero in a line or a half cosine.", aka=("lr_scheduler",)
        ),
    ] = "constant"
    warmup: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)],
        About(
            "The learning rate rises from zero over this many steps (whole number), or over this share of all steps (below 1).",
            unit="steps or share of 1",
            aka=("lr_warmup_steps", "warmup_steps"),
        ),
    ] = 0


class Previews(Section):
    """Images made while training, to see where it goes."""

    every: Annotated[
        int,
        Field(ge=0, le=100_000_000),
        About("Make previews every so many steps; 0: off.", unit="steps", aka=("sample_every_n_steps",)),
    ] = 0
    at_start: Annotated[
        bool, About("Make one set before the first step, to compare with.", aka=("sample_at_first",))
    ] = True
    prompts: Annotated[
        tuple[str, ...],
        FromArray,
        About(
            "One prompt a line in kohya's syntax: text --w width --h height --s steps --l guidance --d seed --n negative prompt.",
            aka=("sample_prompts",),
        ),
    ] = ()
    sampler: Annotated[SamplerName, About("How previews are drawn.", aka=("sample_sampler",))] = "ddim"


class Saving(Section):
    """Checkpoints to go on from, and the finished file."""

    every_steps: Annotated[
        int,
        Field(ge=0, le=100_000_000),
        About("Checkpoint every so many steps; 0: off.", unit="steps", aka=("save_every_n_steps",)),
    ] = 0
    every_epochs: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        About("Checkpoint every so many epochs; 0: off.", unit="epochs", aka=("save_every_n_epochs",)),
    ] = 0
    every_minutes: Annotated[
        float, Field(ge=0, le=100_000), About("Checkpoint every so many minutes; 0: off.", unit="minutes")
    ] = 0.0
    keep_last: Annotated[
        int,
        Field(ge=1, le=10_000),
        About("Older checkpoints beyond this many are removed.", unit="checkpoints", aka=("save_last_n_steps",)),
    ] = 2
    name: Annotated[
        str,
        Field(pattern=r"^[^/\\\x00]*$"),
        About(
            "Name of the finished file without ending; empty: the profile's name.",
            allowed="text without / and \\",
            aka=("output_name",),
        ),
    ] = ""
    precision: Annotated[Precision, About("Number format of the finished file.", aka=("save_precision",))] = "fp16"
    trigger: Annotated[str, About("Word that calls what was learned; written into the file's metadata.")] = ""
    min_free_mib: Annotated[
        int, Field(ge=0, le=100_000_000), About("The run pauses when less disk space than this is free.", unit="MiB")
    ] = 512


class Launch(Section):
    """Where runs go."""

    runs: Annotated[
        str,
        Field(min_length=1),
        About(
            "Folder that runs are made in, relative to the workspace: the profile's folder, or the one above when that is named profiles.",
            path="output",
        ),
    ] = "runs"


class Profile(Section):
    """A whole training profile."""

    model_config = ConfigDict(title="sdtui profile", validate_by_name=True, validate_by_alias=True)

    schema_version: Annotated[
        int, Field(ge=1, le=SCHEMA, alias="schema"), About("Version of the profile's format.")
    ] = SCHEMA
    name: Annotated[
        str,
        Field(pattern=r"^[^/\\\x00]*$"),
        About(
            "Name of the profile and of its runs; empty: the file's name without ending.",
            allowed="text without / and \\",
        ),
    ] = ""
    model: Model
    method: Method = Method()
    dataset: Dataset = Dataset()
    captions: Captions = Captions()
    training: Training = Training()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    previews: Previews = Previews()
    saving: Saving = Saving()
    launch: Launch = Launch()
