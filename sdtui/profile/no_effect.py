"""Settings that are allowed and do nothing, because of another one: how such a rule asks and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps

from sdtui.profile.declare import Section
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


@dataclass(frozen=True, slots=True)
class Unused:
    """Settings `names` of one section that do nothing, whatever their values are; `why` and `remedy` as in a finding."""

    section: str
    names: tuple[str, ...]
    why: str
    remedy: str


UnusedRule = Callable[[Profile], Iterator[Unused]]


def changed(section: Section, *names: str) -> list[str]:
    """Which of these settings have another value than their default."""
    return [name for name in names if getattr(section, name) != type(section).model_fields[name].default]


def idle(key: str, why: str, remedy: str) -> Finding:
    """A warning that the setting `key` does nothing."""
    return Finding("no-effect", key, f"{key} has no effect: {why}", remedy, severity="warning")


def warning(rule: UnusedRule) -> Callable[[Profile], Iterator[Finding]]:
    """The rule that warns of each unused setting that has another value than its default."""

    @wraps(rule)
    def warn(profile: Profile) -> Iterator[Finding]:
        for unused in rule(profile):
            for name in changed(getattr(profile, unused.section), *unused.names):
                yield idle(f"{unused.section}.{name}", unused.why, unused.remedy)

    return warn
