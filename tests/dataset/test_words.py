"""Words that nothing would read, and templates that cannot be used, told before training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.dataset.collect import collect
from sdtui.dataset.findings import findings_of
from sdtui.dataset.words import require_read_words, word_findings
from sdtui.errors import UserError
from sdtui.profile.schema import Profile


def profile(folder: Path, words: list[str], captions: dict[str, Any], **own: Any) -> Profile:
    return Profile.model_validate(
        {
            "model": {"base": "x"},
            "method": {"words": [{"name": word} for word in words]},
            "captions": captions,
            "dataset": {"resolution": 64, "bucket_min": 64, "folders": [{"path": str(folder), **own}]},
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (64, 64)).save(images / "12 my-cat sits.png")
    return images


def codes(asked: Profile) -> list[tuple[str, str]]:
    return [(finding.code, finding.key) for finding in word_findings(asked, collect(asked))]


@pytest.mark.parametrize(
    ("captions", "own", "unread"),
    [
        ({"template": "subject"}, {}, []),
        ({"template": "subject"}, {"word": "my-cat"}, ["method.words[1].name"]),
        ({"template": "picture"}, {}, ["method.words[0].name", "method.words[1].name"]),
        ({"prefix": "a my-cat, "}, {"class_tokens": "x"}, ["method.words[1].name"]),
        ({}, {"class_tokens": "MY-CAT and my-dog"}, []),
        ({}, {"class_tokens": "my-cats, my-dog"}, ["method.words[0].name"]),
        ({"on_missing": "file-name"}, {}, ["method.words[1].name"]),
    ],
    ids=["all", "folder's", "none", "prefix", "caption", "longer word", "file name"],
)
def test_a_word_that_nothing_holds(
    folder: Path, captions: dict[str, Any], own: dict[str, Any], unread: list[str]
) -> None:
    assert codes(profile(folder, ["my-cat", "my-dog"], captions, **own)) == [("no-word", key) for key in unread]


def test_a_name_in_a_template_needs_a_word(folder: Path) -> None:
    assert codes(profile(folder, [], {"template": "subject"})) == [("contradiction", "captions.template")]


def test_a_template_that_cannot_be_read_is_a_finding_at_its_setting(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("\n")
    captions = {"template_file": str(tmp_path / "mine.txt")}
    asked = profile(folder, ["my-cat"], captions, class_tokens="my-cat")
    assert [(one.code, one.key) for one in findings_of(asked, collect(asked))] == [
        ("bad-template", "captions.template_file")
    ]


def test_the_first_ends_a_run_before_it_starts(folder: Path) -> None:
    asked = profile(folder, ["my-cat"], {"template": "picture"})
    with pytest.raises(UserError, match="neither a caption nor a template"):
        require_read_words(asked, collect(asked))


def test_images_without_captions_are_fine_where_a_template_has_no_place_for_one(folder: Path) -> None:
    assert collect(profile(folder, ["my-cat"], {"template": "subject"})).problems == ()
    (missing,) = collect(profile(folder, ["my-cat"], {"template": "subject_filewords"})).problems
    assert missing.kind == "missing-caption"


def test_a_file_name_is_the_caption_of_an_image_without_one(folder: Path) -> None:
    (sample,) = collect(profile(folder, ["my-cat"], {"on_missing": "file-name"})).samples
    assert sample.caption == "my-cat sits"
