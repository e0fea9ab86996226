"""The figures of docs/methods.md are what a plan counts for the published sizes of Stable Diffusion 1.5 and XL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sdtui.models.configs import read_config
from sdtui.profile.memory import estimate
from sdtui.profile.planned_files import run_files
from sdtui.profile.schema import Profile
from sdtui.profile.size import trained

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"
SD1 = {part: read_config("sd1", part) for part in ("unet", "vae", "text_encoder")}
SDXL = {part: read_config("sdxl", part) for part in ("unet", "vae", "text_encoder", "text_encoder_2")}
CONVOLUTIONS = ["attention", "feed-forward", "projection", "convolution"]
FULL: dict[str, Any] = {"method": {"kind": "full"}, "training": {"gradient_checkpointing": True}}
EIGHT: dict[str, Any] = {**FULL, "optimizer": {"name": "adamw8bit"}}
FUSED: dict[str, Any] = {
    **EIGHT, "training": {"gradient_checkpointing": True, "fused_backward": True, "clip_norm": 0},
}  # fmt: skip
WORD = [{"name": "zwx", "init": "cat", "vectors": 1}]
ADAPTERS: dict[str, dict[str, Any]] = {
    "LoRA": {"rank": 16},
    "LoCon": {"rank": 16, "targets": CONVOLUTIONS},
    "DoRA": {"rank": 16, "weight_decompose": True},
    "LoHa": {"algorithm": "loha", "rank": 8},
    "LoKr": {"algorithm": "lokr", "rank": 16},
    "(IA)³": {"algorithm": "ia3"},
    "OFT": {"algorithm": "oft", "rank": 16},
    "BOFT": {"algorithm": "boft", "rank": 16},
    "full difference": {"algorithm": "full"},
    "textual inversion": {"kind": "textual-inversion", "words": WORD},
    "pivotal tuning": {"rank": 16, "words": WORD},
}


def cells(method: str) -> tuple[str, str]:
    """A row's file and memory."""
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {method} |") and "/" in line)
    return row.split("|")[2].strip(), row.split("|")[3].strip()


def counted(sections: dict[str, Any], parts: dict[str, Any], side: int) -> tuple[float, float]:
    """Bytes of the first finished file and of the GPU's memory."""
    training = {"steps": 1, "device": "cuda", "precision": "bf16", **sections.get("training", {})}
    common = {"model": {"base": "/none"}, "dataset": {"resolution": side}, "saving": {"precision": "fp16"}}
    profile = Profile.model_validate({**common, **sections, "training": training})
    memory = estimate(profile, [(side, side)], parts)
    file = next(
        each for each in run_files(profile, 1, 1, trained(profile, parts), parts) if each.path.startswith("output/")
    )
    assert memory is not None
    assert file.bytes_each is not None
    return file.bytes_each, memory.bytes


def figures(text: str) -> list[float]:
    """The numbers of `12.5 MB / 1.2 GB`, in bytes; a unit holds for the number before it, too."""
    units = {"KB": 1e3, "MB": 1e6, "GB": 1e9}
    found = re.findall(r"\b([\d.]+)\s*(KB|MB|GB)?", text)
    last = next(unit for _, unit in reversed(found) if unit)
    return [float(number) * units[unit or last] for number, unit in found]


def same(told: float, bytes_counted: float) -> bool:
    """Whether `told` is the figure as it is rounded on the page, to two digits or better."""
    return abs(told - bytes_counted) <= 0.05 * bytes_counted


@pytest.mark.parametrize("method", ADAPTERS)
def test_an_adapters_row_is_what_a_plan_counts(method: str) -> None:
    file, memory = cells(method)
    sd1, sdxl = (counted({"method": ADAPTERS[method]}, parts, side) for parts, side in ((SD1, 512), (SDXL, 1024)))
    assert [same(*pair) for pair in zip(figures(memory), (sd1[1], sdxl[1]), strict=True)] == [True, True], memory
    if "vector" not in file:
        assert [same(*pair) for pair in zip(figures(file), (sd1[0], sdxl[0]), strict=True)] == [True, True], file


def test_the_whole_models_row_is_what_a_plan_counts() -> None:
    file, memory = cells("full fine-tuning")
    told = [figures(each) for each in memory.split(";")]
    for (sd1, sdxl), sections in zip(told, (FULL, EIGHT, FUSED), strict=True):
        assert same(sd1, counted(sections, SD1, 512)[1])
        assert same(sdxl, counted(sections, SDXL, 1024)[1])
    sizes = [counted(FULL, SD1, 512)[0], counted(FULL, SDXL, 1024)[0]]
    assert [same(*pair) for pair in zip(figures(file), sizes, strict=True)] == [True, True]
