"""Vertical scales: ends, labels, and keeping still."""

from __future__ import annotations

import math

import pytest

from sdtui.tui.widgets.scale import Scale, fit_scale


def labels(scale: Scale) -> list[str]:
    return [text for _, text in scale.labels]


def test_round_ends_around_the_values() -> None:
    scale = fit_scale([0.03, 0.47], [0.1, 0.2], 5, False, None)
    assert (scale.low, scale.high) == (0.0, 0.5)
    assert labels(scale) == ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]
    assert scale.height(0.25) == 0.5


def test_one_spike_does_not_flatten_the_rest() -> None:
    raw = [0.1 + 0.001 * n for n in range(200)] + [50.0]
    assert fit_scale(raw, [0.2], 4, False, None).high < 0.5


def test_the_line_is_always_inside() -> None:
    assert fit_scale([0.1] * 100, [3.0], 4, False, None).high >= 3.0


def test_a_scale_is_kept_while_the_values_fill_half_of_it() -> None:
    before = fit_scale([0.0, 1.0], [], 4, False, None)
    assert fit_scale([0.1, 0.8], [], 4, False, before).high == 1.0
    assert fit_scale([0.1, 0.3], [], 4, False, before).high == pytest.approx(0.3)
    assert fit_scale([0.1, 1.3], [], 4, False, before).high == pytest.approx(1.5)


def test_a_constant_gets_room() -> None:
    scale = fit_scale([], [1e-4, 1e-4], 3, False, None)
    assert scale.low < 1e-4 < scale.high
    assert fit_scale([], [0.0], 3, False, None) == fit_scale([], [0.0, 0.0], 3, False, None)


def test_a_log_scale_takes_only_positive_values() -> None:
    scale = fit_scale([0.0, -1.0, 0.01, 1.0], [0.1], 4, True, None)
    assert scale.height(0.1) == pytest.approx(0.5, abs=0.02)
    assert labels(scale) == ["0.01", "0.1", "1"]
    assert scale.height(0.0) == -1.0


def test_a_narrow_log_scale_still_has_labels() -> None:
    assert len(labels(fit_scale([0.11, 0.19], [], 4, True, None))) >= 2


def test_nothing_to_show() -> None:
    assert (fit_scale([math.nan], [], 3, False, None).low, fit_scale([], [], 3, True, None).low) == (0.0, 0.1)
