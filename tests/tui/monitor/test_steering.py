"""Commands to a run, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.tui.monitor.steering import Steering, number_of
from tests.tui.monitor.actor import Actor


def test_a_command_waits_until_it_is_answered(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        steering = Steering()
        steering.send(actor.snapshot(), "save")
        steering.send(actor.snapshot(), "preview")
        assert steering.waiting == ["save", "preview"]
        assert steering.settle(actor.snapshot()) == []
        assert actor.answer() == ["save", "preview"]
        assert steering.settle(actor.snapshot()) == []
        assert steering.waiting == []


def test_a_refusal_is_told_once(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        steering = Steering()
        steering.send(actor.snapshot(), "save")
        actor.answer("refused", "the disk is full")
        assert steering.settle(actor.snapshot()) == ["save: the disk is full"]
        assert steering.settle(actor.snapshot()) == []


def test_an_ended_run_answers_nothing_any_more(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        steering = Steering()
        steering.send(actor.snapshot(), "save")
        assert steering.settle(replace(actor.snapshot(), over=True)) == []
        assert steering.waiting == []


def test_a_run_that_cannot_be_written_to_is_an_error_of_ours(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        actor.run.control_dir.rmdir()
        actor.run.control_dir.write_text("no folder")
        with pytest.raises(SdtuiError):
            Steering().send(actor.snapshot(), "save")


@pytest.mark.parametrize(("typed", "number"), [(" 200 ", 200), ("0.5", 0.5), ("0,25", 0.25), ("0", 0)])
def test_numbers_as_they_are_typed(typed: str, number: float) -> None:
    assert (number_of(typed), type(number_of(typed))) == (number, type(number))


def test_what_is_no_number_is_not_sent() -> None:
    with pytest.raises(UserError, match="'half' is not a number"):
        number_of("half")
