"""What is wrong with a value that a setting does not take, and what the user most likely meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sdtui.profile.nearest import choice_hint
from sdtui.profile.positions import join_key
from sdtui.profile.rate_text import RateTextError, parse_rates
from sdtui.profile.settings import Setting

_QUANTITY = re.compile(
    r"^\s*(?P<number>[+-]?(?:\d[\d_ ]*(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[A-Za-zµ%]*)\s*$"
)
# A number as TOML writes it: no zero in front, a digit before the point.
_BARE = re.compile(r"[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_YES = {"true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}
_NUMERIC = {"whole number", "number"}
# (what people write, the setting's unit): factor between them.
_FACTORS = {
    ("%", "share of 1"): 0.01,
    ("percent", "share of 1"): 0.01,
    ("%", "steps or share of 1"): 0.01,
    ("percent", "steps or share of 1"): 0.01,
    ("s", "minutes"): 1 / 60,
    ("sec", "minutes"): 1 / 60,
    ("h", "minutes"): 60.0,
    ("kb", "MiB"): 1e3 / 2**20,
    ("mb", "MiB"): 1e6 / 2**20,
    ("gb", "MiB"): 1e9 / 2**20,
    ("gib", "MiB"): 1024.0,
    ("g", "MiB"): 1024.0,
    ("k", ""): 1000.0,
    ("k", "steps"): 1000.0,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The kind of mistake, what to say after the key's name, and what to do."""

    code: str
    message: str
    remedy: str


def judge(setting: Setting, found: Any, *, item: bool = False) -> Verdict:
    """Why `found`, which the schema refused for `setting` (or as one `item` of its list), is not right."""
    if item:
        return Verdict("wrong-item", f"holds {toml(found)}", _meant(setting, found))
    if setting.type_name == "table":
        return Verdict("wrong-item", f"holds {_described(found)}", "")
    if setting.type_name == "true or false":
        return _boolean(setting, found)
    if setting.type_name in _NUMERIC and isinstance(found, str):
        return _quoted_number(setting, found)
    if setting.type_name in _NUMERIC and isinstance(found, int | float) and not isinstance(found, bool):
        return _number(setting, found)
    if setting.type_name == "one of" and isinstance(found, str):
        return Verdict("not-a-choice", f"is {toml(found)}", _meant(setting, found))
    if setting.type_name == "list":
        return _list(setting, found)
    if setting.type_name == "text" and isinstance(found, str):
        return Verdict("not-allowed", f"is {toml(found)}" if found else "is empty", "")
    remedy = f'Put it in quotes: {setting.name} = "{toml(found)}"' if setting.type_name == "text" else ""
    return Verdict("wrong-type", f"is {_described(found)}, not {_wanted(setting)}", remedy)


def toml(value: Any) -> str:
    """The value as TOML writes it, for messages."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{join_key(key)} = {toml(held)}" for key, held in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return str(value)


def _meant(setting: Setting, found: Any) -> str:
    """What another program's word for it is here, else the choice that looks like it."""
    return dict(setting.words).get(str(found).lower()) or choice_hint(found, setting.choices)


def _boolean(setting: Setting, found: Any) -> Verdict:
    word = str(found).strip().lower()
    meant = "true" if word in _YES else "false" if word in _NO else "true or false"
    code = "quoted-boolean" if isinstance(found, str) else "wrong-type"
    return Verdict(
        code, f"is {_described(found)}, not true or false", f"Write it without quotes: {setting.name} = {meant}"
    )


def _quoted_number(setting: Setting, found: str) -> Verdict:
    quantity = _QUANTITY.match(found)
    if quantity is None and setting.name.endswith("learning_rate") and _are_rates(found):
        remedy = f"Rates that change at steps stand in [schedule]: rates = {toml(found)}"
        return Verdict("wrong-type", f"is the text {toml(found)}, not a number", remedy)
    if quantity is None:
        remedy = dict(setting.words).get(found.lower(), "")
        return Verdict("wrong-type", f"is the text {toml(found)}, not a number", remedy)
    number = _bare(quantity["number"])
    unit = quantity["unit"]
    if not unit:
        # Typed in a form, only what is no number of TOML (099, .5, 1 000) is taken for a text.
        do = "Remove the quotes" if _BARE.fullmatch(found) else "Write the bare number"
        return Verdict("quoted-number", f"is the text {toml(found)}, not a number", f"{do}: {setting.name} = {number}")
    factor = _FACTORS.get((unit.lower(), setting.unit))
    counted = f" counts {setting.unit}" if setting.unit else " has no unit"
    value = number if factor is None else _tidy(float(number) * factor, whole=setting.type_name == "whole number")
    return Verdict(
        "wrong-unit", f"is the text {toml(found)}; it{counted}", f"Write the bare number: {setting.name} = {value}"
    )


def _are_rates(text: str) -> bool:
    """Whether it is AUTOMATIC1111's text of rates, which stands in the field of the learning rate there."""
    try:
        return bool(parse_rates(text))
    except RateTextError:
        return False


def _bare(number: str) -> str:
    """`number` as TOML writes it: 099 is 99, .5 and ,5 are 0.5, 1 000 is 1000."""
    plain = number.replace(" ", "").replace(",", ".").replace("_", "")
    sign, digits = (plain[0], plain[1:]) if plain[0] in "+-" else ("", plain)
    digits = digits.lstrip("0") or "0"
    return sign + (digits if digits[0].isdigit() else f"0{digits}")


def _number(setting: Setting, found: float) -> Verdict:
    if setting.type_name == "whole number" and isinstance(found, float) and found == found // 1:
        return Verdict(
            "wrong-type",
            f"is {found}, not a whole number",
            f"Write it without a decimal point: {setting.name} = {found:.0f}",
        )
    share = setting.unit == "share of 1" and 1 < found <= 100
    remedy = f"It is a share of 1, not per cent: {found:g} % is {found / 100:g}" if share else setting.limit
    return Verdict("out-of-range", f"is {found}", remedy)


def _list(setting: Setting, found: Any) -> Verdict:
    if isinstance(found, list):
        count = "1 item" if len(found) == 1 else f"{len(found)} items"
        return Verdict("wrong-list", f"has {count}" if found else "is an empty list", "")
    if isinstance(found, str) and found in setting.choices:
        return Verdict(
            "wrong-type", f"is {toml(found)}, not a list", f"Put it in brackets: {setting.name} = [{toml(found)}]"
        )
    return Verdict(
        "wrong-type", f"is {_described(found)}, not a list", f"Write a list in brackets: {setting.name} = […]"
    )


def _wanted(setting: Setting) -> str:
    return "text" if setting.type_name in {"text", "one of"} else f"a {setting.type_name}"


def _described(found: Any) -> str:
    kinds = {bool: "the boolean", int: "the number", float: "the number", str: "the text", list: "the list"}
    return "a table" if isinstance(found, dict) else f"{kinds.get(type(found), 'the date')} {toml(found)}"


def _tidy(number: float, *, whole: bool) -> str:
    return f"{number:.0f}" if whole else f"{number:g}"
