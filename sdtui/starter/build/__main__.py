"""`python -m sdtui.starter.build`: run the stages that make the starter, in order, each going on where it was killed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

import sdtui.starter
from sdtui.amounts import bytes_text

TARGET = Path(sdtui.starter.__file__).parent
SHEET = TARGET.parent.parent / "docs" / "starter.png"
Stage = Callable[[argparse.Namespace], None]


def main() -> None:
    """Parse the arguments and run the chosen stages."""
    parser = argparse.ArgumentParser(
        prog="python -m sdtui.starter.build",
        description="Make the starter: artwork, autoencoder, base model, classifier, tagger, demo images, and its figures.",
        epilog="example:\n  python -m sdtui.starter.build --work ~/starter-work --threads 2",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"any of: {', '.join(STAGES)} (default: all)")
    parser.add_argument("--work", type=Path, default=Path("starter-work"), help="folder for packages and checkpoints")
    parser.add_argument("--target", type=Path, default=TARGET, help="folder that gets the finished files")
    parser.add_argument("--sheet", type=Path, default=SHEET, help="PNG that gets the pictures drawn for the report")
    parser.add_argument("--vae-minutes", type=float, default=35, help="time for the autoencoder (default: 35)")
    parser.add_argument("--vae-steps", type=int, default=0, help="instead of --vae-minutes: exactly so many steps")
    parser.add_argument("--unet-minutes", type=float, default=180, help="time for the base model (default: 180)")
    parser.add_argument("--unet-steps", type=int, default=0, help="instead of --unet-minutes: exactly so many steps")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: PyTorch's own choice)")
    args = parser.parse_args()
    unknown = [stage for stage in args.stages if stage not in STAGES]
    if unknown:
        parser.error(f"no such stage: {', '.join(unknown)}; known: {', '.join(STAGES)}")
    if args.threads:
        torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    for name in args.stages or STAGES:
        STAGES[name](args)


def _fetch(args: argparse.Namespace) -> None:
    from sdtui.starter.build import fetch

    fetch.fetch(args.work)


def _render(args: argparse.Namespace) -> None:
    from sdtui.starter.build import artwork

    artwork.render(args.work)


def _vae(args: argparse.Namespace) -> None:
    from sdtui.starter.build import autoencoder

    autoencoder.train(args.work, args.vae_minutes, args.vae_steps)


def _unet(args: argparse.Namespace) -> None:
    from sdtui.starter.build import denoiser

    denoiser.train(args.work, args.unet_minutes, args.unet_steps)


def _classifier(args: argparse.Namespace) -> None:
    from sdtui.starter.build import classify

    print(f"classifier: {classify.train(args.work, args.target / 'style.safetensors'):.1%} of held-out pictures right")


def _tagger(args: argparse.Namespace) -> None:
    from sdtui.starter.build import tagger

    tagger.train(args.work, args.target / "tagger")


def _images(args: argparse.Namespace) -> None:
    from sdtui.starter.build import demo_images

    demo_images.write_images(args.work, args.target)


def _export(args: argparse.Namespace) -> None:
    from sdtui.starter.build import export

    print(f"model: {bytes_text(export.export(args.work, args.target / 'model'))}")


def _report(args: argparse.Namespace) -> None:
    from sdtui.starter.build import report

    report.write_report(args.work, args.target, args.sheet)


STAGES: dict[str, Stage] = {
    "fetch": _fetch,
    "render": _render,
    "vae": _vae,
    "unet": _unet,
    "classifier": _classifier,
    "tagger": _tagger,
    "images": _images,
    "export": _export,
    "report": _report,
}


if __name__ == "__main__":
    main()
