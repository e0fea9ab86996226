"""Options that say nothing about what is trained: the machine, logs, and what is told to others."""

from __future__ import annotations

from sdtui.profile.kohya.option import AS_IS, Kind, Option


def _all(names: str, kind: Kind, text: str, default: object = None, *, quiet: bool = False) -> tuple[Option, ...]:
    return tuple(Option(name, kind, default, text=text, quiet=quiet) for name in names.split())


_ATTENTION = "PyTorch's own attention is always used (sdpa)"
_DEEPSPEED = "several GPUs each hold the whole model (launch.processes), without DeepSpeed"
_DDP = "several processes (launch.processes) need none of it: the gradients of what is trained are summed in one piece"
_HUB = "files stay on this machine"
_EVENTS = "every run writes its events to events.jsonl, which `sdtui watch` and the screens read"

MACHINE = (
    *_all("xformers sdpa mem_eff_attn", "flag", _ATTENTION, False, quiet=True),
    *_all("diffusers_xformers", "flag", _ATTENTION, False, quiet=True),
    *_all(
        "lowram highvram", "flag", "not needed: what is not in use is moved out of the GPU's memory", False, quiet=True
    ),
    *_all("cpu_offload_checkpointing", "flag", "training.gradient_checkpointing without offloading", False),
    Option("torch_compile", "flag", False, ("training.compile",), "block by block", AS_IS),
    Option("dynamo_backend", "text", "inductor", text="training.compile always uses inductor", quiet=True),
    Option("max_data_loader_n_workers", "whole", 8, text="not needed: latents are cached before training", quiet=True),
    *_all(
        "persistent_data_loader_workers", "flag", "not needed: latents are cached before training", False, quiet=True
    ),
    *_all("ddp_timeout", "whole", _DDP),
    *_all("ddp_gradient_as_bucket_view ddp_static_graph", "flag", _DDP, False),
    *_all(
        "deepspeed zero3_init_flag zero3_save_16bit_model fp16_master_weights_and_gradients", "flag", _DEEPSPEED, False
    ),
    Option("zero_stage", "whole", 2, text=_DEEPSPEED),
    *_all(
        "offload_optimizer_device offload_optimizer_nvme_path offload_param_device offload_param_nvme_path",
        "text",
        _DEEPSPEED,
    ),
    Option("config_file", "text", text="the profile is the file", quiet=True),
    Option("output_config", "flag", False, text="each run keeps the profile it was started with", quiet=True),
)

LOGGING = (
    *_all(
        "logging_dir log_with log_prefix log_tracker_name log_tracker_config wandb_run_name wandb_api_key",
        "text",
        _EVENTS,
        quiet=True,
    ),
    *_all("log_config", "flag", "each run keeps the profile it was started with", False, quiet=True),
    *_all("console_log_level console_log_file", "text", "each run keeps its log in log.txt", quiet=True),
    *_all("console_log_simple", "flag", "each run keeps its log in log.txt", False, quiet=True),
)

SHARING = (
    *_all(
        "metadata_title metadata_author metadata_description metadata_license metadata_tags metadata_usage_hint "
        "metadata_thumbnail metadata_merged_from metadata_preprocessor metadata_is_negative_embedding training_comment",
        "text",
        "the finished file's metadata are made from the profile",
    ),
    *_all(
        "huggingface_repo_id huggingface_repo_type huggingface_path_in_repo huggingface_token "
        "huggingface_repo_visibility",
        "text",
        _HUB,
    ),
    *_all("save_state_to_huggingface resume_from_huggingface async_upload", "flag", _HUB, False),
)
