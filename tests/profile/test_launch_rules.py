"""Which settings of several processes and machines do not go together."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.launch_rules import world_size
from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile

SEVERAL = {"machines": 2, "main_address": "a"}


def profile(launch: dict[str, Any], device: str = "auto") -> Profile:
    data = {"path": "y"}
    return Profile.model_validate(
        {
            "model": {"base": "x"},
            "dataset": {"folders": [data]},
            "training": {"steps": 1, "device": device},
            "saving": {"every_steps": 1},
            "launch": launch,
        }
    )


def test_how_many_processes_there_are() -> None:
    assert world_size(profile({})) == 1
    assert world_size(profile({"processes": 3, **SEVERAL})) == 6


@pytest.mark.parametrize(
    ("launch", "device", "found"),
    [
        ({}, "cuda:1", []),
        ({"processes": 2}, "cuda", []),
        ({"processes": 2}, "cuda:1", [("contradiction", "training.device")]),
        ({"processes": 2}, "mps", [("contradiction", "training.device")]),
        (SEVERAL, "auto", []),
        ({"machines": 2}, "auto", [("missing", "launch.main_address")]),
        ({**SEVERAL, "machine_rank": 2}, "auto", [("contradiction", "launch.machine_rank")]),
        ({**SEVERAL, "machine_rank": 1}, "auto", []),
        ({"machine_rank": 1}, "auto", [("no-effect", "launch.machine_rank")]),
        ({"main_address": "a"}, "auto", [("no-effect", "launch.main_address")]),
        ({"main_port": 7}, "auto", [("no-effect", "launch.main_port")]),
    ],
)
def test_findings(launch: dict[str, Any], device: str, found: list[tuple[str, str]]) -> None:
    findings = contradictions(profile(launch, device), frozenset())
    assert [(finding.code, finding.key) for finding in findings] == found
