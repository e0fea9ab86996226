"""Options that name the base model and what is trained in it."""

from __future__ import annotations

from sdtui.profile.kohya.option import REAL, Codec, Option, silent

_ARGS = "each key=value in it is an option of its own, see below"

MODEL = (
    Option("pretrained_model_name_or_path", "text", None, ("model.base",)),
    Option("vae", "text", None, ("model.vae",), "", silent("")),
    Option("v2", "flag", False, text="read from the base model's own files"),
    Option(
        "v_parameterization",
        "flag",
        False,
        ("objective.prediction",),
        "true: v_prediction; false: epsilon (beside zero_terminal_snr: auto)",
    ),
    Option("tokenizer_cache_dir", "text", text="the tokenizer is the base model's own"),
    Option("no_half_vae", "flag", False, text="always on: images are encoded in fp32"),
    Option(
        "fp8_base",
        "flag",
        False,
        ("training.base_precision",),
        "whole numbers of 8 bits with a scale for each row, more exact than fp8; 4bit is written as this",
        Codec(lambda value: "8bit" if value else "same", lambda value: value != "same"),
    ),
    Option("fp8_base_unet", "flag", False, text="fp8_base and training.base_precision are the UNet's alone"),
)

METHOD = (
    Option(
        "network_module",
        "text",
        None,
        ("method.kind", "method.algorithm"),
        "networks.lora: lora; networks.oft: oft, of the UNet; lycoris.kohya: as its algo says; a plain LoRA in place of those "
        "there are not",
        gui="LoRA_type",
    ),
    Option(
        "network_dim", "whole", None, ("method.rank",), "not given: 4; of networks.oft the number of blocks", silent(4)
    ),
    Option("network_alpha", "number", 1, ("method.alpha",), "", REAL),
    Option(
        "network_dropout",
        "number",
        None,
        ("method.dropout",),
        "dropped before the low-rank matrices; kohya drops between the two",
        silent(0.0),
    ),
    Option("network_args", "list", text="each key=value in it is an option of its own, see below", quiet=True),
    Option(
        "network_train_unet_only",
        "flag",
        False,
        ("method.text_encoder",),
        "true: false; kohya trains the text encoder unless told not to",
    ),
    Option(
        "network_train_text_encoder_only",
        "flag",
        False,
        ("optimizer.block_rates",),
        "the UNet's blocks get the rate 0",
    ),
    Option("network_weights", "text", None, ("method.continue_from",), "a file to start from"),
    Option("dim_from_weights", "flag", False, text="the rank must be that of the file: set network_dim to it"),
    Option("base_weights", "list", text="merge the LoRA into the base model before"),
    Option("base_weights_multiplier", "list", text="belongs to base_weights"),
    Option("scale_weight_norms", "number", None, ("method.scale_weight_norms",), "", silent(0.0)),
)

WORDS = (
    Option(
        "token_string",
        "text",
        None,
        ("method.words[].name",),
        "of train_textual_inversion.py; what no name may hold (< and >) is left out",
    ),
    Option("num_vectors_per_token", "whole", 1, ("method.words[].vectors",)),
    Option(
        "init_word",
        "text",
        None,
        ("method.words[].init",),
        "cut, or repeated evenly, where kohya repeats it from the start",
    ),
    Option("weights", "text", None, ("method.words[].continue_from",)),
    Option("use_object_template", "flag", False, ("captions.template",), "true: subject, whose lines are like kohya's"),
    Option("use_style_template", "flag", False, ("captions.template",), "true: style, whose lines are like kohya's"),
    Option("template", "text", None, ("captions.template",), "kohya_ss's choice of the two"),
)
