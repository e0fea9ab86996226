from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdtui.errors import UserError
from sdtui.tagging.taggers import open_tagger
from sdtui.tagging.taggers.base import Where
from sdtui.tagging.taggers.deepdanbooru_project import read_tags
from tests.tagging.taggers.models import sigmoid, write_model

NAMES = ["1girl", "solo", "hatsune_miku", "score:high", "rating:safe", "rating:explicit"]
CPU = Where("cpu", threads=1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project.json").write_text(json.dumps({"image_width": 299, "model": "resnet_custom_v3"}))
    (tmp_path / "tags.txt").write_text("\n".join(NAMES) + "\n")
    starts = [("General", 0), ("Character", 2), ("System", 3)]
    (tmp_path / "categories.json").write_text(json.dumps([{"name": n, "start_index": at} for n, at in starts]))
    write_model(tmp_path / "model-resnet_custom_v3.onnx", len(NAMES), side=64)
    return tmp_path


def test_the_size_is_the_models_and_colours_are_rgb_to_one(project: Path) -> None:
    tagger = open_tagger(str(project), CPU)
    prepared = tagger.prepare(Image.new("RGB", (30, 20), (255, 0, 0)))
    assert prepared.shape == (64, 64, 3)
    assert prepared.reshape(-1, 3).min(axis=0).tolist() == [1.0, 0.0, 0.0]
    # This model expects 255: at 1 its mean is small.
    expected = [sigmoid(4 / 255 - 2), sigmoid(-2), sigmoid(-2)] * 2
    assert tagger.scores(prepared[None])[0].tolist() == pytest.approx(expected, abs=1e-5)
    assert tagger.scores(np.stack([prepared] * 3)).shape == (3, 6)


def test_categories_come_from_where_they_begin(project: Path) -> None:
    assert read_tags(project).categories == ("general", "general", "character", "meta", "rating", "rating")
    (project / "categories.json").unlink()
    assert read_tags(project).categories == ("general",) * 4 + ("rating", "rating")


def test_a_project_that_was_not_exported_says_so(project: Path) -> None:
    (project / "model-resnet_custom_v3.onnx").rename(project / "model-resnet_custom_v3.h5")
    with pytest.raises(UserError, match="Export its model to ONNX"):
        open_tagger(str(project), CPU)


def test_damaged_categories_are_told(project: Path) -> None:
    (project / "categories.json").write_text('[{"name": "General"}]')
    with pytest.raises(UserError, match="cannot read the project's tags"):
        open_tagger(str(project), CPU)
