"""Attention on a processor: diffusers' own numbers, and the precision that is faster."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor, nn
from torch.nn import functional

from sdtui.models import attention
from sdtui.models.attention import PlainAttention, suit_processor


def layer(**settings: object) -> Attention:
    torch.manual_seed(0)
    return Attention(query_dim=16, heads=2, dim_head=8, **settings)


@pytest.mark.parametrize("text", [False, True], ids=["itself", "a text"])
def test_it_answers_as_diffusers_does_bit_for_bit(text: bool) -> None:
    theirs = layer(cross_attention_dim=12 if text else None)
    ours = layer(cross_attention_dim=12 if text else None)
    suit_processor(nn.ModuleList([ours]))
    assert type(ours.processor) is PlainAttention
    x, states = torch.randn(2, 9, 16), torch.randn(2, 5, 12) if text else None
    assert torch.equal(ours(x, encoder_hidden_states=states), theirs(x, encoder_hidden_states=states))


@pytest.mark.parametrize("width", [4, 8, 16], ids="{} values a head".format)
@pytest.mark.parametrize("keys", [77, 16], ids="{} keys".format)
def test_heads_filled_up_answer_and_learn_as_narrow_ones(width: int, keys: int) -> None:
    torch.manual_seed(0)
    ours = [torch.randn(2, 3, count, width, requires_grad=True) for count in (64, keys, keys)]
    theirs = [each.detach().clone().requires_grad_() for each in ours]
    answer = attention.attend(ours[0], ours[1], ours[2], None)
    expected = functional.scaled_dot_product_attention(theirs[0], theirs[1], theirs[2])
    given = torch.randn(2, 3, 64, width)
    torch.autograd.backward([answer, expected], [given, given])
    assert answer.shape == expected.shape
    assert torch.allclose(answer, expected, atol=1e-6)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        assert torch.allclose(mine.grad, other.grad, atol=1e-6)


@pytest.mark.parametrize(
    ("width", "keys", "dtype", "taken"),
    [
        (4, 77, torch.float32, 16),
        (8, 64, torch.float32, 16),
        (8, 63, torch.float32, 8),
        (24, 77, torch.float32, 24),
        (8, 77, torch.bfloat16, 8),
    ],
    ids=["narrow", "just enough pairs", "too few pairs", "wide", "bf16"],
)
def test_narrow_fp32_heads_are_filled_up_where_there_are_many_pairs(
    monkeypatch: pytest.MonkeyPatch, width: int, keys: int, dtype: torch.dtype, taken: int
) -> None:
    seen: list[int] = []
    product = functional.scaled_dot_product_attention

    def noted(query: Tensor, key: Tensor, value: Tensor, **settings: Any) -> Tensor:
        seen.extend(each.shape[-1] for each in (query, key, value))
        return product(query, key, value, **settings)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", noted)
    query, key = torch.randn(1, 2, 64, width, dtype=dtype), torch.randn(1, 2, keys, width, dtype=dtype)
    assert attention.attend(query, key, key, None).shape == query.shape
    assert seen == [taken] * 3


@pytest.mark.parametrize(
    ("keys", "dtype"), [(3, torch.float32), (4, torch.float32), (5, torch.bfloat16)], ids=["few", "just", "many"]
)
def test_few_keys_are_attended_to_in_fp32_when_the_step_is_in_bf16(
    monkeypatch: pytest.MonkeyPatch, keys: int, dtype: torch.dtype
) -> None:
    seen: list[torch.dtype] = []
    attend = attention.attend

    def noted(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        seen.append(query.dtype)
        out = attend(query, key, value, mask)
        seen.append(out.dtype)
        return out

    monkeypatch.setattr(attention, "attend", noted)
    monkeypatch.setattr(attention, "_SHORT", 4)
    suited = layer()
    suit_processor(nn.ModuleList([suited]))
    with torch.autocast("cpu", torch.bfloat16):
        out = suited(torch.randn(1, keys, 16))
    assert seen == [dtype, dtype]
    assert out.dtype == torch.bfloat16


@pytest.mark.parametrize(
    "settings", [{"residual_connection": True}, {"rescale_output_factor": 2.0}, {"dropout": 0.5}, {"qk_norm": "layer_norm"}],
    ids=["residual", "rescaled", "dropout", "norms"],
)  # fmt: skip
def test_attention_of_another_kind_is_left_alone(settings: dict[str, object]) -> None:
    other = layer(**settings)
    suit_processor(nn.ModuleList([other]))
    assert type(other.processor) is AttnProcessor2_0
