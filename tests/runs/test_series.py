from __future__ import annotations

import math

import pytest

from sdtui.runs.series import Ema, Series


def series(*steps: int) -> Series:
    made = Series()
    for step in steps:
        made.append({"kind": "step", "t": float(step), "step": step, "loss": step / 10, "lr": {"unet": 1e-4}})
    return made


def test_a_row_per_step_and_nan_for_what_was_not_said() -> None:
    made = Series()
    made.append(
        {
            "t": 5.0,
            "step": 1,
            "epoch": 1,
            "loss": None,
            "lr": {"unet": 1e-4},
            "loss_prior": 0.125,
            "grad_norm": 0.5,
            "seconds": 0.2,
            "images": 4,
        }
    )
    made.append({"t": 6.0, "step": 2, "loss": 0.25, "lr": {"unet": 1e-4, "text_encoder": 5e-5}})
    assert list(made.steps) == [1, 2]
    assert list(made.images) == [4, 0]
    assert list(made.times) == [5.0, 6.0]
    assert math.isnan(made.losses[0])
    assert made.losses[1] == 0.25
    assert made.prior_losses[0] == 0.125
    assert math.isnan(made.prior_losses[1])
    assert made.grad_norms[0] == 0.5
    assert math.isnan(made.grad_norms[1])
    assert list(made.rates) == ["unet", "text_encoder"]
    assert math.isnan(made.rates["text_encoder"][0])
    assert list(made.rates["unet"]) == [1e-4, 1e-4]


def test_a_repeated_step_replaces_what_came_after_it() -> None:
    made = series(1, 2, 3, 4, 2, 3)
    assert list(made.steps) == [1, 2, 3]
    assert list(made.losses) == [0.1, 0.2, 0.3]
    assert len(made.rates["unet"]) == 3


def test_cut_drops_every_column() -> None:
    made = series(10, 20, 30)
    made.cut(20)
    assert (list(made.steps), list(made.losses), len(made.rates["unet"])) == ([10, 20], [1.0, 2.0], 2)


def test_a_malformed_step_leaves_no_ragged_row() -> None:
    made = series(1)
    with pytest.raises(TypeError):
        made.append({"t": 2.0, "step": 2, "loss": "much"})
    made.append({"t": 2.0, "step": 2, "loss": 0.5, "lr": {"unet": 1e-4}})
    assert (list(made.steps), list(made.losses), list(made.times)) == ([1, 2], [0.1, 0.5], [1.0, 2.0])


def test_ema_is_tensorboards_debiased_one() -> None:
    # w = 0.5: s = 0.5, 1.25, 2.125 divided by 0.5, 0.75, 0.875
    assert list(Ema(0.5).extend([1.0, 2.0, 3.0])) == pytest.approx([1.0, 5 / 3, 17 / 7])


def test_ema_of_a_constant_is_that_constant_from_the_first_value_on() -> None:
    assert list(Ema(0.98).extend([0.1] * 50)) == pytest.approx([0.1] * 50)


def test_ema_continues_where_it_left_off_and_passes_over_gaps() -> None:
    ema = Ema(0.5)
    ema.extend([1.0])
    values = list(ema.extend([1.0, math.nan, 2.0]))
    assert values[0] == 1.0
    assert math.isnan(values[1])
    assert values[2] == pytest.approx(5 / 3)


def test_no_smoothing_shows_the_raw_values() -> None:
    assert list(Ema(0.0).extend([3.0, 1.0])) == [3.0, 1.0]


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_out_of_range(smoothing: float) -> None:
    with pytest.raises(ValueError, match="smoothing must lie in"):
        Ema(smoothing)
