"""A kohya file to the settings of a profile: what goes by the table, and the options that only together mean something."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sdtui.profile.kohya import folders, learning, network, whole, words
from sdtui.profile.kohya.draft import Draft, Mapped
from sdtui.profile.kohya.options import OPTIONS
from sdtui.profile.kohya.prompts import read_prompts
from sdtui.profile.kohya.source import Source
from sdtui.profile.samplers import sampler_called
from sdtui.profile.validate import examine

# Those that are not here, and the nearest that are.
_NEAREST = {"dpmsolver": "dpmsolver++", "lms": "euler", "k_lms": "euler"}
_KEEP_ALL = 10_000


def take(source: Source, folder: Path) -> Draft:
    """Everything of `source` that a profile in `folder` can say."""
    draft = Draft(source, folder, warnings=list(source.warnings))
    if source.kind != "dataset":
        _model(draft)
        _one_to_one(draft)
        _prediction(draft)
        learning.take(draft)
        if words.is_word(draft):
            words.take(draft)
        elif whole.is_whole(draft):
            whole.take(draft)
        else:
            network.take(draft)
        _length(draft)
        _previews(draft)
        _saving(draft)
    folders.take(draft)
    draft.leave_rest()
    return draft


def drop_not_allowed(draft: Draft, text: str) -> bool:
    """Take out what the settings do not allow (a rank of 100 000), as `text` holds it; whether there was any."""
    findings = [finding for finding in examine(tomllib.loads(text)).findings if finding.key in draft.made]
    for finding in findings:
        meant = f". {finding.remedy}" if finding.remedy else ""
        draft.warnings.append(f"{finding.message}, allowed is {finding.allowed}: it is left out{meant}")
        del draft.made[finding.key]
    return bool(findings)


def _one_to_one(draft: Draft) -> None:
    """The options that are one setting each; those that subsets have, too, are `folders`' business."""
    for option in OPTIONS.values():
        key = option.keys[0] if option.keys else ""
        if option.codec is not None and not key.startswith(("dataset.", "captions.", "augment.")):
            draft.put(key, option.codec.read(draft.source.value(option.name)), option.name)
    if draft.source.is_xl:
        draft.leave("clip_skip", "kohya passes over it for Stable Diffusion XL")
    for name in ("weighted_captions", "max_token_length", *([] if draft.source.is_xl else ["clip_skip"])):
        option = OPTIONS[name]
        assert option.codec is not None
        draft.put(option.keys[0], option.codec.read(draft.source.value(name)), name)


def _model(draft: Draft) -> None:
    base = draft.source.value("pretrained_model_name_or_path")
    if base:
        draft.put("model.base", draft.place(base, "model.base"), "pretrained_model_name_or_path")


def _prediction(draft: Draft) -> None:
    vae = draft.source.value("vae")
    draft.put("model.vae", draft.place(vae, "model.vae") if vae else "", "vae")
    predicts_velocity, zero_snr = draft.source.value("v_parameterization"), draft.source.value("zero_terminal_snr")
    prediction = "v_prediction" if predicts_velocity else "auto" if zero_snr else "epsilon"
    draft.put("objective.prediction", prediction, "v_parameterization")
    chosen = draft.source.given("noise_offset_type")
    if chosen is not None:
        key = "objective.multires_iterations" if chosen.value == "Multires" else "objective.noise_offset"
        draft.mapped.append(Mapped(chosen.name, chosen.written, key, draft.made[key].value))
        draft.used.add("noise_offset_type")


def _length(draft: Draft) -> None:
    epochs = draft.source.value("max_train_epochs")
    if epochs:
        draft.put("training.epochs", epochs, "max_train_epochs")
    else:
        draft.put("training.steps", draft.source.value("max_train_steps"), "max_train_steps")
    if draft.source.value("seed") is not None and not 0 <= draft.source.value("seed") < 2**32:
        draft.put("training.seed", draft.source.value("seed") % 2**32, "seed", note="modulo 2³²")


def _previews(draft: Draft) -> None:
    source = draft.source
    every_epochs = source.value("sample_every_n_epochs")
    if every_epochs:
        # kohya looks at the epochs only, then.
        del draft.made["previews.every"]
    sampler = source.value("sample_sampler")
    known = sampler_called(sampler) or _NEAREST.get(sampler, sampler)
    draft.put("previews.sampler", known, "sample_sampler")
    if sampler in _NEAREST:
        draft.warnings.append(f"there is no sampler {sampler}: previews are drawn with {known}")
    given = source.given("sample_prompts")
    if given is None or not given.value:
        if not source.value("sample_at_first"):
            draft.made.pop("previews.at_start")
        return
    lines = given.value.splitlines() if source.kind == "form" else None
    prompts, trouble = read_prompts(source.path.parent, given.value, lines)
    draft.warnings += trouble
    draft.put("previews.prompts", prompts, "sample_prompts")


def _saving(draft: Draft) -> None:
    """How often, and how many are kept: kohya keeps all unless told."""
    source = draft.source
    epochs, ratio = source.value("max_train_epochs"), source.value("save_n_epoch_ratio")
    if ratio and epochs:
        draft.put("saving.every_epochs", max(epochs // ratio, 1), "save_n_epoch_ratio")
    every_steps, every_epochs = draft.made["saving.every_steps"].value, draft.made["saving.every_epochs"].value
    last_epochs, last_steps = source.value("save_last_n_epochs"), source.value("save_last_n_steps")
    if every_epochs and last_epochs is not None:
        draft.put("saving.keep_last", last_epochs, "save_last_n_epochs")
    elif every_steps and last_steps is not None:
        draft.put("saving.keep_last", last_steps // every_steps + 1, "save_last_n_steps")
    elif every_epochs or every_steps:
        draft.put("saving.keep_last", _KEEP_ALL, note="kohya keeps every file")
