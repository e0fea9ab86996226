"""What `sdtui sample` is asked for: the source, the pictures and the axes that its arguments mean, all judged before a model is loaded."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sdtui.cli.runs_dirs import runs_dir
from sdtui.errors import UserError
from sdtui.profile import devices
from sdtui.profile.prompt_line import PromptError, PromptLine, is_comment, parse_prompt_line
from sdtui.profile.samplers import SAMPLER_NAMES, nearest, sampler_called
from sdtui.runs import registry
from sdtui.runs.sample_task import SampleTask, is_sample_folder, read_task
from sdtui.tools.axes import Axis, parse_axis
from sdtui.tools.drawing import grids
from sdtui.tools.picture import Picture
from sdtui.tools.prompt_tags import library, split
from sdtui.tools.sources import Source, of_run
from sdtui.tools.stack import Worn
from sdtui.tools.vocabulary import library as vocabulary

# What the screen and the messages call the prompts of the command line, counted from 1.
PROMPT = "prompt"


@dataclass(frozen=True)
class Request:
    """What is to be drawn.

    Attributes:
        task: the same in words, for the folder.
        source: base model and run.
        pictures: one of each prompt line and seed; sizes left open are 0.
        axes: of the sheets, across and down.
    """

    task: SampleTask
    source: Source
    pictures: Sequence[Picture]
    axes: tuple[Axis | None, Axis | None]


def understand(args: argparse.Namespace) -> Request:
    """Read the arguments.

    Raises:
        UserError: something is asked for that cannot be drawn.
    """
    _check_machine(args)
    named, source = _source(args)
    texts = _texts(args, source)
    lines = _lines(args, texts, source)
    axes = (_axis(args.x, source), _axis(args.y, source))
    worn, known = _adapters(args, source)
    words = {**source.checkpoints.words, **vocabulary(args.words)}
    make = _maker(args, source, worn, known, words)
    pictures = [_placed(where, line, make) for where, line in lines]
    grids(pictures, *axes)  # what an axis cannot do is said here
    return Request(_task(args, named, texts if args.prompts or args.file else []), source, pictures, axes)


def _check_machine(args: argparse.Namespace) -> None:
    """A device that is none and a VAE that is not there would show only once the model is read."""
    if not re.match(devices.PATTERN, args.device):
        raise UserError(f"the device is {args.device!r}", where="--device", remedy=f"Allowed: {devices.ALLOWED}")
    if args.vae and not Path(args.vae).exists():
        raise UserError(
            f"{args.vae}: no such file or folder", where="--vae", remedy="Give a VAE's file or a diffusers folder"
        )


def again(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments themselves, or those that were given when the folder they name was begun."""
    folder = Path(args.source).expanduser()
    if not is_sample_folder(folder):
        return args
    if args.prompts or args.file or args.output:
        raise UserError(
            "this folder is gone on with as it was begun", where=args.source,
            remedy="Give nothing else, or another model",
        )  # fmt: skip
    task = read_task(folder)
    named = {name: getattr(task, name) for name in ("source", "negative", "width", "height", "steps", "cfg", "sampler")}
    named |= {
        name: getattr(task, name) for name in ("seed", "count", "clip_skip", "x", "y", "vae", "device", "precision")
    }
    many = {"folders": [*map(Path, task.folders)], "words": [*map(Path, task.words)], "loras": [*task.loras]}
    kept = {"json": args.json, "detach": args.detach, "runs": args.runs}
    return argparse.Namespace(**named, **many, **kept, prompts=[*task.prompts], file=None, output=folder)


def _task(args: argparse.Namespace, named: str, texts: Sequence[tuple[str, str]]) -> SampleTask:
    """The arguments as anyone can repeat them from anywhere."""
    loras = [_adapter(text) for text in args.loras]
    return SampleTask(
        named,
        tuple(text for _, text in texts),
        tuple(f"{one.file}:{one.unet:g}" for one in loras),
        tuple(str(folder.absolute()) for folder in args.folders),
        tuple(str(place.absolute()) for place in args.words),
        args.negative, args.width, args.height, args.steps, args.cfg, args.sampler, args.seed, args.count, args.clip_skip,
        args.x or "", args.y or "", str(Path(args.vae).absolute()) if args.vae else "", args.device, args.precision,
    )  # fmt: skip


def _placed(where: str, line: PromptLine, make: Callable[[PromptLine], Picture]) -> Picture:
    """A picture; what is wrong with its prompt says whose it is."""
    try:
        return make(line)
    except UserError as error:
        raise UserError(error.message, where=error.where or where, remedy=error.remedy) from error


def _source(args: argparse.Namespace) -> tuple[str, Source]:
    """A run where there is one of this name, else a base model; and what calls it from anywhere."""
    text: str = args.source
    if text == "starter":
        import sdtui.starter

        return text, Source(str(Path(sdtui.starter.__file__).parent / "model"), args.vae)
    path = Path(text).expanduser()
    if (path / "model_index.json").is_file() or path.is_file():
        return str(path.resolve()), Source(str(path.resolve()), args.vae)
    try:
        run = registry.find(text, [runs_dir(args)])
        found = of_run(run)
    except UserError as error:
        if "/" in text and not path.exists() and not text.startswith((".", "/", "~")) and text.count("/") == 1:
            return text, Source(text, args.vae)
        raise UserError(
            f"neither a base model nor a run with a result: {error.message}", where=text, remedy=error.remedy
        ) from error
    return str(run.path), replace(found, vae=args.vae or found.vae)


def _texts(args: argparse.Namespace, source: Source) -> list[tuple[str, str]]:
    """The prompts, each with where it stands; those of the command line first, else the run's own."""
    one = len(args.prompts) == 1
    texts = [(PROMPT if one else f"{PROMPT} {at}", text) for at, text in enumerate(args.prompts, start=1)]
    if args.file is not None:
        texts += [
            (f"{args.file}:{at}", text) for at, text in enumerate(_read(args.file), start=1) if not is_comment(text)
        ]
    if not texts and source.profile is not None:
        texts = [("previews.prompts", text) for text in source.profile.previews.prompts if not is_comment(text)]
    if not texts:
        raise UserError("there is nothing to draw", remedy='Write a prompt: sdtui sample MODEL "a red cat"')
    return texts


def _lines(args: argparse.Namespace, texts: Sequence[tuple[str, str]], source: Source) -> list[tuple[str, PromptLine]]:
    """The prompts with their flags; what a line leaves open is what the options say."""
    silent = _options(args, source)
    lines = []
    for where, text in texts:
        try:
            line = parse_prompt_line(text, silent)
        except PromptError as error:
            raise UserError(str(error), where=where) from error
        lines += [(where, replace(line, seed=(line.seed or 0) + more)) for more in range(args.count)]
    return lines


def _options(args: argparse.Namespace, source: Source) -> PromptLine:
    """The options as a prompt line that says everything, checked as one."""
    profile = source.profile
    sampler = sampler_called(args.sampler) if args.sampler else (profile.previews.sampler if profile else "ddim")
    if sampler is None:
        near = nearest(args.sampler)
        raise UserError(
            f"the sampler {args.sampler!r} is not known", where="--sampler",
            remedy=f"Did you mean {near}?" if near else f"There are {', '.join(SAMPLER_NAMES)}",
        )  # fmt: skip
    if not 1 <= args.count <= 10_000:
        raise UserError(f"the count is {args.count}", where="--count", remedy="Allowed: whole number 1…10000")
    if args.clip_skip is not None and not 1 <= args.clip_skip <= 12:
        raise UserError(f"the layer is {args.clip_skip}", where="--clip-skip", remedy="Allowed: whole number 1…12")
    flags = {"w": args.width, "h": args.height, "s": args.steps, "l": args.cfg, "d": args.seed}
    text = " ".join(f"--{flag} {value}" for flag, value in flags.items() if value is not None)
    side = profile.dataset.resolution // 8 * 8 if profile else None
    seed = profile.training.seed if profile else 0
    silent = PromptLine("", negative=args.negative, width=side, height=side, seed=seed, sampler=sampler)
    try:
        return parse_prompt_line(f"x {text}", silent)
    except PromptError as error:
        raise UserError(str(error)) from error


def _read(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise UserError("is not UTF-8", where=str(file), remedy="Save it as UTF-8 in your editor") from error


def _axis(text: str | None, source: Source) -> Axis | None:
    return parse_axis(text, source.checkpoints) if text else None


def _adapters(args: argparse.Namespace, source: Source) -> tuple[list[Worn], dict[str, Path]]:
    """What all pictures wear, and the files that tags in prompts can name."""
    worn = [Worn(source.checkpoints.finished)] if source.checkpoints.finished else []
    worn += [_adapter(text) for text in args.loras]
    for folder in args.folders:
        if not folder.is_dir():
            raise UserError("not a folder", where=f"--loras {folder}")
    return worn, library(args.folders, [one.file for one in worn])


def _adapter(text: str) -> Worn:
    """`FILE` or `FILE:STRENGTH`."""
    name, colon, number = text.rpartition(":")
    file, strength = (Path(name), _strength(number, text)) if colon and not Path(text).exists() else (Path(text), 1.0)
    if not file.is_file():
        raise UserError("there is no such file", where=f"--lora {file}")
    # The same file from anywhere, as the pictures say which it was.
    return Worn(file.absolute(), strength, strength)


def _strength(number: str, text: str) -> float:
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not math.isfinite(strength):
        raise UserError(f"the strength {number!r} is no number", where=f"--lora {text}")
    return strength


def _maker(
    args: argparse.Namespace, source: Source, worn: Sequence[Worn], known: dict[str, Path], words: dict[str, Path]
) -> Callable[[PromptLine], Picture]:
    """What makes a picture of a prompt line; sizes left open are 0."""
    skip = args.clip_skip or (source.profile.captions.clip_skip if source.profile else 1)

    def make(line: PromptLine) -> Picture:
        text, tagged = split(line.prompt, known)
        # What a prompt names with a strength of its own is not put on a second time.
        named = {one.file for one in tagged}
        return Picture(
            line.prompt, text, line.negative, line.width or 0, line.height or 0, line.steps, line.guidance, line.seed or 0,
            line.sampler or "ddim", skip, (*(one for one in worn if one.file not in named), *tagged),
            tuple(words.items()),
        )  # fmt: skip

    return make
