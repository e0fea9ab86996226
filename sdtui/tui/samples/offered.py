"""What there is to draw with: the workspace's runs and what they have made, its profiles' base models, files in folders.

Read in threads only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdtui.runs.layout import ADAPTER, RunFolder
from sdtui.runs.registry import RunInfo
from sdtui.tui import workspace
from sdtui.tui.literal import home_path
from sdtui.tui.numbers import age, count, grouped

STARTER = "starter"
WEIGHTS = (".safetensors", ".ckpt", ".pt", ".bin")
EMBEDDINGS = (*WEIGHTS, ".png", ".webp")
# The folders of a workspace, and of A1111's web UI.
LORAS = ("loras", "lora", "adapters", "models/Lora", "models/LyCORIS")
WORDS = ("embeddings",)
MODELS = ("models", "checkpoints", "models/Stable-diffusion")


@dataclass(frozen=True)
class Offered:
    """One thing to choose: what it is for, its file or folder, and words about it."""

    name: str
    value: str
    words: str


def sources(folder: Path) -> list[Offered]:
    """Runs that can be drawn with, newest first, then base models."""
    profiles = [workspace.quick_row(path) for path in workspace.profile_files(folder)]
    runs, _ = workspace.all_runs(workspace.runs_folders(folder, profiles))
    found = [_run(info) for info in runs if _has_result(info.run)]
    bases = dict.fromkeys(row.base for row in profiles if row.base)
    named = [_place(base, folder) for base in bases]
    named += [str(path) for place in MODELS for path in _models(folder / place)]
    home = str(Path.home())
    found += [Offered("source", value, f"model  {home_path(value, home)}") for value in dict.fromkeys(named)]
    return [*found, Offered("source", STARTER, "model  starter, the small one that ships with sdtui")]


def additions(folder: Path) -> list[Offered]:
    """Adapters and embeddings: of runs, each with its checkpoints, then in the workspace's folders."""
    profiles = [workspace.quick_row(path) for path in workspace.profile_files(folder)]
    runs, _ = workspace.all_runs(workspace.runs_folders(folder, profiles))
    found = [each for info in runs for each in _made_by(info.run)]
    found += [Offered("loras", str(path), f"adapter    {path.stem}") for path in _files(folder, LORAS, WEIGHTS)]
    found += [Offered("words", str(path), f"embedding  {path.stem}") for path in _files(folder, WORDS, EMBEDDINGS)]
    return found


def sample_folders(folder: Path) -> list[tuple[Path, str]]:
    """Folders of pictures in the workspace, newest first, with words about each."""
    home = folder / "samples"
    try:
        places = [path for path in home.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
    dated = sorted(((path.stat().st_mtime, path) for path in places), reverse=True)
    told = []
    for changed, path in dated:
        pictures = sum(1 for file in path.glob("[0-9]*.png"))
        told.append((path, f"{path.name}   {count(pictures, 'picture')}   {age(changed)}"))
    return told


def _run(info: RunInfo) -> Offered:
    at = f"step {grouped(info.step)}" if info.live else age(info.changed)
    return Offered("source", str(info.run.path), f"run    {info.run.name}   {info.state}   {at}")


def _has_result(run: RunFolder) -> bool:
    return bool(run.complete_checkpoints()) or any(run.output_dir.glob("*"))


def _made_by(run: RunFolder) -> Iterator[Offered]:
    """A run's finished files, and its checkpoints' adapters; a whole model is none."""
    kind = _kind(run)
    if kind == "full":
        return
    for path in sorted(run.output_dir.iterdir()) if run.output_dir.is_dir() else ():
        if path.suffix in EMBEDDINGS:
            as_word = "inversion" in kind or path.suffix in {".pt", ".png", ".webp"}
            yield Offered(
                "words" if as_word else "loras", str(path),
                f"{'embedding' if as_word else 'adapter  '}  {path.stem}   of {run.name}",
            )  # fmt: skip
    for step, path in run.complete_checkpoints():
        if (path / ADAPTER).is_file():
            yield Offered("loras", str(path / ADAPTER), f"adapter    step {grouped(step)}   of {run.name}")


def _kind(run: RunFolder) -> str:
    try:
        method = tomllib.loads(run.profile_file.read_text(encoding="utf-8")).get("method")
    except (OSError, ValueError, RecursionError):
        return ""
    return str(method.get("kind", "")) if isinstance(method, dict) else ""


def _place(base: str, folder: Path) -> str:
    """A profile's base model: a path in the workspace or elsewhere, or a name on the hub."""
    for place in (folder / base, folder / "profiles" / base):
        if place.exists():
            return str(place.resolve())
    return base


def _models(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix in {".safetensors", ".ckpt"} or (path / "model_index.json").is_file():
                yield path


def _files(folder: Path, places: tuple[str, ...], endings: tuple[str, ...]) -> Iterator[Path]:
    for place in places:
        for path in sorted((folder / place).rglob("*")) if (folder / place).is_dir() else ():
            if path.suffix.lower() in endings:
                yield path
