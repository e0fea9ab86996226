"""Arguments by optimizer, with their types, and what does not go together with an optimizer or a schedule."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile


def findings(**sections: Any) -> dict[str, tuple[str, str]]:
    """Key → (code, remedy) of what is found."""
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": [{"path": "y"}]},
        "training": {"steps": 100},
        "saving": {"every_steps": 1},
        **sections,
    }
    found = contradictions(Profile.model_validate(data), frozenset())
    return {finding.key: (finding.code, finding.remedy) for finding in found}


def codes(**sections: Any) -> dict[str, str]:
    return {key: code for key, (code, _) in findings(**sections).items()}


def arguments(name: str, **args: Any) -> dict[str, tuple[str, str]]:
    return findings(optimizer={"name": name, "args": args, "learning_rate": 1.0})


def test_a_class_of_ones_own_must_be_there() -> None:
    assert findings(optimizer={"name": "torch.optim.RAdam"}) == {}
    assert findings(optimizer={"name": "torch.optim.RAdm"}) == {
        "optimizer.name": ("no-such-class", 'Did you mean "torch.optim.RAdam"?')
    }
    assert findings(optimizer={"name": "nowhere.Some"}) == {
        "optimizer.name": ("not-installed", "Install nowhere where it is trained, or choose another optimizer")
    }


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("adafactor", {"relativ_step": True}, {"relativ_step": ("unknown-key", "Did you mean relative_step?")}),
        (
            "adafactor",
            {"scale_parameter": "false"},
            {"scale_parameter": ("quoted-boolean", "Write it without quotes: scale_parameter = false")},
        ),
        ("adafactor", {"eps": [1e-30, 2.0]}, {"eps": ("wrong-item", "")}),
        ("adafactor", {"clip_threshold": 0.0}, {"clip_threshold": ("out-of-range", "")}),
        ("adafactor", {"warmup_init": True}, {"warmup_init": ("contradiction", "Set both, or neither")}),
        (
            "prodigy",
            {"use_bias_correction": True},
            {"use_bias_correction": ("unknown-key", "Did you mean bias_correction?")},
        ),
        ("prodigy", {"weight_decay": 0.1}, {"weight_decay": ("unknown-key", "weight_decay belongs to [optimizer]")}),
        ("lion", {"d0": 0.1}, {"d0": ("unknown-key", "")}),
        ("came", {"betas": [0.9, 0.99]}, {"betas": ("wrong-list", "")}),
        ("adafactor", {"scale_parameter": False, "relative_step": True, "warmup_init": True}, {}),
        ("prodigy", {"d_coef": 2.0, "safeguard_warmup": True}, {}),
        # Known only when the class is imported.
        ("torch.optim.RAdam", {"anything": 1}, {}),
    ],
)
def test_arguments(name: str, args: dict[str, Any], expected: dict[str, tuple[str, str]]) -> None:
    assert arguments(name, **args) == {f"optimizer.args.{key}": value for key, value in expected.items()}


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ({"name": "adafactor", "betas": [0.9, 0.99]}, {"optimizer.betas": "contradiction"}),
        ({"name": "adafactor", "eps": 1e-8}, {"optimizer.eps": "contradiction"}),
        ({"name": "came", "betas": [0.9, 0.99]}, {"optimizer.betas": "contradiction"}),
        ({"name": "lion", "eps": 1e-8}, {"optimizer.eps": "contradiction"}),
        ({"name": "lion", "betas": [0.9, 0.99], "weight_decay": 0.1}, {}),
        ({"name": "prodigy"}, {"optimizer.learning_rate": "small-factor"}),
        ({"name": "prodigy", "learning_rate": 1.0}, {}),
        (
            {"name": "prodigy", "learning_rate": 1.0, "lora_plus_ratio": 16.0},
            {"optimizer.lora_plus_ratio": "contradiction"},
        ),
        (
            {"name": "dadapt-lion", "learning_rate": 1.0, "block_rates": {"mid_block": 0.5}},
            {"optimizer.block_rates": "contradiction"},
        ),
        ({"name": "dadapt-adam", "learning_rate": 1.0, "block_rates": {"mid_block": 0.0}}, {}),
    ],
)
def test_what_an_optimizer_does_not_take(optimizer: dict[str, Any], expected: dict[str, str]) -> None:
    assert codes(optimizer=optimizer) == expected


def test_an_own_rate_for_the_text_encoder_is_not_found_by_prodigy() -> None:
    optimizer = {"name": "prodigy", "learning_rate": 1.0, "text_encoder_learning_rate": 0.5}
    key = "optimizer.text_encoder_learning_rate"
    assert codes(optimizer=optimizer, method={"text_encoder": True}) == {key: "contradiction"}
    optimizer["text_encoder_learning_rate"] = 1.0
    assert codes(optimizer=optimizer, method={"text_encoder": True}) == {}


def test_an_own_rate_for_a_word_is_not_found_by_prodigy() -> None:
    optimizer = {"name": "prodigy", "learning_rate": 1.0}
    words = [{"name": "zzza", "learning_rate": 1.0}, {"name": "zzzb", "learning_rate": 0.005}, {"name": "zzzc"}]
    assert codes(optimizer=optimizer, method={"words": words}) == {"method.words[1].learning_rate": "contradiction"}
    assert codes(optimizer={"name": "adamw"}, method={"words": words}) == {}


def test_a_package_that_is_missing_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert findings(optimizer={"name": "adamw8bit"}) == {
        "optimizer.name": ("not-installed", 'pip install "sdtui[optimizers]"')
    }


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"cycles": 2}, {"schedule.cycles": "no-effect"}),
        ({"name": "sine", "cycles": 2}, {}),
        ({"name": "cosine", "power": 2.0}, {"schedule.power": "no-effect"}),
        ({"name": "polynomial", "power": 2.0}, {}),
        ({"timescale": 10}, {"schedule.timescale": "no-effect"}),
        ({"decay": 10}, {"schedule.decay": "no-effect"}),
        ({"min_factor": 0.1}, {"schedule.min_factor": "no-effect"}),
        ({"name": "linear", "min_factor": 0.1}, {}),
        ({"rates": "0.1:50, 0.01"}, {}),
        ({"rates": "0.1:50"}, {"schedule.rates": "ends-early"}),
        ({"rates": "0.1:10,000"}, {"schedule.rates": "not-allowed"}),
        ({"rates": "0.1", "name": "cosine"}, {"schedule.name": "contradiction"}),
        ({"rates": "0.1", "warmup": 5}, {"schedule.warmup": "contradiction"}),
    ],
)
def test_schedules(schedule: dict[str, Any], expected: dict[str, str]) -> None:
    assert codes(schedule=schedule) == expected


def test_a_schedule_beside_an_optimizer_with_its_own_is_told() -> None:
    relative = {"name": "adafactor", "args": {"relative_step": True}}
    assert codes(optimizer=relative, schedule={"warmup": 5}) == {"schedule.warmup": "no-effect"}
    assert codes(optimizer=relative, schedule={"name": "cosine"}) == {"schedule.name": "no-effect"}
    free = {"name": "schedule-free-adamw"}
    assert codes(optimizer=free, schedule={"name": "cosine"}) == {"schedule.name": "double-schedule"}
    assert codes(optimizer=free, schedule={"warmup": 5}) == {}


def test_an_average_of_an_average_is_refused() -> None:
    free = {"name": "schedule-free-adamw"}
    assert codes(optimizer=free, training={"steps": 100, "ema_decay": 0.9}) == {"training.ema_decay": "contradiction"}
    assert codes(training={"steps": 100, "ema_decay": 0.9}) == {}
