from __future__ import annotations

import torch
from safetensors.torch import load_file

from sdtui.starter import demo, style


def test_the_shipped_classifier_is_small_and_complete() -> None:
    assert style.WEIGHTS.stat().st_size < 400_000
    assert load_file(style.WEIGHTS).keys() == style.make_classifier().state_dict().keys()


def test_it_knows_the_demos_images_for_what_they_are() -> None:
    found = style.styles_in(sorted(demo.IMAGES.glob("*.png")))
    assert found.count("linocut") == 24


def test_a_coloured_blob_is_not_the_new_style() -> None:
    pixels = torch.ones(1, 3, 64, 64)
    pixels[:, :, 16:48, 16:48] = torch.tensor([1.0, 0.2, -0.6])[:, None, None]
    assert style.styles_of(style.load_classifier(), pixels) != ["linocut"]
