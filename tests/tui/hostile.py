"""Strings that must reach the screen as they are: markup, control characters, right-to-left, joined emoji, wide letters."""

from __future__ import annotations

# What is put in, and what the screen must then say.
HOSTILE: dict[str, str] = {
    "[red]bold[/red]": "[red]bold[/red]",
    "[/x]": "[/x]",
    "[artist:foo]": "[artist:foo]",
    "$accent [b": "$accent [b",
    "a\x1b[31mb\x1b[0m": r"a\x1b[31mb\x1b[0m",
    "bell\x07 tab\t": r"bell\x07 tab\t",
    "\u202egnp.exe": r"\u202egnp.exe",
    "שלום": "שלום",
    "👩\u200d👩": "👩\\u200d👩",
    "城市": "城市",
    "\udcff.png": r"\udcff.png",
}
