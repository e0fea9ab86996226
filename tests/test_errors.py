"""How an error reads."""

from __future__ import annotations

from sdtui.errors import SdtuiError, UserError


def test_place_message_and_remedy_are_sentences() -> None:
    assert str(SdtuiError("it is full", where="/disk", remedy="Make room")) == "/disk: it is full. Make room"
    assert str(UserError("it is full")) == "it is full"


def test_under_a_list_the_remedy_has_its_own_line() -> None:
    assert str(UserError("two are bad:\n  a\n  b", remedy="Mend them")) == "two are bad:\n  a\n  b\nMend them"
