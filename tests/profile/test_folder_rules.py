"""A folder's own settings stand in for those of the profile, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.declare import Section
from sdtui.profile.folder_rules import augment_of, captions_of, is_settled, resolutions_of
from sdtui.profile.schema import Augment, Captions, Folder, Profile


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


def test_a_folder_s_augmentation_and_resolutions() -> None:
    profile = Profile.model_validate(
        {
            "model": {"base": "m"},
            "augment": {"flip": True, "hue": 0.1, "variants": 3},
            "dataset": {
                "resolution": 512,
                "more_resolutions": [768, 512],
                "folders": [
                    {"path": "a"},
                    {"path": "b", "augment_flip": False, "augment_crop": "random", "resolutions": [640]},
                ],
            },
        }
    )
    assert augment_of(profile, 0) is profile.augment
    assert augment_of(profile, 1) == Augment(flip=False, crop="random", hue=0.1, variants=3)
    assert resolutions_of(profile, 0) == (512, 768)
    assert resolutions_of(profile, 1) == (640,)


@pytest.mark.parametrize(("mark", "section", "count"), [("caption_", Captions, 7), ("augment_", Augment, 6)])
def test_every_setting_of_a_folder_is_bounded_as_the_profile_s(mark: str, section: type[Section], count: int) -> None:
    own = [name.removeprefix(mark) for name in Folder.model_fields if name.startswith(mark)]
    assert len(own) == count
    for name in own:
        mine, general = Folder.model_fields[f"{mark}{name}"], section.model_fields[name]
        bounds = [note for note in general.metadata if type(note).__name__ in {"Ge", "Le"}]
        assert [note for note in mine.metadata if type(note).__name__ in {"Ge", "Le"}] == bounds


@pytest.mark.parametrize(
    "settings", [{"shuffle": True}, {"wildcards": True}, {"lines": "random"}, {"tag_dropout": 0.1}, {"token_warmup": 5}]
)
def test_what_changes_from_step_to_step_is_not_settled(settings: dict[str, Any]) -> None:
    assert not is_settled(Captions(**settings))


def test_dropout_and_fixed_changes_leave_a_caption_settled() -> None:
    assert is_settled(
        Captions(dropout=0.1, dropout_every=2, prefix="a", keep_separator="|||", secondary_separator=";", lines="first")
    )
