"""Settings of memory and speed that need something of the machine; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def four_bits(profile: Profile) -> Iterator[Finding]:
    """4 bits are bitsandbytes' work, which must be there and knows no Apple GPU."""
    training = profile.training
    if training.base_precision != "4bit":
        return
    key = "training.base_precision"
    if training.device == "mps":
        message = f'{key} = "4bit" does not work on an Apple GPU'
        yield Finding("contradiction", key, message, "Use 8bit there", '"same" or "8bit"')
    if importlib.util.find_spec("bitsandbytes") is None:
        message = f'{key} = "4bit" needs the package bitsandbytes, which is not installed here'
        remedy = 'pip install "sdtui[four-bit]", or set it to "8bit", which needs no package'
        # A profile may be written on another machine than it is trained on.
        yield Finding("not-installed", key, message, remedy, severity="warning")


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    four_bits: ("training.base_precision", "training.device"),
}
