"""What an edit of captions is: a verb, typed parameters that a command or a form can offer, and a function of one text."""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, get_args, get_type_hints

from sdtui.dataset.query_value import Wildcard, read_text, wildcard_pattern
from sdtui.errors import UserError

Rewrite = Callable[[str], str]
Kind = Literal["text", "texts", "number", "switch", "file", "choice"]


def user_categories() -> Callable[[str], str]:
    """What category a tag has, by the user's lists of tags; raises UserError where there is none."""
    from sdtui.dataset import vocabulary_file

    vocabulary = vocabulary_file.load()
    if not len(vocabulary):
        raise UserError(
            "there is no list that says which category a tag has",
            remedy=f"Put one, such as danbooru.csv, into {vocabulary_file.folder()}",
        )
    return vocabulary.category_of


@dataclass(frozen=True)
class Context:
    """What an edit may have to know besides the one caption.

    Attributes:
        tag_counts: in how many of the dataset's captions each tag stands.
        count_tokens: CLIP tokens of one text.
        tag_categories: what category a tag has, as a function; asked for only where it is needed.
    """

    tag_counts: Callable[[], Mapping[str, int]]
    count_tokens: Callable[[str], int]
    tag_categories: Callable[[], Callable[[str], str]] = user_categories


class Parameter(NamedTuple):
    """One parameter of an edit, as whoever asks for it needs to know it."""

    name: str
    kind: Kind
    help: str
    metavar: str
    required: bool
    default: Any
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Edit(ABC):
    """An edit with its parameters. Subclasses are frozen dataclasses whose fields are made by `param`."""

    verb: ClassVar[str]
    summary: ClassVar[str]
    example: ClassVar[str]

    @property
    def label(self) -> str:
        """What the edit is called in the history; raises UserError where a parameter says nothing."""
        return self._label()

    @abstractmethod
    def _label(self) -> str: ...

    @abstractmethod
    def rewrite(self, context: Context) -> Rewrite:
        """The function from a caption's text to its text afterwards; the same text for the same text.

        Raises:
            UserError: a parameter cannot be used.
        """

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The parameters in order, those that must be given first."""
        hints = get_type_hints(cls)
        return tuple(_parameter(field, hints[field.name]) for field in dataclasses.fields(cls))


class PlainEdit(Edit):
    """An edit that needs to know nothing but the caption."""

    def rewrite(self, context: Context) -> Rewrite:  # noqa: ARG002
        """As `Edit.rewrite`."""
        return self._rewrite()

    @abstractmethod
    def _rewrite(self) -> Rewrite: ...


def param(text: str, *, metavar: str = "", default: Any = dataclasses.MISSING) -> Any:
    """A field of an `Edit`; without a default it must be given."""
    return dataclasses.field(default=default, metadata={"help": text, "metavar": metavar})


def each_line(rewrite: Rewrite) -> Rewrite:
    """The same for captions whose every line is a caption of its own; blank lines stay."""
    return lambda text: "\n".join(rewrite(line) if line.strip() else line for line in text.split("\n"))


def matcher(tag: str, *, wildcard: bool, ignore_case: bool) -> Callable[[str], bool]:
    """Whether a tag is `tag`; with `wildcard`, `*` and `?` in it stand for any characters, and for one."""
    if not wildcard and not ignore_case:
        return tag.__eq__
    parts = read_text(tag).parts if wildcard else (tag,)
    literal = [part if isinstance(part, Wildcard) else re.escape(part) for part in parts]
    match = re.compile(
        wildcard_pattern(literal, ".", ".", whole=True), re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    ).fullmatch
    return lambda word: match(word) is not None


def at_least(number: int, least: int, what: str) -> int:
    """`number`, or UserError when it is smaller."""
    if number < least:
        raise UserError(f"{what} is {number}", remedy=f"Give {least} or more")
    return number


_KINDS: dict[Any, Kind] = {
    str: "text",
    int: "number",
    int | None: "number",
    bool: "switch",
    Path | None: "file",
    tuple[str, ...]: "texts",
}


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    required = field.default is dataclasses.MISSING
    return Parameter(
        field.name,
        _KINDS.get(hint, "choice"),
        field.metadata["help"],
        field.metadata["metavar"] or field.name.upper(),
        required,
        None if required else field.default,
        () if hint in _KINDS else get_args(hint),
    )
