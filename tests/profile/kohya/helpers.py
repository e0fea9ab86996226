"""What the tests of kohya's files have in common: a file, taken over, and the profile that it makes."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sdtui.profile.check import check_text
from sdtui.profile.kohya.draft import Draft
from sdtui.profile.kohya.source import read_source, require_readable
from sdtui.profile.kohya.taking import take
from sdtui.profile.kohya.text import profile_text
from sdtui.profile.schema import Profile

FILES = Path(__file__).parent / "files"


def taken(folder: Path, text: str, name: str = "config.toml", dataset: str = "") -> tuple[Draft, Profile]:
    """A file with this text in `folder` (beside a dataset TOML, if given), as a draft and as a profile.

    The profile is sound but for places; relative paths stay as they are written.
    """
    (folder / name).write_text(text, encoding="utf-8")
    if dataset:
        (folder / "dataset.toml").write_text(dataset, encoding="utf-8")
    draft = take(read_source(folder / name, folder / "dataset.toml" if dataset else None), folder)
    require_readable(draft.source)
    made = profile_text(draft)
    report = check_text(made, folder / "profile.toml", places=False)
    assert not report.errors, [str(problem) for problem in report.errors]
    return draft, Profile.model_validate(tomllib.loads(made))
