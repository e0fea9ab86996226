"""Which settings of the method contradict each other, and which do nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile


def codes(method: dict[str, Any], **sections: Any) -> dict[str, str]:
    """Key → code of what is found about a method."""
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": [{"path": "y"}]},
        "training": {"steps": 1},
        "saving": {"every_steps": 1, **sections.pop("saving", {})},
        "method": method,
        **sections,
    }
    return {finding.key: finding.code for finding in contradictions(Profile.model_validate(data), frozenset())}


@pytest.mark.parametrize(
    "method",
    [
        {"algorithm": "loha", "rank": 8, "alpha": 1.0, "rs_lora": True, "weight_decompose": True},
        {"algorithm": "lokr", "factor": 8, "decompose_both": True, "dropout": 0.1, "rank_dropout": 0.1},
        {"algorithm": "boft", "rank": 8, "module_dropout": 0.1},
        {"algorithm": "full", "scale_weight_norms": 1.0, "dropout": 0.1},
        {"targets": ["convolution"], "conv_rank": 4, "conv_alpha": 1.0},
        {"targets": ["edges"], "conv_rank": 4},
        {"text_encoder": True, "block_ranks": {"text_encoder": 4}},
        {"algorithm": "ia3", "norms": True},
    ],
)
def test_what_goes_together(method: dict[str, Any]) -> None:
    assert codes(method) == {}


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ({"algorithm": "ia3", "rank": 4}, "method.rank"),
        ({"algorithm": "full", "alpha": 1.0}, "method.alpha"),
        ({"algorithm": "oft", "alpha": 1.0}, "method.alpha"),
        ({"algorithm": "boft", "rs_lora": True}, "method.rs_lora"),
        ({"factor": 8}, "method.factor"),
        ({"decompose_inputs": True}, "method.decompose_inputs"),
        ({"algorithm": "loha", "full_matrix": True}, "method.full_matrix"),
        ({"algorithm": "oft", "dropout": 0.1}, "method.dropout"),
        ({"algorithm": "ia3", "rank_dropout": 0.1}, "method.rank_dropout"),
        ({"algorithm": "lokr", "full_matrix": True, "rank": 4}, "method.rank"),
        ({"algorithm": "lokr", "full_matrix": True, "decompose_both": True}, "method.decompose_both"),
        ({"conv_rank": 4}, "method.conv_rank"),
        ({"conv_alpha": 4.0}, "method.conv_alpha"),
        ({"block_ranks": {"text_encoder": 4}}, "method.block_ranks"),
        ({"block_alphas": {"text_encoder_2": 4.0}}, "method.block_alphas"),
    ],
)
def test_what_does_nothing(method: dict[str, Any], key: str) -> None:
    assert codes(method) == {key: "no-effect"}


@pytest.mark.parametrize("algorithm", ["ia3", "oft", "boft", "full"])
def test_dora_needs_a_sum(algorithm: str) -> None:
    assert codes({"algorithm": algorithm, "weight_decompose": True}) == {"method.weight_decompose": "contradiction"}


def test_the_limit_of_norms_needs_norms_and_weights_of_its_own() -> None:
    key = "method.scale_weight_norms"
    assert codes({"algorithm": "oft", "scale_weight_norms": 1.0}) == {key: "contradiction"}
    assert codes({"scale_weight_norms": 1.0}, optimizer={"name": "schedule-free-adamw"}) == {key: "contradiction"}


def test_only_lora_has_an_up_matrix() -> None:
    found = codes({"algorithm": "loha"}, optimizer={"lora_plus_ratio": 16.0})
    assert found == {"optimizer.lora_plus_ratio": "no-effect"}


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ({"algorithm": "lokr"}, "contradiction"),
        ({"norms": True}, "contradiction"),
        ({"weight_decompose": True, "decompose_inputs": True}, "contradiction"),
        ({"weight_decompose": True}, ""),
    ],
)
def test_diffusers_has_a_place_for_lora_and_dora_only(method: dict[str, Any], code: str) -> None:
    found = codes(method, saving={"formats": ["kohya", "diffusers"]})
    assert found == ({"saving.formats": code} if code else {})


def test_a_layout_twice() -> None:
    assert codes({}, saving={"formats": ["kohya", "kohya"]}) == {"saving.formats": "twice"}


def test_full_fine_tuning_by_itself_is_in_order() -> None:
    method = {"kind": "full", "text_encoder": True, "include": ["*.attn2.*"], "exclude": ["mid_block.*"]}
    assert codes(method, saving={"formats": ["single-file", "folder"]}) == {}


@pytest.mark.parametrize(
    "setting",
    [
        {"rank": 4},
        {"alpha": 1.0},
        {"algorithm": "ia3"},
        {"targets": ["attention"]},
        {"norms": True},
        {"dropout": 0.1},
        {"continue_from": "x.safetensors"},
        {"block_ranks": {"mid_block": 4}},
        {"scale_weight_norms": 1.0},
        # Of an adapter it would contradict the algorithm.
        {"weight_decompose": True},
        {"conv_rank": 4},
    ],
    ids=lambda setting: str(*setting),
)
def test_settings_of_adapters_do_nothing_for_a_whole_model(setting: dict[str, Any]) -> None:
    assert codes({"kind": "full", **setting}) == {f"method.{name}": "no-effect" for name in setting}


def test_lora_plus_does_nothing_for_a_whole_model() -> None:
    found = codes({"kind": "full"}, optimizer={"lora_plus_ratio": 16.0})
    assert found == {"optimizer.lora_plus_ratio": "no-effect"}


@pytest.mark.parametrize("kept", ["8bit", "4bit"])
def test_weights_that_learn_are_not_quantised(kept: str) -> None:
    found = codes({"kind": "full"}, training={"steps": 1, "base_precision": kept})
    assert found["training.base_precision"] in {"contradiction", "not-installed"}
    assert "contradiction" in codes({"kind": "full"}, training={"steps": 1, "base_precision": "8bit"}).values()
    assert codes({}, training={"steps": 1, "base_precision": "8bit"}) == {}


@pytest.mark.parametrize(
    ("kind", "layout"), [("lora", "folder"), ("lora", "single-file"), ("full", "kohya"), ("full", "diffusers")]
)
def test_each_method_has_layouts_of_its_own(kind: str, layout: str) -> None:
    assert codes({"kind": kind}, saving={"formats": [layout]}) == {"saving.formats": "contradiction"}
