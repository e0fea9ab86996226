"""What is said about a wrong value, and what the user is told to write."""

from __future__ import annotations

import pytest

from sdtui.profile.settings import BY_KEY
from sdtui.profile.values import judge, toml


@pytest.mark.parametrize(
    ("key", "found", "code", "remedy"),
    [
        ("method.text_encoder", "false", "quoted-boolean", "Write it without quotes: text_encoder = false"),
        ("method.text_encoder", "Yes", "quoted-boolean", "Write it without quotes: text_encoder = true"),
        ("method.text_encoder", 1, "wrong-type", "Write it without quotes: text_encoder = true"),
        ("method.rank", "16", "quoted-number", "Remove the quotes: rank = 16"),
        (
            "optimizer.learning_rate",
            "0.01:500, 0.005",
            "wrong-type",
            'Rates that change at steps stand in [schedule]: rates = "0.01:500, 0.005"',
        ),
        ("saving.every_steps", "099", "quoted-number", "Write the bare number: every_steps = 99"),
        ("saving.every_steps", "00", "quoted-number", "Write the bare number: every_steps = 0"),
        ("objective.min_snr_gamma", "-.5", "quoted-number", "Write the bare number: min_snr_gamma = -0.5"),
        ("training.steps", "1 000", "quoted-number", "Write the bare number: steps = 1000"),
        ("method.rank", 16.0, "wrong-type", "Write it without a decimal point: rank = 16"),
        ("method.rank", 0, "out-of-range", ""),
        ("dataset.resolution", "512 px", "wrong-unit", "Write the bare number: resolution = 512"),
        ("saving.every_minutes", "1h", "wrong-unit", "Write the bare number: every_minutes = 60"),
        ("saving.every_minutes", "90 s", "wrong-unit", "Write the bare number: every_minutes = 1.5"),
        ("saving.min_free_mib", "2GiB", "wrong-unit", "Write the bare number: min_free_mib = 2048"),
        ("training.steps", "3k", "wrong-unit", "Write the bare number: steps = 3000"),
        ("captions.dropout", "10%", "wrong-unit", "Write the bare number: dropout = 0.1"),
        ("schedule.warmup", "10%", "wrong-unit", "Write the bare number: warmup = 0.1"),
        ("schedule.warmup", "10 steps", "wrong-unit", "Write the bare number: warmup = 10"),
        ("captions.dropout", 10, "out-of-range", "It is a share of 1, not per cent: 10 % is 0.1"),
        ("optimizer.learning_rate", "fast", "wrong-type", ""),
        (
            "training.batch_size",
            "auto",
            "wrong-type",
            (
                "Write the batch to learn from, such as 4: where it does not fit in memory at once, it is taken in parts "
                "as large as fit, with the same gradient"
            ),
        ),
        ("training.at_once", "Auto", "wrong-type", "Write 0: as many as fit, found by the run"),
        ("schedule.name", "cosin", "not-a-choice", 'Did you mean "cosine"?'),
        ("augment.hue", 0.9, "out-of-range", "0.5 both ways is the whole circle"),
        (
            "method.algorithm",
            "LoCon",
            "not-a-choice",
            'Write algorithm = "lora", and add "convolution" to targets',
        ),
        ("dataset.buckets", "kohya", "not-a-choice", 'Write "compat": kohya\'s rule'),
        ("objective.prediction", "v", "not-a-choice", 'Did you mean "v_prediction"?'),
        ("objective.prediction", "velocity", "not-a-choice", 'Write "v_prediction"'),
        ("training.precision", "float", "not-a-choice", 'Write "fp32"'),
        ("saving.precision", "half", "not-a-choice", 'Write "fp16"'),
        ("schedule.name", 3, "wrong-type", ""),
        ("method.targets", "attention", "wrong-type", 'Put it in brackets: targets = ["attention"]'),
        ("method.targets", [], "wrong-list", ""),
        ("previews.prompts", "a cat", "wrong-type", "Write a list in brackets: prompts = […]"),
        ("name", 7, "wrong-type", 'Put it in quotes: name = "7"'),
        ("captions.extension", "txt", "not-allowed", ""),
    ],
)
def test_code_and_remedy(key: str, found: object, code: str, remedy: str) -> None:
    verdict = judge(BY_KEY[key], found)
    assert (verdict.code, verdict.remedy) == (code, remedy)


@pytest.mark.parametrize(
    ("key", "found", "message"),
    [
        ("method.text_encoder", "false", 'is the text "false", not true or false'),
        ("method.rank", True, "is the boolean true, not a whole number"),
        ("dataset.resolution", "512px", 'is the text "512px"; it counts px'),
        ("optimizer.betas", [0.9], "has 1 item"),
        ("optimizer.betas", [0.9, 0.99, 0.999], "has 3 items"),
        ("name", {"a": 1}, "is a table, not text"),
    ],
)
def test_messages(key: str, found: object, message: str) -> None:
    assert judge(BY_KEY[key], found).message == message


def test_a_table_is_shown_as_toml_writes_it_in_a_line() -> None:
    assert toml({"down_blocks.0": 0.5, "relative_step": True}) == '{ "down_blocks.0" = 0.5, relative_step = true }'
    assert toml({}) == "{}"


def test_what_a_table_holds_is_told() -> None:
    verdict = judge(BY_KEY["optimizer.block_rates"], "half")
    assert (verdict.code, verdict.message) == ("wrong-item", 'holds the text "half"')
