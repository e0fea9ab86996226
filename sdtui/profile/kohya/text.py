"""A draft as the text of a profile: each value with the option it comes from, at the end what does not apply."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from typing import Any

import tomli_w

from sdtui.profile.kohya.draft import Draft, Left, Made
from sdtui.profile.kohya.taking import drop_not_allowed
from sdtui.profile.schema import SCHEMA
from sdtui.profile.settings import SECTIONS, SETTINGS, find, template

_WIDTH = 110
_FILL_IN = {
    "model.base": Made("path/to/stable-diffusion-v1-5", "fill in", shown=True),
    "training.steps": Made(1500, "fill in, or epochs", shown=True),
}
_KINDS = {"config": "sd-scripts' config", "dataset": "the dataset TOML", "form": "kohya_ss's"}


def profile_text(draft: Draft) -> str:
    """The profile. What the file leaves to be filled in says so; what no profile may hold is taken out of the draft."""
    text = _text(draft)
    return _text(draft) if drop_not_allowed(draft, text) else text


def _text(draft: Draft) -> str:
    parts = [f"# Made from {_KINDS[draft.source.kind]} {draft.source.path.name} by `sdtui import kohya`."]
    parts.append(
        "# Behind each value stands the option it comes from; what is not here has its default (docs/settings.md)."
    )
    parts += ["", f"schema = {SCHEMA}"]
    filled = _filled(draft)
    for section in _sections(filled):
        parts += ["", *_section(filled, section)]
    if not any(key.startswith("dataset.folders[") for key in draft.made):
        parts += ["", "[[dataset.folders]]", "# Fill in: a folder of images.", 'path = "path/to/images"']
    parts += _comments(draft)
    return "\n".join(parts) + "\n"


def _filled(draft: Draft) -> dict[str, Made]:
    """What is written out, with what the file cannot say to be filled in."""
    needed = {key: made for key, made in _FILL_IN.items() if key not in draft.made}
    if "training.epochs" in draft.made:
        needed.pop("training.steps", None)
    return {**needed, **{key: made for key, made in draft.made.items() if made.shown}}


def _sections(filled: dict[str, Made]) -> list[str]:
    """Concrete sections that have something to say, in the order of the settings' page."""
    found = dict.fromkeys(key.rpartition(".")[0] for key in filled)
    return sorted(found, key=lambda section: (SECTIONS.index(template(section)), _number(section)))


def _number(section: str) -> int:
    """The place of a table in its list."""
    return int(section.partition("[")[2].rstrip("]") or 0)


def _section(filled: dict[str, Made], section: str) -> list[str]:
    name = section.partition("[")[0]
    lines = [f"[[{name}]]" if name != section else f"[{section}]"]
    tables: list[str] = []
    for key in sorted((key for key in filled if key.rpartition(".")[0] == section), key=_declared_order):
        made = filled[key]
        if key == "optimizer.args":
            tables = ["", f"[{key}]" + _comment(made.origin), *_pairs(made.value)]
        else:
            lines += _entry(key.rpartition(".")[2], made.value, made.origin)
    return lines + tables


def _declared_order(key: str) -> int:
    setting = find(key)
    return SETTINGS.index(setting) if setting is not None else -1


def _comment(origin: str) -> str:
    return f"  # {origin}" if origin else ""


def _entry(name: str, value: Any, origin: str) -> list[str]:
    if isinstance(value, dict):
        inside = ", ".join(_pairs(value))
        return [f"{name} = {{ {inside} }}{_comment(origin)}"]
    if isinstance(value, list | tuple) and len(str(value)) < _WIDTH:
        return [*_pairs({name: list(value)})[:-1], _pairs({name: list(value)})[-1] + _comment(origin)]
    written = tomli_w.dumps({name: value}).rstrip("\n")
    return [*([f"# {origin}"] if origin else []), written] if "\n" in written else [written + _comment(origin)]


def _pairs(table: dict[str, Any]) -> list[str]:
    return (
        tomli_w.dumps(table)
        .rstrip("\n")
        .replace("[\n    ", "[")
        .replace(",\n]", "]")
        .replace(",\n    ", ", ")
        .splitlines()
    )


def _comments(draft: Draft) -> list[str]:
    """Warnings, what does not apply by its reason, and unknown names."""
    lines: list[str] = []
    if draft.warnings:
        lines += ["", "# What behaves differently:", *_items(draft.warnings)]
    loud = [left for left in draft.left if not left.quiet]
    quiet = [left for left in draft.left if left.quiet]
    for title, found in (("Not taken over:", loud), ("Not needed here:", quiet)):
        if found:
            lines += ["", f"# {title}", *_items(by_reason(found))]
    if draft.source.unknown:
        hints = [f"{name} (did you mean {near}?)" if near else name for name, near in draft.source.unknown]
        lines += ["", "# Unknown, to kohya's scripts as well:", *_items(hints)]
    return lines


def by_reason(left: list[Left]) -> list[str]:
    """The options that do not apply, those with one reason together: "a, b: reason"."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in left:
        found[one.reason].append(one.kohya)
    return [f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in found.items()]


def _items(texts: list[str]) -> list[str]:
    lines = []
    for text in texts:
        lines += textwrap.wrap(text, _WIDTH, initial_indent="# - ", subsequent_indent="#   ", break_long_words=False)
    return lines
