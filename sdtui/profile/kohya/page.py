"""The documentation's page: what to run, what differs on purpose, and the table of every option."""

from __future__ import annotations

from sdtui.profile.kohya.lacking import LACKING
from sdtui.profile.kohya.option import Option
from sdtui.profile.kohya.options import GROUPS

_INTRODUCTION = """\
# Coming from kohya

This page is made by `python -m sdtui.profile.kohya` from the table that `sdtui import kohya` and `sdtui export kohya` read.

```sh
sdtui import kohya lora_config.toml -o lora.toml                          # sd-scripts' --config_file
sdtui import kohya lora_config.toml --dataset dataset.toml -o lora.toml   # with the dataset TOML named here
sdtui import kohya my_preset.json -o lora.toml                            # what kohya_ss saved
sdtui import kohya dataset.toml -o lora.toml                              # a dataset alone; fill in the rest
sdtui check lora.toml
sdtui export kohya lora.toml -o kohya                                     # and back: config.toml, dataset.toml, prompts
```

Each value of the new profile stands beside the option it comes from. Where the file is silent and kohya's default is not
sdtui's, kohya's is written out (`alpha = 1.0`, `caption_extension .caption`, 1600 steps, a file in fp32), so that the profile
trains what the file trained. At its end it lists the options that have no setting, by reason, and names that no kohya script
knows, with the nearest that one does: `nework_alpha = 64` has been training with alpha 1 for as long as the file exists.

Relative paths start at the folder of the file that is imported. `sdtui new lora` and the ready profiles in `profiles/`
(`lora-city-photos.toml` is the classic guide with three folders and Adafactor) are the way in for those who start afresh.

## What differs on purpose

The imported profile keeps kohya's way wherever a setting can say it. What no setting says is different here:

* **Photos stand upright.** The orientation that a camera notes in a file (EXIF) is followed. sd-scripts ignores it and trains
  such photos lying on their side.
* **Transparency gets a colour.** Transparent pixels are laid on `dataset.background` (white); sd-scripts drops the alpha
  channel, and whatever colour happens to be under it comes out.
* **No image is left out of a small bucket.** Batches are made of one bucket and may be smaller at its end, as in sd-scripts;
  the gradient is the mean over the images of a step, so an image in a small batch counts no more than one in a full batch.
* **Buckets may be chosen better.** `compat`, which an import writes, chooses a bucket as sd-scripts does. `log` compares
  shapes by their logarithm: an upright image and the same image lying land in mirrored buckets, and less is cropped.
* **A resolution is one side.** With buckets only its area counts, and `768,512` becomes the side that makes the same buckets,
  628. Without buckets sd-scripts crops every image to 768 × 512; here that is the square with about as many pixels, 624 × 624,
  and the import says so.
* **Every step sees a fresh sample.** The cache holds the mean and deviation of an image's latent, and each step draws from it.
  sd-scripts caches one sample for the whole run. Cropping and colour work with the cache.
* **A run resumes exactly.** Every checkpoint holds everything; `sdtui resume` arrives at the same weights, bit for bit, as if
  nothing had happened. There is no `--save_state` to forget.
* **Captions are `.txt`** unless the profile says otherwise. sd-scripts looks for `.caption` unless told, finds none, and trains
  on folder names. A profile that was imported says what the file said, `.caption` included.
* **A caption may have several lines.** `captions.lines = "join"` reads them all; an import writes `first` (or `random` beside
  wildcards), which is what sd-scripts reads.
* **A missing caption stops the run before it starts**, unless `captions.on_missing = "empty"`, which an import writes.
* **Steps are steps**, whatever the number of processes; sd-scripts' schedules run faster with more.
* **A misspelt option is an error**, with the nearest one there is.

## Every option

All options of `train_network.py`, what a dataset TOML may hold, `network_args`, and the fields of kohya_ss. "As it is" means
that the value is taken over; a reason stands where there is no setting.
"""

_LACKING = """\
## What kohya does not have

`sdtui export kohya` tells of each of these that a profile sets.

| setting | |
|---|---|
"""


def markdown() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for title, options in GROUPS.items():
        parts.append(f"### {title}\n\n| kohya | default | sdtui | |\n|---|---|---|---|\n" + "".join(map(_row, options)))
    rows = "".join(f"| `{key}` | {reason} |\n" for key, reason in LACKING.items())
    return "\n".join([*parts, _LACKING + rows])


def _row(option: Option) -> str:
    name = f"`{option.name}`" + (f" (kohya_ss: `{option.gui}`)" if option.gui else "")
    default = "" if option.default in (None, "") else f"`{str(option.default).lower()}`"
    keys = [*option.keys, *([f"dataset.folders[].{option.folder}"] if option.folder else [])]
    shown = ", ".join(f"`{key}`" for key in keys) or "–"
    how = option.text or ("as it is" if option.keys else "")
    return f"| {name} | {default} | {shown} | {how} |\n".replace("|  |", "| |")
