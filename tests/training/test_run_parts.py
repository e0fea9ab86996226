"""In which part of a run VAE and text encoder are in memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from sdtui.models import loading
from sdtui.models.part import Part
from sdtui.runs.layout import RunFolder
from sdtui.training.__main__ import main
from sdtui.training.step import Stepper
from tests.training.workplace import events, make_run

PARTS = {"vae": "vae_from_folder", "text": "text_encoder_from_folder"}
DRAWN = {"previews": {"at_start": False, "every": 2, "prompts": ["a square --w 64 --h 64 --s 2"]}}


class Watch:
    """Which parts were loaded, how often, and which lived at each step."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.at_steps: list[list[str]] = []
        self._alive: list[tuple[str, weakref.ref[nn.Module]]] = []

    def loading(self, part: str, load: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        def watched(*args: Any, **named: Any) -> nn.Module:
            module = load(*args, **named)
            self.loads.append(part)
            self._alive.append((part, weakref.ref(module)))
            return module

        return watched

    def step(self) -> None:
        gc.collect()
        self.at_steps.append([part for part, module in self._alive if module() is not None])


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    for part, name in PARTS.items():
        monkeypatch.setattr(loading, name, watch.loading(part, getattr(loading, name)))
    take = Stepper.take

    def watched(self: Stepper, step: int) -> Any:
        watch.step()
        return take(self, step)

    monkeypatch.setattr(Stepper, "take", watched)
    return watch


def finished(run: RunFolder) -> bytes:
    assert main([str(run.path)]) == 0, run.log_file.read_text()
    return (run.output_dir / "tiny.safetensors").read_bytes()[-4096:]


def test_no_step_is_taken_beside_them_and_previews_load_them_again(workplace: Path, watch: Watch) -> None:
    run = make_run(workplace, DRAWN)
    finished(run)
    assert watch.at_steps == [[], [], [], []]
    # Once for the caches, then for the previews after step 2 and at the end.
    assert watch.loads == ["vae", "text", "text", "vae", "text", "vae"]
    assert len(events(run, "preview")) == 2


def test_a_run_that_finds_all_in_the_caches_loads_neither(workplace: Path, watch: Watch) -> None:
    finished(make_run(workplace))
    watch.loads.clear()
    finished(make_run(workplace))
    assert watch.loads == []


def test_it_ends_with_the_bits_of_a_run_that_keeps_them(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resting, keeping = make_run(workplace, DRAWN), make_run(workplace, DRAWN)
    ends = [finished(resting)]
    monkeypatch.setattr(Part, "rest", lambda _: None)
    ends.append(finished(keeping))
    assert ends[0] == ends[1]
    pictures = [next(run.path.rglob("step-000004/*.png")).read_bytes() for run in (resting, keeping)]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("changes", [{"method": {"text_encoder": True}}, {"captions": {"shuffle": True}}])
def test_a_text_encoder_that_steps_ask_stays(workplace: Path, watch: Watch, changes: dict[str, Any]) -> None:
    finished(make_run(workplace, changes))
    assert watch.at_steps[-1] == ["text"]
    assert watch.loads.count("text") == 1


def test_an_entry_that_is_lost_is_made_again(workplace: Path, watch: Watch, own_folders: Path) -> None:
    take = Stepper.take

    def lost(self: Stepper, step: int) -> Any:
        for entry in (own_folders / "cache" / "latents").rglob("*.safetensors"):
            entry.unlink()
        return take(self, step)

    whole = finished(make_run(workplace))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "take", lost)
        assert finished(make_run(workplace)) == whole
    assert watch.loads.count("vae") > 1
