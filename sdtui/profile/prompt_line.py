"""One preview prompt in kohya's syntax: `text --w 512 --h 768 --s 20 --l 7.5 --d 7 --n what to keep out`."""

from __future__ import annotations

import difflib
import itertools
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sdtui.profile.samplers import SAMPLER_NAMES, nearest, sampler_called

_FLAG = re.compile(r"(?:^|\s)--(?P<flag>[A-Za-z][A-Za-z0-9_]*)(?:\s+|$)")
# Kohya's letters and the long names that ai-toolkit's lines use.
_FLAGS = {
    "w": "width",
    "width": "width",
    "h": "height",
    "height": "height",
    "s": "steps",
    "steps": "steps",
    "l": "guidance",
    "cfg": "guidance",
    "d": "seed",
    "seed": "seed",
    "n": "negative",
    "ss": "sampler",
}
_WHOLE = {"width": (8, 4096), "height": (8, 4096), "steps": (1, 1000), "seed": (0, 2**32 - 1)}
_GUIDANCE = (0.0, 100.0)
_STEPS = 20
_DEFAULT_GUIDANCE = 7.5


class Fault(NamedTuple):
    """What is wrong with a line, and from which character to which."""

    message: str
    start: int
    end: int


class PromptError(ValueError):
    """A preview line that cannot be read; the text says which part and what may stand there."""


@dataclass(frozen=True, slots=True)
class PromptLine:
    """What one preview shows; None is the run's own choice (the resolution, the run's seed, `previews.sampler`).

    Defaults are kohya's where it has one, except 20 sampling steps instead of 30: previews are for comparing.
    """

    prompt: str
    negative: str = ""
    width: int | None = None
    height: int | None = None
    steps: int = _STEPS
    guidance: float = _DEFAULT_GUIDANCE
    seed: int | None = None
    sampler: str | None = None


def is_comment(line: str) -> bool:
    """Whether the line shows nothing: empty, or behind a # as in kohya's prompt files."""
    return not line.strip() or line.lstrip().startswith("#")


def parse_prompt_line(line: str, silent: PromptLine | None = None) -> PromptLine:
    """Read one line; one that `is_comment` has no flags.

    Args:
        line: the text with its flags.
        silent: what counts where the line says nothing; our defaults if it is left out.

    Raises:
        PromptError: an unknown flag, a flag without or with a wrong value, or a size that is no multiple of 8.
    """
    silent = silent or PromptLine("")
    if is_comment(line):
        return replace(silent, prompt=line.strip())
    text, *rest = _FLAG.split(line.strip())
    found: dict[str, str] = {}
    for flag, value in zip(rest[::2], rest[1::2], strict=True):
        name = _FLAGS.get(flag)
        if name is None:
            raise PromptError(_unknown(flag))
        if name in found:
            raise PromptError(f"--{flag} is given twice")
        found[name] = value.strip()
    given: dict[str, Any] = {
        "prompt": text.strip(),
        "negative": found.get("negative"),
        "width": _size(found, "width"),
        "height": _size(found, "height"),
        "steps": _whole(found, "steps"),
        "guidance": _guidance(found),
        "seed": _whole(found, "seed"),
        "sampler": _sampler(found),
    }
    return replace(silent, **{name: value for name, value in given.items() if value is not None})


def fault_of(line: str) -> Fault | None:
    """The first flag that cannot be read, with its value; None where the line can be read."""
    starts = [found.end() - len(found[0].lstrip()) for found in _FLAG.finditer(line)]
    for start, end in itertools.pairwise([*starts, len(line)]):
        try:
            # The flags before are sound, so that it is this one.
            parse_prompt_line(line[:end])
        except PromptError as error:
            return Fault(str(error), start, len(line[:end].rstrip()))
    return None


def _unknown(flag: str) -> str:
    near = difflib.get_close_matches(flag, _FLAGS, n=1, cutoff=0.5)
    hint = f"; did you mean --{near[0]}?" if near else ""
    return f"--{flag} is not known{hint} (there are --w --h --s --l --d --n --ss)"


def _whole(found: dict[str, str], name: str) -> int | None:
    if name not in found:
        return None
    low, high = _WHOLE[name]
    text = found[name]
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise PromptError(f"the {name} is {text!r}, allowed: whole number {low}…{high}")
    return int(text)


def _size(found: dict[str, str], name: str) -> int | None:
    size = _whole(found, name)
    if size is not None and size % 8:
        raise PromptError(f"the {name} is {size}, allowed: a multiple of 8, such as {round(size / 8) * 8}")
    return size


def _guidance(found: dict[str, str]) -> float | None:
    text = found.get("guidance")
    if text is None:
        return None
    low, high = _GUIDANCE
    try:
        guidance = float(text)
    except ValueError:
        guidance = low - 1
    if not low <= guidance <= high:
        raise PromptError(f"the guidance is {text!r}, allowed: number {low:g}…{high:g}")
    return guidance


def _sampler(found: dict[str, str]) -> str | None:
    text = found.get("sampler")
    name = None if text is None else sampler_called(text)
    if text is not None and name is None:
        meant = f"; did you mean {near}?" if (near := nearest(text)) else ""
        raise PromptError(f"the sampler is {text!r}, allowed: {', '.join(SAMPLER_NAMES)}{meant}")
    return name
