from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.dataset.metadata import Metadata
from sdtui.errors import UserError

# As sd-scripts' merge_captions_to_metadata.py, merge_dd_tags_to_metadata.py and prepare_buckets_latents.py leave it.
KOHYA = {
    "/sets/cats/1.png": {"caption": "a cat", "tags": "cat, wall", "train_resolution": [512, 448]},
    "2": {"tags": "dog"},
    "3": {"caption": ""},
    "4": {"train_resolution": [512, 512]},
}
# As tag_images_by_wd14_tagger.py --output_path x.jsonl writes it.
KOHYA_LINES = '{"image_path": "/sets/cats/1.png", "caption": "cat, wall", "image_size": [640, 480]}\n'
# As the docs of Hugging Face's ImageFolder have it.
LINES = '{"file_name": "0001.png", "text": "This is a golden retriever"}\n{"file_name": "a/0002.png", "text": "猫"}\n'


def written(path: Path, content: str | bytes | dict[str, Any]) -> Path:
    if isinstance(content, dict):
        content = json.dumps(content, indent=2)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_kohyas_json_reads_as_its_trainer_reads_it(tmp_path: Path) -> None:
    metadata = Metadata.read(written(tmp_path / "meta.json", KOHYA))
    assert metadata.kind == "kohya-json"
    assert {name: metadata.text(name) for name in metadata.rows} == {
        "/sets/cats/1.png": "a cat, cat, wall",
        "2": "dog",
        "3": "",
        "4": None,
    }


@pytest.mark.parametrize(("column", "text"), [("caption", "a cat"), ("tags", "cat, wall"), ("prompt", None)])
def test_one_column_alone(tmp_path: Path, column: str, text: str | None) -> None:
    metadata = Metadata.read(written(tmp_path / "meta.json", KOHYA), column)
    assert metadata.text("/sets/cats/1.png") == text


@pytest.mark.parametrize(
    ("content", "kind", "name", "text"),
    [
        pytest.param(KOHYA_LINES, "kohya-jsonl", "/sets/cats/1.png", "cat, wall", id="kohya"),
        pytest.param(LINES, "metadata-jsonl", "a/0002.png", "猫", id="hugging-face"),
        pytest.param("\ufeff\r\n" + LINES.replace("\n", "\r\n"), "metadata-jsonl", "0001.png",
                     "This is a golden retriever", id="bom-and-crlf"),
        pytest.param('{"file_name": "1.png", "text": ["one", "two"]}', "metadata-jsonl", "1.png", "one\ntwo", id="list"),
        pytest.param('{"file_name": "1.png"}', "metadata-jsonl", "1.png", None, id="no-text"),
    ],
)  # fmt: skip
def test_lines(tmp_path: Path, content: str, kind: str, name: str, text: str | None) -> None:
    metadata = Metadata.read(written(tmp_path / "any.name", content))
    assert metadata.kind == kind
    assert metadata.text(name) == text


@pytest.mark.parametrize(
    ("text", "row"),
    [
        pytest.param("a cat, cat, wall", {"caption": "a cat", "tags": "cat, wall"}, id="as-it-was"),
        pytest.param("a cat, night", {"caption": "a cat", "tags": "night"}, id="other-tags"),
        pytest.param("a dog, wall", {"caption": "a dog, wall"}, id="another-caption"),
        pytest.param("", {"caption": ""}, id="none"),
    ],
)
def test_what_else_kohya_knows_stays(tmp_path: Path, text: str, row: dict[str, Any]) -> None:
    path = written(tmp_path / "meta.json", KOHYA)
    metadata = Metadata.read(path)
    metadata.put("/sets/cats/1.png", text)
    assert json.loads(metadata.to_bytes()) == {
        **KOHYA,
        "/sets/cats/1.png": {**row, "train_resolution": [512, 448]},
    }


def test_tags_alone_stay_tags_and_new_images_come_last(tmp_path: Path) -> None:
    metadata = Metadata.read(written(tmp_path / "meta.json", KOHYA))
    metadata.put("2", "dog, night")
    metadata.put("5.png", "ein Wächter")
    assert metadata.rows["2"] == {"tags": "dog, night"}
    assert list(metadata.rows)[-1] == "5.png"
    assert '"5.png": {\n    "caption": "ein Wächter"\n  }\n}\n' in metadata.to_bytes().decode()


def test_lines_keep_their_other_columns_and_order(tmp_path: Path) -> None:
    metadata = Metadata.read(written(tmp_path / "m.jsonl", KOHYA_LINES))
    metadata.put("/sets/cats/1.png", "cat")
    metadata.put("2.png", "[/red] \u202e👩‍👩‍👧")
    assert metadata.to_bytes().decode() == (
        '{"image_path": "/sets/cats/1.png", "caption": "cat", "image_size": [640, 480]}\n'
        '{"image_path": "2.png", "caption": "[/red] \u202e👩‍👩‍👧"}\n'
    )


def test_names_that_are_no_text_get_through(tmp_path: Path) -> None:
    metadata = Metadata(tmp_path / "new.jsonl", "metadata-jsonl")
    metadata.put("\udcff.png", "naïve")
    assert metadata.to_bytes() == b'{"file_name": "\\udcff.png", "text": "na\\u00efve"}\n'
    again = Metadata.read(written(tmp_path / "new.jsonl", metadata.to_bytes()))
    assert again.text("\udcff.png") == "naïve"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "this is no JSON: Expecting value at column 1", id="empty"),
        pytest.param("[1]", "this is no file of captions", id="a-list"),
        pytest.param('{"a": 1}', "this is no file of captions", id="an-object-of-something-else"),
        pytest.param('{\n"a": {},\n}', "this is no JSON: .* at line 3, column 1", id="broken"),
        pytest.param(LINES + "x\n", "m, line 3: this is no JSON", id="broken-line"),
        pytest.param(LINES + "[]\n", "m, line 3: a line that is no JSON object", id="line-of-another-kind"),
        pytest.param(LINES + '{"text": "a"}', "m, line 3: a line without file_name", id="line-without-a-name"),
        pytest.param(LINES + LINES, "m, line 3: 0001.png is named twice", id="named-twice"),
        pytest.param(b"\xff\xfe{", "the file of captions is not UTF-8", id="utf-16"),
        pytest.param("[" * 100_000, "this JSON cannot be read", id="nested-deeply"),
    ],
)
def test_what_is_no_file_of_captions_is_one_message(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Metadata.read(written(tmp_path / "m", content))


def test_a_caption_that_is_no_text(tmp_path: Path) -> None:
    metadata = Metadata.read(written(tmp_path / "m", '{"file_name": "1.png", "text": 5}'))
    with pytest.raises(UserError, match=r"the caption of 1\.png is no text"):
        metadata.text("1.png")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the captions: No such file"):
        Metadata.read(tmp_path / "none.json")
