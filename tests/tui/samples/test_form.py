"""The form: its rows, what may be typed and turned, what is wrong with it, and what a picture's settings make of it."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.runs.parameters import parse_parameters
from sdtui.runs.sample_task import SampleTask
from sdtui.tui.samples import form
from sdtui.tui.samples.form import Problem, Row, rows_of

RUN = "/work/runs/city-20260101-120000"
TASK = SampleTask(RUN, ("a cat", "a dog --s 3"), ("/loras/ink.safetensors:0.8",), words=("/words/zzz.pt",))


def row(task: SampleTask, name: str, at: int = -1) -> Row:
    return next(each for each in rows_of(task) if each.key == (name, at))


def test_the_rows_say_what_is_set_and_what_is_meant_otherwise() -> None:
    shown = [(each.label, each.value or each.open) for each in rows_of(TASK) if not each.heading]
    assert shown[:9] == [
        ("model", "run city-20260101-120000"),
        ("adapter", "0.8  ink"),
        ("embedding", "zzz.pt"),
        ("VAE", "the model's own"),
        ("prompt 1", "a cat"),
        ("prompt 2", "a dog --s 3"),
        ("negative", "nothing"),
        ("count", "1"),
        ("seed", "the run's, or 0"),
    ]
    assert row(SampleTask(RUN), "prompts", 0).open == "the run's own"
    assert row(SampleTask("starter"), "prompts", 0).open == "write one"


def test_a_checkpoint_s_adapter_is_called_by_its_run_and_step() -> None:
    task = SampleTask("starter", loras=(f"{RUN}/checkpoints/step-000200/adapter.safetensors:1",))
    assert row(task, "loras", 0).value == "1  step-000200 of city-20260101-120000"


@pytest.mark.parametrize(
    ("name", "at", "text", "changed"),
    [
        ("prompts", 0, " a fox ", {"prompts": ("a fox", "a dog --s 3")}),
        ("prompts", 1, "", {"prompts": ("a cat",)}),
        ("loras", 0, "0.25", {"loras": ("/loras/ink.safetensors:0.25",)}),
        ("words", 0, "", {"words": ()}),
        ("negative", -1, "fog", {"negative": "fog"}),
        ("width", -1, "512", {"width": 512}),
        ("width", -1, "", {"width": None}),
        ("cfg", -1, "3,5", {"cfg": 3.5}),
        ("steps", -1, "", {"steps": 20}),
        ("sampler", -1, "Euler a", {"sampler": "euler_a"}),
        ("x", -1, "seed=1-4", {"x": "seed=1-4"}),
        ("precision", -1, "bf16", {"precision": "bf16"}),
        ("device", -1, "", {"device": "auto"}),
    ],
    ids=range(13),
)
def test_what_is_typed(name: str, at: int, text: str, changed: dict[str, Any]) -> None:
    made = form.typed(TASK, row(TASK, name, at), text)
    assert {key: getattr(made, key) for key in changed} == changed


@pytest.mark.parametrize(
    ("name", "at", "text", "message"),
    [
        ("width", -1, "65", "the width is '65'. Allowed: whole number 8…4096, a multiple of 8"),
        ("steps", -1, "many", "the steps is 'many'. Allowed: whole number 1…1000"),
        ("cfg", -1, "101", "the guidance is '101'. Allowed: number 0…100"),
        ("sampler", -1, "eular", "the sampler 'eular' is not known. Did you mean euler?"),
        ("loras", 0, "much", "the strength 'much' is no number. Write 0.8"),
        ("loras", 0, "nan", "the strength 'nan' is no number. Write 0.8"),
        ("device", -1, "gpu", "the device is 'gpu'. Allowed: auto, cpu, cuda, cuda:0, cuda:1 … or mps"),
        ("x", -1, "colour=1", "the axis is 'colour=1'. Write name=values, name being one of seed,"),
        ("precision", -1, "fp8", "the precision is 'fp8'. There are auto, fp32, bf16, fp16"),
    ],
    ids=range(9),
)
def test_what_is_refused(name: str, at: int, text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        form.typed(TASK, row(TASK, name, at), text)
    assert str(error.value).startswith(message)


def test_values_are_turned_within_their_limits() -> None:
    def turned(name: str, by: int, task: SampleTask = TASK, at: int = -1) -> Any:
        made = form.turned(task, row(task, name, at), by)
        return getattr(made, name) if made is not None else None

    assert (turned("steps", 1), turned("steps", -1), turned("steps", -1, SampleTask(RUN, steps=1))) == (21, 19, 1)
    assert (turned("width", 1), turned("width", -1), turned("width", 1, SampleTask(RUN, width=512))) == (512, None, 576)
    assert (turned("cfg", -1), turned("sampler", 1), turned("precision", -1)) == (7.0, "ddim", "fp16")
    assert turned("loras", -1, at=0) == ("/loras/ink.safetensors:0.7",)
    assert turned("prompts", 1, at=0) is None


def test_what_is_added_is_there_once_but_prompts() -> None:
    assert form.added(TASK, "words", "/words/zzz.pt") is TASK
    assert form.added(TASK, "prompts", "a cat").prompts == ("a cat", "a dog --s 3", "a cat")


def test_what_is_taken_out_is_as_by_itself() -> None:
    assert form.without(TASK, row(TASK, "loras", 0)).loras == ()
    assert form.without(SampleTask(RUN, steps=7), row(TASK, "steps")).steps == 20
    empty = SampleTask("starter")
    assert form.without(empty, row(empty, "prompts", 0)) is empty


def test_what_is_wrong_is_pointed_at() -> None:
    assert form.problems_of(SampleTask("")) == [Problem(("source", -1), "choose what to draw with")]
    assert form.problems_of(SampleTask("starter")) == [Problem(("prompts", 0), "write what to draw")]
    assert form.problems_of(SampleTask(RUN)) == []
    (problem,) = form.problems_of(SampleTask(RUN, ("a cat", "a dog --w 64 --h 65 --s 3")))
    assert (problem.key, problem.start, problem.end) == (("prompts", 1), 13, 19)
    assert problem.message.startswith("the height is 65")


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("prompt 2: <lora:x>: no adapter is called 'x'", Problem(("prompts", 1), "<lora:x>: no adapter is called 'x'", 2, 10)),
        ("prompt: the width is 3", Problem(("prompts", 0), "the width is 3", 0, 5)),
        ("/loras/ink.safetensors: the file holds no adapter", Problem(("loras", 0), "/loras/ink.safetensors: the file holds no adapter")),
        ("the run has no checkpoint 7", Problem(("y", -1), "the run has no checkpoint 7")),
        (f"{RUN}: the run has saved nothing yet", Problem(("source", -1), f"{RUN}: the run has saved nothing yet")),
        ("--vae: x.pt: no such file or folder", Problem(("vae", -1), "x.pt: no such file or folder")),
        ("--clip-skip: the layer is 99", Problem(("clip_skip", -1), "the layer is 99")),
        ("no space left on the disk", None),
    ],
    ids=["a tag", "a prompt", "an adapter", "an axis", "the run", "an option", "an option of two words", "none"],
)  # fmt: skip
def test_what_the_command_refuses_is_found_in_the_form(message: str, problem: Problem | None) -> None:
    task = SampleTask(RUN, ("a cat", "a <lora:x> dog"), ("/loras/ink.safetensors:0.8",), y="checkpoint=7")
    assert form.refused(task, message) == problem


def test_a_picture_s_own_text_is_taken_over() -> None:
    said = parse_parameters("a fox\nNegative prompt: fog\nSteps: 9, Sampler: Euler, CFG scale: 3, Seed: 5, Size: 64x72")
    made = form.taken_over(SampleTask(RUN, ("a cat",), count=4, x="seed=1-4", clip_skip=2), said)
    assert made == SampleTask(
        RUN, ("a fox",), negative="fog", width=64, height=72, steps=9, cfg=3.0, sampler="euler", seed=5, clip_skip=2
    )
    odd = parse_parameters("a fox\nSteps: 9, Seed: 5, Size: 65x64")
    assert (form.taken_over(TASK, odd).width, form.taken_over(TASK, odd).steps) == (None, 9)


def test_a_picture_of_a_sheet_is_drawn_again_alone() -> None:
    asked = SampleTask(RUN, ("a cat --s 3",), count=3, seed=1, x="checkpoint=all", y="strength=0-1 [3]", words=("/w",))
    facts = {
        "prompt": "a cat", "negative": "", "width": 64, "height": 64, "steps": 3, "guidance": 7.5, "seed": 2,
        "sampler": "ddim", "clip_skip": 1, "model": "m",
        "adapters": [{"file": f"{RUN}/checkpoints/step-000100/adapter.safetensors", "unet": 0.5, "text": 0.5}],
    }  # fmt: skip
    made = form.as_drawn(asked, facts)
    assert (made.source, made.prompts, made.seed, made.count, made.steps) == (RUN, ("a cat",), 2, 1, 3)
    assert (made.x, made.y, made.words) == ("checkpoint=100", "strength=0.5", ("/w",))
    alone = form.as_drawn(SampleTask("starter", ("x",), x="seed=1-4"), {**facts, "adapters": []})
    assert (alone.x, alone.seed, alone.width) == ("", 2, 64)
