"""What train_textual_inversion.py trains: one word, that captions or its templates hold."""

from __future__ import annotations

import re

from sdtui.profile.kohya.draft import Draft

# Options that no other script has.
_OWN = ("token_string", "init_word", "num_vectors_per_token", "use_object_template", "use_style_template")
_WORD = "method.words[0]"
_UNNAMED = "my-word"
# What torch and bitsandbytes take for AdamW; kohya lets it pull at the vectors of the word, and restores all others.
_DECAY = dict.fromkeys(("adamw", "adamw8bit", "paged-adamw8bit"), 0.01)


def is_word(draft: Draft) -> bool:
    """Whether the file is for that script; forms of others may name its options without a value."""
    source = draft.source
    return not source.value("network_module") and any(given.value for given in map(source.given, _OWN) if given)


def take(draft: Draft) -> None:
    """The word, its start and its templates; what is for adapters and text encoders is left out."""
    for key in [key for key in draft.made if key.startswith("method.")]:
        del draft.made[key]
    for key in ("optimizer.lora_plus_ratio", "optimizer.text_encoder_learning_rate", "training.base_precision"):
        draft.made.pop(key, None)
    draft.made.pop("saving.precision", None)
    draft.leave("save_precision", "words are written in fp32: they are a few kilobytes")
    draft.put("method.kind", "textual-inversion", "token_string")
    _word(draft)
    _template(draft)
    _formats(draft)


def _word(draft: Draft) -> None:
    source = draft.source
    written = source.value("token_string") or ""
    name = re.sub(r"[^A-Za-z0-9._-]", "", written).lstrip("._-")[:64]
    draft.put(f"{_WORD}.name", name or _UNNAMED, "token_string", note="" if name else "fill in")
    if name and name != written:
        draft.warnings.append(f'the word "{written}" is called "{name}" here: write that in captions and prompts')
    draft.put(f"{_WORD}.vectors", source.value("num_vectors_per_token") or 1, "num_vectors_per_token")
    if source.value("init_word"):
        draft.put(f"{_WORD}.init", source.value("init_word"), "init_word")
    if source.value("weights"):
        key = f"{_WORD}.continue_from"
        draft.put(key, draft.place(source.value("weights"), key), "weights")
    decay = draft.made.pop("optimizer.weight_decay", None)
    usual = _DECAY.get(draft.made["optimizer.name"].value, 0.0)
    value = usual if decay is None or decay.value is None else decay.value
    draft.put(f"{_WORD}.weight_decay", value, "optimizer_args", note="the optimizer's own" if decay is None else "")


def _template(draft: Draft) -> None:
    """In kohya's order; without one, captions hold the word."""
    source = draft.source
    chosen = str(source.value("template") or "")
    if source.value("use_object_template") or chosen.startswith("object"):
        draft.put("captions.template", "subject", "use_object_template", "template")
    elif source.value("use_style_template") or chosen.startswith("style"):
        draft.put("captions.template", "style", "use_style_template", "template")
    draft.used |= {"use_object_template", "use_style_template", "template"}


def _formats(draft: Draft) -> None:
    """A `.pt` unless told otherwise; of Stable Diffusion XL there is none that web UIs read."""
    given = draft.source.given("save_model_as")
    plain = draft.source.is_xl or (given is not None and given.value == "safetensors")
    draft.put("saving.word_formats", ["kohya" if plain else "webui"], "save_model_as")
