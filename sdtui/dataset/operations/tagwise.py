"""Edits that say which tags a caption has: add, remove, replace, dedupe, trim, trigger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sdtui.dataset import tag_order, tags
from sdtui.dataset.operations.base import Context, Edit, PlainEdit, Rewrite, at_least, matcher, param
from sdtui.errors import UserError

IGNORE_CASE = "take upper and lower case for the same"
WILDCARD = "* stands for any characters, ? for one"


@dataclass(frozen=True)
class Add(PlainEdit):
    """A tag that every caption gets."""

    verb = "add"
    summary = "add a tag to every caption that lacks it"
    example = 'sdtui caption add ~/cats "night sky" --where "tag:stars"'

    tag: str = param("the tag, or several with commas")
    front: bool = param("before the other tags instead of after them", default=False)
    place: int | None = param("as the N-th tag, counted from 1", metavar="N", default=None)

    def _label(self) -> str:
        return f"add {tags.checked(self.tag)!r}"

    def _rewrite(self) -> Rewrite:
        if self.place is not None:
            at_least(self.place, 1, "the place")
            if self.front:
                raise UserError("a tag cannot be added both at the front and at a place", remedy="Give one of them")
        return partial(tags.add, tag=tags.checked(self.tag), front=self.front, place=self.place)


@dataclass(frozen=True)
class Remove(PlainEdit):
    """A tag that no caption keeps."""

    verb = "remove"
    summary = "take a tag out of every caption"
    example = 'sdtui caption remove ~/cats "*background" --wildcard'

    tag: str = param("the whole tag, as it is written")
    wildcard: bool = param(WILDCARD, default=False)
    ignore_case: bool = param(IGNORE_CASE, default=False)

    def _label(self) -> str:
        return f"remove {tags.checked(self.tag)!r}"

    def _rewrite(self) -> Rewrite:
        tag = tags.checked(self.tag)
        if not self.wildcard and not self.ignore_case:
            return partial(tags.remove, tag=tag)
        matches = matcher(tag, wildcard=self.wildcard, ignore_case=self.ignore_case)
        return partial(tags.remove_matching, matches=matches)


@dataclass(frozen=True)
class Replace(PlainEdit):
    """A tag, or several beside each other, that become another."""

    verb = "replace"
    summary = "turn one tag into another, or a text wherever it stands"
    example = 'sdtui caption replace ~/cats "long hair, blonde hair" "long blonde hair"'

    old: str = param("the whole tag; several with commas stand beside each other")
    new: str = param("the tag that takes its place, where it does not stand already")
    anywhere: bool = param("OLD is any text, also within tags and over their borders", default=False)
    ignore_case: bool = param(IGNORE_CASE, default=False)

    def _label(self) -> str:
        return f"replace {self.old!r} by {self.new!r}" if self.anywhere else f"replace {self._old!r} by {self._new!r}"

    def _rewrite(self) -> Rewrite:
        if not self.anywhere:
            return partial(tags.replace, old=self._old, new=self._new, ignore_case=self.ignore_case)
        if not self.old:
            raise UserError("the text to replace is empty")
        if not self.ignore_case:
            return lambda text: text.replace(self.old, self.new)
        import re

        sub = re.compile(re.escape(self.old), re.IGNORECASE).sub
        return lambda text: sub(lambda _: self.new, text)

    @property
    def _old(self) -> str:
        return tags.checked(self.old)

    @property
    def _new(self) -> str:
        return tags.checked(self.new)


@dataclass(frozen=True)
class Dedupe(PlainEdit):
    """Each tag once."""

    verb = "dedupe"
    summary = "take out tags that a caption has already"
    example = "sdtui caption dedupe ~/cats --ignore-case"

    ignore_case: bool = param(IGNORE_CASE, default=False)

    def _label(self) -> str:
        return "take out repeated tags"

    def _rewrite(self) -> Rewrite:
        return partial(tags.dedupe, ignore_case=self.ignore_case)


@dataclass(frozen=True)
class Trim(Edit):
    """The end of captions that are too long, cut off."""

    verb = "trim"
    summary = "cut tags off the end of captions that are too long"
    example = "sdtui caption trim ~/cats --tokens 75"

    tags: int | None = param("at most so many tags stay", metavar="N", default=None)
    tokens: int | None = param("so many tags stay as take at most N CLIP tokens", metavar="N", default=None)

    def _label(self) -> str:
        return f"trim to {self.tags} tags" if self.tags is not None else f"trim to {self.tokens} tokens"

    def rewrite(self, context: Context) -> Rewrite:
        """As `Edit.rewrite`."""
        if (self.tags is None) == (self.tokens is None):
            raise UserError("trim wants one limit", remedy="Give either a number of tags or of tokens")
        if self.tags is not None:
            return partial(tag_order.trim_tags, limit=at_least(self.tags, 1, "the number of tags"))
        limit = at_least(self.tokens or 0, 1, "the number of tokens")
        return partial(tag_order.trim_tokens, limit=limit, count=context.count_tokens)


@dataclass(frozen=True)
class Trigger(PlainEdit):
    """The word that calls what is trained, first in every caption."""

    verb = "trigger"
    summary = "put the trigger word at the very front, and nowhere else"
    example = 'sdtui caption trigger ~/cats "ohwx cat"'

    word: str = param("the trigger word, or several tags with commas")

    def _label(self) -> str:
        return f"trigger word {tags.checked(self.word)!r}"

    def _rewrite(self) -> Rewrite:
        return partial(tags.trigger, word=tags.checked(self.word))
