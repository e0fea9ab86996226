"""Which key someone meant."""

from __future__ import annotations

import pytest

from sdtui.profile.nearest import choice_hint, key_hint, section_hint, table_name


@pytest.mark.parametrize(
    ("section", "name", "hint"),
    [
        ("", "rank", "rank belongs to [method]"),
        ("method", "steps", "steps belongs to [training]"),
        ("model", "dropout", "dropout belongs to [method] or [captions]"),
        ("method", "rnak", "Did you mean rank?"),
        ("method", "network_dim", "It is called rank here"),
        ("training", "network_dim", "It is called rank here, in [method]"),
        ("optimizer", "lr", "It is called learning_rate here"),
        ("training", "batchSize", "Did you mean batch_size?"),
        ("training", "batch-size", "Did you mean batch_size?"),
        ("training", "learning_rat", "Did you mean learning_rate, in [optimizer]?"),
        ("dataset.folders[2]", "num_repeats", "It is called repeats here"),
        ("training", "schema", "schema belongs to the top of the file, before the first [section]"),
        ("method", "zzz", ""),
    ],
)
def test_keys(section: str, name: str, hint: str) -> None:
    assert key_hint(section, name) == hint


def test_sections_and_choices() -> None:
    assert section_hint("optimiser") == "Did you mean [optimizer]?"
    assert section_hint("zzz") == ""
    assert table_name("dataset.folders[1]") == "[[dataset.folders]]"
    assert choice_hint("Cosin", ("constant", "linear", "cosine")) == 'Did you mean "cosine"?'
    assert choice_hint("eps", ("auto", "epsilon", "v_prediction")) == 'Did you mean "epsilon"?'
    assert choice_hint("zzz", ("constant",)) == ""
