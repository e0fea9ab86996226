"""`sdtui sample`, from a model and from a run that made an adapter."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from sdtui.cli import main
from sdtui.formats import FORMATS
from sdtui.formats.embedding import Embedding, write_webui
from sdtui.models.family import load_model
from sdtui.profile.load import freeze, load_profile
from sdtui.profile.schema import Method
from sdtui.runs import control, record, registry
from sdtui.runs.events import EventReader
from sdtui.runs.layout import ADAPTER, RunFolder
from sdtui.runs.view import RunView
from sdtui.training.methods import METHODS
from tests.cli.conftest import interrupted_job, parsed
from tests.runs.helpers import ended
from tests.support.adapters import stir
from tests.support.tiny import shallow_pipeline

PROFILE = """\
schema = 1
name = "lora"
[model]
base = "model"
[[dataset.folders]]
path = "images"
[dataset]
resolution = 64
bucket_min = 64
[training]
steps = 3
seed = 5
[previews]
sampler = "euler"
prompts = ["a red cat --s 2", "# not this", "a dog --s 2 --d 9"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a tiny model and a run that has saved two checkpoints and its finished adapter."""
    here = tmp_path_factory.mktemp("work")
    shallow_pipeline(here / "model")
    (here / "images").mkdir()
    (here / "lora.toml").write_text(PROFILE)
    run = RunFolder(here / "runs" / "lora-20260101-120000")
    run.make_folders()
    run.profile_file.write_text(freeze(load_profile(here / "lora.toml", places=False), here))
    record.write(run, record.RunRecord(kind="train", state="finished", pid=1, created=0.0, launched=0.0))
    for step, file in ((100, run.checkpoint_dir(100)), (200, run.checkpoint_dir(200)), (3, run.output_dir)):
        file.mkdir(parents=True, exist_ok=True)
        model = load_model(here / "model", None, torch.device("cpu"), torch.float32)
        trainable = METHODS["lora"].prepare(model, Method(rank=4), 0)
        stir(trainable, scale=step / 100)
        FORMATS["kohya"](
            file / ("lora.safetensors" if file == run.output_dir else ADAPTER), trainable.results()[""], {}, "fp32"
        )
        (file / "complete").write_text("{}")
    return here


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(made)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return parsed(capsys.readouterr().out)


def test_a_model_by_itself(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = here / "out"
    assert main(["sample", "model", "a (cat:1.2) --s 2", "a dog --w 72 --n fog", "--steps", "3", "-o", str(out)]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [str(out / "00001-0.png"), str(out / "00002-0.png")]
    assert f"2 pictures in {out}" in shown.err
    facts = [json.loads(file.read_text()) for file in sorted(out.glob("*.json")) if file.name[0] == "0"]
    assert [(one["steps"], one["width"], one["negative"], one["sampler"]) for one in facts] == [
        (2, facts[0]["height"], "", "ddim"),
        (3, 72, "fog", "ddim"),
    ]
    with Image.open(out / "00002-0.png") as image:
        assert image.size == (72, facts[0]["height"])


def test_a_run_draws_its_own_prompts_with_its_adapter(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "last", "-o", str(here / "out"), "--json"]) == 0
    images = told(capsys)["images"]
    assert [(one["prompt"], one["seed"], one["sampler"], one["width"]) for one in images] == [
        ("a red cat", 5, "euler", 64),
        ("a dog", 9, "euler", 64),
    ]
    assert [Path(one["adapters"][0]["file"]).name for one in images] == ["lora.safetensors"] * 2


def test_a_sheet_over_checkpoints_and_strengths(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--x", "checkpoint=all", "--y", "strength=0,1", "-o", str(here / "out"), "--json"]
    assert main(["sample", "last", "a cat --s 2", *options]) == 0
    found = told(capsys)
    assert found["sheets"] == [str(here / "out" / "grid-01.png")]
    worn = [(Path(one["adapters"][0]["file"]).parent.name, one["adapters"][0]["unet"]) for one in found["images"]]
    assert worn == [("step-000100", 0.0), ("step-000200", 0.0), ("step-000100", 1.0), ("step-000200", 1.0)]
    pixels = [Image.open(one["file"]).tobytes() for one in found["images"]]
    assert pixels[0] == pixels[1]
    assert len(set(pixels)) == 3


def test_a_tag_in_the_prompt_takes_the_place_of_the_run_s_own_strength(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "last", "a cat <lora:lora:0.25> --s 2", "-o", str(here / "out"), "--json"]) == 0
    (image,) = told(capsys)["images"]
    assert [(one["unet"], one["text"]) for one in image["adapters"]] == [(0.25, 0.25)]


def test_an_embedding_is_called_by_its_file_s_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = torch.randn(2, 32, generator=torch.Generator().manual_seed(1)) * 3
    (here / "words").mkdir()
    write_webui(here / "words" / "zzz.pt", Embedding("other", {"text_encoder": values}))
    pixels = []
    for number, options in enumerate(([], ["--embeddings", f"{here}/words"], ["--embeddings", f"{here}/words/zzz.pt"])):
        call = ["sample", "model", "a zzz --s 2", *options, "-o", str(here / f"out{number}"), "--json"]
        assert main(call) == 0
        pixels.append(Image.open(told(capsys)["images"][0]["file"]).tobytes())
    assert pixels[0] != pixels[1]
    assert pixels[1] == pixels[2]


def test_the_same_call_goes_on_with_what_is_missing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["sample", "model", "a cat --s 2", "--count", "3", "--seed", "4", "-o", str(here / "out"), "--json"]
    assert main(call) == 0
    capsys.readouterr()
    (here / "out" / "00002-5.png").unlink()
    assert main(call) == 0
    assert [(one["seed"], one["kept"]) for one in told(capsys)["images"]] == [(4, True), (5, False), (6, True)]


def test_a_folder_of_pictures_is_gone_on_with(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = here / "out"
    call = ["sample", "last", "a cat --s 2", "--lora", "runs/lora-20260101-120000/output/lora.safetensors:0.5"]
    assert main([*call, "--count", "3", "--cfg", "3.5", "--y", "steps=1,2", "-o", str(out)]) == 0
    first = {file.name: file.read_bytes() for file in out.glob("0*.png")}
    capsys.readouterr()
    (out / "00002-5.png").unlink()
    assert main(["sample", str(out), "--json"]) == 0
    images = told(capsys)["images"]
    assert [(one["seed"], one["steps"], one["kept"]) for one in images] == [
        (5, 1, True),
        (5, 2, False),
        (6, 1, True),
        (6, 2, True),
        (7, 1, True),
        (7, 2, True),
    ]
    assert {file.name: file.read_bytes() for file in out.glob("0*.png")} == first
    assert main(["sample", str(out), "another cat"]) == 2
    assert "this folder is gone on with as it was begun" in capsys.readouterr().err


def test_a_detached_process_draws_and_tells_its_steps(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = here / "out"
    call = ["sample", "model", "a cat --s 2", "a dog --s 1", "--x", "cfg=1,5", "--detach", "--json", "-o", str(out)]
    assert main(call) == 0
    assert told(capsys)["job"] == str(out)
    view = RunView(RunFolder(out))
    for _ in range(1200):
        view.refresh()
        if view.over:
            break
        time.sleep(0.1)
    view.close()
    assert (view.state, view.reason) == ("finished", "")
    assert sorted(file.name for file in out.glob("*.png")) == [
        *(f"0000{at}-0.png" for at in range(1, 5)),
        "grid-01.png",
        "grid-02.png",
    ]
    events = EventReader(out / "events.jsonl").poll()
    (sheets,) = [event for event in events if event["kind"] == "sheets"]
    assert (sheets["columns"], sheets["rows"], sheets["count"]) == (["cfg 1", "cfg 5"], [""], 2)
    stepped = [(event["index"], event["step"], event["steps"]) for event in events if event["kind"] == "sampling"]
    assert [stepped[0], stepped[-1]] == [(1, 1, 2), (4, 1, 1)]


def test_a_detached_process_is_told_though_the_command_was_interrupted(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = interrupted_job(monkeypatch)
    out = here / "out"
    assert main(["sample", "model", "a cat", "--detach", "-o", str(out)]) == 130
    assert capsys.readouterr().out == f"{out}\nfollow it: sdtui watch {out}\n"
    (job,) = started
    assert registry.inspect(job).live
    control.send(job, "stop")
    assert ended(job).state == "stopped"


def test_what_is_wrong_is_told_before_a_process_is_started(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = here / "out"
    assert main(["sample", "model", "a cat", "x <lora:ink>", "--detach", "-o", str(out)]) == 2
    assert "prompt 2: <lora:ink>: no adapter is called 'ink'" in capsys.readouterr().err
    assert not out.exists()


def file_in(here: Path) -> str:
    (here / "prompts.txt").write_text("# one\na cat --s 1\na cat --zz 2\n")
    return f"{here}/prompts.txt"


def wide(here: Path) -> str:
    write_webui(here / "wide.pt", Embedding("wide", {"text_encoder": torch.ones(1, 5)}))
    return f"{here}/wide.pt"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda _: ["nowhere", "x"], "sdtui: nowhere: neither a base model nor a run with a result"),
        (lambda _: ["model"], 'there is nothing to draw. Write a prompt: sdtui sample MODEL "a red cat"'),
        (lambda _: ["model", "x --w 63"], "prompt: the width is 63, allowed: a multiple of 8, such as 64"),
        (lambda here: ["model", "--prompts", file_in(here)], "prompts.txt:3: --zz is not known"),
        (lambda _: ["model", "--prompts", "gone.txt"], "gone.txt: cannot be read: No such file or directory"),
        (
            lambda _: ["model", "x", "--sampler", "eular a"],
            "--sampler: the sampler 'eular a' is not known. Did you mean",
        ),
        (lambda _: ["model", "x", "--steps", "0"], "the steps is '0', allowed: whole number 1…1000"),
        (lambda _: ["model", "x", "--count", "0"], "--count: the count is 0"),
        (lambda _: ["model", "x", "--clip-skip", "0"], "--clip-skip: the layer is 0"),
        (lambda _: ["model", "x <lora:ink>"], "<lora:ink>: no adapter is called 'ink'"),
        (lambda _: ["model", "x", "--lora", "ink.safetensors:0.5"], "--lora ink.safetensors: there is no such file"),
        (lambda _: ["model", "x", "--lora", "lora.toml:much"], "the strength 'much' is no number"),
        (lambda _: ["model", "x", "--lora", "lora.toml:nan"], "the strength 'nan' is no number"),
        (lambda _: ["model", "x", "--device", "gpu"], "--device: the device is 'gpu'. Allowed: auto, cpu, cuda"),
        (lambda _: ["model", "x", "--vae", "gone.pt"], "--vae: gone.pt: no such file or folder"),
        (lambda _: ["model", "x", "--loras", "gone"], "--loras gone: not a folder"),
        (lambda _: ["model", "x", "--x", "strength=1"], "the axis strength has no adapter to act on"),
        (lambda _: ["model", "x", "--lora", "lora.toml"], "lora.toml: not a readable safetensors file"),
        (lambda _: ["model", "x", "--embeddings", "gone"], "gone: no such file or folder"),
        (lambda here: ["model", "a wide one", "--embeddings", wide(here)], "the vectors of 'wide' have 5 values"),
    ],
    ids=range(20),
)
def test_wrong_input_is_one_message_and_draws_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: Callable[[Path], list[str]], message: str
) -> None:
    assert main(["sample", *arguments(here), "-o", str(here / "out")]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert not list((here / "out").glob("*.png"))


def test_a_run_that_trained_the_whole_model_draws_with_its_result(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = tmp_path / "whole"
    shallow_pipeline(workspace / "model")
    (workspace / "images").mkdir()
    kind = '[method]\nkind = "full"\n[saving]\nformats = ["single-file", "folder"]\n'
    (workspace / "full.toml").write_text(PROFILE + kind)
    run = RunFolder(workspace / "runs" / "full-20260101-120000")
    run.make_folders()
    run.profile_file.write_text(freeze(load_profile(workspace / "full.toml", places=False), workspace))
    command = ["sample", str(run.path), "a cat --s 1 --w 64 --h 64", "--sampler", "euler", "--json", "-o"]
    assert main([*command, str(here / "none")]) == 2
    assert "the run has saved nothing yet" in capsys.readouterr().err

    trainable = METHODS["full"].prepare(
        load_model(workspace / "model", None, torch.device("cpu"), torch.float32), Method(kind="full"), 0
    )
    stir(trainable, scale=0.1)
    FORMATS["folder"](run.output_dir / "lora", trainable.results()[""], {}, "fp32")
    shown = []
    for number, source in enumerate((run.path, run.output_dir / "lora", workspace / "model")):
        assert main(["sample", str(source), *command[2:], str(here / str(number)), "--seed", "5"]) == 0
        (image,) = told(capsys)["images"]
        assert image["adapters"] == []
        with Image.open(image["file"]) as opened:
            shown.append(opened.tobytes())
    assert shown[0] == shown[1] != shown[2]

    # A single file tells less of a model than a folder does; the run knows its base.
    FORMATS["single-file"](run.output_dir / "lora.safetensors", trainable.results()[""], {}, "fp32")
    shutil.rmtree(run.output_dir / "lora")
    assert main([*command, str(here / "file"), "--seed", "5"]) == 0
    (image,) = told(capsys)["images"]
    with Image.open(image["file"]) as opened:
        assert opened.tobytes() == shown[0]
    assert main(["sample", str(run.output_dir / "lora.safetensors"), *command[2:], str(here / "alone")]) == 2
    assert "is of a make that no single file tells" in capsys.readouterr().err
