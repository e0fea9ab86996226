"""`sdtui sample`: pictures from a base model with adapters, or from a run; also many at once, on sheets by two axes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdtui.cli import INTERRUPTED
from sdtui.cli.output import emit_json, plural
from sdtui.cli.progress import ProgressLine, interrupts
from sdtui.cli.runs_dirs import add_runs_dir
from sdtui.profile.samplers import SAMPLER_NAMES
from sdtui.runs.sample_task import KIND, write_task

if TYPE_CHECKING:
    from sdtui.cli.sample_request import Request
    from sdtui.models.family import Model
    from sdtui.runs.job import Job
    from sdtui.tools.drawing import Drawn
    from sdtui.tools.picture import Picture

_MODULE = "sdtui.cli.sample_job"
_AXES = "seed, steps, cfg, clip_skip, sampler, strength, prompt or checkpoint"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "source", metavar="MODEL|RUN",
        help="a run (its folder, name or `last`), or a base model: a folder, a single file, a name on the hub, or `starter`; "
        "a folder of pictures: go on with what was interrupted there",
    )  # fmt: skip
    parser.add_argument(
        "prompts", metavar="PROMPT", nargs="*", default=[],
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
    parser.add_argument("--detach", action="store_true", help="start it and return at once; `sdtui watch` follows it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_runs_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Draw; the files' paths go to stdout.

    Raises:
        UserError: something is asked for that cannot be drawn; most of it is told before the model is loaded.
    """
    from sdtui.cli.sample_request import again, understand

    args = again(args)
    request = understand(args)
    folder: Path = args.output or Path("samples") / time.strftime("%Y%m%d-%H%M%S")
    if args.detach:
        return _detach(args, request, folder.absolute())
    return _Command(args, request, folder).draw()


def _detach(args: argparse.Namespace, request: Request, folder: Path) -> int:
    from sdtui.runs import launch

    with interrupts() as received:
        launch.start_job(folder, KIND, _MODULE, before=lambda: write_task(folder, request.task))
        if args.json:
            emit_json({"job": str(folder)})
        else:
            print(f"{folder}\nfollow it: sdtui watch {folder}")
    return INTERRUPTED if received else 0


class _Command:
    """Drawing in this process: what is told meanwhile, and at the end."""

    def __init__(self, args: argparse.Namespace, request: Request, folder: Path) -> None:
        self._args = args
        self._request = request
        self._folder = folder
        self._drawn: list[Drawn] = []
        self._sheets = 0
        self._model = ""
        self._line = ProgressLine(sys.stderr)

    def draw(self) -> int:
        """Load, draw, tell."""
        from sdtui.runs.job import Job

        with Job(self._folder, KIND) as job:
            write_task(self._folder, self._request.task)
            self._work(job)
        self._line.clear()
        return self._tell(whole=not job.stopped)

    def _work(self, job: Job) -> None:
        from sdtui.tools.drawing import Drawing, grids

        args, request = self._args, self._request
        print(f"loading {request.source.base}", file=sys.stderr)
        model = request.source.load(args.device, args.precision)
        self._model = model.name
        wanted = grids([_sized(picture, model) for picture in request.pictures], *request.axes)
        sheets = any(request.axes)
        Drawing(model, job, on_step=self._stepped, on_picture=self._pictured).draw(wanted, sheets=sheets)
        self._sheets = len(wanted) if sheets else 0

    def _stepped(self, done: int, total: int, step: int, steps: int) -> None:
        self._line.status(f"picture {done + 1} of {total}, step {step} of {steps}")

    def _pictured(self, made: Drawn) -> None:
        self._drawn.append(made)
        self._line.clear()
        if not self._args.json:
            print(made.file, flush=True)

    def _tell(self, *, whole: bool) -> int:
        drawn, folder = self._drawn, self._folder
        sheets = [folder / f"grid-{number:02d}.png" for number in range(1, self._sheets + 1)]
        if self._args.json:
            emit_json(_as_json(self._model, folder, drawn, sheets))
            return 0 if whole else INTERRUPTED
        for sheet in sheets:
            print(sheet)
        kept = sum(one.kept for one in drawn)
        told = f"{plural(len(drawn), 'picture')} in {folder}" + (f", {kept} of them drawn before" if kept else "")
        print(told if whole else f"stopped: {told}; go on: sdtui sample {folder}", file=sys.stderr)
        return 0 if whole else INTERRUPTED


def _sized(picture: Picture, model: Model) -> Picture:
    """A size for what has none: the one that the model was made for."""
    config: Any = model.unet.config
    own = int(config.sample_size) * model.latent_factor
    return replace(picture, width=picture.width or own, height=picture.height or own)


def _as_json(model: str, folder: Path, drawn: Sequence[Drawn], sheets: Sequence[Path]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "model": model,
        "images": [
            {"file": str(one.file), "seconds": round(one.seconds, 3), "kept": one.kept, **one.picture.facts(model)}
            for one in drawn
        ],
        "sheets": [str(sheet) for sheet in sheets],
    }
