"""Edits that change how captions are written: regex, spaces, underscores, escape, unescape, case, prefix, suffix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from sdtui.dataset import tag_order, tag_spelling, tags
from sdtui.dataset.bounded_regex import BoundedRegex
from sdtui.dataset.operations.base import PlainEdit, Rewrite, matcher, param
from sdtui.errors import UserError

_KEEP = "tags that stay as they are, with * and ?; faces such as ^_^ always do"


@dataclass(frozen=True)
class RegexEdit(PlainEdit):
    """A pattern and what takes its place."""

    verb = "regex"
    summary = "replace what a regular expression finds"
    example = r"sdtui caption regex ~/cats '(\w+) eyes' 'eyes of \1' --each-tag"

    pattern: str = param("a regular expression of Python's re")
    replacement: str = param(r"what takes its place; \1 or \g<name> is what a group found")
    each_tag: bool = param("look in one tag at a time instead of in the whole caption", default=False)
    ignore_case: bool = param("take upper and lower case for the same", default=False)

    def _label(self) -> str:
        return f"regex {self.pattern!r} by {self.replacement!r}"

    def _rewrite(self) -> Rewrite:
        try:
            pattern = re.compile(self.pattern, re.IGNORECASE if self.ignore_case else 0)
            # The replacement is looked at even where there is nothing to replace.
            pattern.sub(self.replacement, "")
        except (re.error, IndexError) as error:
            raise UserError(
                f"the regular expression cannot be used: {error}",
                remedy="Brackets and dots that are meant as they stand need a backslash before them",
            ) from error
        substitute = partial(BoundedRegex(pattern).replaced_in, replacement=self.replacement)
        return partial(tags.each, change=substitute) if self.each_tag else substitute


@dataclass(frozen=True)
class Spaces(PlainEdit):
    """Blanks for underscores."""

    verb = "spaces"
    summary = "write blanks instead of underscores in tags"
    example = "sdtui caption spaces ~/cats --keep 'score_*'"

    keep: tuple[str, ...] = param(_KEEP, metavar="TAG", default=())

    def _label(self) -> str:
        return "blanks for underscores"

    def _rewrite(self) -> Rewrite:
        return partial(tags.each, change=tag_spelling.keeping(tag_spelling.spaces, *_tests(self.keep)))


@dataclass(frozen=True)
class Underscores(PlainEdit):
    """Underscores for blanks."""

    verb = "underscores"
    summary = "write underscores instead of blanks in tags"
    example = "sdtui caption underscores ~/cats --where 'NOT tag:a photo of *'"

    keep: tuple[str, ...] = param("tags that stay as they are, with * and ?", metavar="TAG", default=())

    def _label(self) -> str:
        return "underscores for blanks"

    def _rewrite(self) -> Rewrite:
        return partial(tags.each, change=tag_spelling.keeping(tag_spelling.underscores, *_tests(self.keep)))


@dataclass(frozen=True)
class Escape(PlainEdit):
    """Brackets made literal for trainings with weighted captions."""

    verb = "escape"
    summary = "put a backslash before brackets that are not weights"
    example = "sdtui caption escape ~/cats"

    square: bool = param("square brackets, too", default=False)

    def _label(self) -> str:
        return "escape brackets"

    def _rewrite(self) -> Rewrite:
        return partial(tag_order.each_unit, change=partial(tag_spelling.escape, square=self.square))


@dataclass(frozen=True)
class Unescape(PlainEdit):
    """Brackets without backslashes."""

    verb = "unescape"
    summary = "take the backslashes before brackets away"
    example = "sdtui caption unescape ~/cats"

    def _label(self) -> str:
        return "unescape brackets"

    def _rewrite(self) -> Rewrite:
        return partial(tags.each, change=tag_spelling.unescape)


@dataclass(frozen=True)
class CaseEdit(PlainEdit):
    """Upper and lower case."""

    verb = "case"
    summary = "write tags in lower case, in upper case or with capitals"
    example = "sdtui caption case ~/cats lower"

    case: tag_spelling.Case = param("title: a capital for each word")

    def _label(self) -> str:
        return f"{self.case} case"

    def _rewrite(self) -> Rewrite:
        return partial(tags.each, change=partial(tag_spelling.cased, case=self.case))


@dataclass(frozen=True)
class Prefix(PlainEdit):
    """A text before every caption."""

    verb = "prefix"
    summary = "put a text before every caption that does not begin with it; empty captions stay empty"
    example = 'sdtui caption prefix ~/cats "photo of a cat, "'

    text: str = param("the text as it stands, with the comma and the blank at its end")

    def _label(self) -> str:
        return f"prefix {self.text!r}"

    def _rewrite(self) -> Rewrite:
        return lambda text: text if not text.strip() or text.startswith(self.text) else self.text + text


@dataclass(frozen=True)
class Suffix(PlainEdit):
    """A text after every caption."""

    verb = "suffix"
    summary = "put a text after every caption that does not end with it; empty captions stay empty"
    example = 'sdtui caption suffix ~/cats ", 35mm photo"'

    text: str = param("the text as it stands, with the comma and the blank at its front")

    def _label(self) -> str:
        return f"suffix {self.text!r}"

    def _rewrite(self) -> Rewrite:
        return lambda text: text if not text.strip() or text.endswith(self.text) else text + self.text


def _tests(keep: tuple[str, ...]) -> list[tag_spelling.Test]:
    return [matcher(tag, wildcard=True, ignore_case=False) for tag in keep]
