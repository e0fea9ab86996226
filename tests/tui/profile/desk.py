"""A profile with a user's own layout, on a dataset of three pictures and a base model without values."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from sdtui.profile.document import ProfileDocument
from tests.support.hollow import hollow_pipeline

# Comments, odd spacing, both kinds of quotes, an order of its own, a number in another notation: all must survive.
TEXT = """\
# Medieval city, third try [do not touch].
schema = 1

[training]      # how long
  steps = 1_000   # ~20 min
batch_size=2

[method]
rank     = 16            # small
alpha    = 16.0
targets  = ["attention", 'projection']

[model]
base = 'model'

[[dataset.folders]]
path = "images"   # mine
repeats = 3

[[dataset.folders]]
path = 'more/city [night]'

[previews]
prompts = [
  "a tower --s 20",  # the first
  "a gate",
]

[saving]
every_steps = 100

# the end
"""


def make_desk(folder: Path, text: str = TEXT) -> Path:
    """Fill `folder` with city.toml, model/, images/ (two pictures) and more/ (one); returns the profile."""
    hollow_pipeline(folder / "model")
    night = folder / "more" / "city [night]"
    night.mkdir(parents=True)
    (folder / "images").mkdir()
    pictures = {folder / "images" / "a.png": "teal", folder / "images" / "b.png": "olive", night / "c.png": "navy"}
    for path, colour in pictures.items():
        Image.new("RGB", (512, 512), colour).save(path)
        path.with_suffix(".txt").write_text("city\n")
    profile = folder / "city.toml"
    profile.write_bytes(text.encode())
    return profile


def document_of(folder: Path, text: str = TEXT) -> ProfileDocument:
    """The same, opened."""
    return ProfileDocument.load(make_desk(folder, text))
