"""Settings of words that do not go together, each told once and in full."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile
from sdtui.profile.word_rules import RULES

TOY: dict[str, Any] = {"name": "toy"}
ALONE: dict[str, Any] = {"kind": "textual-inversion", "words": [TOY]}


def findings(**sections: Any) -> list[tuple[str, str, str]]:
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": [{"path": "images"}]},
        "training": {"steps": 50},
        **sections,
    }
    profile = Profile.model_validate(data)
    own = [finding for rule in RULES for finding in rule(profile)]
    assert all(finding in contradictions(profile, frozenset()) for finding in own)
    return [(finding.severity, finding.code, finding.at or finding.key) for finding in own]


def test_words_alone_need_no_more() -> None:
    assert findings(method=ALONE) == []


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"method": {"kind": "textual-inversion"}}, ("error", "missing", "method.words")),
        ({"method": {"words": [TOY, {"name": "TOY"}]}}, ("error", "twice", "method.words[1].name")),
        (
            {"method": {"words": [{**TOY, "init": "cat", "continue_from": "a.pt"}]}},
            ("warning", "no-effect", "method.words[0].init"),
        ),
        (
            {"method": {"words": [{**TOY, "norm": 0.4}]}, "optimizer": {"name": "schedule-free-adamw"}},
            ("error", "contradiction", "method.words[0].norm"),
        ),
        ({"method": {**ALONE, "rank": 4}}, ("warning", "no-effect", "method.rank")),
        (
            {"method": ALONE, "optimizer": {"lora_plus_ratio": 4.0}},
            ("warning", "no-effect", "optimizer.lora_plus_ratio"),
        ),
        ({"method": ALONE, "optimizer": {"weight_decay": 0.1}}, ("warning", "no-effect", "optimizer.weight_decay")),
        (
            {"method": ALONE, "dataset": {"folders": [{"path": "images", "word": "tow"}]}},
            ("error", "no-word", "dataset.folders[0].word"),
        ),
        (
            {"method": ALONE, "dataset": {"folders": [{"path": "images", "word": "toy"}]}},
            ("warning", "no-effect", "dataset.folders[0].word"),
        ),
        (
            {"captions": {"template": "picture", "template_file": "a.txt"}},
            ("error", "contradiction", "captions.template"),
        ),
        (
            {"captions": {"on_missing": "file-name", "file_name_pattern": "(a"}},
            ("error", "bad-pattern", "captions.file_name_pattern"),
        ),
        ({"captions": {"file_name_pattern": "a"}}, ("warning", "no-effect", "captions.file_name_pattern")),
        (
            {"captions": {"on_missing": "file-name", "file_name_join": "-"}},
            ("warning", "no-effect", "captions.file_name_join"),
        ),
        ({"saving": {"word_formats": ["kohya"]}}, ("warning", "no-effect", "saving.word_formats")),
        (
            {"method": ALONE, "saving": {"word_formats": ["webui", "webui"]}},
            ("error", "twice", "saving.word_formats[1]"),
        ),
        ({"method": ALONE, "saving": {"word_formats": ["bundle"]}}, ("error", "contradiction", "saving.word_formats")),
        (
            {"method": {"words": [TOY]}, "saving": {"formats": ["diffusers"], "word_formats": ["bundle"]}},
            ("error", "contradiction", "saving.word_formats"),
        ),
        (
            {"method": {"words": [{"name": "my.toy"}]}, "saving": {"word_formats": ["bundle"]}},
            ("error", "contradiction", "saving.word_formats"),
        ),
    ],
)
def test_what_does_not_go_together(sections: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert findings(**sections) == [expected]


def test_a_near_name_is_offered() -> None:
    profile = Profile.model_validate(
        {"model": {"base": "x"}, "method": ALONE, "dataset": {"folders": [{"path": "i", "word": "tay"}]}}
    )
    (finding,) = (found for rule in RULES for found in rule(profile))
    assert (finding.message, finding.remedy) == (
        'dataset.folders[0].word: there is no word "tay"',
        'Did you mean "toy"?',
    )
