from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sdtui.errors import UserError
from sdtui.tagging.taggers.base import Where
from sdtui.tagging.taggers.deepdanbooru import DeepDanbooruTagger, load
from sdtui.tagging.taggers.deepdanbooru_net import DeepDanbooru, Stage

STAGES = (Stage(2, 2, 4, 1), Stage(1, 2, 8, 2, late=True))
NAMES = ["1girl", "long_hair", "rating:safe"]
CPU = Where("cpu")


@pytest.fixture
def net() -> DeepDanbooru:
    torch.manual_seed(1)
    return DeepDanbooru(STAGES, len(NAMES))


@pytest.fixture
def path(tmp_path: Path, net: DeepDanbooru) -> Path:
    path = tmp_path / "model-resnet_custom_v3.pt"
    torch.save({**{name: value.half() for name, value in net.state_dict().items()}, "tags": NAMES}, path)
    return path


def test_a_state_dict_with_tags_scores_images(path: Path, net: DeepDanbooru) -> None:
    tagger = DeepDanbooruTagger(path, "deepdanbooru", CPU, STAGES)
    assert tagger.facts.tags.names == tuple(NAMES)
    assert tagger.facts.tags.categories == ("general", "general", "rating")
    prepared = tagger.prepare(Image.new("RGB", (20, 30), (255, 128, 0)))
    assert prepared.shape == (512, 512, 3)
    batch = np.stack([prepared, np.zeros_like(prepared)])
    with torch.inference_mode():
        expected = net.half().float()(torch.from_numpy(batch)).numpy()
    assert tagger.scores(batch) == pytest.approx(expected, abs=1e-5)


def test_what_a_file_would_run_is_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "owned"),)

    path = tmp_path / "bad.pt"
    torch.save({"tags": NAMES, "n_Conv_0.weight": Attack()}, path, pickle_module=pickle)
    with pytest.raises(UserError, match="tensors and lists alone") as raised:
        load(path, STAGES)
    # PyTorch's own words say how to run it.
    assert "weights_only" not in str(raised.value)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found.pop("tags"), "no list of tags"),
        (lambda found: found.update(tags=[1, 2, 3]), "no list of tags"),
        (lambda found: found.pop("n_Conv_3.bias"), "n_Conv_3.bias is missing"),
        (lambda found: found.update(extra=torch.zeros(1)), "extra is"),
        (lambda found: found.update(tags=NAMES[:2]), r"is \(3, 8, 1, 1\), wanted \(2, 8, 1, 1\)"),
    ],
    ids=["no tags", "other tags", "missing", "extra", "fewer tags"],
)
def test_another_network_is_refused(path: Path, change: Any, message: str) -> None:
    found = torch.load(path)
    change(found)
    torch.save(found, path)
    with pytest.raises(UserError, match=message):
        load(path, STAGES)


@pytest.mark.parametrize("raw", [b"", b"junk", b"PK\x03\x04"], ids=["empty", "junk", "half a zip"])
def test_a_damaged_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(raw)
    with pytest.raises(UserError, match="cannot read the model"):
        load(tmp_path / "x.pt", STAGES)
