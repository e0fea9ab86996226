"""Snapshots do not change under the screen."""

from __future__ import annotations

from pathlib import Path

from sdtui.runs.view import RunView
from sdtui.tui.monitor.snapshot import take_snapshot
from tests.tui.monitor.actor import Actor


def test_a_snapshot_stays_as_it_was_taken(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        actor.step(1, 0.5)
        view = RunView(actor.run)
        view.refresh()
        before = take_snapshot(view)
        actor.step(2, 0.25)
        actor.preview(2)
        view.refresh()
        assert (list(before.steps), list(before.losses), before.previews) == ([1], [0.5], ())
        assert list(take_snapshot(view).losses) == [0.5, 0.25]


def test_the_unets_rate_comes_first(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        actor.step(1)
        assert list(actor.snapshot().rates) == ["unet", "text_encoder"]


def test_the_prior_loss_is_the_mean_of_the_last_fifty_steps_that_told_it(tmp_path: Path) -> None:
    with Actor(tmp_path) as actor:
        actor.step(1, loss_prior=100.0)
        for number in range(2, 51):
            actor.step(number, loss_prior=0.25)
        actor.step(51)
        assert actor.snapshot().prior_loss == 0.25
        assert take_snapshot(RunView(actor.run)).prior_loss is None
