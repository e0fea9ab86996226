"""What train_db.py, fine_tune.py and sdxl_train.py train: the whole model, and its text encoder for as long as they say."""

from __future__ import annotations

from sdtui.profile.kohya.draft import Draft

# Options of a network beside the model; a file with none of them, and no network_module, is for the whole model.
_OF_NETWORKS = (
    "network_dim", "network_alpha", "network_args", "network_weights", "network_dropout", "unet_lr", "text_encoder_lr",
    "network_train_unet_only", "network_train_text_encoder_only", "lora_network_weights", "scale_weight_norms", "fp8_base",
)  # fmt: skip
_RATES = ("learning_rate_te", "learning_rate_te1")
_KEPT = ("method.kind", "method.text_encoder")


def is_whole(draft: Draft) -> bool:
    """Whether the file is for one of these scripts."""
    source = draft.source
    return not source.value("network_module") and not any(source.given(name) for name in _OF_NETWORKS)


def take(draft: Draft) -> None:
    """The whole model learns, and the text encoder as its script has it; what is for adapters is left out."""
    for key in [key for key in draft.made if key.startswith("method.") and key not in _KEPT]:
        del draft.made[key]
    for key in ("optimizer.lora_plus_ratio", "training.base_precision"):
        draft.made.pop(key, None)
    draft.put("method.kind", "full", note="no network_module")
    learns = _text_encoder_learns(draft)
    draft.put("method.text_encoder", learns, "train_text_encoder", *_STOPS)
    draft.put("training.fused_backward", bool(draft.source.value("fused_backward_pass")), "fused_backward_pass")
    if learns:
        _rate(draft)
        _stop(draft)
    else:
        draft.made.pop("optimizer.text_encoder_learning_rate", None)
    if str(draft.source.value("save_model_as") or "").startswith("diffusers"):
        draft.put("saving.formats", ["folder"], "save_model_as")


_STOPS = ("stop_text_encoder_training", "stop_text_encoder_training_pct")


def _text_encoder_learns(draft: Draft) -> bool:
    """fine_tune.py and sdxl_train.py train it where they are told to, train_db.py unless it stops before the first step."""
    source = draft.source
    if source.given("train_text_encoder"):
        return bool(source.value("train_text_encoder"))
    if source.is_xl or source.given("in_json"):
        return False
    return not any((source.value(name) or 0) < 0 for name in _STOPS)


def _rate(draft: Draft) -> None:
    """Its rate, where that is another than the UNet's; Stable Diffusion XL's second encoder has the first one's."""
    source = draft.source
    rate = next((source.value(name) for name in _RATES if source.value(name)), None)
    if rate is not None:
        draft.put("optimizer.text_encoder_learning_rate", float(rate), *_RATES)
    second = source.value("learning_rate_te2")
    if second is not None and float(second) != float(rate or source.value("learning_rate")):
        draft.warnings.append("learning_rate_te2: both text encoders learn at the rate of the first")
    draft.used.add("learning_rate_te2")


def _stop(draft: Draft) -> None:
    """After so many steps; in kohya_ss's form after so many per cent of the run."""
    for name in _STOPS:
        stop = draft.source.value(name) or 0
        if stop <= 0:
            continue
        if draft.source.kind == "form" or name.endswith("_pct"):
            if stop < 100:
                draft.put("optimizer.stops", {"text_encoder": stop / 100}, name)
        else:
            draft.put("optimizer.stops", {"text_encoder": int(stop)}, name)
