from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sdtui.errors import UserError
from sdtui.tagging.describers.base import Asked
from sdtui.tagging.outputs import open_output
from sdtui.tagging.taggers import clip
from sdtui.tagging.taggers.base import Where

CPU = Where("cpu", threads=1)
IMAGES = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP model of a few thousand random weights, in the files of a real one."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip") / "tiny-clip"
    folder.mkdir()
    letters = [*"abcdefghijklmnopqrstuvwxyz", *(f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz")]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    torch.manual_seed(5)
    made = CLIPModel(
        CLIPConfig(
            text_config={**small, **ends, "vocab_size": len(words), "max_position_embeddings": 20},
            vision_config={**small, "image_size": 32, "patch_size": 16},
            projection_dim=8,
        )
    )
    made.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def lists(tmp_path: Path) -> list[Path]:
    (tmp_path / "artists.txt").write_text("van gogh\nmonet\n\nmonet\n")
    (tmp_path / "styles.top1.txt").write_text("cubism\nfauvism\nrealism\n")
    return [tmp_path / "artists.txt", tmp_path / "styles.top1.txt"]


def test_the_terms_of_each_list_share_one(model: Path, lists: list[Path]) -> None:
    tagger = clip.ClipTagger(model, "tiny-clip", CPU, lists)
    assert tagger.facts.tags.names == ("van gogh", "monet", "cubism", "fauvism", "realism")
    assert tagger.facts.tags.categories == ("artists", "artists", "styles", "styles", "styles")
    found = tagger.scores(np.stack([tagger.prepare(image) for image in IMAGES]))
    assert found[:, :2].sum(axis=1).tolist() == pytest.approx([1, 1], abs=1e-5)
    # Of the list with top1 only the best counts.
    assert (found[:, 2:] > 0).sum(axis=1).tolist() == [1, 1]
    assert (found[:, 2:].max(axis=1) > 1 / 3).all()


def test_scores_are_what_the_model_itself_says(model: Path, lists: list[Path]) -> None:
    from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

    found = clip.ClipTagger(model, "tiny-clip", CPU, lists[:1])
    batch = np.stack([found.prepare(image) for image in IMAGES])
    whole = CLIPModel.from_pretrained(model).eval()
    given = AutoTokenizer.from_pretrained(model)(["van gogh", "monet"], padding=True, return_tensors="pt")
    pixels = AutoImageProcessor.from_pretrained(model)(images=IMAGES, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        expected = whole(pixel_values=pixels, **given).logits_per_image.softmax(dim=-1).numpy()
    assert found.scores(batch) == pytest.approx(expected, abs=1e-5)


def test_embeddings_of_the_terms_are_kept(model: Path, lists: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = clip.ClipTagger(model, "tiny-clip", CPU, lists)
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: pytest.fail("read again"))
    second = clip.ClipTagger(model, "tiny-clip", CPU, lists)
    batch = first.prepare(IMAGES[0])[None]
    assert (first.scores(batch) == second.scores(batch)).all()


def test_other_terms_are_another_tagger(model: Path, lists: list[Path]) -> None:
    one, other = (clip.ClipTagger(model, "tiny-clip", CPU, files) for files in (lists, lists[:1]))
    assert one.facts.digest != other.facts.digest


def test_terms_make_a_clip_model_a_tagger(model: Path, lists: list[Path], tmp_path: Path) -> None:
    output = open_output(str(model), tmp_path, CPU, Asked(terms=tuple(map(str, lists))))
    assert output.id.startswith("tiny-clip-")
    with pytest.raises(UserError, match="terms are for CLIP models"):
        open_output("starter", tmp_path, CPU, Asked(terms=tuple(map(str, lists))))
    with pytest.raises(UserError, match="needs terms"):
        open_output(str(model), tmp_path, CPU, Asked())


def test_lists_that_cannot_be_used_are_said(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(UserError, match="holds no terms"):
        clip.read_terms(tmp_path / "empty.txt")
    with pytest.raises(UserError, match="cannot read the terms"):
        clip.read_terms(tmp_path / "gone.txt")
