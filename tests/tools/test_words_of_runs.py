"""Words that a run has learned, in pictures: from its checkpoints, from its finished files, and out of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sdtui.errors import UserError
from sdtui.formats import FORMATS, WORD_FORMATS
from sdtui.formats.learned import Adapter, Embedding, Learned
from sdtui.models.family import Model, load_model
from sdtui.profile.load import freeze
from sdtui.profile.schema import Profile
from sdtui.runs import lock, record
from sdtui.runs.layout import ADAPTER, RunFolder
from sdtui.tools.sources import of_run
from sdtui.tools.stack import Stack, Worn
from tests.support.tiny import shallow_pipeline

FOLDERS = {"folders": [{"path": "images"}]}


def word(step: int, width: int = 32) -> Embedding:
    return Embedding("zzztoy", {"text_encoder": torch.full((2, width), step / 100.0)}, step)


def a_run(folder: Path, **sections: Any) -> RunFolder:
    run = RunFolder(folder / "runs" / "toy-20260101-120000")
    run.make_folders()
    data = {
        "name": "toy",
        "model": {"base": str(folder / "model")},
        "training": {"steps": 200},
        "dataset": FOLDERS,
        **sections,
    }
    run.profile_file.write_text(freeze(Profile.model_validate(data), folder))
    return run


def checkpoint(run: RunFolder, step: int, *, adapter: bool = False) -> None:
    folder = run.checkpoint_dir(step)
    (folder / "embeddings").mkdir(parents=True)
    WORD_FORMATS["kohya"](folder / "embeddings" / "zzztoy.safetensors", word(step), {}, "fp32")
    if adapter:
        (folder / ADAPTER).write_bytes(b"")
    (folder / "complete").write_text("{}")


ALONE = {"method": {"kind": "textual-inversion", "words": [{"name": "zzztoy", "vectors": 2}]}}
BESIDE = {"method": {"kind": "lora", "words": [{"name": "zzztoy", "vectors": 2}]}}


def test_a_run_that_goes_on_speaks_its_newest_checkpoint(tmp_path: Path) -> None:
    run = a_run(tmp_path, **ALONE)
    for step in (100, 200):
        checkpoint(run, step)
    found = of_run(run).checkpoints
    newest = run.checkpoint_dir(200) / "embeddings" / "zzztoy.safetensors"
    assert (found.finished, found.steps, dict(found.words)) == (None, {}, {"zzztoy": newest})
    assert list(found.word_steps) == [100, 200]


def test_a_finished_run_speaks_its_first_file(tmp_path: Path) -> None:
    run = a_run(tmp_path, **ALONE, saving={"word_formats": ["webui-png", "webui"]})
    checkpoint(run, 100)
    folder = run.output_dir / "embeddings"
    folder.mkdir(parents=True)
    for layout, ending in (("webui", "pt"), ("webui-png", "png")):
        WORD_FORMATS[layout](folder / f"zzztoy.{ending}", word(200), {}, "fp32")
    assert dict(of_run(run).checkpoints.words) == {"zzztoy": folder / "zzztoy.png"}


def test_a_run_of_both_has_both(tmp_path: Path) -> None:
    run = a_run(tmp_path, **BESIDE)
    checkpoint(run, 100, adapter=True)
    found = of_run(run).checkpoints
    assert found.finished == run.checkpoint_dir(100) / ADAPTER
    assert list(found.words) == ["zzztoy"]


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ("stopped", "Its state is stopped; go on with it: sdtui resume {name}"),
        ("failed", "Its state is failed; go on with it: sdtui resume {name}"),
        ("running", "Its state is killed; go on with it: sdtui resume {name}"),
        ("finished", "Its files are no longer there: train it again"),
    ],
)
def test_one_that_saved_nothing_is_told_with_the_way_on(tmp_path: Path, state: record.State, remedy: str) -> None:
    run = a_run(tmp_path, **ALONE)
    record.write(run, record.RunRecord(state=state, created=100.0))
    with pytest.raises(UserError, match="saved nothing yet") as error:
        of_run(run)
    assert error.value.remedy == remedy.format(name=run.name)


def test_one_that_is_living_is_asked_to_save(tmp_path: Path) -> None:
    run = a_run(tmp_path, **ALONE)
    record.write(run, record.RunRecord(state="running", created=100.0))
    held = lock.acquire(run.lock_file)
    with pytest.raises(UserError, match="saved nothing yet") as error:
        of_run(run)
    held.release()
    assert error.value.remedy == f"Wait for its first checkpoint, or ask for one: sdtui save {run.name}"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(shallow_pipeline(tmp_path / "model"), None, torch.device("cpu"), torch.float32)


def said(model: Model) -> Tensor:
    with torch.no_grad():
        return model.encode_text(["a zzztoy"]).states


def test_a_stack_speaks_what_it_is_given_and_forgets_it(model: Model, tmp_path: Path) -> None:
    files = [tmp_path / f"{step}.safetensors" for step in (100, 200)]
    for step, file in zip((100, 200), files, strict=True):
        WORD_FORMATS["kohya"](file, word(step), {}, "fp32")
    stack, bare = Stack(model), said(model)
    spoken = []
    for file in files:
        stack.wear([], {"zzztoy": file})
        spoken.append(said(model))
    assert not torch.equal(*spoken)
    assert not torch.equal(spoken[0], bare)
    stack.wear([])
    assert torch.equal(said(model), bare)


def test_an_adapter_brings_its_words_along(model: Model, tmp_path: Path) -> None:
    stack, file = Stack(model), tmp_path / "both.safetensors"
    stack.wear([], {"zzztoy": _written(tmp_path, word(100))})
    expected = said(model)
    weight = model.unet.get_parameter("conv_in.weight")
    layer = {"diff": torch.full_like(weight, 0.5)}
    FORMATS["bundle"](file, Adapter("sd1", [Learned("unet", "conv_in", layer)], [word(100)]), {}, "fp32")
    before = weight.detach().clone()
    stack.wear([Worn(file)])
    assert torch.equal(said(model), expected)
    assert torch.equal(weight, before + 0.5)
    stack.wear([])
    assert torch.equal(weight, before)
    assert not model.words.rows


def test_a_word_of_another_family_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="have 48 values, and the model's text encoder 32"):
        Stack(model).wear([], {"zzztoy": _written(tmp_path, word(100, width=48))})


def _written(folder: Path, made: Embedding) -> Path:
    file = folder / "word.safetensors"
    WORD_FORMATS["kohya"](file, made, {}, "fp32")
    return file
