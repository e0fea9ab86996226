"""The training profile: every setting declared once, with its type, range, default, unit, help and source."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.augment import Augment
from sdtui.profile.sections.captions import Captions
from sdtui.profile.sections.dataset import Dataset, Folder
from sdtui.profile.sections.launch import Launch
from sdtui.profile.sections.method import Method, Target
from sdtui.profile.sections.model import Model
from sdtui.profile.sections.objective import Objective
from sdtui.profile.sections.optimizer import Optimizer, Schedule
from sdtui.profile.sections.previews import Previews
from sdtui.profile.sections.prior import Prior
from sdtui.profile.sections.saving import Saving
from sdtui.profile.sections.shared import Precision
from sdtui.profile.sections.training import Training
from sdtui.profile.sections.validation import Validation

SCHEMA = 1

__all__ = [
    "SCHEMA",
    "Augment",
    "Captions",
    "Dataset",
    "Folder",
    "Launch",
    "Method",
    "Model",
    "Objective",
    "Optimizer",
    "Precision",
    "Previews",
    "Prior",
    "Profile",
    "Saving",
    "Schedule",
    "Target",
    "Training",
    "Validation",
]


class Profile(Section):
    """A whole training profile."""

    model_config = ConfigDict(title="sdtui profile", validate_by_name=True, validate_by_alias=True)

    schema_version: Annotated[
        int, Field(ge=1, le=SCHEMA, alias="schema"), About("Version of the profile's format.")
    ] = SCHEMA
    name: Annotated[
        str,
        Field(pattern=r"^[^/\\\x00]*$"),
        About(
            "Name of the profile and of its runs; empty: the file's name without ending.",
            allowed="text without / and \\",
        ),
    ] = ""
    model: Model
    method: Method = Method()
    dataset: Dataset = Dataset()
    augment: Augment = Augment()
    captions: Captions = Captions()
    training: Training = Training()
    objective: Objective = Objective()
    prior: Prior = Prior()
    validation: Validation = Validation()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    previews: Previews = Previews()
    saving: Saving = Saving()
    launch: Launch = Launch()
