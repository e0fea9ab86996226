"""The one table: every option of kohya's scripts and of kohya_ss's forms, by group. Import, export and the page read it."""

from __future__ import annotations

from sdtui.profile.kohya.option import Option
from sdtui.profile.kohya.options.data import AUGMENTATION, CAPTIONS, IMAGES
from sdtui.profile.kohya.options.families import FAMILIES, FAMILY_MARKS, XL
from sdtui.profile.kohya.options.forms import FORMS, NETWORKS, WHOLE
from sdtui.profile.kohya.options.machine import LOGGING, MACHINE, SHARING
from sdtui.profile.kohya.options.model import METHOD, MODEL, WORDS
from sdtui.profile.kohya.options.output import PREVIEWS, SAVING
from sdtui.profile.kohya.options.training import OBJECTIVE, OPTIMIZER, SCHEDULE, TRAINING, VALIDATION

__all__ = ["BY_GUI", "FAMILY_MARKS", "GROUPS", "OPTIONS"]

GROUPS: dict[str, tuple[Option, ...]] = {
    "Base model": MODEL,
    "What is trained": METHOD,
    "The whole model": WHOLE,
    "Textual inversion": WORDS,
    "Images": IMAGES,
    "Augmentation": AUGMENTATION,
    "Captions": CAPTIONS,
    "Training": TRAINING,
    "Objective": OBJECTIVE,
    "Optimizer": OPTIMIZER,
    "Schedule": SCHEDULE,
    "Validation": VALIDATION,
    "Samples": PREVIEWS,
    "Saving": SAVING,
    "Metadata and sharing": SHARING,
    "Logs": LOGGING,
    "The machine": MACHINE,
    "network_args": NETWORKS,
    "Only in kohya_ss": FORMS,
    "Only for Stable Diffusion XL": XL,
    "Other models": FAMILIES,
}
OPTIONS: dict[str, Option] = {option.name: option for group in GROUPS.values() for option in group}
BY_GUI: dict[str, Option] = {option.gui or option.name: option for option in OPTIONS.values()}
