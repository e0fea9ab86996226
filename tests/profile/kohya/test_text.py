"""Files as a guide has them, taken over: the literal text of the profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.profile.check import check_text
from sdtui.profile.kohya.source import read_source
from sdtui.profile.kohya.taking import take
from sdtui.profile.kohya.text import profile_text
from tests.profile.kohya.helpers import FILES, taken


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("guide_config.toml", "guide_config_profile.toml"),
        ("guide_dataset.toml", "guide_dataset_profile.toml"),
        ("guide_form.json", "guide_form_profile.toml"),
    ],
)
def test_a_guide_becomes_a_profile(file: str, expected: str) -> None:
    text = profile_text(take(read_source(FILES / file), FILES))
    assert text == (FILES / expected).read_text(encoding="utf-8")
    problems = check_text(text, FILES / "profile.toml").problems
    of_the_file = {"no-such-path", "backslash-path", "not-installed", "no-checkpoints", "prefixed-class"}
    assert [str(problem) for problem in problems if problem.code not in of_the_file] == []


def test_a_value_no_setting_takes_is_left_out_and_told(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, 'optimizer_args = ["weight_decay=2.5"]\nnetwork_dim = 3000')
    assert (profile.optimizer.weight_decay, profile.method.rank) == (None, 16)
    assert draft.warnings[-2:] == [
        "method.rank is 3000, allowed is whole number 1…1 024: it is left out",
        "optimizer.weight_decay is 2.5, allowed is number 0…1: it is left out",
    ]


def test_a_misspelt_choice_is_told_with_the_nearest(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, 'mixed_precision = "bf-16"')
    assert profile.training.precision == "auto"
    assert draft.warnings[-1].endswith('"fp16": it is left out. Did you mean "bf16"?')


def test_what_is_kohya_s_and_ours_is_not_written(tmp_path: Path) -> None:
    draft, _ = taken(tmp_path, "max_grad_norm = 1.0\nhuber_c = 0.1\nmax_token_length = 75\nnetwork_dim = 16")
    text = profile_text(draft)
    assert "clip_norm" not in text
    assert "huber_c" not in text
    assert "max_tokens" not in text
    # Kohya's own rank is 4: who writes 16 means it.
    assert "rank = 16  # network_dim\n" in text


def test_kohya_s_defaults_are_written_where_ours_are_others(tmp_path: Path) -> None:
    draft, _ = taken(tmp_path, 'pretrained_model_name_or_path = "/m"\nnetwork_module = "networks.lora"')
    text = profile_text(draft)
    for line in (
        "rank = 4  # kohya's default of network_dim",
        "alpha = 1.0  # kohya's default of network_alpha",
        "text_encoder = true  # kohya's default of network_train_unet_only",
        'buckets = "none"  # kohya\'s default of enable_bucket',
        'extension = ".caption"  # kohya\'s default of caption_extension',
        "steps = 1600  # kohya's default of max_train_steps",
        "learning_rate = 2e-06  # kohya's default of learning_rate",
        'precision = "fp32"  # kohya\'s default of save_precision',
    ):
        assert line in text.splitlines()
