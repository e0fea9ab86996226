from __future__ import annotations

import pytest
import torch

from sdtui.starter.build import tagged, vocabulary
from sdtui.starter.build.tagger import average_precision


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("woman astronaut", "astronaut"),
        ("astronaut", "astronaut"),
        ("blue heart", "heart"),
        ("man walking facing right", "walking"),
        ("three o’clock", "clock face"),
        ("twelve-thirty", "clock face"),
        ("full moon face", "moon"),
        ("family: man, woman, boy", "couples and families"),
        ("flag: Cuba", "flag cuba"),
        ("person", "person"),
    ],
)
def test_twins_are_one_family(name: str, family: str) -> None:
    assert vocabulary.family(name) == family


@pytest.mark.parametrize(
    "twins", [("red heart", "blue heart"), ("man cook", "woman cook"), ("red circle", "green circle")]
)
def test_twins_are_held_out_together(twins: tuple[str, str]) -> None:
    assert tagged.is_held_out(twins[0]) == tagged.is_held_out(twins[1])


def test_about_a_fifth_is_held_out() -> None:
    names = [f"emoji number {number}" for number in range(1000)]
    assert 150 <= sum(map(tagged.is_held_out, names)) <= 250


def test_a_tag_holds_by_keyword_or_by_subgroup() -> None:
    fruit = ("@food-fruit", "fruit")
    assert vocabulary.holds(fruit, {"fruit"}, "food-vegetable")
    assert vocabulary.holds(fruit, set(), "food-fruit")
    assert vocabulary.holds(("@food",), set(), "food-fruit")
    assert not vocabulary.holds(fruit, {"food"}, "food-sweet")


def test_every_tag_of_the_list_has_sources() -> None:
    tags = vocabulary.read_tags()
    assert tags["bird"] == ("@animal-bird", "bird")
    assert all(all(sources) for sources in tags.values())


@pytest.mark.parametrize(
    ("rgb", "names"),
    [
        ((220, 30, 40), {"red"}),
        ((250, 150, 30), {"orange"}),
        ((30, 160, 60), {"green"}),
        ((40, 90, 220), {"blue"}),
        ((120, 80, 40), {"brown"}),
        ((20, 20, 20), {"black", "monochrome"}),
        ((128, 128, 128), {"grey", "monochrome"}),
    ],
)
def test_a_blob_has_the_name_of_its_colour(rgb: tuple[int, int, int], names: set[str]) -> None:
    pixels = torch.full((3, 8, 8), 255, dtype=torch.uint8)
    pixels[:, 2:6, 2:6] = torch.tensor(rgb, dtype=torch.uint8)[:, None, None]
    assert vocabulary.colours_of(pixels) == names


def test_a_blank_picture_has_no_colour() -> None:
    assert vocabulary.colours_of(torch.full((3, 8, 8), 255, dtype=torch.uint8)) == set()


def test_a_colour_needs_a_fifth_of_what_is_drawn() -> None:
    pixels = torch.full((3, 10, 1), 20, dtype=torch.uint8)
    pixels[:, :1] = torch.tensor([220, 30, 40], dtype=torch.uint8)[:, None, None]
    assert vocabulary.colours_of(pixels) == {"black"}
    pixels[:, :2] = torch.tensor([220, 30, 40], dtype=torch.uint8)[:, None, None]
    assert vocabulary.colours_of(pixels) == {"black", "red"}


def test_average_precision_is_the_mean_precision_at_each_wanted_picture() -> None:
    scores, wanted = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([1.0, 0.0, 1.0, 0.0])
    assert average_precision(scores, wanted) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision(-scores, wanted) == pytest.approx((1 / 2 + 2 / 4) / 2)
