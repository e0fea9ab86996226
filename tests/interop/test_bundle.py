"""A bundle by AUTOMATIC1111's rule for networks that bring embeddings along, written down here from its source."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sdtui.formats.kohya import write_bundle
from sdtui.formats.learned import Adapter, Embedding, Learned

pytestmark = pytest.mark.interop

VALUES = torch.randn(3, 8, generator=torch.Generator().manual_seed(4))
LAYER = Learned(
    "unet", "conv_in", {"lora_down.weight": torch.ones(1, 4, 3, 3), "lora_up.weight": torch.ones(8, 1, 1, 1)}, 1.0
)


def webui_embeddings(tensors: dict[str, Tensor]) -> dict[str, dict[str, object]]:
    """`load_network`: a key is parted at its first point, what follows `bundle_emb` again at its first."""
    found: dict[str, dict[str, object]] = {}
    for key, weight in tensors.items():
        network, _, part = key.partition(".")
        if network != "bundle_emb":
            continue
        name, vector = part.split(".", 1)
        held = found.setdefault(name, {})
        if vector.split(".")[0] == "string_to_param":
            held["string_to_param"] = {vector.split(".", 1)[1]: weight}
        else:
            held[vector] = weight
    return found


def test_the_web_ui_finds_each_word(tmp_path: Path) -> None:
    words = [Embedding("my-cat", {"text_encoder": VALUES}), Embedding("red_box", {"text_encoder": VALUES[:1]})]
    write_bundle(tmp_path / "toy.safetensors", Adapter("sd1", [LAYER], words), {}, "fp16")
    found = webui_embeddings(load_file(tmp_path / "toy.safetensors"))
    assert list(found) == ["my-cat", "red_box"]
    params = found["my-cat"]["string_to_param"]
    assert isinstance(params, dict)
    assert list(params) == ["*"]
    assert torch.equal(params["*"], VALUES)


def test_of_sdxl_it_finds_both_tables(tmp_path: Path) -> None:
    word = Embedding("toy", {"text_encoder": VALUES, "text_encoder_2": torch.ones(3, 12)})
    write_bundle(tmp_path / "toy.safetensors", Adapter("sdxl", [], [word]), {}, "fp16")
    found = webui_embeddings(load_file(tmp_path / "toy.safetensors"))["toy"]
    # What its `create_embedding_from_data` takes for SDXL's.
    assert {"clip_g", "clip_l"} <= found.keys()
