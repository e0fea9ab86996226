"""What train_db.py and sdxl_train.py take for a whole model, and train_textual_inversion.py for a word.

Which of the first two is for the base model's family to say, which a profile does not know; each passes over what only the
other has, so both find theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdtui.profile.kohya.lacking import LACKING
from sdtui.profile.schema import Profile

if TYPE_CHECKING:
    from sdtui.profile.kohya.giving import Files

# What only a network has, of the options that one setting each becomes.
_OF_NETWORKS = ("network_dim", "network_alpha", "network_dropout", "fp8_base", "scale_weight_norms")
_WITHOUT_STOP = "train_textual_inversion.py trains its word to the end"
_TEMPLATES = {"subject": "use_object_template", "style": "use_style_template"}


def give_model(profile: Profile, files: Files) -> None:
    """The whole model, its text encoder for as long as the profile says."""
    method = profile.method
    files.script = "train_db.py"
    files.said |= {"optimizer.stops", "training.fused_backward", "saving.formats"}
    _drop(files)
    for name, patterns in (("include", method.include), ("exclude", method.exclude)):
        if patterns:
            files.lack(f"method.{name}", list(patterns), "kohya trains all of the model's layers")
    _words_beside(profile, files)
    _text_encoder(profile, files)
    files.option("fused_backward_pass", profile.training.fused_backward)
    if profile.optimizer.block_rates:
        files.lack("optimizer.block_rates", profile.optimizer.block_rates, "train_db.py has one rate for the UNet")
    layouts = profile.saving.formats or ("single-file",)
    files.config["save_model_as"] = "safetensors" if "single-file" in layouts else "diffusers_safetensors"
    if len(layouts) > 1:
        files.lack("saving.formats", list(layouts), "kohya writes one of them")


def give_word(profile: Profile, files: Files) -> None:
    """The first word; the script has no others."""
    files.script = "train_textual_inversion.py"
    files.said |= {"captions.template", "saving.word_formats"}
    _drop(files)
    files.config.pop("save_precision", None)
    word, *more = profile.method.words
    for number, other in enumerate(more, 1):
        files.lack(f"method.words[{number}].name", other.name, "train_textual_inversion.py trains one word")
    files.config["token_string"] = word.name
    files.option("num_vectors_per_token", word.vectors)
    files.option("init_word", word.init or None)
    files.option("weights", word.continue_from or None)
    if word.learning_rate:
        files.config["learning_rate"] = word.learning_rate
    files.config["optimizer_args"] = [f"weight_decay={word.weight_decay}", *_args(files)]
    for name, value, reason in (
        ("norm", word.norm, "kohya has no limit on lengths"),
        ("stop", word.stop, _WITHOUT_STOP),
    ):
        if value:
            files.lack(f"method.words[0].{name}", value, reason)
    _template(profile, files)
    layouts = profile.saving.word_formats or ("kohya",)
    files.config["save_model_as"] = "safetensors" if "kohya" in layouts else "pt"
    if len(layouts) > 1 or not {"kohya", "webui"} & set(layouts):
        files.lack("saving.word_formats", list(layouts), f"kohya writes {files.config['save_model_as']} only")


def _drop(files: Files) -> None:
    """The options of networks that the codecs have set, and what says which of two parts a network is for."""
    for name in (*_OF_NETWORKS, "network_train_unet_only", "text_encoder_lr"):
        files.config.pop(name, None)


def _args(files: Files) -> list[str]:
    return [each for each in files.config.get("optimizer_args", []) if not each.startswith("weight_decay=")]


def _words_beside(profile: Profile, files: Files) -> None:
    for index, word in enumerate(profile.method.words):
        files.lack(f"method.words[{index}].name", word.name, LACKING["method.words[].name"])


def _text_encoder(profile: Profile, files: Files) -> None:
    """train_db.py trains it unless it stops before the first step, sdxl_train.py where it is told to."""
    stops, rate = dict(profile.optimizer.stops), profile.optimizer.text_encoder_learning_rate
    if profile.method.text_encoder:
        files.config["train_text_encoder"] = True
        if rate:
            files.config |= dict.fromkeys(("learning_rate_te", "learning_rate_te1", "learning_rate_te2"), rate)
        stop = stops.get("text_encoder")
        if isinstance(stop, float) and profile.training.steps:
            stop = round(stop * profile.training.steps)
        if isinstance(stop, int):
            files.config["stop_text_encoder_training"] = stop
            del stops["text_encoder"]
    else:
        files.config["stop_text_encoder_training"] = -1
    if stops:
        files.lack("optimizer.stops", stops, "train_db.py has steps for the text encoder, and no others")


def _template(profile: Profile, files: Files) -> None:
    template = profile.captions.template
    if template in _TEMPLATES:
        files.config[_TEMPLATES[template]] = True
    elif template:
        files.lack("captions.template", template, "kohya's templates hold no captions")
