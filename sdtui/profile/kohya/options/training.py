"""Options of the training itself: length, objective, optimizer, schedule, validation."""

from __future__ import annotations

from sdtui.profile.kohya.option import AS_IS, REAL, Option, silent, words

TRAINING = (
    Option(
        "max_train_steps",
        "whole",
        1600,
        ("training.steps",),
        "not given: 1600; in kohya_ss 0 leaves it to the epochs",
    ),
    Option("max_train_epochs", "whole", None, ("training.epochs",), "takes the place of max_train_steps"),
    Option("train_batch_size", "whole", 1, ("training.batch_size",), "one for all datasets", AS_IS),
    Option("batch_size", "whole", 1, ("training.batch_size",), "in a dataset TOML"),
    Option("gradient_accumulation_steps", "whole", 1, ("training.accumulation",), "", AS_IS),
    Option("mixed_precision", "text", "no", ("training.precision",), "no: fp32", words({"no": "fp32"})),
    Option("seed", "whole", None, ("training.seed",), "not given: 0, where kohya draws one", silent(0)),
    Option("max_grad_norm", "number", 1.0, ("training.clip_norm",), "", REAL),
    Option("gradient_checkpointing", "flag", False, ("training.gradient_checkpointing",), "", AS_IS),
    Option("full_fp16", "flag", False, text="what is trained stays fp32, which costs little for a LoRA"),
    Option("full_bf16", "flag", False, text="what is trained stays fp32, which costs little for a LoRA"),
    Option("initial_epoch", "whole", text="`sdtui resume` goes on exactly where a run was"),
    Option("initial_step", "whole", text="`sdtui resume` goes on exactly where a run was"),
    Option("skip_until_initial_step", "flag", False, text="`sdtui resume` goes on exactly where a run was"),
    Option("resume", "text", text="`sdtui resume` goes on exactly where a run was"),
)

OBJECTIVE = (
    Option("noise_offset", "number", None, ("objective.noise_offset",), "", silent(0.0)),
    Option("noise_offset_random_strength", "flag", False, ("objective.noise_offset_random",), "", AS_IS),
    Option("adaptive_noise_scale", "number", None, ("objective.noise_offset_adaptive",), "", silent(0.0)),
    Option("multires_noise_iterations", "whole", None, ("objective.multires_iterations",), "", silent(0)),
    Option("multires_noise_discount", "number", 0.3, ("objective.multires_discount",), "", REAL),
    Option("ip_noise_gamma", "number", None, ("objective.input_perturbation",), "", silent(0.0)),
    Option("ip_noise_gamma_random_strength", "flag", False, ("objective.input_perturbation_random",), "", AS_IS),
    Option("zero_terminal_snr", "flag", False, ("objective.zero_terminal_snr",), "", AS_IS),
    Option("min_timestep", "whole", None, ("objective.timestep_min",), "not given: 0", silent(0)),
    Option("max_timestep", "whole", None, ("objective.timestep_max",), "not given: 1000", silent(1000)),
    Option("loss_type", "text", "l2", ("objective.loss",), "", AS_IS),
    Option("huber_schedule", "text", "snr", ("objective.huber_schedule",), "", AS_IS),
    Option("huber_c", "number", 0.1, ("objective.huber_c",), "", REAL),
    Option(
        "huber_scale",
        "number",
        1.0,
        ("objective.huber_scale",),
        "with every schedule; sd-scripts leaves it out with snr",
        REAL,
    ),
    Option("min_snr_gamma", "number", None, ("objective.min_snr_gamma",), "", silent(0.0)),
    Option("scale_v_pred_loss_like_noise_pred", "flag", False, ("objective.scale_velocity_loss",), "", AS_IS),
    Option("v_pred_like_loss", "number", None, ("objective.velocity_like_loss",), "", silent(0.0)),
    Option("debiased_estimation_loss", "flag", False, ("objective.debiased",), "", AS_IS),
)

OPTIMIZER = (
    Option(
        "optimizer_type",
        "text",
        "",
        ("optimizer.name",),
        "AdamW when empty; what has no name here is named by its class's dotted path",
        gui="optimizer",
    ),
    Option("use_8bit_adam", "flag", False, ("optimizer.name",), "true: adamw8bit"),
    Option("use_lion_optimizer", "flag", False, ("optimizer.name",), "true: lion"),
    Option(
        "optimizer_args",
        "list",
        None,
        ("optimizer.args", "optimizer.weight_decay", "optimizer.betas", "optimizer.eps"),
        "what kohya's optimizer takes when silent is written out where ours takes another",
    ),
    Option(
        "learning_rate",
        "number",
        2e-6,
        ("optimizer.learning_rate",),
        "not given: 2e-6; unet_lr takes its place for the UNet",
    ),
    Option("unet_lr", "number", None, ("optimizer.learning_rate",), "before learning_rate; 0 trains no UNet"),
    Option(
        "text_encoder_lr",
        "list",
        None,
        ("optimizer.text_encoder_learning_rate", "method.text_encoder"),
        "the first of several; 0 trains no text encoder; not given: learning_rate",
    ),
    Option(
        "fused_backward_pass", "flag", False, ("training.fused_backward",), "of the whole model (no network_module)"
    ),
)

SCHEDULE = (
    Option(
        "lr_scheduler",
        "text",
        "constant",
        ("schedule.name",),
        "constant_with_warmup: constant; cosine_with_min_lr: cosine with min_factor; adafactor: constant",
    ),
    Option("lr_warmup_steps", "number or share", 0, ("schedule.warmup",), "a number of steps, or a share below 1"),
    Option("lr_decay_steps", "number or share", 0, ("schedule.decay",), "with warmup_stable_decay"),
    Option("lr_scheduler_num_cycles", "whole", 1, ("schedule.cycles",), "with cosine_with_restarts"),
    Option("lr_scheduler_power", "number", 1, ("schedule.power",), "with polynomial"),
    Option(
        "lr_scheduler_timescale", "whole", None, ("schedule.timescale",), "with inverse_sqrt; not given: the warm-up"
    ),
    Option(
        "lr_scheduler_min_lr_ratio",
        "number",
        None,
        ("schedule.min_factor",),
        "with cosine_with_min_lr and warmup_stable_decay",
    ),
    Option(
        "lr_scheduler_type", "text", "", text="classes of other packages are not loaded; schedule.rates takes any shape"
    ),
    Option("lr_scheduler_args", "list", text="belongs to lr_scheduler_type"),
)

VALIDATION = (
    Option("validation_split", "number", 0.0, ("validation.share",), "of each folder, not of all images", REAL),
    Option("validation_seed", "whole", None, ("validation.seed",), "not given: 0", silent(0)),
    Option("validate_every_n_steps", "whole", None, ("validation.every_steps",), "", silent(0)),
    Option("validate_every_n_epochs", "whole", None, ("validation.every_epochs",), "not given: 1", silent(1)),
    Option(
        "max_validation_steps",
        "whole",
        text="counts batches of all folders together; validation.most_images counts images of each",
    ),
)
