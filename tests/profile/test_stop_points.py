"""When parts stop learning, and which part a layer goes by."""

from __future__ import annotations

import pytest

from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile
from sdtui.profile.stop_points import StopPoint, stop_block, stop_step


@pytest.mark.parametrize(
    ("point", "step"), [(500, 500), (0.5, 100), (0.333, 67), ("1 epoch", 40), ("3 epochs", 120)], ids=str
)
def test_steps_shares_and_epochs(point: StopPoint, step: int) -> None:
    assert stop_step(point, steps=200, steps_per_epoch=40) == step


def test_the_longest_path_decides() -> None:
    stops: dict[str, StopPoint] = {"unet": 9, "down_blocks.1": 5, "text_encoder": 3}
    assert stop_block("unet.down_blocks.1.resnets.0.conv1", stops) == "down_blocks.1"
    assert stop_block("unet.down_blocks.10.resnets.0.conv1", stops) == "unet"
    assert stop_block("text_encoder.encoder.layers.0.mlp.fc1", stops) == "text_encoder"
    assert stop_block("text_encoder_2.encoder.layers.0.mlp.fc1", stops) == ""
    assert stop_block("unet", {"mid_block": 4}) == ""


def found(stops: dict[str, StopPoint], *, text_encoder: bool = True) -> list[tuple[str, str]]:
    data = {
        "model": {"base": "x"},
        "method": {"text_encoder": text_encoder},
        "dataset": {"folders": [{"path": "y"}]},
        "training": {"steps": 90},
        "saving": {"every_steps": 9},
        "optimizer": {"stops": stops},
    }
    findings = contradictions(Profile.model_validate(data), frozenset())
    return [(finding.severity, finding.at or finding.key) for finding in findings]


@pytest.mark.parametrize("stop", [50, 0.5, "2 epochs"], ids=str)
def test_a_part_may_stop_while_another_goes_on(stop: StopPoint) -> None:
    assert found({"text_encoder": stop}) == []
    assert found({"unet": stop}) == []
    assert found({"mid_block": stop}, text_encoder=False) == []


def test_what_is_not_trained_need_not_stop() -> None:
    assert found({"text_encoder": 50}, text_encoder=False) == [("warning", "optimizer.stops.text_encoder")]


def test_a_stop_beyond_the_end_does_nothing() -> None:
    assert found({"text_encoder": 90}) == [("warning", "optimizer.stops.text_encoder")]
    assert found({"text_encoder": 89}) == []


def test_something_learns_to_the_end() -> None:
    assert found({"unet": 0.5}, text_encoder=False) == [("error", "optimizer.stops")]
    assert found({"unet": 0.5, "text_encoder": 40}) == [("error", "optimizer.stops")]
