"""AUTOMATIC1111's text of learning rates: `0.005:100, 1e-3:1000, 1e-5`, each with the step at which it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = re.compile(r"[+-]?\d+")
# 10,000: with its comma it is two items, the second a rate of nothing.
_THOUSANDS = re.compile(r":\s*(\d{1,3}(?:,\d{3})+)(?![\d.])")
_SHARE = re.compile(r"\d*\.\d+|\d+\.")


class RateTextError(ValueError):
    """What is wrong with a text of rates, in words for the user."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One rate and where it ends: after so many steps, after a share of the run, or (None) with the run."""

    rate: float
    until: int | float | None

    def end(self, total: int) -> int:
        """The first step of a run of `total` that it does not hold for."""
        if self.until is None:
            return total
        return min(total, round(self.until * total) if isinstance(self.until, float) else self.until)


def parse_rates(text: str) -> tuple[Stretch, ...]:
    """The stretches of `text`; what follows one without an end is not read, as in AUTOMATIC1111.

    Raises:
        RateTextError: it is not such a text; commas in numbers (10,000) are the usual cause.
    """
    split = _THOUSANDS.search(text)
    if split:
        raise RateTextError(f"{split[1]!r} is two items; write {split[1].replace(',', '')} without a comma")
    stretches: list[Stretch] = []
    for item in filter(None, map(str.strip, text.split(","))):
        stretch = _stretch(item)
        if stretches and stretch.until is not None and not _rises(stretches[-1].until, stretch.until):
            raise RateTextError(f"{item!r} ends no later than what stands before it")
        stretches.append(stretch)
        if stretch.until is None:
            break
    if not stretches:
        raise RateTextError("it holds no rate")
    return tuple(stretches)


def rate_at(stretches: tuple[Stretch, ...], step: int, total: int) -> float:
    """The rate of optimizer step `step` (the first is 0) of `total`; beyond the end the last one."""
    return next((stretch.rate for stretch in stretches if step < stretch.end(total)), stretches[-1].rate)


def length(text: str, total: int) -> int:
    """Steps of a run of `total` whose rates are `text`: it ends with the last rate. An empty text ends nothing."""
    return parse_rates(text)[-1].end(total) if text else total


def _stretch(item: str) -> Stretch:
    rate_text, colon, until_text = (part.strip() for part in item.partition(":"))
    try:
        rate = float(rate_text)
    except ValueError:
        raise RateTextError(f"{rate_text!r} is not a number") from None
    if not 0 < rate <= 1:
        raise RateTextError(f"{rate_text} is not a learning rate above 0, up to 1")
    return Stretch(rate, _until(until_text, item) if colon else None)


def _until(text: str, item: str) -> int | float | None:
    if _SHARE.fullmatch(text) and 0 < float(text) <= 1:
        return float(text)
    if not _STEP.fullmatch(text) or int(text) < -1 or int(text) == 0:
        raise RateTextError(f"{item!r} does not end at a step (a whole number, or a share with a point such as 0.5)")
    return None if int(text) == -1 else int(text)


def _rises(before: float | None, after: float) -> bool:
    """Steps and shares cannot be compared before the run's length is known."""
    return type(before) is not type(after) or (before is not None and after > before)
