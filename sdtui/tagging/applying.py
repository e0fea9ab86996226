"""Decided tags as an edit of captions: what becomes of the tags that are there, image by image, as one proposal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from sdtui.dataset import tag_order
from sdtui.dataset import tags as tag_edits
from sdtui.dataset.bulk import Proposal, propose_each
from sdtui.dataset.caption import PIN, tag_words
from sdtui.dataset.library import Library
from sdtui.dataset.tag_spelling import unescape
from sdtui.errors import UserError
from sdtui.tagging.decide import CountTokens, Decision, decide, written
from sdtui.tagging.rules import Rules
from sdtui.tagging.scored_images import ScoredImages
from sdtui.tagging.tag_list import TagList, key

Mode = Literal["replace", "keep-own", "add", "prepend", "append", "only-new"]
"""What becomes of the tags that are there.

`replace`: they go. `keep-own`: those that the tagger does not know stay in front, the others go. `add`: all stay as they are,
and the decided ones that lack come after them. `prepend`, `append`: all stay, and the decided ones come before or after them,
each once. `only-new`: only captions without tags get any.
"""

_SEPARATOR = ", "
# How the labels of edits begin that a tagger's scores or a model's descriptions decide.
_BY_SCORES, _BY_WORDS = "tags by score", "descriptions, "


def propose_tags(
    library: Library,
    positions: Iterable[int],
    images: ScoredImages,
    rules: Rules,
    mode: Mode,
    *,
    count_tokens: CountTokens | None = None,
    samples: int = 5,
    count_tags: bool = False,
) -> Proposal:
    """What the captions at `positions` would become; images without scores stay as they are, and nothing is written.

    Args:
        library: the images and captions.
        positions: which of them.
        images: their scores.
        rules: how to decide.
        mode: see `Mode`.
        count_tokens: CLIP tokens of a text, for `rules.max_tokens`.
        samples: how many captions to show.
        count_tags: also count the tags before and after.
    """
    known = images.table.tags

    def edit(position: int, text: str) -> str:
        if not images.has_scores[position]:
            return text
        return applied(text, decide(images.scored(position), rules, count_tokens), rules, mode, known)

    return propose_each(library, positions, edit, label_of(rules, mode), samples=samples, count_tags=count_tags)


def label_of(rules: Rules, mode: Mode) -> str:
    """What the edit of `propose_tags` is called."""
    where = "cut at the largest gap" if rules.mcut else f"from {rules.threshold:g} on"
    return f"{_BY_SCORES} {where}, {mode}"


def by_tagger(label: str) -> bool:
    """Whether an edit's label says that scores or descriptions decided what it wrote."""
    return label.startswith((_BY_SCORES, _BY_WORDS))


def propose_descriptions(
    library: Library,
    positions: Iterable[int],
    texts: Sequence[str | None],
    mode: Mode,
    *,
    samples: int = 5,
    count_tags: bool = False,
) -> Proposal:
    """What the captions at `positions` would become with descriptions in words, by position in `texts`; None: no change.

    Raises:
        UserError: `mode` is one of those that look at single tags.
    """
    if mode in {"add", "keep-own"}:
        raise UserError(
            f"descriptions cannot be applied by {mode}", remedy="Modes for them are replace, prepend, append, only-new"
        )

    def edit(position: int, text: str) -> str:
        words = texts[position]
        if not words or (mode == "only-new" and text.strip()) or (mode != "replace" and _says(text, words)):
            return text
        return _beside(text, words) if mode == "append" else _beside(words, text) if mode == "prepend" else words

    return propose_each(library, positions, edit, f"{_BY_WORDS}{mode}", samples=samples, count_tags=count_tags)


def propose_sorted(
    library: Library,
    positions: Iterable[int],
    images: ScoredImages,
    *,
    keep: int = 0,
    samples: int = 5,
    count_tags: bool = False,
) -> Proposal:
    """Captions with the same tags, the highest score first; the first `keep`, and tags the tagger does not know, lead."""
    known = images.table.tags

    def edit(position: int, text: str) -> str:
        scores = {tag.place: tag.score for tag in images.scored(position)}

        def rank(word: str) -> tuple[bool, float]:
            place = known.place(plain(word))
            return (place is not None, -scores.get(place, 0.0) if place is not None else 0.0)

        return tag_order.sort(text, rank, keep=keep) if images.has_scores[position] else text

    return propose_each(library, positions, edit, "sort by score", samples=samples, count_tags=count_tags)


def applied(text: str, decision: Decision, rules: Rules, mode: Mode, known: TagList) -> str:
    """The caption `text` with an image's decided tags."""
    decided = {plain(tag.name): written(tag, rules) for tag in decision.kept}
    whole = _SEPARATOR.join(decided.values())
    if mode == "only-new":
        return text if tag_words(text) else whole
    if mode == "replace":
        return whole
    if mode == "add":
        present = {plain(word) for word in tag_words(text)}
        for name, word in decided.items():
            if name not in present:
                text = tag_edits.add(text, word)
        return text
    if mode == "keep-own":
        return _beside(tag_edits.remove_matching(text, lambda word: known.place(plain(word)) is not None), whole)
    rest = tag_edits.remove_matching(text, lambda word: plain(word) in decided)
    return _beside(whole, rest) if mode == "prepend" else _beside(rest, whole)


def _says(text: str, words: str) -> bool:
    """Whether the words stand in a text, not as parts of longer ones."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _beside(one: str, other: str) -> str:
    """Two captions as one; a comma that ended the first is not doubled, and beside `|||` there is none."""
    front, back = one.rstrip(" ,"), other.lstrip(" ,")
    between = " " if front.endswith(PIN) or back.startswith(PIN) else _SEPARATOR
    return f"{front}{between}{back}" if front and back else front or back


def plain(word: str) -> str:
    """A tag of a caption as it is compared: without escapes and a weight around it."""
    bare = unescape(word)
    if bare.startswith("(") and bare.endswith(")") and ":" in bare:
        inner, _, weight = bare[1:-1].rpartition(":")
        bare = inner if weight.replace(".", "", 1).isdigit() else bare
    return key(bare)
