"""Embedding files in diffusers' own loader: the rows of its vocabulary become ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sdtui.formats.embedding import Embedding, write_diffusers, write_safetensors, write_webui
from tests.support.tiny import shallow_pipeline

pytestmark = pytest.mark.interop


@pytest.mark.parametrize(
    ("write", "token"),
    [
        (write_webui, None),
        (lambda path, word: write_diffusers(path, word, {}), None),
        (lambda path, word: write_safetensors(path, word, {}), "<cat-toy>"),
    ],
    ids=["web UI", "diffusers", "kohya"],
)
def test_diffusers_loads_every_vector(
    tmp_path: Path, write: Callable[[Path, Embedding], int], token: str | None
) -> None:
    from diffusers import StableDiffusionPipeline

    pipeline: Any = StableDiffusionPipeline.from_pretrained(
        shallow_pipeline(tmp_path / "base"), local_files_only=True, dtype=torch.float32
    )
    width = pipeline.text_encoder.config.hidden_size
    values = torch.randn(3, width, generator=torch.Generator().manual_seed(2))
    file = tmp_path / ("word.pt" if write is write_webui else "word.safetensors")
    write(file, Embedding("<cat-toy>", {"text_encoder": values}))
    pipeline.load_textual_inversion(str(file), token=token, local_files_only=True)
    words = [pipeline.tokenizer.convert_tokens_to_ids(word) for word in ("<cat-toy>", "<cat-toy>_1", "<cat-toy>_2")]
    rows = pipeline.text_encoder.get_input_embeddings().weight[words]
    assert torch.equal(rows, values)
