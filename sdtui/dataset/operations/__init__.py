"""All edits of captions, by the verb that commands and screens know them by."""

from __future__ import annotations

from sdtui.dataset.operations.base import Context, Edit, Parameter, Rewrite, each_line
from sdtui.dataset.operations.order import Front, Sort
from sdtui.dataset.operations.tagwise import Add, Dedupe, Remove, Replace, Trigger, Trim
from sdtui.dataset.operations.wording import (
    CaseEdit,
    Escape,
    Prefix,
    RegexEdit,
    Spaces,
    Suffix,
    Underscores,
    Unescape,
)

__all__ = ["EDITS", "Add", "Context", "Edit", "Parameter", "Remove", "Replace", "Rewrite", "Sort", "each_line"]

EDITS: dict[str, type[Edit]] = {
    edit.verb: edit
    for edit in (
        Add,
        Remove,
        Replace,
        RegexEdit,
        Trigger,
        Front,
        Sort,
        Dedupe,
        Trim,
        Spaces,
        Underscores,
        Escape,
        Unescape,
        CaseEdit,
        Prefix,
        Suffix,
    )
}
