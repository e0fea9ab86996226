"""Names that only kohya_ss's forms have, and what may stand in `network_args`."""

from __future__ import annotations

from sdtui.profile.kohya.option import AS_IS, FLIPPED, Kind, Option, silent, words

_LYCORIS = "an option of LyCORIS without a setting"
_ACCELERATE = "a setting of the machine (accelerate)"
_STOP = "of the whole model: after so many steps, in kohya_ss per cent of the run; below 0 it is not trained"
_WHOLE = "of the whole model (no network_module)"
_FINE_TUNE = "an option of fine-tuning the whole model"
_FORM = "for kohya_ss itself"


def _all(names: str, kind: Kind, text: str, default: object = None, *, quiet: bool = False) -> tuple[Option, ...]:
    return tuple(Option(name, kind, default, text=text, quiet=quiet) for name in names.split())


NETWORKS = (
    Option("loraplus_lr_ratio", "number", None, ("optimizer.lora_plus_ratio",)),
    Option("loraplus_unet_lr_ratio", "number", None, ("optimizer.lora_plus_ratio",), "before loraplus_lr_ratio"),
    Option(
        "loraplus_text_encoder_lr_ratio",
        "number",
        None,
        ("optimizer.lora_plus_ratio",),
        "one for UNet and text encoder: the UNet's",
    ),
    Option(
        "down_lr_weight",
        "text",
        None,
        ("optimizer.block_rates",),
        "twelve factors, or cosine, sine, linear, reverse_linear, zeros (+ a number): by block's path",
    ),
    Option("mid_lr_weight", "text", None, ("optimizer.block_rates",), "mid_block"),
    Option("up_lr_weight", "text", None, ("optimizer.block_rates",), "as down_lr_weight"),
    Option("block_lr_zero_threshold", "number", None, ("optimizer.block_rates",), "factors up to it are 0"),
    Option(
        "conv_dim",
        "whole",
        None,
        ("method.conv_rank", "method.targets"),
        "adds the target convolution; LyCORIS trains convolutions by its preset and takes network_dim for 0",
    ),
    Option("conv_alpha", "number", None, ("method.conv_alpha",), "with conv_dim; not given: 1"),
    Option("block_dims", "text", None, ("method.block_ranks",), "25 ranks, by block's path"),
    Option("block_alphas", "text", None, ("method.block_alphas",), "25 alphas, by block's path"),
    *_all("conv_block_dims conv_block_alphas", "text", "block_ranks and block_alphas count for convolutions, too"),
    Option("rank_dropout", "number", None, ("method.rank_dropout",), "", silent(0.0)),
    Option("module_dropout", "number", None, ("method.module_dropout",), "", silent(0.0)),
    Option(
        "enable_all_linear",
        "text",
        None,
        ("method.targets",),
        "of networks.oft: adds feed-forward and projection; any value is a yes to kohya",
    ),
    Option("enable_conv", "text", None, ("method.targets",), "of networks.oft: adds convolution, in the same way"),
    Option(
        "algo",
        "text",
        None,
        ("method.algorithm",),
        "lora and locon: lora; loha, lokr, ia3, boft; diag-oft: oft; full",
    ),
    Option(
        "preset",
        "text",
        "full",
        ("method.targets", "method.include", "method.exclude"),
        "the layers that it names, which in Stable Diffusion XL are no edges; not given: full, all layers",
        gui="LyCORIS_preset",
    ),
    Option("dora_wd", "flag", False, ("method.weight_decompose",), "", AS_IS),
    Option("wd_on_output", "flag", True, ("method.decompose_inputs",), "the opposite", FLIPPED),
    Option("rs_lora", "flag", False, ("method.rs_lora",), "", AS_IS),
    Option("train_norm", "flag", False, ("method.norms",), "", AS_IS),
    Option("factor", "whole", -1, ("method.factor",), "-1: 0", words({-1: 0})),
    Option("decompose_both", "flag", False, ("method.decompose_both",), "", AS_IS),
    Option("full_matrix", "flag", False, ("method.full_matrix",), "", AS_IS),
    *_all("unit constrain constraint block_size", "number", _LYCORIS, quiet=True),
    *_all(
        "bypass_mode use_cp use_conv_cp use_tucker use_scalar rank_dropout_scale rescaled unbalanced_factorization",
        "flag",
        _LYCORIS,
        False,
        quiet=True,
    ),
    Option("train_on_input", "flag", True, text=_LYCORIS, quiet=True),
    *_all("train_lora_ggpo", "flag", "an option of Flux.1's LoRA", False),
    *_all("ggpo_sigma ggpo_beta", "number", "belongs to train_lora_ggpo"),
)

FORMS = (
    Option("epoch", "whole", 1, ("training.epochs",), "where max_train_steps and max_train_epochs are 0"),
    Option("lr_warmup", "number", 0, ("schedule.warmup",), "per cent of all steps; 10 is 0.1 here"),
    Option(
        "noise_offset_type",
        "text",
        "Original",
        ("objective.noise_offset", "objective.multires_iterations"),
        "Original: the noise_offset options count; Multires: the multires ones",
    ),
    Option("lora_network_weights", "text", None, ("method.continue_from",), "the older name of network_weights"),
    Option("additional_parameters", "text", text="each option in it is read as if it stood in the file"),
    Option("sdxl", "flag", False, text="read from the base model's own files"),
    Option("sdxl_checkbox", "flag", False, text="read from the base model's own files"),
    Option(
        "lowvram", "flag", False, text="not needed: what is not in use is moved out of the GPU's memory", quiet=True
    ),
    Option("no_token_padding", "flag", False, text="kohya_ss does not pass it on for LoRA"),
    Option("train_inpainting", "flag", False, text="inpainting models are not trained"),
    Option("caption_metadata_filename", "text", text=_FINE_TUNE),
    *_all("model_list save_as_bool save_as file_path headless print_only", "text", _FORM, quiet=True),
    Option("num_processes", "whole", 1, text="set launch.processes: the batch size is each process's here, too"),
    Option("num_machines", "whole", 1, text="set launch.machines, launch.main_address and launch.machine_rank"),
    Option("multi_gpu", "flag", False, text="follows from launch.processes", quiet=True),
    *_all("num_cpu_threads_per_process main_process_port", "whole", _ACCELERATE, quiet=True),
    *_all("dynamo_use_fullgraph dynamo_use_dynamic", "flag", _ACCELERATE, False, quiet=True),
    *_all("gpu_ids dynamo_mode extra_accelerate_launch_args", "text", _ACCELERATE, quiet=True),
    *_all("conv_dims conv_alphas", "text", "the older names of conv_block_dims and conv_block_alphas"),
    Option("image_folder", "text", None, ("dataset.folders[].path",), "of the fine-tuning form"),
    *_all("train_dir latent_metadata_filename", "text", _FINE_TUNE),
    *_all(
        "full_path create_caption create_buckets generate_caption_database generate_image_buckets",
        "flag",
        _FINE_TUNE,
        False,
    ),
    Option("use_latent_files", "text", "No", text=_FINE_TUNE),
    Option("use_safetensors", "flag", False, text="always safetensors", quiet=True),
)

WHOLE = (
    Option("train_text_encoder", "flag", False, ("method.text_encoder",), _WHOLE),
    Option("learning_rate_te", "number", None, ("optimizer.text_encoder_learning_rate",), _WHOLE),
    Option("stop_text_encoder_training", "number", 0, ("optimizer.stops", "method.text_encoder"), _STOP),
    Option("stop_text_encoder_training_pct", "number", 0, ("optimizer.stops", "method.text_encoder"), _STOP),
)
