"""What a finished file says about itself: kohya's `ss_*`, Stability's `modelspec.*`, and the profile it came from.

No path leaves the machine: folders and models are named by the last part of their path only.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

import sdtui
from sdtui.dataset.caption import tag_words
from sdtui.dataset.collect import Sample
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS

SPECIFICATION = "1.0.1"
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


def describe(profile: Profile, samples: Sequence[Sample], facts: TrainingFacts) -> dict[str, str]:
    """All metadata but the hashes, which the format adds; every value is text, as the header wants it."""
    entries = {
        **_run(profile, facts),
        **_network(profile),
        **_optimisation(profile, facts),
        **_objective(profile),
        **_dataset(profile, samples, facts),
    }
    ss = {f"ss_{key}": value if isinstance(value, str) else str(value) for key, value in entries.items()}
    own = {"sdtui.version": sdtui.__version__, "sdtui.profile": resolved(profile)}
    if profile.training.ema_decay:
        own["sdtui.ema_decay"] = str(profile.training.ema_decay)
    return {**ss, **_modelspec(profile, facts), **own}


def resolved(profile: Profile) -> str:
    """The profile as TOML with every default written out and each path cut to its last part."""
    return tomli_w.dumps(_without_folders(profile.model_dump(by_alias=True, exclude_none=True), ""))


def _run(profile: Profile, facts: TrainingFacts) -> dict[str, Any]:
    return {
        "session_id": zlib.crc32(f"{profile.name} {facts.started_at}".encode()),
        "training_started_at": facts.started_at,
        "training_finished_at": facts.saved_at,
        "output_name": _title(profile),
        "sd_model_name": facts.model_name,
        **({"vae_name": Path(profile.model.vae).name} if profile.model.vae else {}),
        "base_model_version": facts.kohya_base,
        "v2": False,
        "seed": profile.training.seed,
        "steps": facts.step,
        "epoch": facts.epoch,
    }


def _network(profile: Profile) -> dict[str, Any]:
    method = profile.method
    arguments = {"targets": list(method.targets), "text_encoder": method.text_encoder}
    return {
        "network_module": "networks.lora",
        "network_dim": method.rank,
        "network_alpha": method.alpha,
        "network_dropout": method.dropout or None,
        "network_args": _json(arguments),
    }


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


def _dataset(profile: Profile, samples: Sequence[Sample], facts: TrainingFacts) -> dict[str, Any]:
    dataset, training = profile.dataset, profile.training
    return {
        "num_train_images": sum(sample.repeats for sample in samples),
        "num_reg_images": 0,
        "num_batches_per_epoch": facts.batches_per_epoch,
        "batch_size_per_device": training.batch_size,
        "total_batch_size": training.batch_size * training.accumulation,
        "resolution": f"({dataset.resolution}, {dataset.resolution})",
        "enable_bucket": True,
        "bucket_no_upscale": False,
        "min_bucket_reso": dataset.bucket_min,
        "max_bucket_reso": dataset.bucket_max,
        "color_aug": False,
        "flip_aug": False,
        "random_crop": False,
        "shuffle_caption": profile.captions.shuffle,
        "keep_tokens": profile.captions.keep_tokens,
        "dataset_dirs": _json(_folders(samples)),
        "reg_dataset_dirs": _json({}),
        "tag_frequency": _json(_tags(samples)),
        "bucket_info": _json(_buckets(samples)),
    }


def _folders(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Folder name → repeats and images; folders of one name in different places are told as one."""
    found: dict[str, dict[str, int]] = {}
    for sample in samples:
        entry = found.setdefault(Path(sample.folder).name, {"n_repeats": sample.repeats, "img_count": 0})
        entry["img_count"] += 1
    return found


def _tags(samples: Sequence[Sample]) -> dict[str, Counter[str]]:
    """Folder name → tag → how many images have it, the commonest only; repeats do not count."""
    found: dict[str, Counter[str]] = {}
    for sample in samples:
        tags = {tag.lower() for tag in tag_words(sample.caption)}
        found.setdefault(Path(sample.folder).name, Counter()).update(sorted(tags))
    return {
        name: tags if len(tags) <= _TAGS_TOLD else Counter(dict(tags.most_common(_TAGS_TOLD)))
        for name, tags in found.items()
    }


def _buckets(samples: Sequence[Sample]) -> dict[str, Any]:
    """Each bucket's size and images (with repeats), and how far the images' shapes are from their buckets'."""
    counts: Counter[tuple[int, int]] = Counter()
    errors = []
    for sample in samples:
        width, height = sample.bucket
        counts[width, height] += sample.repeats
        errors.append(abs(width / height - sample.facts.width / sample.facts.height))
    buckets = {i: {"resolution": list(size), "count": counts[size]} for i, size in enumerate(sorted(counts))}
    return {"buckets": buckets, "mean_img_ar_error": sum(errors) / max(len(errors), 1)}


def _modelspec(profile: Profile, facts: TrainingFacts) -> dict[str, str]:
    """The entries of Stability's model metadata standard that are known here."""
    resolution = profile.dataset.resolution
    entries = {
        "sai_model_spec": SPECIFICATION,
        "architecture": f"{facts.architecture}/{profile.method.kind}",
        "implementation": "diffusers",
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
