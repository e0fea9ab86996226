"""What each setting that training reads is tried with: a value, and what else the profile must say for it to matter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Changes = dict[str, Any]

# A profile's own folders, by name, are made by `test_every_option`.
PLAIN, KEPT, HELD = {"path": "images"}, {"path": "kept"}, {"path": "held"}
REGULARIZED: Changes = {"dataset.folders": [PLAIN, {**KEPT, "regularization": True}]}
MASKED: Changes = {"dataset.folders": [{**PLAIN, "masks": "masks"}]}
MEASURED: Changes = {"dataset.folders": [PLAIN, {**HELD, "validation": True}]}
KOHYA: Changes = {"dataset.folders": [{"path": "kohya", "recursive": True}]}
UNCAPTIONED: Changes = {"dataset.folders": [{"path": "uncaptioned"}], "captions.on_missing": "empty"}
NAMED: Changes = {"dataset.folders": [{"path": "named"}], "captions.on_missing": "file-name"}
WORDS: Changes = {
    "method.words": [{"name": "zzza"}, {"name": "zzzb"}],
    "captions.template": "subject_filewords",
    "captions.prefix": "zzzb, ",
}
VELOCITY: Changes = {"objective.prediction": "v_prediction"}
HUBER: Changes = {"objective.loss": "huber"}
SQUARE: Changes = {"dataset.buckets": "none"}
COLOURED: Changes = {"augment.brightness": 0.5}
DRAWN = {"path": "drawn", "regularization": True, "generate": 2, "class_tokens": "a bowl"}
GENERATED: Changes = {"dataset.folders": [PLAIN, DRAWN], "prior.generate_steps": 2}
CLASS: Changes = {"prior.class_caption": "cat", "optimizer.learning_rate": 0.05}


@dataclass(frozen=True)
class Try:
    """A setting's value besides its default, and what is `given` in the run that it is compared with, too.

    `seen` says where it shows: in the trained weights, or only in what is measured of the held-out images.
    """

    value: Any
    given: Changes = field(default_factory=dict)
    seen: str = "weights"


def folder(given: Changes | None = None, row: int = 0) -> Changes:
    """Where a folder's own setting is tried: in that row of what is given."""
    return {"row": row, **(given or {})}


TRIED: dict[str, Try] = {
    "objective.prediction": Try("v_prediction"),
    "objective.zero_terminal_snr": Try(True, VELOCITY),
    "objective.timestep_min": Try(900),
    "objective.timestep_max": Try(100),
    "objective.min_snr_gamma": Try(1.0),
    "objective.debiased": Try(True),
    "objective.scale_velocity_loss": Try(True, VELOCITY),
    "objective.velocity_like_loss": Try(1.0),
    "objective.noise_offset": Try(0.1),
    "objective.noise_offset_adaptive": Try(0.5),
    "objective.noise_offset_random": Try(True, {"objective.noise_offset": 0.1}),
    "objective.multires_iterations": Try(3),
    "objective.multires_discount": Try(0.9, {"objective.multires_iterations": 3}),
    "objective.input_perturbation": Try(0.1),
    "objective.input_perturbation_random": Try(True, {"objective.input_perturbation": 0.1}),
    "objective.loss": Try("l1"),
    "objective.huber_schedule": Try("constant", HUBER),
    "objective.huber_c": Try(0.5, HUBER),
    "objective.huber_scale": Try(3.0, HUBER),
    "objective.latents": Try("deterministic"),
    "objective.even_masks": Try(True, MASKED),
    "objective.unmasked_weight": Try(0.5, MASKED),
    "objective.unmasked_chance": Try(1.0, MASKED),
    "optimizer.name": Try("lion"),
    "optimizer.args": Try({"clip_threshold": 0.1}, {"optimizer.name": "adafactor"}),
    "optimizer.learning_rate": Try(2e-3),
    "optimizer.text_encoder_learning_rate": Try(5e-3, {"method.text_encoder": True}),
    "optimizer.lora_plus_ratio": Try(4.0),
    "optimizer.block_rates": Try({"mid_block": 0.5}),
    "optimizer.stops": Try({"mid_block": 1}),
    "optimizer.weight_decay": Try(0.5),
    "optimizer.betas": Try([0.5, 0.6]),
    "optimizer.eps": Try(1e-2),
    "schedule.name": Try("cosine"),
    "schedule.warmup": Try(2),
    "schedule.min_factor": Try(0.5, {"schedule.name": "linear"}),
    "schedule.cycles": Try(2, {"schedule.name": "cosine_with_restarts"}),
    "schedule.power": Try(3.0, {"schedule.name": "polynomial"}),
    "schedule.timescale": Try(5, {"schedule.name": "inverse_sqrt"}),
    "schedule.decay": Try(2, {"schedule.name": "warmup_stable_decay", "schedule.min_factor": 0.1}),
    "schedule.rates": Try("0.01:1, 0.001"),
    "captions.extension": Try(".caption"),
    "captions.lines": Try("first"),
    "captions.prefix": Try("sks, "),
    "captions.suffix": Try(", sks"),
    "captions.dropout": Try(0.9),
    "captions.dropout_every": Try(1),
    "captions.wildcards": Try(True),
    "captions.shuffle": Try(True),
    "captions.separator": Try(";", {"captions.shuffle": True}),
    "captions.keep_tokens": Try(2, {"captions.shuffle": True}),
    "captions.keep_separator": Try("|||"),
    "captions.secondary_separator": Try(";;"),
    "captions.tag_dropout": Try(0.7),
    "captions.token_warmup": Try(10),
    "captions.token_warmup_min": Try(3, {"captions.token_warmup": 10}),
    "captions.template": Try("filewords"),
    "captions.template_file": Try("template.txt"),
    "captions.file_name_pattern": Try("[a-z]+", NAMED),
    "captions.file_name_join": Try("-", {**NAMED, "captions.file_name_pattern": "[a-z]+"}),
    "captions.weighted": Try(True),
    "captions.max_tokens": Try(150),
    "captions.clip_skip": Try(2),
    "augment.flip": Try(True),
    "augment.crop": Try("random", SQUARE),
    "augment.brightness": Try(0.5),
    "augment.contrast": Try(0.5),
    "augment.saturation": Try(0.5),
    "augment.hue": Try(0.3),
    "augment.variants": Try(1, COLOURED),
    "prior.weight": Try(0.1, REGULARIZED),
    "prior.target": Try("frozen", REGULARIZED),
    "prior.generate_negative": Try("a cat", GENERATED),
    "prior.generate_steps": Try(3, GENERATED),
    "prior.generate_guidance": Try(3.0, GENERATED),
    "prior.generate_sampler": Try("euler", GENERATED),
    "prior.class_caption": Try("cat", {"optimizer.learning_rate": 0.05}),
    "prior.trigger": Try("red", CLASS),
    "prior.class_weight": Try(9.0, CLASS),
    "validation.share": Try(0.3),
    "validation.seed": Try(1, {"validation.share": 0.3}),
    "validation.every_steps": Try(1, MEASURED, seen="validation"),
    "validation.every_epochs": Try(0, MEASURED, seen="validation"),
    "validation.timesteps": Try([5, 50], MEASURED, seen="validation"),
    "validation.most_images": Try(1, MEASURED, seen="validation"),
    "dataset.resolution": Try(96),
    "dataset.more_resolutions": Try([96]),
    "dataset.buckets": Try("none"),
    "dataset.bucket_upscale": Try(False),
    "dataset.bucket_step": Try(64),
    "dataset.bucket_min": Try(64),
    "dataset.bucket_max": Try(64),
    "dataset.background": Try("red"),
    "dataset.folders[].path": Try("kept", folder()),
    "dataset.folders[].repeats": Try(3, folder()),
    "dataset.folders[].recursive": Try(False, folder({"dataset.folders": [{"path": "nested", "recursive": True}]})),
    "dataset.folders[].layout": Try("flat", folder(KOHYA)),
    "dataset.folders[].class_tokens": Try("a bowl", folder(UNCAPTIONED)),
    "dataset.folders[].word": Try("zzza", folder(WORDS)),
    "dataset.folders[].resolutions": Try([32], folder()),
    "dataset.folders[].regularization": Try(True, folder({"dataset.folders": [PLAIN, KEPT]}, row=1)),
    "dataset.folders[].generate": Try(3, folder(GENERATED, row=1)),
    "dataset.folders[].validation": Try(True, folder({"dataset.folders": [PLAIN, KEPT]}, row=1)),
    "dataset.folders[].masks": Try("masks", folder()),
    "dataset.folders[].alpha_mask": Try(True, folder()),
    "dataset.folders[].caption_prefix": Try("sks, ", folder()),
    "dataset.folders[].caption_suffix": Try(", sks", folder()),
    "dataset.folders[].caption_dropout": Try(0.9, folder()),
    "dataset.folders[].caption_wildcards": Try(True, folder()),
    "dataset.folders[].caption_shuffle": Try(True, folder()),
    "dataset.folders[].caption_keep_tokens": Try(2, folder({"captions.shuffle": True})),
    "dataset.folders[].caption_tag_dropout": Try(0.7, folder()),
    "dataset.folders[].augment_flip": Try(True, folder()),
    "dataset.folders[].augment_crop": Try("random", folder(SQUARE)),
    "dataset.folders[].augment_brightness": Try(0.5, folder()),
    "dataset.folders[].augment_contrast": Try(0.5, folder()),
    "dataset.folders[].augment_saturation": Try(0.5, folder()),
    "dataset.folders[].augment_hue": Try(0.3, folder()),
    "training.steps": Try(3),
    "training.epochs": Try(3, {"training.steps": None, "training.epochs": 1}),
    "training.batch_size": Try(2),
    "training.accumulation": Try(2),
    "training.precision": Try("bf16"),
    "training.base_precision": Try("8bit"),
    "training.seed": Try(4),
    "training.clip_norm": Try(1e-4),
    "training.ema_decay": Try(0.5),
}

# Of each optimizer's own arguments: a value, and what else [optimizer] says.
ARGUMENTS: dict[str, dict[str, tuple[Any, dict[str, Any]]]] = {
    "adamw": {"amsgrad": (True, {"betas": [0.9, 0.5]})},
    "adamw8bit": {"min_8bit_size": (0, {})},
    "paged-adamw8bit": {"min_8bit_size": (0, {})},
    "adafactor": {
        "relative_step": (True, {}),
        "scale_parameter": (True, {}),
        "warmup_init": (True, {"args": {"relative_step": True}}),
        "clip_threshold": (0.1, {}),
        "decay_rate": (-0.3, {}),
        "beta1": (0.9, {}),
        "eps": ([1e-3, 1e-3], {}),
    },
    "prodigy": {
        "d0": (1e-3, {}),
        "d_coef": (2.0, {}),
        "growth_rate": (1.01, {}),
        "bias_correction": (True, {}),
        "safeguard_warmup": (True, {}),
    },
    "dadapt-adam": {"d0": (1e-3, {}), "growth_rate": (1.01, {}), "bias_correction": (True, {})},
    "dadapt-lion": {"d0": (1e-3, {})},
    "schedule-free-adamw": {"r": (2.0, {}), "weight_lr_power": (0.5, {})},
    "came": {
        "betas": ([0.5, 0.6, 0.7], {}),
        "eps1": (1e-3, {}),
        "eps2": (1e-3, {}),
        "clip_threshold": (0.1, {}),
    },
}

# The only settings of these sections that training does not end elsewhere with.
NOT_TRAINED = {
    "dataset.on_unreadable": "decides whether a run starts; test_run.py tries it",
    "captions.on_missing": "decides whether a run starts; test_run.py tries it",
    "captions.cache_mib": "memory against time; test_conditioning.py tries it",
    "training.gradient_checkpointing": "memory against time, the same numbers",
    "training.fused_backward": "memory against time, the same steps; test_fused_backward.py tries it",
    "training.channels_last": "how fast, the same step; test_channels_last.py tries it",
    "training.compile": "how fast, the same step; test_compiling.py tries it",
    "training.at_once": "memory against time, the same gradient; test_run_memory.py tries it",
    "training.device": "where, not what",
    "training.threads": "how fast, not what",
}
