"""What a finished file says about itself: kohya's `ss_*`, Stability's `modelspec.*`, and the profile it came from.

No path leaves the machine: folders and models are named by the last part of their path only.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

import sdtui
from sdtui.dataset.caption import tag_words
from sdtui.dataset.collect import Sample
from sdtui.dataset.survey import epoch_buckets
from sdtui.profile.folder_rules import augment_of, is_coloured
from sdtui.profile.launch_rules import world_size
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.schema import Method, Profile
from sdtui.profile.settings import SETTINGS

SPECIFICATION = "1.0.1"
_STABILITY = "https://github.com/Stability-AI/generative-models"
_XL = "stable-diffusion-xl"
# Every sentence of a prose caption is a "tag" of its own, and readers refuse a header above 100 MB.
_TAGS_TOLD = 10_000
PATH_KEYS = frozenset(setting.key for setting in SETTINGS if setting.path)


@dataclass(frozen=True)
class TrainingFacts:
    """What the run knows and the profile does not say.

    Attributes:
        model_name: the base model's folder name.
        kohya_base: `ss_base_model_version`, such as "sd_v1".
        architecture: as modelspec names it, such as "stable-diffusion-v1".
        prediction_type: "epsilon" or "v_prediction".
        step, epoch: how far the file's weights are; epochs count from 1.
        steps_total, epochs_total: how far the run is to go.
        batches_per_epoch: batches, not optimizer steps.
        started_at, saved_at: unix seconds.
    """

    model_name: str
    kohya_base: str
    architecture: str
    prediction_type: str
    step: int
    steps_total: int
    epoch: int
    epochs_total: int
    batches_per_epoch: int
    started_at: float
    saved_at: float


def describe(profile: Profile, dataset: Mapping[str, Any], facts: TrainingFacts) -> dict[str, str]:
    """All metadata but the hashes, which the format adds; every value is text, as the header wants it.

    Args:
        profile: what was asked for.
        dataset: of `describe_dataset`, the same for all files of a run.
        facts: what only the run knows.
    """
    entries = {
        **_run(profile, facts),
        **_network(profile),
        **_optimisation(profile, facts),
        **_objective(profile),
        "num_batches_per_epoch": facts.batches_per_epoch,
        **dataset,
    }
    ss = {f"ss_{key}": value if isinstance(value, str) else str(value) for key, value in entries.items()}
    own = {"sdtui.version": sdtui.__version__, "sdtui.profile": resolved(profile)}
    if profile.training.ema_decay:
        own["sdtui.ema_decay"] = str(profile.training.ema_decay)
    return {**ss, **_modelspec(profile, facts), **own}


def describe_dataset(profile: Profile, samples: Sequence[Sample]) -> dict[str, Any]:
    """What `describe` says of the samples, those that are trained and those that are held out to be measured.

    Apart from it, as every caption is read for it: seconds with 100 000 of them, and no checkpoint should wait for that.
    """
    dataset, training = profile.dataset, profile.training
    taught = [sample for sample in samples if sample.role == "train"]
    kept = [sample for sample in samples if sample.role == "regularization"]
    augments = [augment_of(profile, row) for row in range(len(dataset.folders))]
    return {
        "num_train_images": sum(sample.repeats for sample in taught),
        "num_validation_images": len(samples) - len(taught) - len(kept),
        "num_reg_images": sum(sample.repeats for sample in kept),
        "batch_size_per_device": training.batch_size,
        "total_batch_size": training.batch_size * training.accumulation * world_size(profile),
        "resolution": f"({dataset.resolution}, {dataset.resolution})",
        "enable_bucket": dataset.buckets != "none",
        "bucket_no_upscale": not dataset.bucket_upscale,
        "min_bucket_reso": dataset.bucket_min,
        "max_bucket_reso": dataset.bucket_max,
        "color_aug": any(map(is_coloured, augments)),
        "flip_aug": any(each.flip for each in augments),
        "random_crop": any(each.crop == "random" for each in augments),
        "shuffle_caption": profile.captions.shuffle,
        "keep_tokens": profile.captions.keep_tokens,
        "dataset_dirs": _json(_folders(taught)),
        "reg_dataset_dirs": _json(_folders(kept)),
        "tag_frequency": _json(_tags([*taught, *kept])),
        "bucket_info": _json(_buckets(taught, kept)),
        "prior_loss_weight": profile.prior.weight,
        "validation_split": profile.validation.share,
        "validation_seed": profile.validation.seed,
    }


def resolved(profile: Profile) -> str:
    """The profile as TOML with every default written out, each path cut to its last part, and no machine named."""
    data = _without_folders(profile.model_dump(by_alias=True, exclude_none=True), "")
    return tomli_w.dumps({**data, "launch": {**data["launch"], "main_address": ""}})


def _run(profile: Profile, facts: TrainingFacts) -> dict[str, Any]:
    return {
        "session_id": zlib.crc32(f"{profile.name} {facts.started_at}".encode()),
        "training_started_at": facts.started_at,
        "training_finished_at": facts.saved_at,
        "output_name": _title(profile),
        "sd_model_name": facts.model_name,
        **({"vae_name": Path(profile.model.vae).name} if profile.model.vae else {}),
        "base_model_version": facts.kohya_base,
        "v2": facts.kohya_base.startswith("sd_v2"),
        "seed": profile.training.seed,
        "steps": facts.step,
        "epoch": facts.epoch,
    }


def _network(profile: Profile) -> dict[str, Any]:
    """What kohya calls the network beside the model; nothing where the model itself learned."""
    method = profile.method
    if method.kind != "lora":
        return {}
    own = {"targets": list(method.targets), "text_encoder": method.text_encoder}
    return {
        "network_module": "lycoris.kohya" if _is_lycoris(method) else "networks.lora",
        "network_dim": method.rank,
        "network_alpha": method.alpha,
        "network_dropout": method.dropout or None,
        "network_args": _json(own | {name: str(value) for name, value in _network_arguments(method).items()}),
        "scale_weight_norms": method.scale_weight_norms or None,
    }


def _is_lycoris(method: Method) -> bool:
    """Whether kohya's own LoRA has no name for what the file holds."""
    own = method.algorithm == "lora" and "edges" not in method.targets
    return not own or method.weight_decompose or method.norms or method.rs_lora


def _network_arguments(method: Method) -> dict[str, Any]:
    """What differs from the default, by the names of kohya's and LyCORIS' --network_args."""
    lycoris = {
        "algo": {"lora": "locon", "oft": "diag-oft"}.get(method.algorithm, method.algorithm),
        "factor": (method.factor or -1) if method.algorithm == "lokr" else None,
        "decompose_both": method.decompose_both,
        "full_matrix": method.full_matrix,
        "dora_wd": method.weight_decompose,
        "wd_on_output": "False" if method.decompose_inputs else None,
        "rs_lora": method.rs_lora,
        "train_norm": method.norms,
    }
    convolutions = "convolution" in method.targets
    common = {
        "conv_dim": (method.conv_rank or method.rank) if convolutions else None,
        "conv_alpha": (method.conv_alpha or method.alpha) if convolutions else None,
        "rank_dropout": method.rank_dropout,
        "module_dropout": method.module_dropout,
    }
    told = {**(lycoris if _is_lycoris(method) else {}), **common}
    return {name: value for name, value in told.items() if value}


def _optimisation(profile: Profile, facts: TrainingFacts) -> dict[str, Any]:
    training, optimizer = profile.training, profile.optimizer
    rate = optimizer.learning_rate
    text_rate = (optimizer.text_encoder_learning_rate or rate) if profile.method.text_encoder else None
    return {
        "learning_rate": rate,
        "unet_lr": rate,
        "text_encoder_lr": text_rate,
        "optimizer": _optimizer(profile),
        "lr_scheduler": profile.schedule.name,
        "lr_scheduler_rates": profile.schedule.rates or None,
        "lr_warmup_steps": _warmup_steps(profile, facts),
        "max_grad_norm": training.clip_norm,
        "max_train_steps": facts.steps_total,
        "num_epochs": facts.epochs_total,
        "gradient_accumulation_steps": training.accumulation,
        "gradient_checkpointing": training.gradient_checkpointing,
        "mixed_precision": {"fp32": "no"}.get(training.precision, training.precision),
        "full_fp16": False,
        "lowram": False,
    }


def _optimizer(profile: Profile) -> str:
    """The class with the arguments that the profile gives, as kohya writes them."""
    optimizer = profile.optimizer
    kind = OPTIMIZERS.get(optimizer.name)
    common = {name: getattr(optimizer, name) for name in ("weight_decay", "betas", "eps")}
    given = {name: value for name, value in common.items() if value is not None} | optimizer.args
    return f"{kind.path if kind else optimizer.name}({','.join(f'{name}={value}' for name, value in given.items())})"


def _objective(profile: Profile) -> dict[str, Any]:
    objective, captions = profile.objective, profile.captions
    robust = objective.loss in {"huber", "smooth_l1"}
    return {
        "zero_terminal_snr": objective.zero_terminal_snr,
        "noise_offset": objective.noise_offset or None,
        "adaptive_noise_scale": objective.noise_offset_adaptive or None,
        "noise_offset_random_strength": objective.noise_offset_random,
        "multires_noise_iterations": objective.multires_iterations or None,
        "multires_noise_discount": objective.multires_discount if objective.multires_iterations else None,
        "ip_noise_gamma": objective.input_perturbation or None,
        "ip_noise_gamma_random_strength": objective.input_perturbation_random,
        "min_snr_gamma": objective.min_snr_gamma or None,
        "debiased_estimation": objective.debiased,
        "loss_type": objective.loss,
        "huber_schedule": objective.huber_schedule if robust else None,
        "huber_c": objective.huber_c if robust else None,
        "huber_scale": objective.huber_scale if robust else None,
        "clip_skip": captions.clip_skip if captions.clip_skip > 1 else None,
        "max_token_length": captions.max_tokens,
        "caption_dropout_rate": captions.dropout,
        "caption_dropout_every_n_epochs": captions.dropout_every,
        "caption_tag_dropout_rate": captions.tag_dropout,
        "cache_latents": True,
    }


def _folders(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Folder name → repeats and images; folders of one name in different places are told as one."""
    found: dict[str, dict[str, int]] = {}
    for sample in _files(samples):
        entry = found.setdefault(Path(sample.folder).name, {"n_repeats": sample.repeats, "img_count": 0})
        entry["img_count"] += 1
    return found


def _tags(samples: Sequence[Sample]) -> dict[str, Counter[str]]:
    """Folder name → tag → how many images have it, the commonest only; repeats do not count."""
    found: dict[str, Counter[str]] = {}
    for sample in _files(samples):
        tags = {tag.lower() for tag in tag_words(sample.caption)}
        found.setdefault(Path(sample.folder).name, Counter()).update(sorted(tags))
    return {
        name: tags if len(tags) <= _TAGS_TOLD else Counter(dict(tags.most_common(_TAGS_TOLD)))
        for name, tags in found.items()
    }


def _files(samples: Sequence[Sample]) -> list[Sample]:
    """One sample of each image, which may be trained at several resolutions."""
    return list({(sample.row, sample.path): sample for sample in samples}.values())


def _buckets(taught: Sequence[Sample], kept: Sequence[Sample]) -> dict[str, Any]:
    """Each bucket's size and images of an epoch, and how far the images' shapes are from their buckets'."""
    counts = epoch_buckets(taught, kept)
    errors = [
        abs(sample.bucket.width / sample.bucket.height - sample.facts.width / sample.facts.height)
        for sample in (*taught, *kept)
    ]
    buckets = {i: {"resolution": list(size), "count": counts[size]} for i, size in enumerate(sorted(counts))}
    return {"buckets": buckets, "mean_img_ar_error": sum(errors) / max(len(errors), 1)}


def _modelspec(profile: Profile, facts: TrainingFacts) -> dict[str, str]:
    """The entries of Stability's model metadata standard that are known here."""
    resolution, whole = profile.dataset.resolution, profile.method.kind == "full"
    entries = {
        "sai_model_spec": SPECIFICATION,
        "architecture": facts.architecture if whole else f"{facts.architecture}/{profile.method.kind}",
        # Whose names the keys follow: a whole model's are Stability's, and kohya's layout takes those for XL.
        "implementation": _STABILITY if whole or facts.architecture.startswith(_XL) else "diffusers",
        "implementation_version": f"sdtui/{sdtui.__version__}",
        "title": _title(profile),
        "date": datetime.fromtimestamp(int(facts.saved_at), UTC).isoformat(),
        "resolution": f"{resolution}x{resolution}",
        "prediction_type": "v" if facts.prediction_type == "v_prediction" else facts.prediction_type,
        "timestep_range": f"{profile.objective.timestep_min},{profile.objective.timestep_max}",
        "encoder_layer": str(profile.captions.clip_skip),
    }
    if profile.saving.trigger:
        entries["trigger_phrase"] = profile.saving.trigger
    return {f"modelspec.{key}": value for key, value in entries.items()}


def _warmup_steps(profile: Profile, facts: TrainingFacts) -> int:
    warmup = profile.schedule.warmup
    return warmup if isinstance(warmup, int) else round(warmup * facts.steps_total)


def _title(profile: Profile) -> str:
    return profile.saving.name or profile.name


def _without_folders(node: Any, key: str) -> Any:
    if isinstance(node, dict):
        return {name: _without_folders(value, f"{key}.{name}".lstrip(".")) for name, value in node.items()}
    if isinstance(node, list | tuple):
        return [_without_folders(value, f"{key}[]") for value in node]
    return Path(node).name if key in PATH_KEYS else node


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
