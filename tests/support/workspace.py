"""A small workspace as a user has it: a base model, a folder of captioned pictures, a profile."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from tests.support.tiny import tiny_pipeline

PROFILE = """\
# My first character: comments must survive every edit.
schema = 1
name = "tiny"

[model]
base = "model"

[method]
rank = 4      # small on purpose
alpha = 4.0

[dataset]
resolution = 64
bucket_step = 64
bucket_min = 64
bucket_max = 64

[[dataset.folders]]
path = "images"

[training]
steps = {steps}
seed = 7
threads = 1   # a second thread beside a busy core can cost a hundredfold

[previews]
every = {previews}
prompts = ["a red circle --w 64 --h 64 --s 2 --d 3"]

[saving]
every_steps = {checkpoints}
"""
COLOURS = ("red", "green", "blue", "orange", "purple", "black")


def make_workspace(folder: Path, *, steps: int = 12, previews: int = 0, checkpoints: int = 5) -> Path:
    """Fill `folder` with model/, images/ (six pictures of 64×64) and tiny.toml; returns the profile's path."""
    folder.mkdir(parents=True, exist_ok=True)
    tiny_pipeline(folder / "model")
    (folder / "images").mkdir()
    for colour in COLOURS:
        picture = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(picture).ellipse((10, 10, 54, 54), fill=colour)
        picture.save(folder / "images" / f"{colour}.png")
        (folder / "images" / f"{colour}.txt").write_text(f"circle, {colour}\n")
    profile = folder / "tiny.toml"
    profile.write_text(PROFILE.format(steps=steps, previews=previews, checkpoints=checkpoints))
    return profile
