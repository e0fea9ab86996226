"""Folder names of kohya's layout: `<repeats>_<class tokens>`, such as `20_exterior city`."""

from __future__ import annotations

import re
from typing import NamedTuple

PATTERN = "<repeats>_<class tokens>"

_NAME = re.compile(r"([0-9]+)_(.*)", re.DOTALL)


class KohyaName(NamedTuple):
    """What a folder's name says of its images."""

    repeats: int  # above 0
    class_tokens: str  # may be empty


def kohya_name(name: str) -> KohyaName | None:
    """Repeats and class tokens that a folder's name gives; None where it is not of that form."""
    found = _NAME.fullmatch(name)
    if found is None or int(found[1]) < 1:
        return None
    return KohyaName(int(found[1]), found[2].strip())
