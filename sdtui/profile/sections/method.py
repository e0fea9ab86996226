"""What is trained beside the base model, how large it is, and in which of its layers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import KOHYA, RELATIVE_PATH, FromArray, StopPoint

Algorithm = Literal["lora", "loha", "lokr", "ia3", "oft", "boft", "full"]
Target = Literal["attention", "feed-forward", "projection", "convolution", "edges"]
_Globs = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], FromArray]


class Word(Section):
    """A word of the user's own: wherever its name stands in a text, its vectors take the place of what it is spelt with."""

    name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
        About(
            "The word, as captions, templates and prompts write it, and the name of its file: letters, digits, . _ and -. "
            "None that the model knows already, in capitals or not.",
            allowed="letters, digits, . _ and -, up to 64",
            aka=("token_string", "placeholder_token", "trigger_word"),
        ),
    ]
    vectors: Annotated[
        int,
        Field(ge=1, le=75),
        About(
            "How many places of a text it takes: 1 to 4 for up to a hundred images, more only with more images.",
            source="A1111's Textual Inversion",
            aka=("num_vectors_per_token", "num_vectors", "nvpt"),
            limit="the text encoder reads 75 places at a time",
        ),
    ] = 1
    init: Annotated[
        str,
        About(
            "Text whose vectors it starts with, a word for what it shall mean; shorter ones are repeated evenly, longer ones cut. "
            "Empty: zeros.",
            source="A1111's default is *",
            aka=("init_word", "initializer_token", "initialization_text"),
        ),
    ] = "*"
    continue_from: Annotated[
        str,
        About(
            "An embedding file to start from in place of init, with as many vectors, for this family of models. "
            f"{RELATIVE_PATH}",
            path="file",
        ),
    ] = ""
    learning_rate: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Its learning rate; 0: as optimizer.learning_rate. 0.005 is usual, 0.0005 beside an adapter.",
            source="A1111's Textual Inversion; cloneofsimo's pivotal tuning",
        ),
    ] = 0.0
    weight_decay: Annotated[
        float, Field(ge=0, le=1), About("Pull of its vectors towards zero.", source="A1111 has none")
    ] = 0.0
    norm: Annotated[
        float,
        Field(ge=0, le=1000),
        About(
            "Length that each of its vectors is pulled to after every step, by 100 × learning rate of the way; 0: free. "
            "Words of Stable Diffusion 1.x are about 0.4 long.",
            source="cloneofsimo's pivotal tuning has 0.4",
            aka=("clip_ti_decay",),
        ),
    ] = 0.0

    stop: Annotated[
        StopPoint | None,
        About(
            "When it stops learning while the rest goes on: after so many steps (500), a share of the run (0.5) or epochs "
            '("3 epochs"). Left out: it learns to the end.',
            allowed='whole number of steps, share below 1, or text such as "3 epochs"',
            source="pivotal tuning of SDXL often has 0.5",
            aka=("train_text_encoder_ti_frac",),
        ),
    ] = None


class Method(Section):
    """What is trained, and how large it is."""

    kind: Annotated[
        Literal["lora", "full", "textual-inversion"],
        About(
            "What is trained: lora adds something small to each chosen layer; full trains the model's own weights, and writes a "
            "whole model; textual-inversion trains nothing but the words of [[method.words]].",
            aka=("network_module", "type"),
            words=(
                ("ti", 'Write "textual-inversion"'),
                ("textual_inversion", 'Write "textual-inversion"'),
                ("embedding", 'Write "textual-inversion"'),
                ("pivotal", 'Write "lora" and give it [[method.words]]'),
            ),
        ),
    ] = "lora"
    words: Annotated[tuple[Word, ...], FromArray] = ()
    algorithm: Annotated[
        Algorithm,
        About(
            "What is added: the low-rank pair of LoRA, a product of two (loha), a Kronecker product (lokr), a scale per "
            "channel (ia3), a rotation (oft, boft), or the whole difference (full). diffusers reads lora only.",
            source="LyCORIS",
            aka=("algo", "lycoris_type"),
            words=(
                ("locon", 'Write algorithm = "lora", and add "convolution" to targets'),
                ("dora", 'Write algorithm = "lora" and weight_decompose = true'),
                ("diag-oft", 'Write "oft"'),
            ),
        ),
    ] = "lora"
    rank: Annotated[
        int,
        Field(ge=1, le=1024),
        About(
            "Size of the low-rank matrices; file size and capacity grow with it. Guides: 16–32 for one subject, 64–128 for "
            "several. For oft and boft the largest size of a block.",
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
    conv_rank: Annotated[
        int,
        Field(ge=0, le=1024),
        About('Rank of 3×3 convolutions, which the target "convolution" adds; 0: as rank.', aka=("conv_dim",)),
    ] = 0
    conv_alpha: Annotated[
        float, Field(ge=0, le=4096), About("Alpha of 3×3 convolutions; 0: as alpha.", aka=("convolution_alpha",))
    ] = 0.0
    block_ranks: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=1024)]],
        About(
            "Ranks of parts of the model in place of rank and conv_rank, by the start of their path: "
            '{ "down_blocks.0" = 4, mid_block = 32 }. The longest that fits counts; 0: not trained.',
            allowed="a table of path = rank 0…1024",
            aka=("block_dims", "conv_block_dims"),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies defaults
    block_alphas: Annotated[
        dict[str, Annotated[float, Field(gt=0, le=4096)]],
        About(
            "Alphas of parts of the model in place of alpha and conv_alpha, named as in block_ranks.",
            allowed="a table of path = alpha above 0",
            aka=("conv_block_alphas",),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies defaults
    rs_lora: Annotated[
        bool,
        About(
            "Scale by alpha / √rank, which keeps large ranks from learning ever more slowly.",
            source="Kalajdzievski 2023, rsLoRA",
            aka=("use_rslora", "rank_stabilized"),
        ),
    ] = False
    weight_decompose: Annotated[
        bool,
        About(
            "Learn the size of each output apart from its direction (DoRA). A little better at low ranks, slower.",
            source="Liu et al. 2024, DoRA",
            aka=("dora_wd", "use_dora", "dora"),
        ),
    ] = False
    decompose_inputs: Annotated[
        bool,
        About(
            "With weight_decompose: learn the size of what each input makes, not of what makes each output. AUTOMATIC1111 reads "
            "no other DoRA rightly, and ComfyUI no other exactly; diffusers reads only the one by outputs.",
            source="LyCORIS, where wd_on_output is the opposite",
        ),
    ] = False
    factor: Annotated[
        int,
        Field(ge=0, le=1024),
        About(
            "lokr: how a layer's sides are split into two factors; 0: as evenly as possible, the smallest files.",
            source="LyCORIS, where -1 is what 0 is here",
            aka=("lokr_factor",),
        ),
    ] = 0
    decompose_both: Annotated[bool, About("lokr: the small factor is low-rank, too.")] = False
    full_matrix: Annotated[bool, About("lokr: neither factor is low-rank; rank and alpha do nothing.")] = False
    norms: Annotated[
        bool, About("Train the normalisation before each trained UNet layer, too.", aka=("train_norm",))
    ] = False
    dropout: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "Chance that an input of what is added to a layer is zeroed in a step.",
            unit="share of 1",
            aka=("network_dropout",),
        ),
    ] = 0.0
    rank_dropout: Annotated[
        float,
        Field(ge=0, lt=1),
        About(
            "Chance that one of the ranks is left out for an image (lora), or an output of the layer for a step (others).",
            unit="share of 1",
        ),
    ] = 0.0
    module_dropout: Annotated[
        float,
        Field(ge=0, lt=1),
        About("Chance that a whole layer does without its addition in a step.", unit="share of 1"),
    ] = 0.0
    scale_weight_norms: Annotated[
        float,
        Field(ge=0, le=10_000),
        About(
            "Upper limit of the norm of each layer's change, kept after every step; 1 is usual, 0: none.",
            aka=("max_norm", "max_norm_regularization"),
        ),
    ] = 0.0
    targets: Annotated[
        tuple[Target, ...],
        Field(min_length=1),
        FromArray,
        About(
            "UNet layers that are trained: attention (to_q, to_k, to_v, to_out), feed-forward, projection (proj_in, proj_out), "
            "convolution (residual blocks and what halves and doubles the size), edges (the first and last convolution, the "
            "embedding of the timestep). The first three together are what kohya trains.",
            source=KOHYA,
            aka=("target_modules", "preset"),
        ),
    ] = ("attention", "feed-forward", "projection")
    include: Annotated[
        _Globs,
        About(
            'Only layers of the targets (full: of the model) whose path fits one of these patterns: ["*.attn2.*", "text_encoder.*"]; empty: all.',
            allowed="a list of patterns with * and ?",
            aka=("only_if_contains",),
        ),
    ] = ()
    exclude: Annotated[
        _Globs,
        About(
            'No layers whose path fits one of these patterns: ["mid_block.*"].',
            allowed="a list of patterns with * and ?",
            aka=("ignore_if_contains", "exclude_patterns"),
        ),
    ] = ()
    text_encoder: Annotated[
        bool,
        About(
            "Train the text encoder too. Helps a new word to mean the subject; costs time and memory.",
            aka=("train_text_encoder",),
        ),
    ] = False
    continue_from: Annotated[
        str,
        About(
            "A finished adapter of kohya, LyCORIS, diffusers or PEFT to start from, of the same algorithm and layers; the strength "
            f"is kept, and a smaller rank is filled up. {RELATIVE_PATH}",
            path="file",
            aka=("network_weights", "lora_path", "init_lora"),
        ),
    ] = ""
