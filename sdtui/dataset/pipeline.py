"""What a caption reads as in one step: prefix, dropout, wildcards, kept tags, warm-up, shuffle, tag dropout, separators, template.

Pure functions of the text, the settings and the moment. Whatever is random asks the moment for a number by name, so one
setting never moves the numbers of another, and a resumed run reads what it would have read.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sdtui.dataset.templates import Template
from sdtui.profile.folder_rules import rearranges
from sdtui.profile.sections.captions import Captions

Roll = Callable[[str], float]
"""A number in [0, 1) for a purpose; the same for the same purpose."""

JOINT = ", "
_ALMOST_ONE = math.nextafter(1.0, 0.0)
# {{ and }} stand for the braces themselves; an option list holds neither.
_WILDCARD = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a caption is read: optimizer step and epoch (the first is 0 in both), the run's length in steps, the dice."""

    step: int
    epoch: int
    total: int
    roll: Roll


class Parts(NamedTuple):
    """A caption's tags: those that stay in front, those that may move or fall away, those that stay at the end."""

    front: list[str]
    free: list[str]
    back: list[str]


def draw(text: str, rules: Captions, moment: Moment, template: Template | None = None) -> str:
    """The caption as the model reads it at `moment`; an image without a caption reads as nothing, whatever the prefix.

    The order is kohya sd-scripts' (`process_caption`), except that prefix and suffix go to the line that is taken. What it
    comes to is put into a line of the template, if there is one, with a caption or without.
    """
    return "" if is_dropped(rules, moment) else read(text, rules, moment, template)


def read(text: str, rules: Captions, moment: Moment, template: Template | None = None) -> str:
    """The same, given that it is not left out."""
    caption = compose(text, rules, moment) if text else ""
    return template.filled(caption, moment.roll) if template else caption


def is_dropped(rules: Captions, moment: Moment) -> bool:
    """Whether the whole caption is left out: by its rate, or because every caption of this epoch is."""
    if rules.dropout_every and (moment.epoch + 1) % rules.dropout_every == 0:
        return True
    return moment.roll("caption") < rules.dropout


def compose(text: str, rules: Captions, moment: Moment) -> str:
    """The caption at `moment`, given that it is not left out."""
    text = f"{rules.prefix}{take_line(text, rules.lines, moment.roll)}{rules.suffix}"
    if rules.wildcards:
        text = fill_wildcards(text, moment.roll)
    if rearranges(rules) or (rules.keep_separator and rules.keep_separator in text):
        front, free, back = split(text, rules)
        free = free[: warm_length(len(free), rules, moment)]
        text = JOINT.join(front + thinned(free, rules, moment.roll) + back)
    if rules.secondary_separator:
        text = text.replace(rules.secondary_separator, rules.separator)
    return text


def whole(text: str, rules: Captions, template: Template | None = None) -> str:
    """The caption at the end of a run with nothing left out of it: what its length is judged by."""
    caption = compose(text, rules, Moment(sys.maxsize, 0, 1, lambda _: _ALMOST_ONE)) if text else ""
    return template.longest(caption) if template else caption


def unvaried(text: str, rules: Captions, template: Template | None = None) -> str:
    """The caption with nothing left to chance or out: all tags in their order, the first line, the first options."""
    kept = Moment(sys.maxsize, 0, 1, lambda purpose: _ALMOST_ONE if purpose.startswith("tag ") else 0.0)
    return read(text, rules, kept, template)


def take_line(text: str, lines: str, roll: Roll) -> str:
    """The lines of `text` joined by a blank, the first, or one at random, as `captions.lines` says; blank ones count not."""
    there = [stripped for line in text.splitlines() if (stripped := line.strip())]
    if lines == "join" or not there:
        return " ".join(there)
    return there[0] if lines == "first" else _choose(there, roll("line"))


def fill_wildcards(text: str, roll: Roll) -> str:
    """Each `{a|b|c}` becomes one of its options, drawn anew each time it is read."""
    count = 0

    def fill(found: re.Match[str]) -> str:
        nonlocal count
        if found[1] is None:
            return found[0][0]
        count += 1
        return _choose(found[1].split("|"), roll(f"wildcard {count}"))

    return _WILDCARD.sub(fill, text)


def split(text: str, rules: Captions) -> Parts:
    """The tags of `text` around its keep separator, which may come a second time before tags that stay at the end.

    Without one, the first `keep_tokens` tags stay.
    """
    if rules.keep_separator and rules.keep_separator in text:
        front, free, *back = (_tags(part, rules.separator) for part in text.split(rules.keep_separator, 2))
        return Parts(front, free, back[0] if back else [])
    tags = _tags(text, rules.separator)
    return Parts(tags[: rules.keep_tokens], tags[rules.keep_tokens :], [])


def warm_length(count: int, rules: Captions, moment: Moment) -> int:
    """How many of `count` tags are read while their number grows: ⌊min + (count - min) · step / warm-up⌋."""
    share_or_steps = rules.token_warmup
    steps = share_or_steps if isinstance(share_or_steps, int) else math.floor(share_or_steps * moment.total)
    least = rules.token_warmup_min
    if moment.step >= steps or count <= least:
        return count
    return least + (count - least) * moment.step // steps


def thinned(tags: Sequence[str], rules: Captions, roll: Roll) -> list[str]:
    """The tags in the order they are read in, without those that fall away."""
    order = list(range(len(tags)))
    if rules.shuffle:
        order.sort(key=lambda at: roll(f"shuffle {at}"))
    if rules.tag_dropout:
        order = [at for at in order if roll(f"tag {at}") >= rules.tag_dropout]
    return [tags[at] for at in order]


def _tags(text: str, separator: str) -> list[str]:
    return [tag for part in text.split(separator) if (tag := part.strip())]


def _choose(options: Sequence[str], number: float) -> str:
    return options[int(number * len(options))]
