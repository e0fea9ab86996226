"""Settings that are allowed and do nothing, because of another one: how such a rule asks and what it says."""

from __future__ import annotations

from sdtui.profile.declare import Section
from sdtui.profile.problem import Finding


def changed(section: Section, *names: str) -> list[str]:
    """Which of these settings have another value than their default."""
    return [name for name in names if getattr(section, name) != type(section).model_fields[name].default]


def idle(key: str, why: str, remedy: str) -> Finding:
    """A warning that the setting `key` does nothing."""
    return Finding("no-effect", key, f"{key} has no effect: {why}", remedy, severity="warning")
