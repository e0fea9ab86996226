"""What a profile comes to: base model, machine and dataset looked at, the steps counted, and what keeps it from training."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from sdtui.amounts import bytes_text
from sdtui.dataset.survey import survey
from sdtui.errors import SdtuiError
from sdtui.profile.load import freeze
from sdtui.profile.plan import Plan, make_plan
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.tui.looking import Datasets, GoOn, findings_about
from sdtui.tui.numbers import count, duration, grouped


@dataclass(frozen=True)
class Planned:
    """A plan, or why there is none.

    Attributes:
        profile: the sound profile it is for.
        plan: None when the dataset has nothing to train.
        refusal: why the trainer would not start; empty when it would.
        findings: what is wrong beyond the profile's text.
        digest: the dataset's.
    """

    profile: Profile
    plan: Plan | None
    refusal: str
    findings: tuple[Finding, ...]
    digest: str


class Planner:
    """Plans profiles one after another; the dataset is looked at again only when its settings changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._datasets = Datasets()

    def plan(self, profile: Profile, go_on: GoOn = lambda: None, *, afresh: bool = False) -> Planned:
        """Look and count; `afresh` looks at the dataset again in any case, `go_on` may end the look by raising."""
        from sdtui.models.recognise import plan_parts

        with self._lock:
            collection = self._datasets.of(profile, go_on, afresh=afresh)
        findings = findings_about(profile, collection)
        plan, refusal = None, ""
        try:
            plan = make_plan(profile, survey(profile, collection), parts=plan_parts(profile))
            collection.require(profile)
        except SdtuiError as error:
            refusal = error.message
        refusal = refusal or next((finding.message for finding in findings if finding.severity == "error"), "")
        return Planned(profile, plan, refusal, findings, collection.digest)


def plan_words(plan: Plan, dot: str = "·") -> str:
    """The plan in a line, each number with its unit; `dot` separates."""
    files = sum(file.count for file in plan.files)
    others = ((plan.regularization, "for regularisation"), (plan.held_out, "held out"))
    told = "".join(f", {grouped(number)} {purpose}" for number, purpose in others if number)
    kohyas = sum(folder.layout == "kohya" for folder in plan.folders)
    parts = [
        f"{count(plan.images, 'image')}{told}, {grouped(plan.samples)} an epoch",
        *([count(kohyas, "kohya folder")] if kohyas else []),
        *([f"{count(plan.generated, 'class image')} drawn first"] if plan.generated else []),
        f"{grouped(plan.steps)} steps in {plan.epochs:.3g} epochs",
        count(len(plan.buckets), "bucket"),
        count(files, "file") + (f", {bytes_text(plan.bytes)}" if plan.bytes else ""),
    ]
    if plan.seconds is not None:
        parts.append(f"about {duration(plan.seconds)}")
    return f" {dot} ".join(parts)


def start(planned: Planned, path: Path) -> RunFolder:
    """Launch the run that was planned, from the profile file at `path`.

    Raises:
        SdtuiError: the run folder cannot be made or no process started.
    """
    profile = planned.profile
    return launch.start(
        freeze(profile, path.parent),
        Path(profile.launch.runs),
        profile.name,
        steps_total=planned.plan.steps if planned.plan else 0,
        dataset_digest=planned.digest,
    )
