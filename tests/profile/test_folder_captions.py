"""A folder's own caption settings stand in for those of the profile, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.folder_captions import captions_of
from sdtui.profile.schema import Captions, Folder, Profile


def _profile(captions: dict[str, Any], *folders: dict[str, Any]) -> Profile:
    rows = [{"path": "images", **folder} for folder in folders]
    return Profile.model_validate({"model": {"base": "m"}, "captions": captions, "dataset": {"folders": rows}})


def test_what_a_folder_does_not_say_is_the_profile_s() -> None:
    profile = _profile({"prefix": "a ", "dropout": 0.1, "shuffle": True}, {}, {"caption_prefix": "b "})
    assert captions_of(profile, 0) is profile.captions
    assert captions_of(profile, 1) == Captions(prefix="b ", dropout=0.1, shuffle=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prefix", ""),
        ("suffix", ", film"),
        ("dropout", 0.0),
        ("wildcards", False),
        ("shuffle", False),
        ("keep_tokens", 0),
        ("tag_dropout", 0.0),
    ],
)
def test_a_folder_may_say_nothing_nought_or_no(name: str, value: object) -> None:
    said = {
        "prefix": "a ", "suffix": "b", "dropout": 0.1, "wildcards": True, "shuffle": True, "keep_tokens": 2,
        "tag_dropout": 0.2,
    }  # fmt: skip
    found = captions_of(_profile(said, {f"caption_{name}": value}), 0)
    assert found == Captions.model_validate({**said, name: value})


def test_every_setting_of_a_folder_s_captions_is_one_of_the_profile_s() -> None:
    own = [name.removeprefix("caption_") for name in Folder.model_fields if name.startswith("caption_")]
    assert len(own) == 7
    for name in own:
        mine, general = Folder.model_fields[f"caption_{name}"], Captions.model_fields[name]
        bounds = [note for note in general.metadata if type(note).__name__ in {"Ge", "Le"}]
        assert [note for note in mine.metadata if type(note).__name__ in {"Ge", "Le"}] == bounds
