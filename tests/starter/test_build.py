"""The build's own arithmetic; training and drawing are tried by `python -m sdtui.starter.build report`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from PIL import Image

from sdtui.starter.build import artwork, captions, demo_images, measure, pacing
from sdtui.starter.build.artwork import Artwork, Concept
from sdtui.starter.build.denoiser import KnownLatents
from sdtui.starter.build.fetch import FLUENT_3D
from sdtui.starter.build.report import Figure

FOX = Concept("fox", "1F98A", "animals-nature", ("animal", "face"), known=True, held_out=False)
BISON = Concept("bison", "1F9AC", "animals-nature", ("animal",), known=False, held_out=True)


def two_emoji() -> Artwork:
    """Fox and bison, each in the four styles."""
    return Artwork(
        [FOX, BISON],
        torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 3, 64, 64),
        torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]),
        torch.tensor([0, 1, 2, 3, 0, 1, 2, 3]),
    )


def test_rows_are_chosen_by_concept_and_style() -> None:
    art = two_emoji()
    assert art.rows(lambda concept, style: concept.known and style != "linocut").tolist() == [0, 1, 2]
    assert art.rows(lambda concept, _style: concept.held_out).tolist() == [4, 5, 6, 7]


def test_pixels_become_minus_one_to_one() -> None:
    assert artwork.as_float(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_transparent_parts_become_white() -> None:
    drawn = artwork.on_white(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), 4)
    assert (drawn.size, drawn.mode, drawn.getpixel((0, 0))) == ((4, 4), "RGB", (255, 255, 255))


@pytest.mark.parametrize(
    ("name", "file"), [("T-Rex", "t-rex"), ("woman’s hat", "womans-hat"), ("red apple", "red-apple")]
)
def test_names_become_file_names(name: str, file: str) -> None:
    assert artwork.slug(name) == file


def test_the_list_of_known_emoji_has_no_doubles() -> None:
    lines = Path(artwork.__file__).with_name("concepts.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names)) == 302


def test_a_scoped_package_has_npms_file_name() -> None:
    assert (FLUENT_3D.folder, FLUENT_3D.tarball) == (
        "lobehub-fluent-emoji-3d",
        "lobehub-fluent-emoji-3d-1.1.0.tgz",
    )


def test_captions_name_the_emoji_or_nothing_at_all() -> None:
    chance = random.Random(0)
    found = [captions.phrase(FOX, "flat", chance) for _ in range(1000)]
    assert captions.prompt("fox", "flat") == "fox, flat style"
    assert 70 <= found.count("") <= 130
    assert 400 <= found.count("fox, flat style") <= 600
    assert all("fox" in text for text in found if text)
    assert any(text.startswith(("fox, animal", "fox, face")) for text in found)


def test_demo_captions_begin_with_the_trigger() -> None:
    assert demo_images.caption("fox") == "linocut style, fox, animal, face"
    assert len(demo_images.SUBJECTS) == 24 + len(demo_images.FLAWED)


def test_a_pace_by_steps_ends_and_goes_on_where_it_was() -> None:
    pace = pacing.Pace(minutes=0, steps=4)
    assert [pace.tick() for _ in range(5)] == [True, True, True, True, False]
    resumed = pacing.Pace(minutes=0, steps=8)
    resumed.load(pace.state())
    assert (resumed.step, resumed.done) == (4, 0.5)


def test_a_pace_by_minutes_counts_what_was_spent_before() -> None:
    pace = pacing.Pace(minutes=10)
    pace.load({"step": 7, "seconds": 300.0})
    assert pace.done == pytest.approx(0.5, abs=0.001)
    pace.load({"step": 7, "seconds": 601.0})
    assert not pace.tick()


@pytest.mark.parametrize(("step", "rate"), [(0, 0.05), (50, 0.505), (100, 0.01)])
def test_the_learning_rate_warms_up_and_falls_like_a_cosine(step: int, rate: float) -> None:
    assert pacing.Pace(minutes=0, steps=100, step=step).learning_rate(1.0) == pytest.approx(rate)


def test_top_5_looks_only_at_pictures_of_the_wanted_style() -> None:
    concepts = [Concept(str(number), "", "", (), known=True, held_out=False) for number in range(7)]
    style = torch.tensor([0, 0, 0, 0, 0, 0, 1])
    art = Artwork(concepts, torch.zeros(7, 3, 64, 64, dtype=torch.uint8), torch.arange(7), style)
    mean = torch.arange(7.0).view(7, 1, 1, 1).expand(7, 4, 8, 8)
    latents = KnownLatents(mean, torch.zeros_like(mean), torch.arange(7))
    # Where picture 0 lies, pictures 0 to 4 are the five nearest; 5 is the sixth; 6 is alone in its style.
    drawn = torch.zeros(3, 4, 8, 8)
    assert measure.share_in_top_5(drawn, latents, art, torch.tensor([4, 5, 6])) == pytest.approx(2 / 3)


def test_a_figure_knows_whether_its_bar_is_reached() -> None:
    assert Figure("PSNR", 24.0, 24, "dB").reached
    assert not Figure("size", 48.1, 48, "MiB", at_most=True).reached
