"""A caption made of an image's file name, as A1111 makes one: `00012-0-a red cat.png` reads as "a red cat"."""

from __future__ import annotations

import re

from sdtui.dataset.bounded_regex import BoundedRegex
from sdtui.profile.schema import Captions

_NUMBERS = re.compile(r"^[-\d]+\s*")


def file_caption(stem: str, captions: Captions) -> str:
    """What a file name without ending reads as; "" of one that is only a number.

    Raises:
        UserError: the profile's expression does not come to an end.
    """
    text = _NUMBERS.sub("", stem)
    if not captions.file_name_pattern:
        return text
    finds = BoundedRegex(re.compile(captions.file_name_pattern)).all_in(text)
    return captions.file_name_join.join(finds)
