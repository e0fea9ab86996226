"""A pipeline folder that is whole by its headers and empty inside: for tests that never load it."""

from __future__ import annotations

import json
from pathlib import Path

_EMPTY_HEADER = (2).to_bytes(8, "little") + b"{}"
_WEIGHTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}


def hollow_pipeline(folder: Path) -> Path:
    """Make the folder; nothing can be learned from its configs, and its weights hold no tensor."""
    for part, stem in _WEIGHTS.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text("{}")
        (folder / part / f"{stem}.safetensors").write_bytes(_EMPTY_HEADER)
    for part, files in (("tokenizer", ("vocab.json", "merges.txt")), ("scheduler", ("scheduler_config.json",))):
        (folder / part).mkdir()
        for file in files:
            (folder / part / file).write_text("{}")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    return folder
