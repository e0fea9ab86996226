"""A profile as the files of sd-scripts: what `taking` reads, the other way round, and what kohya cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from sdtui.profile.kohya import giving_images, giving_learning, giving_network, giving_whole
from sdtui.profile.kohya.lacking import LACKING
from sdtui.profile.kohya.options import GROUPS, OPTIONS
from sdtui.profile.kohya.prompts import kohya_line
from sdtui.profile.prompt_line import is_comment
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS

_KOHYA_SAMPLERS = ("ddim", "pndm", "euler", "euler_a", "heun", "dpm_2", "dpm_2_a", "dpmsingle", "dpmsolver++")
_PRECISIONS = ("fp16", "bf16")
_KEEP_ALL = 10_000
# Settings that have an option in some scripts only: what those say is in `Files.said`.
_BY_SCRIPT = {"captions.template", "optimizer.stops", "training.fused_backward"}
_COVERED = {key for option in OPTIONS.values() for key in option.keys} - _BY_SCRIPT
# Where the files are is another matter on each side; of the other, it is this program's default that kohya has not.
_APART = {"launch.runs", "captions.on_missing"}


class Lack(NamedTuple):
    """A setting that kohya cannot have as it is, its value, and why."""

    key: str
    value: Any
    reason: str


@dataclass
class Files:
    """What sd-scripts reads: the config, the dataset's tables (none where folders are laid out as kohya's), the prompts.

    `script` is the one to run, `xl` whether for Stable Diffusion XL, `said` what its options say of settings that other
    scripts have none for.
    """

    config: dict[str, Any] = field(default_factory=dict)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    lacking: list[Lack] = field(default_factory=list)
    script: str = "train_network.py"
    xl: bool = False
    said: set[str] = field(default_factory=set)

    def option(self, name: str, value: Any) -> None:
        """Set an option of the config, unless it is kohya's anyway."""
        if value is not None and value != OPTIONS[name].default:
            self.config[name] = value

    def lack(self, key: str, value: Any, reason: str) -> None:
        """Tell that `key` cannot be said."""
        self.lacking.append(Lack(key, value, reason))


def give(profile: Profile, folder: Path, *, xl: bool = False) -> Files:
    """The files for `profile`, whose paths are absolute; `folder` is where they will be.

    Args:
        profile: what is to be trained.
        folder: for the files' own paths.
        xl: whether its base model is of Stable Diffusion XL.
    """
    files = Files(xl=xl)
    _one_to_one(profile, files)
    giving_learning.give(profile, files)
    _GIVERS[profile.method.kind](profile, files)
    _length(profile, files)
    _saving(profile, files, folder)
    _previews(profile, files)
    giving_images.give(profile, files)
    if files.datasets:
        files.config["dataset_config"] = "dataset.toml"
    _lacking(profile, files)
    return files


_GIVERS = {
    "lora": giving_network.give,
    "full": giving_whole.give_model,
    "textual-inversion": giving_whole.give_word,
}


def config_text(files: Files) -> str:
    """config.toml: options by group, which is how sd-scripts ignores them."""
    tables = {}
    for title, options in GROUPS.items():
        mine = {option.name: files.config[option.name] for option in options if option.name in files.config}
        if mine:
            tables[title.lower().replace(" ", "_")] = mine
    return tomli_w.dumps(tables)


def dataset_text(files: Files) -> str:
    """dataset.toml."""
    return tomli_w.dumps({"datasets": files.datasets})


def _one_to_one(profile: Profile, files: Files) -> None:
    """The options that are one setting of all folders each; the prompts' options only beside prompts."""
    for option in OPTIONS.values():
        if option.codec is not None and not option.keys[0].startswith("dataset.folders"):
            value = value_at(profile, option.keys[0])
            if option.name != "sample_at_first" or profile.previews.prompts:
                files.option(option.name, option.codec.write(value))
    files.option("pretrained_model_name_or_path", profile.model.base)
    # A name that the codec does not know is not kohya's.
    if files.config.get("mixed_precision") not in (None, *_PRECISIONS):
        chosen = files.config.pop("mixed_precision")
        files.lack("training.precision", chosen, "kohya must be told: without mixed_precision it computes in fp32")
    prediction = profile.objective.prediction
    files.option("v_parameterization", prediction == "v_prediction")
    if prediction == "auto":
        files.lack("objective.prediction", "auto", "kohya must be told: add v_parameterization for a velocity model")


def value_at(profile: Profile, key: str) -> Any:
    """The value at a dotted key that is in no list."""
    value: Any = profile
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _length(profile: Profile, files: Files) -> None:
    if profile.training.epochs:
        files.option("max_train_epochs", profile.training.epochs)
    else:
        files.option("max_train_steps", profile.training.steps)
    # Without one, kohya draws another in every run.
    files.config["seed"] = profile.training.seed


def _saving(profile: Profile, files: Files, folder: Path) -> None:
    saving = profile.saving
    files.option("output_name", saving.name or profile.name)
    files.config["output_dir"] = str(folder / "output")
    if saving.keep_last == _KEEP_ALL:
        return
    if saving.every_epochs:
        files.option("save_last_n_epochs", saving.keep_last)
    if saving.every_steps:
        files.option("save_last_n_steps", (saving.keep_last - 1) * saving.every_steps)


def _previews(profile: Profile, files: Files) -> None:
    previews = profile.previews
    if previews.sampler in _KOHYA_SAMPLERS:
        files.option("sample_sampler", previews.sampler)
    else:
        files.lack("previews.sampler", previews.sampler, "kohya has no such sampler; ddim draws in its place")
    if previews.every and previews.every_epochs:
        del files.config["sample_every_n_steps"]
        files.lack("previews.every", previews.every, "kohya samples by epochs or by steps, not by both")
    lines = [line for line in previews.prompts if not is_comment(line)]
    files.prompts = [kohya_line(line, profile.dataset.resolution // 8 * 8) for line in lines]
    if files.prompts:
        files.config["sample_prompts"] = "sample_prompts.txt"


def _lacking(profile: Profile, files: Files) -> None:
    """What is set and kohya has no option for; and what kohya does otherwise though it is this program's default."""
    told = {lack.key for lack in files.lacking} | files.said | _APART
    for setting in SETTINGS:
        if "[]" not in setting.key and setting.section and setting.key not in told | _COVERED:
            value = value_at(profile, setting.key)
            if value != setting.default:
                files.lack(setting.key, value, LACKING.get(setting.key, "kohya has no such option"))
    if profile.captions.on_missing == "stop":
        files.lack("captions.on_missing", "stop", LACKING["captions.on_missing"])
