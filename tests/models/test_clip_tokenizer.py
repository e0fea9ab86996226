"""The bundled vocabulary is CLIP's, and its script makes what is bundled."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from sdtui.models.clip_tokenizer import FILES, FOLDER
from sdtui.models.clip_tokenizer.make import byte_letters, make


def test_the_merges_are_openai_s_file_to_the_byte() -> None:
    # The digest of merges.txt in the published openai/clip-vit-large-patch14 and stable-diffusion-v1-5 folders.
    digest = hashlib.sha256((FOLDER / "merges.txt").read_bytes()).hexdigest()
    assert digest == "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a"


def test_the_vocabulary_has_its_published_size_and_ids() -> None:
    vocabulary = json.loads((FOLDER / "vocab.json").read_text(encoding="utf-8"))
    assert len(vocabulary) == 49408
    assert sorted(vocabulary.values()) == list(range(49408))
    some = ("!", "a</w>", "photo</w>", "of</w>", "cat</w>", "<|startoftext|>", "<|endoftext|>")
    assert [vocabulary[word] for word in some] == [0, 320, 1125, 539, 2368, 49406, 49407]


def test_bytes_are_lettered_as_gpt_2_lettered_them() -> None:
    letters = byte_letters()
    assert len(set(letters)) == 256
    assert letters[:3] == ["!", '"', "#"]
    assert (letters[93], letters[94], letters[188]) == ("~", "¡", "Ā")


def test_the_script_makes_what_is_bundled(tmp_path: Path) -> None:
    merges = (FOLDER / "merges.txt").read_text(encoding="utf-8").split("\n")[1:-1]
    source = tmp_path / "list.txt.gz"
    source.write_bytes(gzip.compress("\n".join(["title", *merges, "beyond clip"]).encode()))
    make(source, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
