"""Every setting that training reads does something: changed alone, it makes a short run end elsewhere.

A setting that is added without a try in `options.py` fails here, and so does one whose try changes nothing. All runs
share one loaded model and one cache, and have two steps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file
from torch import nn

from sdtui.models.family import Model
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS
from sdtui.training import prepare
from sdtui.training.__main__ import main
from sdtui.training.report import Report
from tests.support.tiny import shallow_pipeline
from tests.training.options import ARGUMENTS, NOT_TRAINED, PLAIN, TRIED, Changes, Try
from tests.training.test_optimizers import Bench
from tests.training.workplace import events, make_run

# In one process: most runs are compared with the same few.
pytestmark = pytest.mark.xdist_group("every option")

SECTIONS = (
    "objective", "optimizer", "schedule", "captions", "augment", "prior", "validation", "dataset", "training",
)  # fmt: skip
CAPTION = "a {{red|blue}} cat, sits; red,(big:1.5), {number} ||| old;; far\nthe other line\n"
SIZES = [(64, 64), (48, 48), (110, 40), (64, 64)]
USUAL: Changes = {
    "dataset.resolution": 64,
    "dataset.bucket_step": 32,
    "dataset.bucket_min": 32,
    "dataset.bucket_max": 128,
    "dataset.folders": [PLAIN],
    "training.steps": 2,
    "training.precision": "fp32",
    # Squares and the wide image: two steps see all four.
    "training.batch_size": 4,
    "optimizer.learning_rate": 1e-3,
    "method.rank": 1,
}


class Outcome(NamedTuple):
    """What a run came to: a digest of the trained tensors, and (step, loss, images) of each measurement."""

    weights: str
    measured: list[tuple[int, float, int]]


class Workbench:
    """Runs profiles over one model; a profile that was run before is not run again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, tuple[Model, list[tuple[nn.Module, dict[str, nn.Module | None]]]]] = {}
        self._load = prepare.load
        self._known: dict[str, Outcome] = {}

    def load(self, profile: Profile, device: torch.device, report: Report) -> Model:
        """The base model as it was loaded, without what an earlier run trained in it."""
        of = f"{profile.objective.prediction} {profile.objective.zero_terminal_snr} {profile.training.precision}"
        of += f" {profile.training.base_precision}"
        if of not in self._loaded:
            model = self._load(profile, device, report)
            self._loaded[of] = model, [(module, dict(module._modules)) for module in model.unet.modules()]
        model, before = self._loaded[of]
        # A text encoder that learned is not used again.
        model.rest("text")
        for module, children in before:
            module._modules.clear()
            module._modules.update(children)
            module.eval()
        return model

    def run(self, changes: Changes) -> Outcome:
        name = json.dumps(changes, sort_keys=True)
        if name not in self._known:
            self._known[name] = self._run(changes)
        return self._known[name]

    def _run(self, changes: Changes) -> Outcome:
        sections: dict[str, dict[str, Any]] = {}
        for key, value in {**USUAL, **changes}.items():
            section, setting = key.split(".")
            sections.setdefault(section, {})[setting] = value
        run = make_run(self._folder, sections)
        assert main([str(run.path)]) == 0, run.log_file.read_text()
        weights = load_file(run.output_dir / "tiny.safetensors")
        measured = [(event["step"], event["loss"], event["images"]) for event in events(run, "validation")]
        return Outcome(digest(weights.values()), measured)


def digest(tensors: Iterable[torch.Tensor]) -> str:
    return hashlib.sha256(b"".join(tensor.detach().numpy().tobytes() for tensor in tensors)).hexdigest()


def make_picture(path: Path, size: tuple[int, int], colour: str, caption: str | None = None) -> None:
    """A gradient with a square in it, transparent at its lower end; a copy of no file of another name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    alpha = Image.linear_gradient("L").resize(size).point(lambda value: 0 if value > 200 else 255)
    image = Image.linear_gradient("L").rotate(90).resize(size).convert("RGB")
    image.paste(colour, (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    image.putalpha(alpha)
    title = PngInfo()
    title.add_text("Title", path.name)
    image.save(path, pnginfo=title)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption)
        path.with_suffix(".caption").write_text(f"another {colour} caption\n")


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("options")
    shallow_pipeline(folder / "model")
    pictures = {"images": 4, "kept": 2, "held": 3, "uncaptioned": 1, "nested": 2, "nested/inner": 1, "kohya/3_a cat": 2}
    pictures["kohya"] = 1
    for place, (name, count) in enumerate(pictures.items()):
        for number in range(count):
            caption = None if name == "uncaptioned" else CAPTION.replace("{number}", f"{name} {number}")
            size = SIZES[number]
            make_picture(folder / name / f"{place}{number}.png", size, ("red", "green", "blue")[number % 3], caption)
    make_picture(folder / "named" / "00012-0-a red cat, 3.png", SIZES[0], "red")
    (folder / "template.txt").write_text("a [filewords] indeed\n")
    for number in range(4):
        mask = Image.linear_gradient("L").point(lambda value: 255 if value > 100 else 0)
        (folder / "masks").mkdir(exist_ok=True)
        mask.resize(SIZES[number]).save(folder / "masks" / f"0{number}.png")
    bench = Workbench(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "load", bench.load)
        yield bench


@pytest.fixture(autouse=True)
def one_cache(
    workbench: Workbench, tmp_path_factory: pytest.TempPathFactory, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images and captions that an earlier run encoded are not encoded again."""
    monkeypatch.setenv("SDTUI_CACHE", str(workbench._folder / "cache"))


def with_and_without(key: str, tried: Try) -> tuple[Changes, Changes]:
    """The profile's changes in which `key` has the tried value, and those it is compared with."""
    given = {name: value for name, value in tried.given.items() if name != "row"}
    if "[]" not in key:
        return {**given, key: tried.value}, given
    rows = [dict(row) for row in given.get("dataset.folders", [PLAIN])]
    rows[tried.given["row"]][key.partition("[].")[2]] = tried.value
    return {**given, "dataset.folders": rows}, given


@pytest.mark.parametrize("key", TRIED)
def test_it_does_something(workbench: Workbench, key: str) -> None:
    with_it, without = (workbench.run(changes) for changes in with_and_without(key, TRIED[key]))
    if TRIED[key].seen == "weights":
        assert with_it.weights != without.weights
    else:
        assert with_it.weights == without.weights
        assert with_it.measured != without.measured


def test_a_run_that_says_the_same_ends_the_same(workbench: Workbench) -> None:
    assert workbench._run({}) == workbench._run({})


@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name, arguments in ARGUMENTS.items() for argument in arguments]
)
def test_an_optimizer_s_argument_does_something(name: str, argument: str) -> None:
    value, given = ARGUMENTS[name][argument]

    def trained(**args: Any) -> str:
        rate = 1.0 if OPTIMIZERS[name].finds_rate else 0.02
        bench = Bench({"name": name, "learning_rate": rate, **given, "args": {**given.get("args", {}), **args}})
        for number in range(8):
            # As in a run with a warm-up, the rate rises; gradients grow and shrink.
            bench.take(8 - number, factor=(1.0, 4.0, 0.25)[number % 3])
        with bench.step.finished_weights():
            return digest(bench.weights())

    assert trained(**{argument: value}) != trained()
    assert trained() == trained()


def test_every_argument_has_a_try() -> None:
    declared = {name: set(kind.arguments.model_fields) for name, kind in OPTIMIZERS.items()}
    assert {name: set(ARGUMENTS.get(name, {})) for name in OPTIMIZERS} == declared


def test_every_setting_has_a_try_or_a_reason() -> None:
    settings = {setting.key for setting in SETTINGS if setting.key.partition(".")[0] in SECTIONS}
    assert settings == TRIED.keys() | NOT_TRAINED.keys()
    assert not TRIED.keys() & NOT_TRAINED.keys()
