"""The caption that shows a class instead of what is learned: class words in place of the trigger, or of the whole text."""

from __future__ import annotations

import re


def class_caption(caption: str, trigger: str, words: str) -> str:
    """`caption` with `words` wherever it has `trigger`; `words` alone if there is no trigger, or none in the caption."""
    if not has_trigger(caption, trigger):
        return words
    return _pattern(trigger).sub(lambda _: words, caption)


def has_trigger(caption: str, trigger: str) -> bool:
    """Whether `trigger` stands in the caption as words of its own, in capitals or not: the text encoder reads both alike.

    "man" is not in "a woman".
    """
    return bool(trigger) and _pattern(trigger).search(caption) is not None


def _pattern(trigger: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(trigger)}(?!\w)", re.IGNORECASE)
