from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdtui.dataset.image import open_rgb
from sdtui.errors import UserError
from sdtui.tagging.taggers import open_tagger
from sdtui.tagging.taggers.base import Where
from sdtui.tagging.taggers.wd import WdTagger, read_tags
from tests.tagging.taggers.models import V2, sigmoid, write_wd

NAMES = [("general", 9), ("sensitive", 9), ("1girl", 0), ("hatsune_miku", 4), ("vocaloid", 3), ("odd", 77)]
CPU = Where("cpu", threads=1)


def test_categories_are_read_by_their_numbers(tmp_path: Path) -> None:
    tags = read_tags(write_wd(tmp_path, NAMES, side=8) / "selected_tags.csv")
    assert tags.names == ("general", "sensitive", "1girl", "hatsune_miku", "vocaloid", "odd")
    assert tags.categories == ("rating", "rating", "general", "character", "copyright", "general")


def test_a_model_with_wds_signature_scores_bgr_images_on_white(tmp_path: Path) -> None:
    tagger = WdTagger(write_wd(tmp_path / "wd-test", NAMES), "wd-test", CPU)
    batch = np.stack(
        [tagger.prepare(Image.new("RGB", (30, 20), (255, 0, 0))), tagger.prepare(Image.new("RGB", (9, 9)))]
    )
    assert batch.shape == (2, 448, 448, 3)
    assert batch.dtype == np.float32
    # The red image is two thirds of its white square; the first channel is blue.
    third = 1 / 3
    assert batch[0].mean(axis=(0, 1)).tolist() == pytest.approx([255 * third, 255 * third, 255], abs=2)
    scores = tagger.scores(batch)
    assert scores[0].tolist() == pytest.approx(
        [sigmoid(4 * third - 2)] * 2 + [sigmoid(2)] + [sigmoid(4 * third - 2)] * 2 + [sigmoid(2)], abs=0.01
    )
    assert scores[1].tolist() == pytest.approx([sigmoid(-2)] * 6, abs=1e-5)
    assert tagger.facts.name == "wd-test"
    assert "448 × 448, BGR" in tagger.facts.preprocessing
    assert tagger.fixed_batch is None


def test_the_older_signature_with_a_fixed_batch_is_told(tmp_path: Path) -> None:
    tagger = WdTagger(write_wd(tmp_path, NAMES, side=32, batch=1, signature=V2), "old", CPU)
    assert tagger.fixed_batch == 1
    assert tagger.scores(tagger.prepare(Image.new("RGB", (5, 5)))[None]).shape == (1, 6)


def test_the_starters_tagger_knows_the_starters_images() -> None:
    tagger = open_tagger("starter", CPU)
    image = open_rgb(Path(__file__).parents[3] / "sdtui" / "starter" / "images" / "fox.png")
    found = tagger.scores(tagger.prepare(image)[None])[0]
    named = dict(zip(tagger.facts.tags.names, found.tolist(), strict=True))
    assert named["linocut_style"] > 0.9
    assert named["flat_style"] < 0.1
    assert tagger.facts.name == "starter"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,tag\n1,a\n", "not a WD tagger's list"),
        ("tag_id,name,category,count\n0,a,x,1\n", "a line without a category"),
        ("tag_id,name,category,count\n0,a,0,1\n", "the model gives 6 scores, and selected_tags.csv names 1 tags"),
    ],
    ids=["other", "damaged", "fewer"],
)
def test_a_list_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write_wd(tmp_path, NAMES, side=8)
    (tmp_path / "selected_tags.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        WdTagger(tmp_path, "x", CPU)


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    write_wd(tmp_path, NAMES, side=8)
    (tmp_path / "model.onnx").write_bytes(b"not onnx")
    with pytest.raises(UserError, match="ONNX Runtime cannot load"):
        WdTagger(tmp_path, "x", CPU)


def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UserError, match="knows no GPU"):
        WdTagger(write_wd(tmp_path, NAMES, side=8), "x", Where("cuda"))


def test_without_onnx_runtime_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"sdtui\[tagging\]"):
        WdTagger(write_wd(tmp_path, NAMES, side=8), "x", CPU)
