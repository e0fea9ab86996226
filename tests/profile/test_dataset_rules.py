"""Which settings of the images contradict each other, and which do nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.dataset.buckets import Bucketing
from sdtui.profile.problem import Finding
from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile

HELD = {"path": "v", "validation": True}
KEPT = {"path": "r", "regularization": True}


def findings(*folders: dict[str, Any], dataset: dict[str, Any] | None = None, **sections: Any) -> list[Finding]:
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": folders or [{"path": "y"}], **(dataset or {})},
        "training": {"steps": 1},
        "saving": {"every_steps": 1},
        **sections,
    }
    return contradictions(Profile.model_validate(data), frozenset())


def told(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.at or finding.key, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("dataset", "place"),
    [
        ({"resolution": 1088}, "dataset.resolution"),
        ({"more_resolutions": [768, 1088]}, "dataset.more_resolutions[1]"),
        ({"more_resolutions": [500]}, "dataset.more_resolutions[0]"),
        ({"folders": [{"path": "a"}, {"path": "b", "resolutions": [192]}]}, "dataset.folders[1].resolutions[0]"),
        ({"bucket_min": 1088, "bucket_max": 1024}, "dataset.bucket_min"),
    ],
)
def test_every_resolution_needs_a_square_bucket(dataset: dict[str, Any], place: str) -> None:
    assert told(findings(dataset=dataset)) == [("contradiction", place, "error")]


@pytest.mark.parametrize(
    ("resolution", "remedy"),
    [
        (128, "Set dataset.bucket_min = 128 as well, or train at 256 or more"),
        (1088, "Set dataset.bucket_max = 1088 as well, or train at 1024 or less"),
    ],
)
def test_how_a_resolution_outside_the_limits_can_be_trained(resolution: int, remedy: str) -> None:
    (finding,) = findings(dataset={"resolution": resolution})
    assert finding.remedy == remedy


@pytest.mark.parametrize("rule", [{"buckets": "none"}, {"buckets": "compat", "bucket_upscale": False}])
def test_a_rule_without_limits_takes_any_resolution(rule: dict[str, Any]) -> None:
    assert findings(dataset={"resolution": 1088, **rule}) == []


def test_a_resolution_is_made_of_steps_but_by_kohya_s_rule_it_is_an_area() -> None:
    assert told(findings(dataset={"resolution": 628})) == [("contradiction", "dataset.resolution", "error")]
    whole = {"resolution": 628, "buckets": "none"}
    assert told(findings(dataset=whole)) == [("contradiction", "dataset.resolution", "error")]
    for upscale in (True, False):
        assert findings(dataset={"resolution": 628, "buckets": "compat", "bucket_upscale": upscale}) == []
    smaller = {"resolution": 48, "buckets": "compat", "bucket_min": 16}
    assert "dataset.resolution = 48 is not a multiple of dataset.bucket_step = 64" in [
        finding.message for finding in findings(dataset=smaller)
    ]


@pytest.mark.parametrize(
    ("dataset", "remedy", "sizes"),
    [
        ({"bucket_min": 250}, "It means 192", [(192, 1024)]),
        ({"bucket_min": 30}, "It means 64", [(64, 1024)]),
        ({"bucket_max": 1000}, "It means 1024", [(256, 1024)]),
        ({"bucket_max": 1000, "bucket_upscale": False}, "It means 960", [(64, 960)]),
    ],
)
def test_limits_between_two_steps_mean_what_the_buckets_make_of_them(
    dataset: dict[str, Any], remedy: str, sizes: list[tuple[int, int]]
) -> None:
    (finding,) = findings(dataset=dataset)
    assert (finding.code, finding.remedy) == ("rounded", remedy)
    limits = {"minimum": dataset.get("bucket_min", 256), "maximum": dataset.get("bucket_max", 1024)}
    bucketing = Bucketing(512, **limits, upscale=dataset.get("bucket_upscale", True))
    # The longest shape there is.
    assert [bucketing.place(1000, 20_000).bucket] == sizes


@pytest.mark.parametrize(
    ("dataset", "keys"),
    [
        ({"buckets": "none", "bucket_upscale": False}, ["dataset.bucket_upscale"]),
        ({"buckets": "none", "bucket_min": 320, "bucket_max": 768}, ["dataset.bucket_min", "dataset.bucket_max"]),
        (
            {"buckets": "compat", "bucket_upscale": False, "bucket_min": 320, "bucket_max": 768},
            ["dataset.bucket_min", "dataset.bucket_max"],
        ),
        ({"bucket_upscale": False, "bucket_min": 320, "bucket_max": 768}, ["dataset.bucket_min"]),
        ({"buckets": "compat", "bucket_min": 320}, []),
        ({"buckets": "none"}, []),
    ],
)
def test_limits_of_a_list_that_is_not_used(dataset: dict[str, Any], keys: list[str]) -> None:
    assert told(findings(dataset=dataset)) == [("no-effect", key, "warning") for key in keys]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (
            [{"path": "a"}, {**HELD, "regularization": True}],
            [("contradiction", "dataset.folders[1].validation", "error")],
        ),
        ([KEPT], [("contradiction", "dataset.folders", "error")]),
        ([HELD, KEPT], [("contradiction", "dataset.folders", "error")]),
        ([{"path": "a"}, {**HELD, "repeats": 2}], [("no-effect", "dataset.folders[1].repeats", "warning")]),
        ([{"path": "a"}, {**KEPT, "repeats": 2}, HELD], []),
    ],
)
def test_roles(folders: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    assert told(findings(*folders)) == expected


@pytest.mark.parametrize(
    ("folders", "validation", "expected"),
    [
        ([{"path": "a"}, HELD], {"share": 0.1}, [("both", "validation.share", "warning")]),
        ([{"path": "a"}], {"share": 0.1, "every_epochs": 0}, [("no-effect", "validation.every_epochs", "warning")]),
        ([{"path": "a"}, HELD], {"every_epochs": 0, "every_steps": 10}, []),
        ([{"path": "a"}], {"share": 0.1, "seed": 3, "timesteps": [500]}, []),
        ([{"path": "a"}], {"timesteps": [500]}, [("no-effect", "validation.timesteps", "warning")]),
        ([{"path": "a"}], {"seed": 1}, [("no-effect", "validation.seed", "warning")]),
    ],
)
def test_images_are_held_out_to_be_measured(
    folders: list[dict[str, Any]], validation: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert told(findings(*folders, validation=validation)) == expected


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ([{"path": "a", "masks": "a"}], [("contradiction", "dataset.folders[0].masks", "error")]),
        ([{"path": "a", "masks": "a/masks", "alpha_mask": True}], []),
        (
            [{"path": "a"}, {**KEPT, "masks": "m"}],
            [("masked-regularization", "dataset.folders[1].masks", "warning")],
        ),
        (
            [{"path": "a"}, {**KEPT, "alpha_mask": True}],
            [("masked-regularization", "dataset.folders[1].alpha_mask", "warning")],
        ),
    ],
)
def test_masks(folders: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    assert told(findings(*folders)) == expected


@pytest.mark.parametrize(
    ("folder", "augment", "keys"),
    [
        ({}, {"variants": 4}, ["augment.variants"]),
        ({}, {"variants": 4, "flip": True}, ["augment.variants"]),
        ({}, {"variants": 4, "hue": 0.1}, []),
        ({}, {"variants": 4, "crop": "random"}, []),
        ({"augment_crop": "random"}, {"variants": 4}, []),
        ({"augment_hue": 0.0}, {"variants": 4, "hue": 0.1}, ["augment.variants"]),
    ],
)
def test_variants_differ_in_crop_and_colour(folder: dict[str, Any], augment: dict[str, Any], keys: list[str]) -> None:
    assert told(findings({"path": "a", **folder}, augment=augment)) == [("no-effect", key, "warning") for key in keys]
