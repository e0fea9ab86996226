"""`sdtui sample`: pictures from a base model with adapters, or from a run; also many at once, on sheets by two axes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.cli import INTERRUPTED
from sdtui.cli.output import emit_json, plural
from sdtui.cli.runs_dirs import add_runs_dir, runs_dir
from sdtui.errors import UserError
from sdtui.profile.prompt_line import PromptError, PromptLine, is_comment, parse_prompt_line
from sdtui.profile.samplers import SAMPLER_NAMES, nearest, sampler_called

if TYPE_CHECKING:
    from sdtui.models.family import Model
    from sdtui.tools.axes import Axis
    from sdtui.tools.drawing import Drawn, Grid
    from sdtui.tools.picture import Picture
    from sdtui.tools.sources import Source
    from sdtui.tools.stack import Worn

_AXES = "seed, steps, cfg, clip_skip, sampler, strength, prompt or checkpoint"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "source", metavar="MODEL|RUN",
        help="a run (its folder, name or `last`), or a base model: a folder, a single file, a name on the hub, or `starter`",
    )  # fmt: skip
    parser.add_argument(
        "prompts", metavar="PROMPT", nargs="*",
        help='what to draw, "(a cat:1.2) <lora:city:0.8> --w 512 --n blurry"; without any: a run\'s own preview prompts',
    )  # fmt: skip
    parser.add_argument("--prompts", dest="file", metavar="FILE", type=Path, help="a text file, one prompt a line")
    parser.add_argument(
        "--lora", dest="loras", metavar="FILE[:STRENGTH]", action="append", default=[],
        help="an adapter that all pictures wear; may be given more than once",
    )  # fmt: skip
    parser.add_argument(
        "--loras", dest="folders", metavar="DIR", action="append", type=Path, default=[],
        help="a folder in which <lora:name:0.8> finds its files; may be given more than once",
    )  # fmt: skip
    parser.add_argument(
        "--embeddings", dest="words", metavar="PATH", action="append", type=Path, default=[],
        help="an embedding, or a folder of them: prompts call them by their files' names; may be given more than once",
    )  # fmt: skip
    parser.add_argument("-n", "--negative", metavar="TEXT", default="", help="what to keep out of the picture")
    parser.add_argument("-W", "--width", metavar="PX", type=int, help="width (default: the model's own size)")
    parser.add_argument("-H", "--height", metavar="PX", type=int, help="height (default: the model's own size)")
    parser.add_argument("--steps", metavar="N", type=int, default=20, help="steps of the sampler (default: 20)")
    parser.add_argument("--cfg", metavar="SCALE", type=float, default=7.5, help="guidance (default: 7.5)")
    parser.add_argument("--sampler", metavar="NAME", default="", help=f"{', '.join(SAMPLER_NAMES)} (default: ddim)")
    parser.add_argument("--seed", metavar="N", type=int, help="of the first picture (default: the run's, or 0)")
    parser.add_argument("--count", metavar="N", type=int, default=1, help="pictures of each prompt, seeds counted up")
    parser.add_argument("--clip-skip", metavar="N", type=int, help="layer of the text encoder, from the end")
    parser.add_argument("--x", metavar="AXIS=VALUES", help=f"columns of a sheet: {_AXES}, e.g. strength=0-1 [5]")
    parser.add_argument("--y", metavar="AXIS=VALUES", help="rows of a sheet, e.g. seed=1-4")
    parser.add_argument("--vae", metavar="PATH", default="", help="a VAE in place of the model's own")
    parser.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16", "fp16"], default="auto", help="of the UNet")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, help="where to draw (default: samples/<time>)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_runs_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Draw; the files' paths go to stdout.

    Raises:
        UserError: something is asked for that cannot be drawn; most of it is told before the model is loaded.
    """
    from sdtui.tools.drawing import pictures
    from sdtui.tools.vocabulary import library, named, teach

    source = _source(args)
    lines = _lines(args, source)
    axes = [_axis(text, source) for text in (args.x, args.y)]
    worn, known = _adapters(args, source)
    words = library(args.words)
    make = _maker(args, source, worn, known)
    first = [make(line) for line in lines]
    _grids(first, axes)  # what an axis cannot do is said before the model is loaded
    print(f"loading {source.base}", file=sys.stderr)
    model = source.load(args.device, args.precision)
    wanted = _grids([_sized(picture, model) for picture in first], axes)
    teach(model, named(words, [text for one in pictures(wanted) for text in (one.text, one.negative)]))
    return _draw(args, model, wanted, sheets=any(axes))


def _source(args: argparse.Namespace) -> Source:
    """A run where there is one of this name, else a base model."""
    from sdtui.runs import registry
    from sdtui.tools.sources import Source, of_run

    text: str = args.source
    if text == "starter":
        import sdtui.starter

        return Source(str(Path(sdtui.starter.__file__).parent / "model"), args.vae)
    path = Path(text).expanduser()
    if (path / "model_index.json").is_file() or path.is_file():
        return Source(str(path.resolve()), args.vae)
    try:
        found = of_run(registry.find(text, [runs_dir(args)]))
    except UserError as error:
        if "/" in text and not path.exists() and not text.startswith((".", "/", "~")) and text.count("/") == 1:
            return Source(text, args.vae)
        raise UserError(
            f"neither a base model nor a run with a result: {error.message}", where=text, remedy=error.remedy
        ) from error
    return replace(found, vae=args.vae or found.vae)


def _lines(args: argparse.Namespace, source: Source) -> list[PromptLine]:
    """The prompts with their flags; what a line leaves open is what the options say."""
    texts = [("PROMPT", text) for text in args.prompts]
    if args.file is not None:
        texts += [
            (f"{args.file}:{at}", text) for at, text in enumerate(_read(args.file), start=1) if not is_comment(text)
        ]
    if not texts and source.profile is not None:
        texts = [("previews.prompts", text) for text in source.profile.previews.prompts if not is_comment(text)]
    if not texts:
        raise UserError("there is nothing to draw", remedy='Write a prompt: sdtui sample MODEL "a red cat"')
    silent = _options(args, source)
    lines = []
    for where, text in texts:
        try:
            lines.append(parse_prompt_line(text, silent))
        except PromptError as error:
            raise UserError(str(error), where=where) from error
    return [replace(line, seed=(line.seed or 0) + more) for line in lines for more in range(args.count)]


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
    from sdtui.tools.axes import parse_axis

    return parse_axis(text, source.checkpoints) if text else None


def _adapters(args: argparse.Namespace, source: Source) -> tuple[list[Worn], dict[str, Path]]:
    """What all pictures wear, and the files that tags in prompts can name."""
    from sdtui.tools.prompt_tags import library
    from sdtui.tools.stack import Worn

    worn = [Worn(source.checkpoints.finished)] if source.checkpoints.finished else []
    for text in args.loras:
        name, colon, number = text.rpartition(":")
        file, strength = (
            (Path(name), _strength(number, text)) if colon and not Path(text).exists() else (Path(text), 1.0)
        )
        if not file.is_file():
            raise UserError("there is no such file", where=f"--lora {file}")
        worn.append(Worn(file, strength, strength))
    for folder in args.folders:
        if not folder.is_dir():
            raise UserError("not a folder", where=f"--loras {folder}")
    return worn, library(args.folders, [one.file for one in worn])


def _strength(number: str, text: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise UserError(f"the strength {number!r} is no number", where=f"--lora {text}") from None


def _maker(
    args: argparse.Namespace, source: Source, worn: Sequence[Worn], known: dict[str, Path]
) -> Callable[[PromptLine], Picture]:
    """What makes a picture of a prompt line; sizes left open are 0."""
    from sdtui.tools.picture import Picture
    from sdtui.tools.prompt_tags import split

    skip = args.clip_skip or (source.profile.captions.clip_skip if source.profile else 1)

    def make(line: PromptLine) -> Picture:
        text, tagged = split(line.prompt, known)
        # What a prompt names with a strength of its own is not put on a second time.
        named = {one.file for one in tagged}
        return Picture(
            line.prompt, text, line.negative, line.width or 0, line.height or 0, line.steps, line.guidance, line.seed or 0,
            line.sampler or "ddim", skip, (*(one for one in worn if one.file not in named), *tagged),
        )  # fmt: skip

    return make


def _sized(picture: Picture, model: Model) -> Picture:
    """A size for what has none: the one that the model was made for."""
    config: Any = model.unet.config
    own = int(config.sample_size) * model.latent_factor
    return replace(picture, width=picture.width or own, height=picture.height or own)


def _grids(pictures: Sequence[Picture], axes: Sequence[Axis | None]) -> list[Grid]:
    from sdtui.tools.drawing import grids

    return grids(pictures, axes[0], axes[1])


def _draw(args: argparse.Namespace, model: Model, wanted: Sequence[Grid], *, sheets: bool) -> int:
    from sdtui.cli.progress import ProgressLine
    from sdtui.tools.drawing import Drawing

    line = ProgressLine(sys.stderr)
    folder: Path = args.output or Path("samples") / time.strftime("%Y%m%d-%H%M%S")
    drawn: list[Drawn] = []

    def on_picture(made: Drawn) -> None:
        drawn.append(made)
        line.clear()
        if not args.json:
            print(made.file, flush=True)

    drawing = Drawing(
        model, folder, on_picture=on_picture,
        on_step=lambda done, total, step, steps: line.status(f"picture {done + 1} of {total}, step {step} of {steps}"),
    )  # fmt: skip
    whole = drawing.draw(wanted, sheets=sheets)
    line.clear()
    made_sheets = (
        [folder / f"grid-{number:02d}.png" for number in range(1, len(wanted) + 1)] if sheets and whole else []
    )
    if args.json:
        emit_json(_as_json(model, folder, drawn, made_sheets))
        return 0 if whole else INTERRUPTED
    for sheet in made_sheets:
        print(sheet)
    kept = sum(one.kept for one in drawn)
    told = f"{plural(len(drawn), 'picture')} in {folder}" + (f", {kept} of them drawn before" if kept else "")
    print(told if whole else f"stopped: {told}", file=sys.stderr)
    return 0 if whole else INTERRUPTED


def _as_json(model: Model, folder: Path, drawn: Sequence[Drawn], sheets: Sequence[Path]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "model": model.name,
        "images": [
            {"file": str(one.file), "seconds": round(one.seconds, 3), "kept": one.kept, **one.picture.facts(model.name)}
            for one in drawn
        ],
        "sheets": [str(sheet) for sheet in sheets],
    }
