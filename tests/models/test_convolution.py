"""Wide convolutions: the same sums whichever way they are taken, and the other way only where it is meant."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sdtui.models import convolution
from sdtui.models.convolution import WideConv2d, suit_processor


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what was taken as one product; narrow layers count as wide ones."""
    seen: list[tuple[int, ...]] = []
    take = torch.ops.aten.thnn_conv2d

    def noted(x: Tensor, *rest: object) -> Tensor:
        seen.append(tuple(x.shape))
        out: Tensor = take(x, *rest)
        return out

    monkeypatch.setattr(convolution, "_WIDE", 3 * 4 * 9)
    monkeypatch.setattr(convolution, "_FEW_PLACES", 64)
    monkeypatch.setattr(torch.ops.aten, "thnn_conv2d", noted)
    return seen


def layer(**settings: object) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(3, 4, 3, padding=1, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("stride", [1, 2])
def test_few_places_are_one_product_with_the_same_sums(products: list[tuple[int, ...]], stride: int) -> None:
    plain, suited = layer(stride=stride), layer(stride=stride)
    suit_processor(suited)
    assert type(suited) is WideConv2d
    x, y = (torch.linspace(-1, 1, 3 * 64).view(1, 3, 8, 8).requires_grad_() for _ in range(2))
    torch.testing.assert_close(suited(x), plain(y))
    torch.autograd.backward([suited(x).sum(), plain(y).sum()])
    torch.testing.assert_close(x.grad, y.grad)
    assert products == [(1, 3, 8, 8)] * 2


def test_many_places_and_halves_go_the_usual_way(products: list[tuple[int, ...]]) -> None:
    suited = layer()
    suit_processor(suited)
    suited(torch.zeros(1, 3, 8, 9))
    suited(torch.zeros(2, 3, 8, 8))
    with torch.autocast("cpu", torch.bfloat16):
        suited(torch.zeros(1, 3, 8, 8))
    suited.bfloat16()(torch.zeros(1, 3, 8, 8, dtype=torch.bfloat16))
    assert products == []


@pytest.mark.parametrize("settings", [{"padding_mode": "reflect"}, {"dilation": 2}], ids=["other padding", "dilated"])
def test_only_plain_layers_are_changed(products: list[tuple[int, ...]], settings: dict[str, object]) -> None:
    other = layer(**settings)
    suit_processor(other)
    assert type(other) is nn.Conv2d
    assert products == []


def test_narrow_layers_are_left_alone() -> None:
    narrow = layer()
    suit_processor(narrow)
    assert type(narrow) is nn.Conv2d
