"""Two calm themes whose every colour is one of the 256 that all terminals have, so that surfaces stay apart without truecolor.

Over SSH and in tmux the program is usually told of 256 colours only, and Textual's own themes then collapse background,
surface and panel into one. Picking from the fixed part of that palette (16-255) makes both renderings the same, but for
light greys, which Rich puts one step darker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

DARK = Theme(
    name="sdtui",
    primary="#87afd7",
    secondary="#8a8a8a",
    accent="#87afd7",
    warning="#d7af5f",
    error="#d7875f",
    success="#87af87",
    foreground="#d0d0d0",
    background="#1c1c1c",
    surface="#262626",
    panel="#303030",
    boost="#303030",
    dark=True,
    text_alpha=1.0,
    variables={
        "soft": "#8a8a8a",
        "faint": "#585858",
        "strong": "#eeeeee",
        "cursor-line": "#303030",
        "cursor-line-blurred": "#262626",
        "highlight": "#444444",
        "violet": "#af87d7",
        "teal": "#5fafaf",
    },
)

LIGHT = Theme(
    name="sdtui-light",
    primary="#005f87",
    secondary="#6c6c6c",
    accent="#005f87",
    warning="#875f00",
    error="#af0000",
    success="#005f00",
    foreground="#303030",
    background="#eeeeee",
    surface="#e4e4e4",
    panel="#dadada",
    boost="#dadada",
    dark=False,
    text_alpha=1.0,
    variables={
        "soft": "#6c6c6c",
        "faint": "#a8a8a8",
        "strong": "#121212",
        "cursor-line": "#dadada",
        "cursor-line-blurred": "#e4e4e4",
        "highlight": "#c6c6c6",
        "violet": "#5f00af",
        "teal": "#005f5f",
    },
)

THEMES = (DARK, LIGHT)

# A user may choose any of Textual's own themes; these then stand in for the names only ours define.
FALLBACK = {
    "soft": "#8a8a8a",
    "faint": "#6c6c6c",
    "strong": "$foreground",
    "cursor-line": "$panel",
    "cursor-line-blurred": "$surface",
    "highlight": "$primary-muted",
    "violet": "$secondary",
    "teal": "$primary",
}


def use_theme(app: App[Any], name: str) -> str:
    """Register our themes and switch to `name`; returns the name really used (ours, where `name` is unknown)."""
    for theme in THEMES:
        app.register_theme(theme)
    chosen = name if name in app.available_themes else DARK.name
    app.theme = chosen
    return chosen
