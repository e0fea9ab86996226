"""How many of CLIP's 75 places a text takes, counted without PyTorch so that the screen can say so while one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from sdtui.models.clip_tokenizer import FOLDER
from sdtui.models.emphasis import parse

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LIMIT = 75
# More characters than the 225 tokens that are read at most are ever made of.
READ = 8_000
# Longer words are not remembered.
_WORD = 64
MARKS = ("<|startoftext|>", "<|endoftext|>")
# CLIP's own splitting rule: the marks, English contractions, words, single digits, runs of anything else.
WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def count(text: str) -> int:
    """Tokens of `text` without the start and end marks; the text encoder sees `LIMIT` of them, or `captions.max_tokens`."""
    # No token reaches over a blank, and captions use the same words again and again: a hundred times as fast as all at once.
    return sum(_of_word(word) if len(word) <= _WORD else len(token_ids(word)) for word in text.split(" "))


def length(text: str, *, weighted: bool) -> int:
    """Tokens of `text` as a caption or prompt; where brackets weigh, they take no place."""
    return sum(count(span.text) for span in parse(text)) if weighted else count(text)


def more_places(text: str, words: Mapping[tuple[int, ...], int]) -> int:
    """How many places more `text` takes where words of the user's own, by their tokens, take so many each."""
    if not words:
        return 0
    ids = token_ids(text)
    return sum(
        places - len(word)
        for word, places in words.items()
        for at in range(len(ids))
        if tuple(ids[at : at + len(word)]) == word
    )


def borders(text: str, limits: Sequence[int]) -> list[int]:
    """Which character the token after each of so many begins with, for those limits that the text goes beyond.

    The encoder reads 75 tokens at a time, whatever tag that cuts through. Only the first `READ` characters are looked at.
    """
    places = _tokenizer().encode(text[:READ], add_special_tokens=False).offsets
    return [places[limit][0] for limit in limits if limit < len(places)]


@lru_cache(maxsize=1 << 16)
def _of_word(word: str) -> int:
    return len(token_ids(word))


def token_ids(text: str) -> list[int]:
    """The ids of `text` in CLIP's vocabulary, without the start and end marks."""
    return list(_tokenizer().encode(text, add_special_tokens=False).ids)


@cache
def _tokenizer() -> Tokenizer:
    # Imported late: 80 ms that the first frame of the screen does not wait for.
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE

    merges = str(FOLDER / "merges.txt")
    tokenizer = Tokenizer(
        BPE.from_file(str(FOLDER / "vocab.json"), merges, end_of_word_suffix="</w>", unk_token=MARKS[1])
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in MARKS])
    return tokenizer
