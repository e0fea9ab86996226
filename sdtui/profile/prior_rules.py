"""Settings of masks and of what the model shall keep that do nothing or lack something; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdtui.profile.no_effect import changed, idle
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile

_NO_REGULARIZATION = "no folder has regularization = true"
_NO_MASKS = "no folder has masks or alpha_mask"


def regularization(profile: Profile) -> Iterator[Finding]:
    """What shapes the loss of regularisation images needs some, and images that weigh nothing teach nothing."""
    prior = profile.prior
    if any(folder.regularization for folder in profile.dataset.folders):
        if not prior.weight:
            yield idle("prior.weight", "regularisation images take time and teach nothing", "Give it a weight above 0")
        return
    for name in changed(prior, "weight", "target"):
        yield idle(f"prior.{name}", _NO_REGULARIZATION, "Mark a folder of them, or leave it out")


def class_images(profile: Profile) -> Iterator[Finding]:
    """Images that the base model is to draw show what to keep, and need a prompt and a folder that is not kohya's."""
    rows = [(f"dataset.folders[{at}]", folder) for at, folder in enumerate(profile.dataset.folders) if folder.generate]
    for key, folder in rows:
        asked = f"{key}.generate = {folder.generate}"
        if not folder.regularization:
            message = f"{asked} draws images of what the model already knows, and the folder's images are to be learned"
            yield Finding("contradiction", f"{key}.generate", message, "Set regularization = true for this folder")
        if not folder.class_tokens.strip():
            message = f"{asked}, and the folder has no class_tokens to draw them by"
            yield Finding(
                "missing", f"{key}.class_tokens", message, 'Add class_tokens = "a photo of a dog"', at=f"{key}.generate"
            )
        if folder.layout == "kohya":
            message = f'{asked} does not go with layout = "kohya": they are drawn into a folder beside the images'
            yield Finding("contradiction", f"{key}.layout", message, "Leave layout out", '"flat" or "auto"')
    names = changed(profile.prior, "generate_negative", "generate_steps", "generate_guidance", "generate_sampler")
    for name in names if not rows else ():
        yield idle(f"prior.{name}", "no folder has generate above 0", "Give a folder generate = 200, or leave it out")
    if rows and "generate_negative" in names and profile.prior.generate_guidance == 1:
        yield idle("prior.generate_negative", "prior.generate_guidance is 1", "Leave one of the two out")


def prefixed_class(profile: Profile) -> Iterator[Finding]:
    """A trigger before the captions of the class ties the class to it, which it is there to prevent."""
    for at, folder in enumerate(profile.dataset.folders):
        for name in ("prefix", "suffix"):
            words = getattr(profile.captions, name)
            if folder.regularization and words and getattr(folder, f"caption_{name}") is None:
                key = f"dataset.folders[{at}].caption_{name}"
                message = (
                    f'captions.{name} = "{words}" stands in the captions of this folder of regularisation images, too'
                )
                remedy = f'Set caption_{name} = "" for this folder if it is the trigger'
                yield Finding("prefixed-class", key, message, remedy, severity="warning", at=f"dataset.folders[{at}]")


def class_caption(profile: Profile) -> Iterator[Finding]:
    """What shapes the class caption needs one, and one that weighs nothing is not asked for."""
    prior = profile.prior
    if prior.class_caption:
        if not prior.class_weight:
            yield idle("prior.class_caption", "prior.class_weight is 0", "Give it a weight above 0")
        return
    for name in changed(prior, "trigger", "class_weight"):
        yield idle(f"prior.{name}", "prior.class_caption is empty", "Set class_caption, or leave it out")


def masks(profile: Profile) -> Iterator[Finding]:
    """What shapes masks needs some, and masks that are always passed over do nothing."""
    objective = profile.objective
    if any(folder.masks or folder.alpha_mask for folder in profile.dataset.folders):
        for name in ("unmasked_weight", "unmasked_chance"):
            if getattr(objective, name) == 1:
                yield Finding(
                    "no-effect",
                    f"objective.{name}",
                    f"objective.{name} = 1 leaves the masks without effect",
                    "Use a smaller share such as 0.1",
                    severity="warning",
                )
        return
    for name in changed(objective, "unmasked_weight", "unmasked_chance", "even_masks"):
        yield idle(f"objective.{name}", _NO_MASKS, "Give a folder masks, or leave it out")


def asks_frozen(profile: Profile) -> str:
    """The setting that asks for answers of the base model as it was, "" when none does."""
    regular = any(folder.regularization for folder in profile.dataset.folders)
    if profile.prior.target == "frozen" and regular:
        return "prior.target"
    return "prior.class_caption" if profile.prior.keeps_class else ""


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    regularization: ("prior.weight", "prior.target", "dataset.folders"),
    class_images: (
        "dataset.folders",
        *(f"prior.generate_{name}" for name in ("negative", "steps", "guidance", "sampler")),
    ),
    prefixed_class: ("dataset.folders", "captions.prefix", "captions.suffix"),
    class_caption: ("prior.class_caption", "prior.trigger", "prior.class_weight"),
    masks: ("objective.unmasked_weight", "objective.unmasked_chance", "objective.even_masks", "dataset.folders"),
}
