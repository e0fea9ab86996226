"""Stage `report`: measure what the exported starter can do, and write the figures beside the weights."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from sdtui.files import open_atomic, write_atomic
from sdtui.starter import style as classifier
from sdtui.starter.build import autoencoder, measure
from sdtui.starter.build.artwork import BASE_STYLES, NEW_STYLE, STYLES, Artwork, load
from sdtui.starter.build.denoiser import (
    DRAWS,
    PICTURES,
    KnownLatents,
    known_latents,
    make_base_model,
    restore,
)
from sdtui.starter.build.export import folder_bytes
from sdtui.starter.build.trial import try_demo

PROMPTS = 100
GUIDANCE = 4.0
SHEET_COLUMNS = 10


@dataclass(frozen=True)
class Figure:
    """One measured figure and the bar it is held to; `at_most` says that lower is better."""

    name: str
    value: float
    bar: float
    unit: str
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the bar is met."""
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def write_report(work: Path, target: Path, sheet: Path) -> list[Figure]:
    """Measure, write `report.json` and `report.md` into `target`, and the drawn pictures to the PNG `sheet`."""
    art = load(work)
    vae = AutoencoderKL.from_pretrained(target / "model" / "vae")
    model = make_base_model()
    restore(model, work / "unet.pt")
    latents = known_latents(work, art)
    picked = torch.linspace(0, len(latents.rows) - 1, PROMPTS).round().long()
    drawn = decoded(vae, measure.draw_known(model, art, latents, picked, GUIDANCE))
    trial = try_demo()
    figures = [
        Figure("autoencoder, mean PSNR of held-out pictures", autoencoder.held_out_psnr(vae, art), 24, "dB"),
        Figure("prompt following, wanted name in the top 5", _followed(vae, drawn, latents, art, picked), 60, "%"),
        Figure("style following, style word decides", _styled(drawn, art, latents, picked), 90, "%"),
        Figure(f"{NEW_STYLE} style before the demo", trial.before, 10, "% of 32 seeds", at_most=True),
        Figure(f"{NEW_STYLE} style after the demo", trial.after, 80, "% of 32 seeds"),
        Figure("the demo's run", trial.seconds / 60, 3, "minutes", at_most=True),
        Figure("shipped files", folder_bytes(target) / 2**20, 48, "MiB", at_most=True),
    ]
    facts = _facts(work, art)
    write_atomic(target / "report.json", json.dumps({"schema": 1, **facts, "figures": _rows(figures)}, indent=2) + "\n")
    write_atomic(target / "report.md", _markdown(figures, facts))
    _write_sheet(drawn, sheet)
    print(_markdown(figures, facts))
    return figures


@torch.no_grad()
def decoded(vae: Any, latents: Tensor) -> Tensor:
    """Pixels (N, 3, 64, 64) in −1…1 of scaled latents."""
    scale = vae.config.scaling_factor
    return torch.cat([vae.decode(part / scale).sample.clamp(-1, 1) for part in torch.split(latents, 64)])


def _followed(vae: Any, drawn: Tensor, latents: KnownLatents, art: Artwork, picked: Tensor) -> float:
    pixels = ((drawn + 1) * 127.5).round().to(torch.uint8)
    mean, _ = autoencoder.encode(vae, pixels)
    return 100 * measure.share_in_top_5(mean * vae.config.scaling_factor, latents, art, picked)


def _styled(drawn: Tensor, art: Artwork, latents: KnownLatents, picked: Tensor) -> float:
    wanted = [STYLES[int(style)] for style in art.style[latents.rows[picked]]]
    found = classifier.styles_of(classifier.load_classifier(), drawn)
    return 100 * sum(a == b for a, b in zip(wanted, found, strict=True)) / len(wanted)


def _facts(work: Path, art: Artwork) -> dict[str, Any]:
    vae, unet = (
        torch.load(work / name, weights_only=True, map_location="cpu")["pace"] for name in ("vae.pt", "unet.pt")
    )
    return {
        "concepts": sum(concept.known for concept in art.concepts),
        "styles": list(BASE_STYLES),
        "held_out_concepts": sum(concept.held_out for concept in art.concepts),
        "vae": {
            "steps": vae["step"],
            "minutes": round(vae["seconds"] / 60, 1),
            "images_seen": vae["step"] * autoencoder.BATCH,
        },
        "unet": {
            "steps": unet["step"],
            "minutes": round(unet["seconds"] / 60, 1),
            "images_seen": unet["step"] * PICTURES * DRAWS,
        },
        "sampling": {"steps": measure.STEPS, "guidance": GUIDANCE, "seeds": f"0…{PROMPTS - 1}"},
        "machine": f"{platform.machine()}, torch {torch.__version__}",
    }


def _rows(figures: list[Figure]) -> list[dict[str, Any]]:
    return [{**asdict(figure), "value": round(figure.value, 2), "reached": figure.reached} for figure in figures]


def _markdown(figures: list[Figure], facts: dict[str, Any]) -> str:
    lines = ["| figure | measured | bar | reached |", "|---|---|---|---|"]
    lines += [
        f"| {figure.name} | {figure.value:.1f} {figure.unit} | {'≤' if figure.at_most else '≥'} {figure.bar:g} "
        f"| {'yes' if figure.reached else 'no'} |"
        for figure in figures
    ]
    trained = [
        f"{part}: {facts[part]['steps']} steps, {facts[part]['images_seen']} images seen, {facts[part]['minutes']} minutes"
        for part in ("vae", "unet")
    ]
    return "\n".join(
        [*lines, "", f"{facts['concepts']} emoji in {len(facts['styles'])} styles. {'. '.join(trained)}.", ""]
    )


def _write_sheet(drawn: Tensor, target: Path) -> None:
    from PIL import Image

    rows = len(drawn) // SHEET_COLUMNS
    grid = drawn[: rows * SHEET_COLUMNS].reshape(rows, SHEET_COLUMNS, 3, 64, 64).permute(0, 3, 1, 4, 2)
    pixels = ((grid + 1) * 127.5).round().to(torch.uint8).reshape(rows * 64, SHEET_COLUMNS * 64, 3).numpy()
    with open_atomic(target) as stream:
        Image.fromarray(pixels).save(stream, "PNG", optimize=True)
