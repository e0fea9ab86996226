"""What a run will write, counted before it starts: kinds of files, how many of each at most, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sdtui.paths import cache_dir
from sdtui.profile.memory import text_values, vae_values
from sdtui.profile.naming import Output, outputs
from sdtui.profile.prompt_line import is_comment, parse_prompt_line
from sdtui.profile.schema import Profile
from sdtui.profile.size import BYTES, METADATA, Parts, Trained, folder_parts, text_width, unet_values, word_values
from sdtui.profile.surveyed import Survey

# PNG files of pictures take about this much a pixel.
_PREVIEW_BYTES = 1.6
# A picture that is an embedding: the picture, and each value as text and once more in pixels.
_CARD, _WRITTEN = 12_000, 40
# Mean and spread of four channels in fp32, one value for 8 × 8 pixels.
_LATENT_BYTES = 2 * 4 * 4 / 64


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One kind of file the run leaves: where in the run's folder, how many at most, bytes each (None: not known)."""

    path: str
    count: int
    bytes_each: int | None

    @property
    def bytes(self) -> int | None:
        """Bytes of all of them."""
        return None if self.bytes_each is None else self.count * self.bytes_each


def run_files(
    profile: Profile, steps: int, steps_per_epoch: int, values: Trained | None, parts: Parts | None
) -> tuple[PlannedFile, ...]:
    """What lies in the run's folder at its end: the results, checkpoints and previews, as far as there will be any."""
    previews = profile.previews
    output = _output_bytes(profile, values, parts)
    state = values.state_bytes(averaged=bool(profile.training.ema_decay)) if values else None
    words = word_values(profile.method, folder_parts(profile) if parts is None else parts) or {}
    if state and profile.method.kind != "full":
        # What is usable as it is.
        state += (output or 0) + sum(map(_word_bytes, words.values()))
    # Before the first step if wanted, every so many steps, and in any case at the end.
    planned = times(steps - 1, previews.every, previews.every_epochs * steps_per_epoch)
    sets = previews.at_start + planned + 1
    sizes = [_preview_bytes(profile, line) for line in previews.prompts if not is_comment(line)]
    files = [
        *(_planned(each, output, words) for each in outputs(profile)),
        PlannedFile("checkpoints/step-*", _checkpoints(profile, steps, steps_per_epoch), state),
        PlannedFile("previews/step-*/*.png", sets * len(sizes), sum(sizes) // max(1, len(sizes))),
    ]
    return tuple(file for file in files if file.count)


def caches(profile: Profile, survey: Survey, parts: Parts | None) -> tuple[PlannedFile, ...]:
    """Latents of the images, and what a text encoder that is not trained says of their captions."""
    latents = round(survey.pixels * _LATENT_BYTES / max(1, survey.encoded))
    width = text_width(profile, parts)
    text = None if width is None else 4 * width * (profile.captions.max_tokens + 2)
    found = [PlannedFile(str(cache_dir() / "latents"), survey.encoded, latents)]
    if not (profile.method.text_encoder or profile.method.words):
        # In a caption without the trigger the class words stand alone, the same for all of them.
        classes = (survey.captions if profile.prior.trigger else 1) if profile.prior.keeps_class else 0
        texts = survey.captions + classes if survey.captions else 0
        found.append(PlannedFile(str(cache_dir() / "texts"), texts, text))
    side = profile.dataset.resolution
    found.append(PlannedFile("class images", survey.generated, round(side * side * _PREVIEW_BYTES)))
    return tuple(cache for cache in found if cache.count)


def times(steps: int, first: int, second: int) -> int:
    """How many of so many steps are a multiple of either; 0 has none."""
    both = math.lcm(first, second)
    return sum(steps // every for every in (first, second) if every) - (steps // both if both else 0)


def _planned(output: Output, size: int | None, words: Mapping[str, int]) -> PlannedFile:
    """A finished file: of what `size` is known of, or of a word."""
    if output.result:
        values = words.get(output.result)
        size = (
            None
            if values is None
            else _word_bytes(values) + (_CARD + values * _WRITTEN if "webui-" in output.layout else 0)
        )
    return PlannedFile(f"output/{output.path}", 1, size)


def _output_bytes(profile: Profile, values: Trained | None, parts: Parts | None) -> int | None:
    """Of a finished file: the adapter, or the whole model with its VAE."""
    precision = profile.saving.precision
    if values is None or profile.method.kind == "textual-inversion":
        return None
    if profile.method.kind == "lora":
        return values.adapter_bytes(precision)
    found = folder_parts(profile) if parts is None else parts
    unet, text, vae = unet_values(profile, parts), text_values(found), vae_values(found.get("vae", {}))
    return (unet + text + vae) * BYTES[precision] if unet and text and vae else None


def _checkpoints(profile: Profile, steps: int, steps_per_epoch: int) -> int:
    """How many are kept at most: the newest few of those that will be made (by the clock: as many as may be kept)."""
    saving = profile.saving
    if saving.every_minutes:
        return saving.keep_last
    return min(times(steps, saving.every_steps, saving.every_epochs * steps_per_epoch), saving.keep_last)


def _word_bytes(values: int) -> int:
    """An embedding file: its values in fp32, and metadata."""
    return 4 * values + METADATA


def _preview_bytes(profile: Profile, line: str) -> int:
    shown = parse_prompt_line(line)
    side = profile.dataset.resolution
    return round((shown.width or side) * (shown.height or side) * _PREVIEW_BYTES)
