"""Starting a run from a list: check and look at the dataset, which takes a moment and can be given up, then start it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdtui.runs.layout import RunFolder
    from sdtui.tui.looking import GoOn


@dataclass(frozen=True)
class Ready:
    """A run that may be started: everything that `launch.start` wants."""

    frozen: str
    runs: Path
    name: str
    steps: int
    digest: str


def prepare(path: Path, go_on: GoOn) -> Ready:
    """Look at everything that the profile at `path` needs; `go_on` may end that by raising. Nothing is written.

    Raises:
        ProfileError: the profile, its base model or its device has errors; the text lists all.
        SdtuiError: the dataset keeps it from training.
    """
    # All of this is behind the first frame: pydantic alone takes a tenth of a second.
    from sdtui.dataset.survey import survey
    from sdtui.models.preflight import JUDGES
    from sdtui.models.recognise import plan_parts
    from sdtui.profile.check import check_file
    from sdtui.profile.load import freeze
    from sdtui.profile.plan import make_plan
    from sdtui.profile.problem import ProfileError
    from sdtui.tui.looking import Datasets

    report = check_file(path, judges=JUDGES)
    profile = report.profile
    if profile is None:
        raise ProfileError(path, report.problems)
    collection = Datasets().of(profile, go_on)
    collection.require(profile)
    plan = make_plan(profile, survey(profile, collection), parts=plan_parts(profile))
    frozen = freeze(profile, path.parent)
    return Ready(frozen, Path(profile.launch.runs), profile.name, plan.steps, collection.digest)


def start(ready: Ready) -> RunFolder:
    """Start the run.

    Raises:
        SdtuiError: the run folder cannot be made or no process started.
    """
    from sdtui.runs import launch

    return launch.start(ready.frozen, ready.runs, ready.name, steps_total=ready.steps, dataset_digest=ready.digest)
