from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.tools.axes import Checkpoints, parse_axis
from sdtui.tools.drawing import grids
from sdtui.tools.picture import Picture
from sdtui.tools.stack import Worn

LAST, FIRST = Path("/r/output/x.safetensors"), Path("/r/checkpoints/step-000100/adapter.safetensors")
SAVED = Checkpoints(LAST, {100: FIRST, 200: Path("/r/checkpoints/step-000200/adapter.safetensors")})


def picture(**values: Any) -> Picture:
    text = values.pop("prompt", "a red cat")
    given: dict[str, Any] = {
        "prompt": text, "text": text, "negative": "blur", "width": 64, "height": 64, "steps": 5, "guidance": 7.5,
        "seed": 3, "sampler": "ddim", "worn": (Worn(LAST), Worn(Path("/ink.safetensors"), 0.5, 0.5)),
    }  # fmt: skip
    return Picture(**{**given, **values})


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("seed=1,4294967295", ["seed 1", "seed 4294967295"]),
        ("seed=1-4", ["seed 1", "seed 2", "seed 3", "seed 4"]),
        ("steps=10-20 (+5), 40", ["steps 10", "steps 15", "steps 20", "steps 40"]),
        ("cfg=5-6 [3]", ["cfg 5", "cfg 5.5", "cfg 6"]),
        ("cfg=3-1", ["cfg 3", "cfg 2", "cfg 1"]),
        ("strength=-1-1 (+0.5)", [f"strength {number}" for number in ("-1", "-0.5", "0", "0.5", "1")]),
        ("strength=0-1 (+0.1)", [f"strength {number / 10:g}" for number in range(11)]),
        ("Sampler=Euler a, ddim", ["euler_a", "ddim"]),
        ('prompt=red, "blue, dark"', ["red", "blue, dark"]),
        ("checkpoint=all", ["step 100", "step 200"]),
        ("checkpoint=200", ["step 200"]),
        ("clip_skip=1,2", ["clip_skip 1", "clip_skip 2"]),
    ],
)
def test_places_of_an_axis(text: str, labels: list[str]) -> None:
    assert [label for label, _ in parse_axis(text, SAVED).places] == labels


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("seed=1,2", "seed", [1, 2]),
        ("cfg=1,2.5", "guidance", [1.0, 2.5]),
        ("steps=7", "steps", [7]),
        ("clip_skip=2", "clip_skip", [2]),
        ("sampler=PLMS", "sampler", ["pndm"]),
        ("prompt=red,blue", "text", ["a red cat", "a blue cat"]),
        ("prompt=blur,noise", "negative", ["blur", "noise"]),
        (
            "strength=0.2",
            "worn",
            [(Worn(LAST, 0.2, 0.2), Worn(Path("/ink.safetensors"), 0.2, 0.2))],
        ),
        ("checkpoint=100", "worn", [(Worn(FIRST), Worn(Path("/ink.safetensors"), 0.5, 0.5))]),
    ],
)
def test_what_a_place_changes(text: str, field: str, values: list[Any]) -> None:
    assert [getattr(change(picture()), field) for _, change in parse_axis(text, SAVED).places] == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sead=1",
            "Write name=values, name being one of seed, steps, cfg, clip_skip, sampler, strength, prompt, checkpoint",
        ),
        ("seed", "the axis is 'seed'"),
        ("seed=", "the axis seed has no values"),
        ("seed=1.5", "seed is 1.5. Allowed: whole number 0…4294967295"),
        ("cfg=200", "cfg is 200. Allowed: number 0…100"),
        ("cfg=many", "cfg is 'many'. Write cfg=1,2,3 or cfg=1-5 or cfg=1-5 (+2) or cfg=1-10 [4]"),
        ("seed=1-1000", "1000 values. Choose a range of 1…200"),
        ("seed=1-5 (+0)", "0 values"),
        ("seed=1-5 (-1)", "0 values"),
        ("sampler=eular a", "the sampler 'eular a' is not known. Did you mean euler a?"),
        ("checkpoint=150", "the run has no checkpoint 150. There are: 100, 200; or write all"),
    ],
)
def test_what_is_no_axis(text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_axis(text, SAVED)
    assert message in str(raised.value)


def test_an_axis_that_has_nothing_to_act_on() -> None:
    with pytest.raises(UserError, match="needs a run with checkpoints"):
        parse_axis("checkpoint=all", Checkpoints())
    bare = picture(worn=())
    with pytest.raises(UserError, match="no adapter to act on"):
        grids([bare], parse_axis("strength=1", SAVED), None)
    with pytest.raises(UserError, match="the axis prompt looks for 'dog'"):
        grids([bare], None, parse_axis("prompt=dog,cat", SAVED))


def test_a_grid_has_columns_across_and_rows_down() -> None:
    (grid,) = grids([picture()], parse_axis("seed=1,2", SAVED), parse_axis("cfg=5,6,7", SAVED))
    assert (grid.columns, grid.names) == (["seed 1", "seed 2"], ["cfg 5", "cfg 6", "cfg 7"])
    assert [[(one.seed, one.guidance) for one in row] for row in grid.rows] == [
        [(1, 5), (2, 5)],
        [(1, 6), (2, 6)],
        [(1, 7), (2, 7)],
    ]
    (plain,) = grids([picture(seed=1), picture(seed=2)], None, None)
    assert [[one.seed for one in row] for row in plain.rows] == [[1, 2]]


def test_words_follow_the_checkpoint_too() -> None:
    early, late = Path("/r/1/toy.safetensors"), Path("/r/2/toy.safetensors")
    other = Path("/mine/blue.pt")
    saved = Checkpoints(None, {}, {"toy": late}, {100: {"toy": early}, 200: {"toy": late}})
    axis = parse_axis("checkpoint=all", saved)
    drawn = picture(prompt="a TOY", words=(("toy", late), ("blue", other)))
    assert [label for label, _ in axis.places] == ["step 100", "step 200"]
    changed = [change(drawn) for _, change in axis.places]
    assert [dict(one.words) for one in changed] == [{"toy": early, "blue": other}, {"toy": late, "blue": other}]
    assert [one.said for one in changed] == [{"toy": early}, {"toy": late}]
    assert changed[0].facts("sd15")["embeddings"] == {"toy": str(early)}
    assert "embeddings" not in picture().facts("sd15")
