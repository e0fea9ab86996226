"""Findings about keys, types and ranges, all at once, and the best profile the sound part makes."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.validate import examine

LEAST: dict[str, Any] = {"model": {"base": "m"}}


def _found(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding.code, finding.key) for finding in examine(data).findings]


def test_sound_data_has_no_finding() -> None:
    examined = examine(LEAST)
    assert examined.profile is not None
    assert (examined.findings, examined.broken) == ((), frozenset())


def test_every_finding_at_once() -> None:
    data = {
        "model": {"base": "m"},
        "method": {"rank": 0, "text_encoder": "false", "rnak": 8},
        "optimizer": {"betas": [0.9, 2.0]},
        "dataset": {"folders": [{"path": "a"}, {"pat": "b"}]},
        "traning": {"steps": 3},
        "steps": 3,
    }
    assert sorted(_found(data)) == [
        ("missing", "dataset.folders[1].path"),
        ("out-of-range", "method.rank"),
        ("quoted-boolean", "method.text_encoder"),
        ("unknown-key", "dataset.folders[1].pat"),
        ("unknown-key", "method.rnak"),
        ("unknown-key", "steps"),
        ("unknown-section", "traning"),
        ("wrong-item", "optimizer.betas"),
    ]


def test_the_sound_part_is_kept_for_the_rules() -> None:
    examined = examine({"method": {"rank": "big", "alpha": 4.0}, "training": {"steps": 7}})
    assert examined.profile is not None
    assert (examined.profile.method.rank, examined.profile.method.alpha) == (16, 4.0)
    assert examined.profile.training.steps == 7
    assert examined.broken == {"method.rank", "model.base"}


@pytest.mark.parametrize(
    ("data", "code", "key"),
    [
        ({"method": 3}, "wrong-type", "method"),
        ({"dataset": {"folders": {"path": "a"}}}, "wrong-type", "dataset.folders"),
        ({"dataset": {"folders": ["a"]}}, "wrong-type", "dataset.folders[0]"),
        ({"schema": 2}, "newer-schema", "schema"),
        ({"schedule": {"warmup": 2.5}}, "out-of-range", "schedule.warmup"),
        ({"previews": {"prompts": ["a", 3]}}, "wrong-item", "previews.prompts"),
        ({"method": {"rank": [1]}}, "wrong-type", "method.rank"),
        ({"optimizer": {"betas": []}}, "wrong-list", "optimizer.betas"),
    ],
)
def test_shapes_that_are_wrong(data: dict[str, Any], code: str, key: str) -> None:
    assert _found(LEAST | data) == [(code, key)]


def test_a_list_item_is_pointed_at() -> None:
    (finding,) = examine(LEAST | {"method": {"targets": ["attention", "ff"]}}).findings
    assert (finding.key, finding.at) == ("method.targets", "method.targets[1]")
    assert finding.message == 'method.targets holds "ff"'


def test_a_list_that_is_too_short_is_told_and_not_dropped() -> None:
    (finding,) = examine(LEAST | {"optimizer": {"betas": [0.9]}}).findings
    assert finding.message == "optimizer.betas has 1 item"
    assert finding.allowed == "list of 2, each a number 0…1, 1 itself not"


def test_a_missing_section_names_what_it_must_have() -> None:
    (finding,) = examine({}).findings
    assert (finding.code, finding.key) == ("missing", "model.base")
    assert finding.remedy.startswith("Add base = … to [model]: The base model")
