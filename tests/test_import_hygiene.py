"""What each room may load, seen from a fresh interpreter: the screen must not wait for torch, nor the trainer for Textual."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import sdtui

TORCH_SIDE = {"torch", "diffusers", "transformers", "peft", "accelerate"}
SCREEN_SIDE = {"textual", "rich"}
# diffusers, accelerate and peft bring rich or textual in by themselves nowhere today; the trainer's own code never asks.
# Rooms that may load the same are loaded together: to load torch takes seconds.
ROOMS = {
    "profile": TORCH_SIDE | SCREEN_SIDE | {"numpy", "PIL"},
    "dataset": TORCH_SIDE | SCREEN_SIDE | {"numpy"},
    "runs": TORCH_SIDE | SCREEN_SIDE | {"numpy"},
    "tui": TORCH_SIDE | {"numpy"},
    "tagging": {"textual", "onnxruntime"},
    "training models formats": {"textual"},
}


# The index of captions counts with numpy, tags are found with it, scores are its arrays; the screen loads that once its
# first frame stands.
INDEX = {
    f"sdtui.{name}"
    for name in (
        "dataset.columns",
        "dataset.complete",
        "dataset.disk_watch",
        "dataset.index",
        "dataset.index_file",
        "dataset.nearness",
        "dataset.postings",
        "dataset.query",
        "dataset.query_match",
        "dataset.ranked_names",
        "dataset.strings",
        "dataset.vocabulary",
        "dataset.vocabulary_file",
        "tui.captions.apply_form",
        "tui.captions.known",
        "tui.captions.score_desk",
        "tui.widgets.blocks",
    )
}


def modules_of(room: str) -> list[str]:
    """Every module of a room that can be imported (scripts named __main__ run when they are)."""
    package = f"sdtui.{room}"
    paths = [f"{path}/{room}" for path in sdtui.__path__]
    found = [info.name for info in pkgutil.walk_packages(paths, f"{package}.") if not info.name.endswith("__main__")]
    return [package, *found]


def loaded_after(statements: str) -> set[str]:
    """Top-level names in sys.modules after running `statements` in a fresh interpreter."""
    code = f"{statements}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("rooms", ROOMS)
def test_a_room_loads_nothing_it_must_not(rooms: str) -> None:
    modules = [name for room in rooms.split() for name in modules_of(room) if name not in INDEX]
    assert not loaded_after("\n".join(f"import {name}" for name in modules)) & ROOMS[rooms]


def test_the_index_loads_numpy_and_nothing_heavier() -> None:
    loaded = loaded_after("\n".join(f"import {name}" for name in sorted(INDEX) if ".tui." not in name))
    assert "numpy" in loaded
    assert not loaded & (TORCH_SIDE | SCREEN_SIDE)


def test_the_command_line_itself_loads_next_to_nothing() -> None:
    heavy = TORCH_SIDE | SCREEN_SIDE | {"numpy", "PIL", "pydantic", "tomlkit", "watchdog"}
    assert not loaded_after("from sdtui.cli import main\nmain(['--help'])") & heavy


def test_the_app_is_ready_to_draw_before_anything_heavy_is_loaded() -> None:
    """Up to the first frame: no numpy, and neither validation nor pictures nor file watching yet."""
    late = TORCH_SIDE | {"numpy", "PIL", "pydantic", "tomlkit", "watchdog", "safetensors", "tokenizers"}
    assert not loaded_after("import sdtui.cli.app, sdtui.tui.app") & late
