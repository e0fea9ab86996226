"""What a base model cannot do, told from its configs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.models.suited import suits
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile
from tests.support.families import tiny_folder
from tests.support.headers import SD15, SD21, SDXL, hollow_file

DOWN = "down_blocks.0, unet.down_blocks.1"


def found(base: Path, **sections: Any) -> list[Finding]:
    data = {
        "model": {"base": str(base)},
        "dataset": {"folders": [{"path": "images"}]},
        "training": {"steps": 3},
        **sections,
    }
    return list(suits(Profile.model_validate(data), base))


def told(base: Path, **sections: Any) -> list[tuple[str, str, str]]:
    return [(each.key, each.at, each.remedy) for each in found(base, **sections)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_folder(tmp_path / "sd1", "sd1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return hollow_file(tmp_path / "sd15.safetensors", SD15)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_nothing_is_wrong_with_what_fits(kind: str, request: pytest.FixtureRequest) -> None:
    base = request.getfixturevalue(kind)
    method = {"text_encoder": True, "block_ranks": {"down_blocks.0": 4, "text_encoder.encoder.layers.0": 2}}
    assert found(base, method=method, optimizer={"block_rates": {"mid_block": 0.5}}, captions={"clip_skip": 2}) == []


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_blocks_that_the_model_does_not_have(kind: str, request: pytest.FixtureRequest) -> None:
    base = request.getfixturevalue(kind)
    assert told(base, optimizer={"block_rates": {"down_blok": 0.1, "mid_block": 0.5}}) == [
        ("optimizer.block_rates", "optimizer.block_rates.down_blok", "Did you mean down_blocks?")
    ]
    ranks = {"block_ranks": {"down_block.0": 4}, "block_alphas": {"unet.mid_blok": 4.0}}
    assert told(base, method=ranks) == [
        ("method.block_ranks", 'method.block_ranks."down_block.0"', "Did you mean down_blocks.0?"),
        ("method.block_alphas", 'method.block_alphas."unet.mid_blok"', "Did you mean unet.mid_block?"),
    ]


def test_the_blocks_there_are_are_named(folder: Path) -> None:
    (finding,) = found(folder, optimizer={"block_rates": {"down_blok": 0.1}})
    assert finding.message == (
        "optimizer.block_rates: no trained layer is in unet.down_blok; there are: unet.down_blocks, unet.mid_block,"
        " unet.up_blocks"
    )


def test_a_block_of_rank_0_has_no_rate(file: Path) -> None:
    method, optimizer = {"block_ranks": {"mid_block": 0}}, {"block_rates": {"mid_block": 0.5}}
    assert [key for key, *_ in told(file, method=method, optimizer=optimizer)] == ["optimizer.block_rates"]


@pytest.mark.parametrize(
    ("method", "keys"),
    [
        ({"include": ["*.nothing.*"]}, ["method.include"]),
        ({"include": ["unet.*"], "text_encoder": True}, ["method.include"]),
        ({"exclude": ["*"]}, ["method.exclude"]),
        ({"targets": ["edges"], "text_encoder": True}, ["method.targets"]),
        ({"include": ["*mid_block*"]}, []),
        ({"include": ["text_encoder.*"], "text_encoder": True}, []),
        ({"include": ["text_encoder.*"]}, ["method.include"]),
        ({"include": ["text_encoder_3.*"], "text_encoder": True}, ["method.include", "method.include"]),
    ],
)
def test_layers_that_are_left(file: Path, method: dict[str, Any], keys: list[str]) -> None:
    assert [key for key, *_ in told(file, method=method)] == keys


@pytest.mark.parametrize(
    ("shapes", "most"),
    [(SD15, 12), (SD21, 23), (SDXL, 11)],
)
def test_clip_skip_ends_at_the_first_layer(tmp_path: Path, shapes: dict[str, tuple[int, ...]], most: int) -> None:
    base = hollow_file(tmp_path / "m.safetensors", shapes)
    assert found(base, captions={"clip_skip": min(most, 12)}) == []
    if most < 12:
        assert [each.key for each in found(base, captions={"clip_skip": most + 1})] == ["captions.clip_skip"]


def test_clip_skip_on_a_small_text_encoder(folder: Path) -> None:
    layers = json.loads((folder / "text_encoder" / "config.json").read_text())["num_hidden_layers"]
    (finding,) = found(folder, captions={"clip_skip": 12})
    assert (finding.key, finding.allowed) == ("captions.clip_skip", f"whole number 1…{layers}")


def test_what_a_folder_predicts(folder: Path) -> None:
    assert [key for key, *_ in told(folder, objective={"scale_velocity_loss": True})] == [
        "objective.scale_velocity_loss"
    ]
    assert [key for key, *_ in told(folder, objective={"zero_terminal_snr": True})] == ["objective.zero_terminal_snr"]
    assert found(folder, objective={"zero_terminal_snr": True, "prediction": "v_prediction"}) == []
    config = folder / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prediction_type": "v_prediction"}))
    assert found(folder, objective={"scale_velocity_loss": True, "zero_terminal_snr": True}) == []
    assert [key for key, *_ in told(folder, objective={"velocity_like_loss": 0.5})] == ["objective.velocity_like_loss"]


def test_what_a_file_predicts(tmp_path: Path, file: Path) -> None:
    wish = {"zero_terminal_snr": True}
    assert [key for key, *_ in told(file, objective=wish)] == ["objective.zero_terminal_snr"]
    # Files of 2.x do not say which of the two they are.
    assert found(hollow_file(tmp_path / "sd21.safetensors", SD21), objective=wish) == []


def test_a_model_that_cannot_be_read_is_told_elsewhere(tmp_path: Path) -> None:
    assert found(tmp_path / "none.safetensors", captions={"clip_skip": 12}) == []


def test_a_block_that_is_there_and_not_trained_is_not_taken_for_another(file: Path) -> None:
    method, optimizer = {"exclude": ["*mid_block*"]}, {"block_rates": {"mid_block": 0.5}}
    assert told(file, method=method, optimizer=optimizer) == [
        ("optimizer.block_rates", "optimizer.block_rates.mid_block", "")
    ]


@pytest.mark.parametrize(
    ("rates", "keys"),
    [
        ({"unet": 0}, ["optimizer.block_rates"]),
        ({"down_blocks": 0, "up_blocks": 0, "mid_block": 0}, ["optimizer.block_rates"]),
        ({"down_blocks": 0, "up_blocks": 0}, []),
        ({"unet": 0, "mid_block": 0.1}, []),
    ],
)
def test_rates_that_leave_nothing(file: Path, rates: dict[str, float], keys: list[str]) -> None:
    assert [each.key for each in found(file, optimizer={"block_rates": rates})] == keys


FOLDERS = [{"path": "images"}, {"path": "class", "regularization": True}]


@pytest.mark.parametrize(
    ("sections", "keys"),
    [
        ({"prior": {"target": "frozen"}, "dataset": {"folders": FOLDERS}}, ["prior.target"]),
        ({"prior": {"class_caption": "a cat"}}, ["prior.class_caption"]),
        ({"dataset": {"folders": FOLDERS}}, []),
    ],
)
def test_what_the_base_model_answers_does_not_hold_another_kind(
    file: Path, sections: dict[str, Any], keys: list[str]
) -> None:
    velocity, noise = {"prediction": "v_prediction"}, {"prediction": "epsilon"}
    assert [each.key for each in found(file, objective=velocity, **sections)] == keys
    assert found(file, objective=noise, **sections) == []
