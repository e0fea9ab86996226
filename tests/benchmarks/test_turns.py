"""What the turns of two loops come to."""

from __future__ import annotations

from benchmarks.turns import Outcome, Took


def outcome(*turns: list[tuple[float, float]]) -> Outcome:
    """Turns of steps, each of processor seconds and loss; the clock runs twice as long."""
    return Outcome([[Took(seconds, 2 * seconds, loss) for seconds, loss in turn] for turn in turns])


WARM_UP = [(9.0, 1.0), (9.0, 1.0)]


def test_the_first_turn_and_the_first_step_of_each_do_not_count() -> None:
    ours = outcome(WARM_UP, [(7.0, 1.0), (1.0, 1.0), (3.0, 1.0)], [(7.0, 1.0), (4.0, 1.0), (4.0, 1.0)])
    assert ours.by_turn == [2.0, 4.0]
    assert ours.milliseconds == 3000
    assert ours.clock == 7000


def test_speed_is_compared_turn_by_turn() -> None:
    # A neighbour doubled the second pair of turns.
    ours = outcome(WARM_UP, [(9.0, 1.0), (1.0, 1.0)], [(9.0, 1.0), (2.0, 1.0)], [(9.0, 1.0), (1.0, 1.0)])
    theirs = outcome(WARM_UP, [(9.0, 1.0), (1.5, 1.0)], [(9.0, 1.0), (3.0, 1.0)], [(9.0, 1.0), (2.0, 1.0)])
    assert ours.times_faster(theirs) == 1.5


def test_losses_are_compared_from_the_first_step() -> None:
    assert outcome([(1.0, 2.0), (1.0, 3.0)]).differs(outcome([(1.0, 2.0), (1.0, 4.0)])) == 0.25
