"""The torch-free token count agrees with the tokenizer that training uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sdtui.models.clip_tokenizer import FOLDER
from sdtui.models.tokens import LIMIT, borders, count, length, token_ids

HARD = [
    "",
    "a photo of a cat",
    "1girl, solo, 1234, :3, ^_^",
    "(masterpiece:1.2), [x], {y}, <lora:name:0.8>",
    "don't we'll I'M he'd they've",
    "  many \t kinds\n\nof \u00a0 space \u200b ",
    "日本語のキャプション、女の子",
    "👩‍👩‍👧 family 🏳️‍🌈",
    "e\u0301 é ﬁ ² Ⅷ",
    "ΑΣΑΣ ς İstanbul ß",
    "<|endoftext|> inside <|STARTOFTEXT|>text<|startoftext|>",
    "snake_case_tag, kebab-case-tag",
    "a\x00b\x07",
    "_" * 100,
    "pneumonoultramicroscopicsilicovolcanoconiosis" * 5,
    "مرحبا שלום नमस्ते",
]


def test_a_known_sentence_has_its_published_ids() -> None:
    assert token_ids("a photo of a cat") == [320, 1125, 539, 320, 2368]


@pytest.mark.parametrize("text", HARD)
def test_it_splits_as_the_training_tokenizer_does(text: str) -> None:
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    assert token_ids(text) == CLIPTokenizer.from_pretrained(FOLDER)(text, add_special_tokens=False).input_ids


def test_the_count_leaves_the_two_marks_out() -> None:
    assert (count(""), count("cat " * 75), LIMIT) == (0, 75, 75)


@pytest.mark.parametrize(
    "text", [*HARD, " ".join(HARD), "a  (b) , <|endoftext|>,\u00a0x \x1c \x85 \u3000 y's 's \u0301z"]
)
def test_words_are_counted_one_by_one_and_come_to_the_same(text: str) -> None:
    assert count(text) == len(token_ids(text))


def test_counting_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys\nfrom sdtui.models.tokens import count\ncount('cat')\n"
        "print({'torch', 'transformers', 'numpy', 'diffusers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_brackets_that_weigh_are_no_tokens() -> None:
    assert length("a (red:1.2) [cat]", weighted=False) == count("a (red:1.2) [cat]") == 11
    assert length("a (red:1.2) [cat]", weighted=True) == 3


@pytest.mark.parametrize(
    ("text", "limits", "places"),
    [
        ("", (75,), []),
        ("long hair, " * 25, (75,), []),
        ("long hair, " * 26, (75,), [275]),
        ("  Long Hair,\n" * 60, (75, 150, 225), [2 + 25 * 13, 2 + 50 * 13]),
        ("e\u0301, " * 80, (75, 150), [4 * 37 + 2, 4 * 75]),
        ("\U0001f468\u200d\U0001f469, cat", (0,), [0]),
    ],
    ids=["nothing", "just", "beyond", "three", "accents", "first"],
)
def test_where_each_part_that_is_read_begins(text: str, limits: tuple[int, ...], places: list[int]) -> None:
    assert borders(text, limits) == places
