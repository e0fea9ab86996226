"""The shipped tagger, asked as any program that reads WD taggers would: ONNX and a table of tags, no sdtui."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdtui.starter import demo

onnxruntime = pytest.importorskip("onnxruntime")
TAGGER = demo.PACKAGE / "tagger"


@pytest.fixture(scope="module")
def session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(TAGGER / "model.onnx", options, providers=["CPUExecutionProvider"])


def table() -> list[dict[str, str]]:
    with (TAGGER / "selected_tags.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def asked(session: Any, *pictures: Image.Image) -> list[dict[str, float]]:
    """Probability of every tag, for pictures scaled to the size that the model's input says."""
    _, height, width, _ = session.get_inputs()[0].shape
    small = [picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC) for picture in pictures]
    pixels = np.stack([np.asarray(picture, dtype=np.float32)[:, :, ::-1] for picture in small])  # BGR (B, h, w, 3)
    (found,) = session.run(None, {session.get_inputs()[0].name: pixels})
    names = [row["name"] for row in table()]
    return [dict(zip(names, row.tolist(), strict=True)) for row in found]


def shipped(*names: str) -> list[Image.Image]:
    return [Image.open(demo.IMAGES / f"{name}.png") for name in names]


def blob(colour: str) -> Image.Image:
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste(colour, (16, 16, 48, 48))
    return picture


def test_it_is_small_enough_to_ship() -> None:
    assert sorted(path.name for path in TAGGER.iterdir()) == ["model.onnx", "selected_tags.csv"]
    assert sum(path.stat().st_size for path in TAGGER.iterdir()) <= 4 * 2**20


def test_its_table_has_the_columns_and_the_ratings_of_wd_taggers() -> None:
    rows = table()
    assert list(rows[0]) == ["tag_id", "name", "category", "count"]
    assert [row["tag_id"] for row in rows] == [str(number) for number in range(len(rows))]
    assert [(row["name"], row["category"]) for row in rows[:4]] == [
        ("general", "9"),
        ("sensitive", "9"),
        ("questionable", "9"),
        ("explicit", "9"),
    ]
    assert {row["category"] for row in rows[4:]} == {"0"}
    counts = [int(row["count"]) for row in rows[4:]]
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= 10


def test_tags_are_written_with_underscores_and_once() -> None:
    names = [row["name"] for row in table()]
    assert len(names) == len(set(names))
    assert not any(" " in name for name in names)
    assert {"animal", "fruit", "vehicle", "smiling_face", "linocut_style", "red"} <= set(names)


def test_it_takes_any_number_of_square_bgr_pictures(session: Any) -> None:
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape[1:]) == ("input", "tensor(float)", [64, 64, 3])
    assert isinstance(taken.shape[0], str)
    assert (given.name, given.shape[1]) == ("output", len(table()))
    assert [len(asked(session, *[blob("red")] * count)) for count in (1, 3)] == [1, 3]


def test_it_answers_in_probabilities_and_every_emoji_is_for_everyone(session: Any) -> None:
    (found,) = asked(session, *shipped("fox"))
    assert all(0 <= value <= 1 for value in found.values())
    assert [found[name] for name in ("general", "sensitive", "questionable", "explicit")] == [1, 0, 0, 0]


def test_it_tells_red_from_blue(session: Any) -> None:
    red, blue = asked(session, blob("#dc1e28"), blob("#285adc"))
    assert red["red"] > 0.5 > red["blue"]
    assert blue["blue"] > 0.5 > blue["red"]


def test_it_knows_the_style_of_the_demos_images(session: Any) -> None:
    found = asked(session, *(Image.open(path) for path in sorted(demo.IMAGES.glob("*.png"))))
    assert min(tags["linocut_style"] for tags in found) > 0.5
    assert min(tags["monochrome"] for tags in found) > 0.5


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("fox", {"animal", "mammal", "face"}),
        ("crab", {"animal"}),
        ("elephant", {"animal", "mammal"}),
        ("red-apple", {"food", "fruit"}),
        ("ice-cream", {"food"}),
        ("automobile", {"vehicle"}),
        ("sailboat", {"vehicle", "boat"}),
        ("robot", {"face"}),
    ],
)
def test_it_says_what_the_demos_images_show(session: Any, name: str, tags: set[str]) -> None:
    (found,) = asked(session, *shipped(name))
    assert {tag for tag, value in found.items() if value > 0.35} >= tags


def test_it_does_not_see_flags_and_people_everywhere(session: Any) -> None:
    for found in asked(session, *(Image.open(path) for path in sorted(demo.IMAGES.glob("*.png")))):
        assert found["flag"] < 0.35
        assert found["person"] < 0.35
