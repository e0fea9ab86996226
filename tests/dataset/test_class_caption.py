"""What a caption reads as when it shows a class instead of what is learned."""

from __future__ import annotations

import pytest

from sdtui.dataset.class_caption import class_caption, has_trigger


@pytest.mark.parametrize(
    ("caption", "trigger", "expected"),
    [
        ("photo of sks woman, red hat", "sks woman", "photo of person, red hat"),
        ("Sks, portrait of SKS", "sks", "person, portrait of person"),
        ("(sks:1.2) on a chair", "sks", "(person:1.2) on a chair"),
        # Only where it stands as words of its own.
        ("a woman", "man", "person"),
        ("sksy style", "sks", "person"),
        ("a red square", "", "person"),
        ("", "sks", "person"),
        # No character of the trigger or of the class words means anything else.
        ("c++ (a.b) code", "(a.b)", "c++ person code"),
    ],
)
def test_class_caption(caption: str, trigger: str, expected: str) -> None:
    assert class_caption(caption, trigger, "person") == expected


def test_class_words_are_taken_as_they_stand() -> None:
    assert class_caption("sks", "sks", r"\1 \g<0>") == r"\1 \g<0>"


def test_no_trigger_is_in_no_caption() -> None:
    assert not has_trigger("anything", "")
