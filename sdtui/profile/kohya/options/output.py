"""Options of what comes out: sample images and the files that are saved."""

from __future__ import annotations

from sdtui.profile.kohya.option import AS_IS, Option, silent, words

_STATE = "always on: every checkpoint holds all that `sdtui resume` needs"

PREVIEWS = (
    Option("sample_every_n_steps", "whole", None, ("previews.every",), "", silent(0)),
    Option(
        "sample_every_n_epochs",
        "whole",
        None,
        ("previews.every_epochs",),
        "takes the place of sample_every_n_steps",
        silent(0),
    ),
    Option("sample_at_first", "flag", False, ("previews.at_start",), "", AS_IS),
    Option(
        "sample_prompts",
        "text",
        None,
        ("previews.prompts",),
        "the file is read (.txt, .toml or .json); size 512 × 512 and 30 steps, kohya's, are written where it is silent",
    ),
    Option(
        "sample_sampler",
        "text",
        "ddim",
        ("previews.sampler",),
        "k_euler: euler; those there are not: the nearest",
    ),
)

SAVING = (
    Option("output_name", "text", None, ("saving.name",), "", silent("")),
    Option(
        "output_dir",
        "text",
        text="each run has a folder of its own in launch.runs; the finished file is in its output folder",
    ),
    Option(
        "save_precision",
        "text",
        None,
        ("saving.precision",),
        "not given, or float: fp32",
        words({None: "fp32", "float": "fp32"}),
    ),
    Option("save_every_n_steps", "whole", None, ("saving.every_steps",), "", silent(0)),
    Option("save_every_n_epochs", "whole", None, ("saving.every_epochs",), "", silent(0)),
    Option("save_n_epoch_ratio", "whole", None, ("saving.every_epochs",), "max_train_epochs divided by it"),
    Option("save_last_n_epochs", "whole", None, ("saving.keep_last",), "not given: kohya keeps all, here 10 000"),
    Option(
        "save_last_n_steps",
        "whole",
        None,
        ("saving.keep_last",),
        "in steps; here in checkpoints: divided by save_every_n_steps, and one more, as kohya does",
    ),
    Option("save_last_n_epochs_state", "whole", text="weights and state are one checkpoint: saving.keep_last"),
    Option("save_last_n_steps_state", "whole", text="weights and state are one checkpoint: saving.keep_last"),
    Option("save_state", "flag", False, text=_STATE, quiet=True),
    Option("save_state_on_train_end", "flag", False, text=_STATE, quiet=True),
    Option("save_model_as", "text", "safetensors", text="always safetensors"),
    Option("metadata_trigger_phrase", "text", None, ("saving.trigger",), "", silent("")),
    Option("no_metadata", "flag", False, text="the finished file always says how it was made"),
)
