"""One figure, the bar it must clear and how it was reached."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """A measured figure; `value` passes when it is at most `bar`, or at least, where more is better."""

    what: str
    value: float
    bar: float
    unit: str
    detail: str
    at_least: bool = False

    @property
    def passed(self) -> bool:
        """Whether the bar is cleared."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def line(self) -> str:
        """The figure as one row of the report."""
        verdict = "ok  " if self.passed else "MISS"
        bar = f"(bar {'≥' if self.at_least else '≤'} {self.bar:g})"
        return f"{verdict} {self.what:<52} {self.value:>9.3f} {self.unit:<4} {bar}  {self.detail}"


def machine() -> str:
    """Processor, cores and Python, so that a figure is never quoted without them."""
    cpu = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = f"{names[0]} × {len(names)}" if names else cpu
    return f"{cpu}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
