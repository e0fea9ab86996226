"""Which family a base model is of: by a folder's configs, or by the names and shapes of a single file's weights.

Without PyTorch and without the weights themselves, so that a profile's check can say it at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.errors import UserError
from sdtui.models import FAMILIES
from sdtui.models.architecture import Config, file_configs
from sdtui.models.families import Family
from sdtui.models.folder import part, read_index, read_json
from sdtui.models.hub import located
from sdtui.models.original import UNET, VAE
from sdtui.models.weights import Contents, read_contents

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile

EPSILON, VELOCITY = "epsilon", "v_prediction"
# Global steps at which Stability published Stable Diffusion 2.0 at 512 px, which predicts noise.
_SD2_BASE_STEPS = "875000"


@dataclass(frozen=True, slots=True)
class Found:
    """A base model that can be trained: its family, where it is, and what its index or its header says."""

    family: Family
    base: Path
    index: dict[str, Any]  # of a folder
    contents: Contents | None  # of a single file

    def configs(self) -> dict[str, Config]:
        """The configs of its parts ("unet", "vae", "text_encoder", …).

        Raises:
            UserError: a folder lacks one.
        """
        if self.contents is not None:
            return file_configs(self.family, self.contents)
        names = ["unet", "vae", *(encoder.component for encoder in self.family.encoders)]
        return {name: read_json(part(self.base, name, "config.json") / "config.json") for name in names}


def families() -> Iterator[Family]:
    """Every family that can be trained."""
    for module in FAMILIES.values():
        family: Family = importlib.import_module(module).FAMILY
        yield family


def recognise(base: Path) -> Found:
    """The family of the pipeline folder or single file `base`.

    Raises:
        UserError: it cannot be read, is something else than a base model, or of no family that can be trained.
    """
    return _in_file(base) if base.is_file() else _in_folder(base)


def family_line(base: str) -> str:
    """What the base model was recognised as, for people; "" when it cannot be read."""
    try:
        found = recognise(located(base))
    except UserError:
        return ""
    return f"{found.family.title}, {'a folder' if found.contents is None else 'a single file'}"


def plan_parts(profile: Profile) -> dict[str, Config] | None:
    """The configs that a plan counts by, of a single file or of a model of the hub; None for a folder, which it reads itself.

    Empty where the model cannot be read: the check says why.
    """
    base = located(profile.model.base)
    if base.is_dir() and str(base) == profile.model.base:
        return None
    try:
        return recognise(base).configs()
    except UserError:
        return {}


def stated_prediction(contents: Contents) -> str:
    """What a single file says it predicts, "epsilon" or "v_prediction"; "" if it does not say.

    Merges and trainings mark velocity with a weight named `v_pred`; modelspec has words for both.
    """
    facts = contents.facts
    said = facts.get("modelspec.prediction_type") or facts.get("modelspec.predict_key") or ""
    kind = facts.get("modelspec.architecture", "")
    if "v_pred" in contents.weights or said in {"v", VELOCITY} or "768-v" in kind:
        return VELOCITY
    if said in {EPSILON, "eps"} or "v2-512" in kind or facts.get("global_step") == _SD2_BASE_STEPS:
        return EPSILON
    return ""


def _in_folder(base: Path) -> Found:
    index = read_index(base)
    kind = index.get("_class_name", "pipeline without a class name")
    named = [family for family in families() if kind in family.pipelines]
    if named:
        unet = read_json(part(base, "unet", "config.json") / "config.json")
        for family in named:
            if family.owns(unet) and all(index.get(each.component, [""])[0] is not None for each in family.encoders):
                return Found(family, base, index, None)
    raise UserError(
        f"the folder holds a {kind} of a family that cannot be trained; known: {_known()}",
        where=str(base),
        remedy="Choose a base model for text to image, not one for inpainting or refining",
    )


def _in_file(base: Path) -> Found:
    contents = read_contents(base)
    other = next((what for what, matches in _OTHERS.items() if matches(contents)), "")
    for family in families():
        if not other and contents.has(UNET) and all(contents.has(encoder.prefix) for encoder in family.encoders):
            return Found(family, base, {}, contents)
    raise UserError(
        f"the file is {other or 'of a family that cannot be trained'}; known: single files of {_known()}",
        where=str(base),
        remedy="Choose the base model's own file, with UNet, text encoder and VAE in it",
    )


def _known() -> str:
    return ", ".join(family.title for family in families())


def _any(*parts: str) -> Callable[[Contents], bool]:
    return lambda contents: any(each in name for name in contents.weights for each in parts)


def _channels(contents: Contents) -> int:
    return (contents.shape(f"{UNET}input_blocks.0.0.weight") or (0, 4))[1]


# What else people have as single files, the telling names of each first found.
_OTHERS: dict[str, Callable[[Contents], bool]] = {
    "a LoRA or LyCORIS, not a base model": _any("lora_unet_", "lora_te", "lora_A.", "lora_down.", "hada_w1", "lokr_w1"),
    "Stable Diffusion 3, a family that cannot be trained": _any("joint_blocks."),
    "Flux, a family that cannot be trained": _any("double_blocks."),
    "an embedding, not a base model": lambda contents: len(contents.weights) <= 4,
    "the SDXL refiner, not a base model": lambda contents: (
        contents.has("conditioner.embedders.0.model.") and not contents.has("conditioner.embedders.1.")
    ),
    "an inpainting model": lambda contents: _channels(contents) == 9,
    "a model that is conditioned on images": lambda contents: _channels(contents) not in {4, 9},
    "an image variation model (unCLIP), which is conditioned on images": lambda contents: (
        contents.has(f"{UNET}label_emb.") and contents.has("cond_stage_model.")
    ),
    "a model with a noise schedule of its own (EDM), which cannot be trained": lambda contents: any(
        name.startswith("edm_") for name in contents.weights
    ),
    "a ControlNet, not a base model": lambda contents: contents.has("control_model.") or contents.has("controlnet_"),
    "a text encoder alone, not a whole model": lambda contents: contents.has("text_model.") and not contents.has(UNET),
    "one part of a diffusers folder, not a whole model": lambda contents: (
        not contents.has(UNET) and (contents.has("down_blocks.") or contents.has("encoder.down_blocks."))
    ),
    "a VAE, not a base model": lambda contents: (
        not contents.has(UNET) and (contents.has(VAE) or contents.has("encoder.conv_in."))
    ),
    "a UNet without its text encoder": lambda contents: (
        any(map(contents.has, (UNET, "input_blocks.")))
        and not any(map(contents.has, ("cond_stage_model.", "conditioner.")))
    ),
}
