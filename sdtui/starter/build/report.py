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
from sdtui.starter.build import autoencoder, classify, denoiser, measure, tagger, trial, vocabulary
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

PROMPTS = 100
GUIDANCE = 4.0
SHEET_COLUMNS = 10
COMMAND = "python -m sdtui.starter.build --work WORK report"


@dataclass(frozen=True)
class Figure:
    """One measured figure and the bar it is held to; `at_most` says that lower is better."""

    name: str
    value: float
    bar: float
    unit: str
    at_most: bool = False

    @property
    def text(self) -> str:
        """The value with its unit; a share of 1 needs a second digit."""
        return f"{self.value:.1f} {self.unit}" if self.unit else f"{self.value:.2f}"

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
    demo = trial.try_demo()
    precisions = tagger.held_out_precisions(work, target / "tagger")
    figures = [
        Figure("autoencoder, mean PSNR of held-out pictures", autoencoder.held_out_psnr(vae, art), 24, "dB"),
        Figure("prompt following, wanted name in the top 5", _followed(vae, drawn, latents, art, picked), 60, "%"),
        Figure("style following, style word decides", _styled(drawn, art, latents, picked), 90, "%"),
        Figure(f"{NEW_STYLE} style before the demo", demo.before, 10, "% of 32 seeds", at_most=True),
        Figure(f"{NEW_STYLE} style after the demo", demo.after, 80, "% of 32 seeds"),
        Figure("the demo's run", demo.seconds / 60, 3, "minutes", at_most=True),
        Figure("tagger, mean average precision on held-out emoji", _mean(_keywords(precisions)), 0.5, ""),
        Figure("shipped files", folder_bytes(target) / 2**20, 48, "MiB", at_most=True),
    ]
    facts = {
        **_facts(work, art),
        "load before the demo": round(demo.load, 1),
        "tagger": _tagger_facts(precisions, tagger.candidate_precisions(work)),
    }
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
        "sampling": {"sampler": "DDIM", "steps": measure.STEPS, "guidance": GUIDANCE},
        "seeds": {
            "vae": autoencoder.SEED,
            "unet": denoiser.SEED,
            "classifier": classify.SEED,
            "tagger": tagger.SEED,
            "prompts": f"0 to {PROMPTS - 1}",
            "demo": f"{trial.FIRST_SEED} to {trial.FIRST_SEED + trial.SEEDS - 1}",
        },
        "command": COMMAND,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
    }


def _keywords(precisions: dict[str, float]) -> dict[str, float]:
    """Without colours and styles, which are easier: the bar is about what emoji show."""
    easy = {name.replace(" ", "_") for name in (*vocabulary.COLOURS, *vocabulary.STYLE_TAGS)}
    return {name: value for name, value in precisions.items() if name not in easy}


def _others(precisions: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in precisions.items() if name not in _keywords(precisions)}


def _mean(precisions: dict[str, float]) -> float:
    return sum(precisions.values()) / len(precisions)


def _tagger_facts(precisions: dict[str, float], tried: dict[str, float]) -> dict[str, Any]:
    tried = {name.replace(" ", "_"): value for name, value in tried.items()}
    return {
        "mean_average_precision": {
            "keywords": round(_mean(_keywords(precisions)), 3),
            "colours and styles": round(_mean(_others(precisions)), 3),
            "keywords, with those left out": round(_mean(_keywords(tried)), 3),
        },
        "keywords": {"shipped and measured": len(_keywords(precisions)), "tried and measured": len(_keywords(tried))},
        "average_precision": {name: round(value, 3) for name, value in precisions.items()},
    }


def _rows(figures: list[Figure]) -> list[dict[str, Any]]:
    return [{**asdict(figure), "value": round(figure.value, 2), "reached": figure.reached} for figure in figures]


def _markdown(figures: list[Figure], facts: dict[str, Any]) -> str:
    lines = ["| figure | measured | bar | reached |", "|---|---|---|---|"]
    lines += [
        f"| {figure.name} | {figure.text} | {'≤' if figure.at_most else '≥'} {figure.bar:g} "
        f"| {'yes' if figure.reached else 'no'} |"
        for figure in figures
    ]
    trained = [
        f"{part}: {facts[part]['steps']} steps, {facts[part]['images_seen']} images seen, {facts[part]['minutes']} minutes"
        for part in ("vae", "unet")
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"{facts['concepts']} emoji in {len(facts['styles'])} styles. {'. '.join(trained)}.",
            f"The demo ran on {facts['machine']}; the load average before it was {facts['load before the demo']}.",
            f"Measured by `{facts['command']}`; seeds and every tag's precision are in `report.json`.",
            "",
        ]
    )


def _write_sheet(drawn: Tensor, target: Path) -> None:
    from PIL import Image

    rows = len(drawn) // SHEET_COLUMNS
    grid = drawn[: rows * SHEET_COLUMNS].reshape(rows, SHEET_COLUMNS, 3, 64, 64).permute(0, 3, 1, 4, 2)
    pixels = ((grid + 1) * 127.5).round().to(torch.uint8).reshape(rows * 64, SHEET_COLUMNS * 64, 3).numpy()
    with open_atomic(target) as stream:
        Image.fromarray(pixels).save(stream, "PNG", optimize=True)
