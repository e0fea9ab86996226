"""kohya's subsets as folders of images: what all have in common goes to [captions], [augment] and [dataset]."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from sdtui.profile.kohya.draft import Draft
from sdtui.profile.kohya.option import Option
from sdtui.profile.kohya.options import OPTIONS
from sdtui.profile.kohya.sizes import (
    DEFAULT,
    Size,
    side_with_buckets,
    side_without_buckets,
    side_without_enlarging,
    size_of,
)
from sdtui.profile.kohya.source import Given, Source, Subset, Table

# kohya turns the hue by up to 8 of 180 parts, or raises the pixels (0…255) to the power of 0.95…1.05: 128 ** 0.05 is 1.27.
COLOUR = {"augment.brightness": 0.25, "augment.hue": 0.044}
_ONE_FOR_ALL = [
    "caption_extension",
    "caption_separator",
    "keep_tokens_separator",
    "secondary_separator",
    "token_warmup_min",
    "token_warmup_step",
    "caption_dropout_every_n_epochs",
]
_DATASET_WIDE = ["prior_loss_weight", "validation_split", "validation_seed"]
_PER_DATASET = ("resolution", "batch_size")
_LIMITS = ("bucket_reso_steps", "min_bucket_reso", "max_bucket_reso")
_STEP = 8


class Row(NamedTuple):
    """A folder to be: its subset, and the resolutions of the datasets that hold it."""

    subset: Subset
    layout: str
    sizes: tuple[Size, ...]


def take(draft: Draft) -> None:
    """All that concerns images and captions."""
    rows = _rows(draft)
    _resolution(draft, rows)
    for name in _ONE_FOR_ALL:
        _one_for_all(draft, name, rows)
    for name in ("flip_aug", "random_crop", "shuffle_caption", "keep_tokens", "enable_wildcard", "caption_prefix",
                 "caption_suffix", "caption_dropout_rate", "caption_tag_dropout_rate"):  # fmt: skip
        _shared(draft, name, rows)
    _colour(draft, rows)
    _lines(draft, rows)
    for name in _DATASET_WIDE:
        _one_for_all(draft, name, rows)
    _batch_size(draft, _first(rows))
    for index, row in enumerate(rows):
        _folder(draft, f"dataset.folders[{index}]", row)
    if rows:
        draft.put("captions.on_missing", "empty", note="kohya trains images without a caption, too")
    draft.used.add("dataset_config")


def _first(rows: list[Row]) -> Subset | None:
    return rows[0].subset if rows else None


def _rows(draft: Draft) -> list[Row]:
    """The subsets; those of the same images in several datasets are one, at several resolutions."""
    source = draft.source
    if source.subsets is None:
        named = [("train_data_dir", "kohya"), ("image_folder", "flat"), ("reg_data_dir", "kohya")]
        return [
            Row(Subset({"image_dir": found, **_regularization(name == "reg_data_dir")}, {}), layout, ())
            for name, layout in named
            if (found := source.given(name)) is not None and found.value
        ]
    for name in ("train_data_dir", "reg_data_dir"):
        draft.leave(name, "kohya ignores it beside a dataset TOML")
    rows: list[Row] = []
    for subset in source.subsets:
        if source.given("image_dir", subset) is None:
            draft.leave("metadata_file", OPTIONS["metadata_file"].text, subset)
            draft.warnings.append("a subset without image_dir is left out: captions are read from files beside images")
            continue
        size = size_of(draft, subset) or DEFAULT
        twin = next((i for i, row in enumerate(rows) if _alike(row.subset, subset)), None)
        if twin is None:
            rows.append(Row(subset, "flat", (size,)))
        elif size.area not in {other.area for other in rows[twin].sizes}:
            rows[twin] = rows[twin]._replace(sizes=(*rows[twin].sizes, size))
        else:
            rows.append(Row(subset, "flat", (size,)))
    return rows


def _regularization(is_reg: bool) -> Table:
    return {"is_reg": Given("reg_data_dir", True, value=True)} if is_reg else {}


def _alike(left: Subset, right: Subset) -> bool:
    """The same images, treated the same but for the resolution."""

    def values(table: Table) -> dict[str, Any]:
        return {name: found.value for name, found in table.items() if name not in _PER_DATASET}

    return [values(table) for table in left] == [values(table) for table in right]


def _resolution(draft: Draft, rows: list[Row]) -> None:
    """Buckets, their limits, and the resolutions that make the same of them."""
    source, first = draft.source, _first(rows)
    for name in ("enable_bucket", *_LIMITS):
        _warn_of_several(draft, name, [source.value(name, row.subset) for row in rows])
    bucketed = source.value("enable_bucket", first)
    draft.put("dataset.buckets", "compat" if bucketed else "none", "enable_bucket",
              note="log is better" if bucketed else "", subset=first)  # fmt: skip
    asked = [size_of(draft, row.subset) for row in rows] or [size_of(draft, None)]
    if not any(asked):
        draft.warnings.append("no resolution: kohya would stop, here it is 512")
    sizes = dict.fromkeys([size for row in rows for size in row.sizes] or [size_of(draft, None) or DEFAULT])
    sides = _sides(draft, first, list(sizes), bucketed=bucketed)
    if bucketed:
        _one_for_all(draft, "bucket_no_upscale", rows)
    common = _common_sizes(rows)
    main, *more = [sides[size] for size in common] if common else [sides[next(iter(sizes))]]
    draft.put("dataset.resolution", main, "resolution", subset=first)
    if more:
        draft.put("dataset.more_resolutions", more, "resolution", subset=first)
    for index, row in enumerate(rows):
        own = [sides[size] for size in row.sizes]
        if own and own != [main, *more]:
            draft.put(f"dataset.folders[{index}].resolutions", own, "resolution", subset=row.subset)


def _sides(draft: Draft, first: Subset | None, sizes: list[Size], *, bucketed: bool) -> dict[Size, int]:
    """Each size's one side; and the buckets' step and limits, which fit them."""
    if not bucketed:
        for name in (*_LIMITS, "bucket_no_upscale"):
            draft.leave(name, "there are no buckets without enable_bucket", first)
        sides = {size: side_without_buckets(draft, size) for size in sizes}
        if any(side % 64 for side in sides.values()):
            draft.put("dataset.bucket_step", _STEP, note="lets the resolution be a multiple of 8")
        return sides
    step = _step(draft, first, math.isqrt(min(size.area for size in sizes)))
    shortest, longest = (draft.source.value(name, first) for name in _LIMITS[1:])
    if draft.source.value("bucket_no_upscale", first):
        for name in _LIMITS[1:]:
            draft.leave(name, "kohya has no limits with bucket_no_upscale, nor has compat", first)
        return {size: side_without_enlarging(draft, size) for size in sizes}
    sides = {size: side_with_buckets(draft, size, step, shortest, longest) for size in sizes}
    low, high = min(shortest, *sides.values()), max(longest, *sides.values())
    # Within one step kohya moves the limits itself.
    if low < shortest // step * step:
        draft.warnings.append(
            f"min_bucket_reso {shortest}: kohya stops below it; the resolution {low} is the limit here"
        )
    if high > math.ceil(longest / step) * step:
        draft.warnings.append(
            f"max_bucket_reso {longest}: kohya stops above it; the resolution {high} is the limit here"
        )
    draft.put("dataset.bucket_min", low, "min_bucket_reso", subset=first)
    draft.put("dataset.bucket_max", high, "max_bucket_reso", subset=first)
    return sides


def _common_sizes(rows: list[Row]) -> tuple[Size, ...]:
    """The resolutions that all folders have, if they are the same."""
    return rows[0].sizes if rows and all(row.sizes == rows[0].sizes for row in rows) else ()


def _step(draft: Draft, first: Subset | None, shortest: int) -> int:
    """The buckets' step, of which the square has to be one at least."""
    asked: int = draft.source.value("bucket_reso_steps", first)
    step = min(max(round(asked / _STEP) * _STEP, _STEP), 256)
    if step != asked:
        draft.warnings.append(f"bucket_reso_steps {asked}: sides are multiples of 8 here, the step becomes {step}")
    if step > shortest:
        draft.warnings.append(f"bucket_reso_steps {step} is above the resolution {shortest}: it becomes {_STEP}")
        step = _STEP
    draft.put("dataset.bucket_step", step, "bucket_reso_steps", subset=first)
    return step


def _warn_of_several(draft: Draft, name: str, values: Iterable[Any]) -> None:
    if len(set(map(str, values))) > 1:
        draft.warnings.append(f"{name} differs between datasets or subsets: the first's counts for all")


def _batch_size(draft: Draft, first: Subset | None) -> None:
    """One for all datasets; one that names none has the file's own."""
    source = draft.source

    def of(subset: Subset | None) -> Any:
        return source.value("batch_size" if source.given("batch_size", subset) else "train_batch_size", subset)

    # Of all subsets: a row may stand for several that differ in it.
    _warn_of_several(draft, "batch_size", map(of, source.subsets or ()))
    if source.given("batch_size", first):
        draft.put("training.batch_size", of(first), "batch_size", subset=first)


def _one_for_all(draft: Draft, name: str, rows: list[Row]) -> None:
    """A setting that folders do not have for themselves."""
    option, source = OPTIONS[name], draft.source
    assert option.codec is not None
    _warn_of_several(draft, name, [source.value(name, row.subset) for row in rows])
    value = source.value(name, _first(rows))
    if name == "caption_extension" and source.value("caption_extention"):
        value = source.value("caption_extention")
        draft.put("captions.extension", value, "caption_extention")
        draft.used.add(name)
        return
    draft.put(option.keys[0], option.codec.read(value), name, subset=_first(rows))


def _base(source: Source, option: Option, rows: list[Row]) -> Any:
    """What holds for a folder that says nothing: the file's own, else what all folders agree on, else kohya's default."""
    above = source.general.get(option.name) or source.options.get(option.name)
    if above is not None:
        return source.value(option.name)
    values = [source.value(option.name, row.subset) for row in rows]
    return values[0] if values and all(value == values[0] for value in values) else option.default


def _shared(draft: Draft, name: str, rows: list[Row]) -> None:
    """A setting for all, and for each folder that differs from it."""
    option = OPTIONS[name]
    assert option.codec is not None
    base = _base(draft.source, option, rows)
    agreed = next((row.subset for row in rows if draft.source.value(name, row.subset) == base), None)
    draft.put(option.keys[0], option.codec.read(base), name, subset=agreed)
    for index, row in enumerate(rows):
        value = draft.source.value(name, row.subset)
        if value != base:
            key = f"dataset.folders[{index}].{option.folder}"
            draft.put(key, option.codec.read(value), name, subset=row.subset)


def _colour(draft: Draft, rows: list[Row]) -> None:
    option = OPTIONS["color_aug"]
    base = _base(draft.source, option, rows)
    for key, strength in COLOUR.items():
        draft.put(key, strength if base else 0.0, option.name, subset=_first(rows))
        for index, row in enumerate(rows):
            value = draft.source.value(option.name, row.subset)
            if value != base:
                own = f"dataset.folders[{index}].{key.replace('.', '_')}"
                draft.put(own, strength if value else 0.0, option.name, subset=row.subset)
    if base or any(draft.source.value(option.name, row.subset) for row in rows):
        draft.warnings.append("color_aug: the strengths are the ends of kohya's ranges; it changes one image in three")


def _lines(draft: Draft, rows: list[Row]) -> None:
    """With wildcards kohya draws a line, without it reads the first."""
    chosen = {bool(draft.source.value("enable_wildcard", row.subset)) for row in rows}
    chosen = chosen or {bool(draft.source.value("enable_wildcard"))}
    lines = "random" if True in chosen else "first"
    note = "kohya draws a line with enable_wildcard" if lines == "random" else "kohya reads the first line"
    draft.put("captions.lines", lines, note=note)
    if len(chosen) > 1:
        draft.warnings.append("enable_wildcard differs between subsets: captions.lines is random for all")


def _folder(draft: Draft, key: str, row: Row) -> None:
    """One [[dataset.folders]] table."""
    source, subset = draft.source, row.subset
    draft.put(f"{key}.path", draft.place(source.value("image_dir", subset), f"{key}.path"), "image_dir", subset=subset)
    for name in ("train_data_dir", "reg_data_dir", "image_folder"):
        draft.used.add(name)
    if row.layout == "kohya":
        draft.put(f"{key}.layout", "kohya", note="<repeats>_<class tokens>")
    else:
        draft.put(f"{key}.layout", "flat", note="kohya reads the images in it and no folders")
    own = source.given("num_repeats", subset) is not None or row.layout == "kohya"
    counted = "num_repeats" if own else "dataset_repeats"
    draft.put(f"{key}.repeats", source.value(counted, subset), counted, subset=subset)
    for name in ("class_tokens", "is_reg", "alpha_mask"):
        option = OPTIONS[name]
        assert option.codec is not None
        draft.put(option.keys[0].replace("[]", key[len("dataset.folders") :]), option.codec.read(source.value(name, subset)),
                  name, subset=subset)  # fmt: skip
    masks = source.value("conditioning_data_dir", subset)
    if masks:
        draft.put(
            f"{key}.masks", draft.place(masks, f"{key}.masks"), "conditioning_data_dir", "masked_loss", subset=subset
        )
