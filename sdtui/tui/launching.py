"""Starting a run from a screen: check, look at the dataset, freeze, start detached; for threads, as it takes a moment."""

from __future__ import annotations

from pathlib import Path

from sdtui.runs.layout import RunFolder


def launch_slowly(path: Path) -> RunFolder:
    """Start a run of the profile at `path`.

    Raises:
        ProfileError: the profile has errors; the text lists all.
        SdtuiError: the dataset keeps it from training, or the run cannot be started.
    """
    # All of this is behind the first frame: pydantic alone takes a tenth of a second.
    from sdtui.dataset.collect import collect
    from sdtui.dataset.survey import survey
    from sdtui.profile.load import freeze, load_profile
    from sdtui.profile.plan import make_plan
    from sdtui.runs import launch

    profile = load_profile(path)
    collection = collect(profile)
    collection.require(profile)
    plan = make_plan(profile, survey(profile, collection))
    return launch.start(
        freeze(profile, path.parent),
        Path(profile.launch.runs),
        profile.name,
        steps_total=plan.steps,
        dataset_digest=collection.digest,
    )
