from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from sdtui.errors import UserError
from sdtui.tagging import describers
from sdtui.tagging.describers.base import Asked
from sdtui.tagging.describers.huggingface import HuggingFaceDescriber
from sdtui.tagging.outputs import DescriptionOutput, open_output
from sdtui.tagging.taggers.base import Where

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "cat", "dog", "on", "red", "mat"]
OPT_WORDS = ["<pad>", "</s>", "<unk>", "a", "red", "cat", "photo", "of", "square"]
CPU = Where("cpu", threads=1)
RED = Image.new("RGB", (40, 30), "red")


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP captioner of a few thousand random weights, in the files of a real one."""
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

    folder = tmp_path_factory.mktemp("blip") / "tiny-blip"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokens = {"bos_token_id": 5, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    text = {**small, **tokens, "vocab_size": len(WORDS), "encoder_hidden_size": 16, "max_position_embeddings": 64}
    vision = {**small, "image_size": 32, "patch_size": 16}
    torch.manual_seed(3)
    model = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision, projection_dim=16))
    model.save_pretrained(folder)
    processor = BlipProcessor(
        BlipImageProcessor(size={"height": 32, "width": 32}), BertTokenizer(str(folder / "vocab.txt"))
    )
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def blip2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP-2 of a few thousand random weights: a vision model, a Q-Former of four queries, OPT."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        BlipImageProcessor,
        PreTrainedTokenizerFast,
    )

    folder = tmp_path_factory.mktemp("blip2") / "tiny-blip2"
    words = Tokenizer(models.WordLevel({word: at for at, word in enumerate(OPT_WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "<pad>", "eos_token": "</s>", "bos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, **special)
    processor = Blip2Processor(BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer, num_query_tokens=4)
    # The processor has added the place of an image to the tokenizer.
    image = len(OPT_WORDS)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**small, "intermediate_size": 16, "image_size": 32, "patch_size": 16}
    former = {
        **small,
        "intermediate_size": 16,
        "vocab_size": 9,
        "encoder_hidden_size": 16,
        "cross_attention_frequency": 1,
    }
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    opt = {**small, **tokens, "model_type": "opt", "vocab_size": image + 1, "ffn_dim": 16, "word_embed_proj_dim": 16}
    torch.manual_seed(0)
    model = Blip2ForConditionalGeneration(
        Blip2Config(
            vision_config=vision, qformer_config=former, text_config=opt, num_query_tokens=4, image_token_index=image
        )
    )
    with torch.no_grad():
        # Without a word that ends it at once.
        model.language_model.lm_head.weight[1] = 0
        model.language_model.lm_head.weight[5] *= 50
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_blip2_describes_and_goes_on_from_a_prompt(blip2: Path) -> None:
    dark = Image.new("RGB", (8, 8))
    said = HuggingFaceDescriber(blip2, "blip2", CPU, Asked(max_tokens=4)).describe([RED, dark])
    assert len(said) == 2
    assert all(said)
    assert {word for words in said for word in words.split()} <= set(OPT_WORDS)
    asked = HuggingFaceDescriber(blip2, "blip2", CPU, Asked("a photo of", max_tokens=4)).describe([RED, dark])
    assert all(words.startswith("a photo of ") for words in asked)
    assert describers.finds(blip2)


def test_images_become_words_the_same_each_time(blip: Path) -> None:
    describer = HuggingFaceDescriber(blip, "tiny-blip", CPU, Asked(max_tokens=6))
    said = describer.describe([RED, RED])
    assert said == describer.describe([RED, RED])
    assert said[0] == said[1]
    assert set(said[0].split()) <= set(WORDS)


def test_a_prompt_begins_the_description(blip: Path) -> None:
    describer = HuggingFaceDescriber(blip, "tiny-blip", CPU, Asked("a red cat", max_tokens=6))
    assert "a red cat" in describer.describe([RED])[0]
    assert describer.facts.how == "at most 6 tokens, beginning 'a red cat'"
    assert describer.facts.digest != HuggingFaceDescriber(blip, "tiny-blip", CPU, Asked(max_tokens=6)).facts.digest


def test_a_folder_is_known_for_what_it_is_and_described_with(blip: Path, tmp_path: Path) -> None:
    assert describers.finds(blip)
    output = open_output(str(blip), tmp_path, CPU, Asked(max_tokens=6))
    assert isinstance(output, DescriptionOutput)
    output.take(["ab" * 32], [RED])
    assert "ab" * 32 in output.done()
    assert output.id.startswith("tiny-blip-")


def test_weights_that_are_no_safetensors_are_refused(blip: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((blip / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(UserError, match="no weights in safetensors"):
        HuggingFaceDescriber(tmp_path, "x", CPU, Asked())


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(UserError, match="not an image-to-text model"):
        HuggingFaceDescriber(tmp_path, "x", CPU, Asked())


def test_code_that_comes_with_a_model_is_not_run_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    config = {"model_type": "odd", "auto_map": {"AutoConfig": "odd.Odd", "AutoProcessor": "odd.Odd"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "processor_config.json").write_text(json.dumps({**config, "processor_class": "Odd"}))
    (tmp_path / "model.safetensors").write_bytes(b"x")
    (tmp_path / "odd.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Odd: pass\n")
    with pytest.raises(UserError, match="not an image-to-text model"):
        HuggingFaceDescriber(tmp_path, "x", CPU, Asked())
    assert not (tmp_path / "ran").exists()
