"""Settings of masks and of what the model shall keep that do nothing; `sdtui.profile.rules` runs these too."""

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
    for name in changed(objective, "unmasked_weight", "unmasked_chance"):
        yield idle(f"objective.{name}", _NO_MASKS, "Give a folder masks, or leave it out")


def asks_frozen(profile: Profile) -> str:
    """The setting that asks for answers of the base model as it was, "" when none does."""
    regular = any(folder.regularization for folder in profile.dataset.folders)
    if profile.prior.target == "frozen" and regular:
        return "prior.target"
    return "prior.class_caption" if profile.prior.keeps_class else ""


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    regularization: ("prior.weight", "prior.target", "dataset.folders"),
    class_caption: ("prior.class_caption", "prior.trigger", "prior.class_weight"),
    masks: ("objective.unmasked_weight", "objective.unmasked_chance", "dataset.folders"),
}
