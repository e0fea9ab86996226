"""Every command is obeyed or refused, and answered."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from sdtui.runs.control import Command
from sdtui.training.steering import Steering


class Wheel:
    """A steering with a list for an inbox and a list of its answers."""

    def __init__(self, prompts: int = 1) -> None:
        self.waiting: list[Command] = []
        self.answers: list[tuple[str, str, str]] = []
        self.steering = Steering(self, lambda command, status, text: self.answers.append((command.name, status, text)))
        self.steering.expect(10, prompts)

    def take(self) -> list[Command]:
        taken, self.waiting = self.waiting, []
        return taken

    def say(self, name: str, **args: Any) -> tuple[str, str] | None:
        """Give one command; returns the answer, if there was one."""
        self.answers.clear()
        self.waiting.append(Command("1", name, args))
        self.steering.poll()
        return self.answers[0][1:] if self.answers else None


def test_stop() -> None:
    wheel = Wheel()
    assert wheel.say("stop") == ("done", "saving, then ending")
    assert wheel.steering.stopping == "stop command"
    assert wheel.say("stop") == ("refused", "the run is ending already")


def test_pause_and_unpause() -> None:
    wheel = Wheel()
    assert wheel.say("unpause") == ("refused", "the run is not paused")
    assert wheel.say("pause") == ("done", "paused")
    assert wheel.steering.paused
    assert wheel.say("pause") == ("refused", "the run is paused already")
    assert wheel.say("unpause") == ("done", "going on")
    assert not wheel.steering.paused


def test_saves_and_previews_wait_for_their_turn() -> None:
    wheel = Wheel()
    assert wheel.say("save") is None
    assert wheel.say("preview") is None
    assert [command.name for command in wheel.steering.take_saves()] == ["save"]
    assert wheel.steering.take_saves() == []
    (command,) = wheel.steering.take_previews()
    wheel.steering.answer(command, "previews made")
    assert wheel.answers == [("preview", "done", "previews made")]


def test_a_preview_needs_prompts() -> None:
    assert Wheel(prompts=0).say("preview") == ("refused", "the profile has no preview prompts (previews.prompts)")


def test_set_the_preview_interval() -> None:
    wheel = Wheel()
    assert wheel.say("set", key="previews.every", value=50) == ("done", "previews every 50 steps")
    assert wheel.steering.previews_every == 50
    for bad in (-1, 1.5, "50", True, None):
        answer = wheel.say("set", key="previews.every", value=bad)
        assert answer is not None
        assert answer[0] == "refused"
    assert wheel.steering.previews_every == 50


def test_set_the_learning_rate_factor() -> None:
    wheel = Wheel()
    assert wheel.say("set", key="learning_rate_factor", value=0.5) == ("done", "learning rate × 0.5 from the next step")
    assert wheel.steering.rate_factor == 0.5
    for bad in (-0.1, 1000, float("nan"), "1", True, None):
        answer = wheel.say("set", key="learning_rate_factor", value=bad)
        assert answer is not None
        assert answer[0] == "refused"
    assert wheel.steering.rate_factor == 0.5


def test_a_factor_on_a_rate_that_the_optimizer_sets_is_refused() -> None:
    wheel = Wheel()
    wheel.steering.rate_is_ours = False
    answer = wheel.say("set", key="learning_rate_factor", value=0.5)
    assert answer == ("refused", "the optimizer sets its own rate (optimizer.args.relative_step)")
    assert wheel.steering.rate_factor == 1.0


@pytest.mark.parametrize("name", ["dance", ""])
def test_what_is_not_understood_is_refused(name: str) -> None:
    answer = Wheel().say(name)
    assert answer is not None
    assert answer[0] == "refused"
    assert "known: stop, pause, unpause, save, preview, set" in answer[1]


def test_what_cannot_be_set_is_refused() -> None:
    answer = Wheel().say("set", key="training.seed", value=1)
    assert answer == (
        "refused",
        "'training.seed' cannot be set while training; previews.every and learning_rate_factor can",
    )


def test_no_command_is_left_without_an_answer() -> None:
    wheel = Wheel()
    wheel.say("save")
    wheel.waiting = [Command("2", "preview", {}), Command("3", "pause", {})]
    wheel.steering.refuse_waiting("the run has ended")
    assert sorted((name, status) for name, status, _ in wheel.answers) == [
        ("pause", "refused"), ("preview", "refused"), ("save", "refused"),
    ]  # fmt: skip
    assert not wheel.steering.paused


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop(number: signal.Signals) -> None:
    steering = Wheel().steering
    steering.listen()
    os.kill(os.getpid(), number)
    assert steering.stopping == f"signal {number.name}"


def test_a_hangup_means_nothing() -> None:
    steering = Wheel().steering
    steering.listen()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not steering.stopping
