"""Previews: what a prompt line leaves open, and an image that says how it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import sdtui
from sdtui.errors import SdtuiError, UserError
from sdtui.models.family import Model, Reading, load_model
from sdtui.profile.schema import Profile
from sdtui.training.preview import Request, render, requests
from tests.support.tiny import shallow_pipeline

LINE = "a red cat, 日本 --w 64 --h 72 --s 2 --l 3.5 --d 7 --n ugly — blurry --ss euler"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(shallow_pipeline(tmp_path_factory.mktemp("model")), None, torch.device("cpu"), torch.float32)


def profile(*prompts: str, **sections: dict[str, Any]) -> Profile:
    data = {
        "model": {"base": "x"},
        "training": {"steps": 1, "seed": 42},
        "previews": {"prompts": list(prompts), "sampler": "unipc"},
    }
    return Profile.model_validate({**data, **sections})


def only(made: Profile) -> Request:
    [request] = requests(made)
    return request


def test_a_line_s_own_words_win() -> None:
    assert only(profile(LINE)) == Request(
        index=0,
        prompt="a red cat, 日本",
        negative="ugly — blurry",
        width=64,
        height=72,
        steps=2,
        guidance=3.5,
        seed=7,
        sampler="euler",
        reading=Reading(),
    )


def test_what_a_line_leaves_open_is_the_profile_s() -> None:
    request = only(
        profile("a cat", dataset={"resolution": 644}, captions={"clip_skip": 2, "max_tokens": 150, "weighted": True})
    )
    assert (request.width, request.height, request.seed) == (640, 640, 42)
    assert (request.sampler, request.steps, request.guidance) == ("unipc", 20, 7.5)
    assert request.reading == Reading(clip_skip=2, max_tokens=150, weighted=True)


def test_seed_0_is_a_seed() -> None:
    assert only(profile("a cat --d 0")).seed == 0


def test_comments_are_left_out_and_not_counted() -> None:
    made = list(requests(profile("# cats --bogus", "a cat", "  ", "a dog")))
    assert [(request.index, request.prompt) for request in made] == [(0, "a cat"), (1, "a dog")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a cat --w 63", "line 2: the width is 63"),
        ("a cat --s many", "line 2: the steps is 'many'"),
        ("a cat --ss eular", "line 2: the sampler is 'eular'.*euler_a"),
        ("a cat --q 3", "line 2: --q is not known"),
    ],
)
def test_a_bad_line_is_named_with_its_part(line: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        list(requests(profile("a cat", line)))
    assert caught.value.where == "previews.prompts"


def test_the_image_and_the_file_beside_it_say_how_it_was_made(model: Model, tmp_path: Path) -> None:
    made = render(model, only(profile(LINE)), tmp_path / "previews/step-000200", step=200)
    assert made.path == tmp_path / "previews/step-000200/00.png"
    assert (made.index, made.prompt, made.seed) == (0, "a red cat, 日本", 7)
    assert made.seconds > 0
    expected = {
        "prompt": "a red cat, 日本",
        "negative": "ugly — blurry",
        "width": 64,
        "height": 72,
        "steps": 2,
        "guidance": 3.5,
        "seed": 7,
        "sampler": "euler",
        "clip_skip": 1,
        "max_tokens": 75,
        "weighted": False,
        "step": 200,
        "software": f"sdtui {sdtui.__version__}",
    }
    assert json.loads(made.path.with_suffix(".json").read_text(encoding="utf-8")) == expected
    with Image.open(made.path) as image:
        assert (image.size, image.mode) == ((64, 72), "RGB")
        assert image.text == {key: str(value) for key, value in expected.items()}  # type: ignore[attr-defined]
    assert sorted(entry.name for entry in made.path.parent.iterdir()) == ["00.json", "00.png"]


def test_a_step_s_preview_is_the_same_bytes_each_time(model: Model, tmp_path: Path) -> None:
    one = render(model, only(profile(LINE)), tmp_path / "a", step=1)
    other = render(model, only(profile(LINE)), tmp_path / "b", step=1)
    assert one.path.read_bytes() == other.path.read_bytes()


def test_a_failure_leaves_no_file(model: Model, tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        render(model, only(profile(LINE)), tmp_path / "previews", 1, on_step=stop)
    assert not (tmp_path / "previews").exists()


def test_a_folder_that_cannot_be_made_is_an_error_with_its_name(model: Model, tmp_path: Path) -> None:
    (tmp_path / "previews").write_text("a file is in the way")
    with pytest.raises(SdtuiError, match="cannot write") as caught:
        render(model, only(profile(LINE)), tmp_path / "previews", step=1)
    assert caught.value.where == str(tmp_path / "previews")


def test_long_prompts_and_weights_are_drawn_as_the_profile_says(model: Model, tmp_path: Path) -> None:
    """Each setting changes the picture of a prompt that it concerns, and of no other."""

    def drawn(prompt: str, **captions: Any) -> bytes:
        request = only(profile(f"{prompt} --w 64 --h 64 --s 1", captions=captions))
        with Image.open(render(model, request, tmp_path, step=0).path) as image:
            return image.tobytes()

    assert drawn("a (red:1.9) cat") != drawn("a (red:1.9) cat", weighted=True)
    assert drawn("a red cat") == drawn("a red cat", weighted=True)
    tail = "cat " * 75
    assert drawn(tail + "red") == drawn(tail + "blue")
    assert drawn(tail + "red", max_tokens=150) != drawn(tail + "blue", max_tokens=150)
