"""What the stage `tagger` is made of; what it came to is asked of the shipped files in `test_tagger`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from sdtui.errors import UserError
from sdtui.starter.build import tagger
from sdtui.starter.build.tagged import TaggedPictures


class Corner(nn.Module):
    """The red, green and blue of the picture's first pixel."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels[:, :, 0, 0]


def weights(last: nn.Linear) -> nn.Linear:
    with torch.no_grad():
        last.weight.copy_(100 * torch.eye(3))
        last.bias.zero_()
    return last


def pictures() -> TaggedPictures:
    """Four blank pictures, one held out, with the tags a (on one of the rest) and b (on two)."""
    labels = torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    apart = torch.tensor([False, False, False, True])
    blank = torch.full((4, 3, 64, 64), 255, dtype=torch.uint8)
    return TaggedPictures(blank, labels, torch.arange(4), apart, torch.zeros_like(apart), ["a", "b"])


def test_what_is_shipped_takes_bgr_and_gives_only_the_kept_tags_after_four_ratings() -> None:
    shipped = tagger.Shipped(nn.Sequential(Corner(), weights(nn.Linear(3, 3))), [2, 0])
    blue = torch.tensor([255.0, 0.0, 0.0]).expand(2, 8, 8, 3)
    assert shipped(blue).tolist() == [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]] * 2


def test_the_network_gives_one_number_for_each_tag() -> None:
    assert tagger.make_network(7).eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


def test_precision_is_taken_on_the_chosen_pictures_and_of_tags_they_have() -> None:
    found = tagger.precisions(
        nn.Sequential(Corner(), nn.Linear(3, 2)), pictures(), torch.tensor([True] * 2 + [False] * 2)
    )
    assert found == {"a": pytest.approx(1.0), "b": pytest.approx(1.0)}
    only = tagger.precisions(nn.Sequential(Corner(), nn.Linear(3, 2)), pictures(), pictures().held_out)
    assert list(only) == ["a"]


def test_a_killed_stage_goes_on_to_the_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = ~pictures().held_out
    whole = tagger.learn(pictures(), part, tmp_path / "whole.pt", 3)
    loss = tagger._loss

    def killed_at_the_third(network: nn.Module, shown: TaggedPictures, rows: torch.Tensor, step: int) -> torch.Tensor:
        if step == 3:
            raise KeyboardInterrupt
        return loss(network, shown, rows, step)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tagger, "SAVE_EVERY_SECONDS", -1.0)
        patched.setattr(tagger, "_loss", killed_at_the_third)
        tagger.learn(pictures(), part, tmp_path / "killed.pt", 3)
    assert torch.load(tmp_path / "killed.pt", weights_only=True)["pace"]["step"] == 2
    resumed = tagger.learn(pictures(), part, tmp_path / "killed.pt", 3)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_without_onnx_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UserError, match=r"onnx and onnxscript.*sdtui\[starter\]"):
        tagger.export(tagger.make_network(2), pictures(), [0, 1], tmp_path / "tagger")
    assert not (tmp_path / "tagger" / "selected_tags.csv").exists()
