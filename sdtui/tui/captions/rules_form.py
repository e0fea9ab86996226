"""The rules by which scores become tags, as a form: the options of `sdtui tags` by their names, remembered per dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.rule_words import SWITCHES, RuleWords
from sdtui.tagging.rules import PRESETS, Order, Ratings
from sdtui.tui.captions.fields import FormLine, FormRow, TurnField
from sdtui.tui.captions.fields_form import FieldsForm
from sdtui.tui.captions.operation_form import OFF, ON
from sdtui.tui.literal import literal

# What says that the preset decides.
USUAL = "preset"
_TURNED: dict[str, tuple[tuple[str, ...], str]] = {
    "preset": ((USUAL, *PRESETS), "preset: the one that suits the tagger"),
    "threshold": ((USUAL, "mcut", "p=r"), "preset: the number that the keys move; mcut: each image's largest gap; p=r: precision is recall"),
    "order": ((USUAL, *get_args(Order)), "margin: by how far a score is beyond its threshold"),
    "ratings": ((USUAL, *get_args(Ratings)), "first: the likeliest rating stands first; last: the likeliest stands last"),
    **{name: ((USUAL, ON, OFF), words) for name, words in SWITCHES.items()},
    "aliases": ((OFF, ON), "the names that your tag lists use today"),
    "implications": ((OFF, ON), "without tags that others say as well, by your tag lists"),
}  # fmt: skip
_TYPED = {
    "category": "thresholds of categories: character=0.9",
    "ban": "tags that never come, with commas between",
    "first": "tags that stand in front, in this order",
    "max_tags": "at most so many, those with the highest scores",
    "max_tokens": "as many as fit into so many CLIP tokens",
}
_ORDER = ("preset", "threshold", "category", "ban", "first", "order", "ratings", "max_tags", "max_tokens", *SWITCHES)
FIELDS = (*_ORDER, "aliases", "implications")


def words_in(options: Mapping[str, str]) -> RuleWords:
    """What stands in the fields, as words of rules; empty fields say nothing.

    Raises:
        UserError: a field holds no whole number that must.
    """
    said = {name: value.strip() for name, value in options.items() if value.strip() not in {"", USUAL}}
    many = {name: _parts(said[name]) for name in ("category", "ban", "first") if name in said}
    numbers = {name: _number(name, said[name]) for name in ("max_tags", "max_tokens") if name in said}
    switches = {name: said[name] == ON for name in (*SWITCHES, "aliases", "implications") if name in said}
    plain = {name: said[name] for name in ("preset", "threshold", "order", "ratings") if name in said}
    for name, value in plain.items():
        if value not in _TURNED[name][0]:
            raise UserError(f"{name}: there is no {value!r}")
    return RuleWords(**plain, **many, **numbers, **switches)  # type: ignore[arg-type]  # each is of its field's type


def _parts(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{name.replace('_', '-')}: {text} is not a whole number") from None


class RulesForm(FieldsForm[dict[str, str]]):
    """All options in fields; dismisses with what stands in them, or None.

    Args:
        options: what was in them the last time.
        check: raises UserError for options that make no sense for the tagger.
    """

    DEFAULT_CSS = """
    RulesForm {
        & > .frame { width: 92; height: auto; }
        & .trouble { height: 1; }
    }
    """

    def __init__(self, options: Mapping[str, str], check: Callable[[Mapping[str, str]], object]) -> None:
        super().__init__()
        self._check = check
        self._entries = {name: _entry(name, options.get(name, "")) for name in FIELDS}

    def compose(self) -> ComposeResult:
        """The fields, and what is wrong with them."""
        with Vertical(classes="frame"):
            yield Static("Rules: which scored tags an image gets", classes="title", markup=False)
            for name, entry in self._entries.items():
                yield FormRow(name.replace("_", "-"), entry)
            yield Static("", classes="trouble", markup=False)
            yield self.ways("use")

    def action_accept(self) -> None:
        """Use the options, if they make sense."""
        options = {name: entry.value for name, entry in self._entries.items()}

        def check() -> None:
            trouble = ""
            try:
                self._check(options)
            except SdtuiError as error:
                trouble = str(error).replace("\n", "  ")
            self.app.call_from_thread(self._checked, options, trouble)

        # In a thread: options may need the user's lists of tags, which are long.
        self.run_worker(check, thread=True, group="check", exclusive=True, exit_on_error=False)

    def _checked(self, options: dict[str, str], trouble: str) -> None:
        if not self.is_attached:
            return
        if trouble:
            self.query_one(".trouble", Static).update(literal(trouble, "$error"))
        else:
            self.dismiss(options)


def _entry(name: str, value: str) -> FormLine | TurnField:
    if name in _TURNED:
        values, words = _TURNED[name]
        return TurnField(values, value or values[0], words)
    return FormLine(value, placeholder=_TYPED[name], classes="entry")
