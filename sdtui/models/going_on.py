"""Whether an adapter's file can be gone on from, told from its header before a run starts.

The trainer refuses the same, but only when the base model was read. Without one only the file's own kind can be judged; beside
the base model's layers also names, tensors and shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.models.families import Family
from sdtui.models.original import UNET
from sdtui.models.weights import Contents, read_contents
from sdtui.profile.factors import FILE_NAMES, RANK_AXES, Shape, Site
from sdtui.profile.layer_names import BUNDLE, MAGNITUDES, split, stems
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Method, Profile
from sdtui.profile.size import added, trainable

KEY = "method.continue_from"
Held = dict[str, Shape]
"""Shapes of a layer's tensors, by the names behind the layer's own."""

Wrong = tuple[str, str]
"""What is wrong, and what to do."""

# Families by what kohya's and AI Toolkit's versions of the base model start with; others are of none of these.
_FAMILIES = {"sdxl": "sdxl", "sd_v2": "sd2", "sd_2": "sd2", "sd_v1": "sd1", "sd_1": "sd1"}
# Cores of Tucker's products, and of each the factors that it is multiplied into.
_CORES = {
    "lora_mid.weight": ("lora_down.weight", "lora_up.weight"),
    "hada_t1": ("hada_w1_a", "hada_w1_b"),
    "hada_t2": ("hada_w2_a", "hada_w2_b"),
    "lokr_t2": ("lokr_w2_a", "lokr_w2_b"),
}
# What scales the others, and of no shape that matters.
_ASIDE = {"alpha", "scalar", "rescale"}
# One in a file, by its type.
_ONES = {"F32": b"\0\0\x80?", "F16": b"\0<", "BF16": b"\x80?"}


def adapter_findings(profile: Profile) -> Iterator[Finding]:
    """What is wrong with the file itself; a missing one is told by the profile's own check."""
    path = Path(profile.method.continue_from)
    if not path.is_file():
        return
    try:
        contents = read_contents(path)
    except UserError as error:
        yield _told(f"{error.where}: {error.message}", error.remedy or "")
        return
    if contents.has(UNET):
        yield _told(f"{path.name} is a whole model, not an adapter", f"Set model.base to it, and leave {KEY} out")
    elif _is_embedding(contents):
        remedy = f"Name it as continue_from of a word, [[method.words]], and leave {KEY} out"
        yield _told(f"{path.name} is an embedding, not an adapter", remedy)
    elif any(name.endswith(".a1.weight") for name in contents.weights):
        yield _told(
            f"{path.name} is a GLoRA, which is neither trained nor worn here", "Merge it into its model elsewhere"
        )
    elif _is_stretched(contents):
        yield _told(
            f"{path.name} has rotations that are stretched (rescaled = true), which is neither trained nor worn here",
            "Merge it into its model elsewhere",
        )
    elif any(map(contents.has, ("lora_te", "text_encoder"))) and not profile.method.text_encoder:
        message = f"{path.name} holds layers of a text encoder, and method.text_encoder is false"
        yield _told(message, "Set method.text_encoder = true", "contradiction")


def fit_findings(profile: Profile, family: Family, configs: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """What of a file that is an adapter's does not fit the layers that the profile trains in its base model."""
    path = Path(profile.method.continue_from)
    if profile.method.kind != "lora" or not path.is_file() or any(adapter_findings(profile)):
        return
    parts = trainable(profile.method, configs)
    if not all(parts.values()):
        return  # of a kind that only diffusers can count
    sites = [site for part in parts.values() for site in part if added(profile.method, site)]
    places = {stem: site for site in sites for stem in stems(family.name, site.component, site.path)}
    found: dict[Site, Held] = {}
    strange = []
    contents = read_contents(path)
    for name, weight in contents.weights.items():
        stem, ending = split(name)
        if stem in places:
            found.setdefault(places[stem], {})[ending] = weight.shape
        elif not name.startswith(BUNDLE):
            strange.append(name)
    unfit = (wrong for site, held in found.items() if (wrong := _unfit(profile.method, site, held)))
    # One says enough: the others are of the same making.
    wrong = _strange(strange) if strange else next(unfit, None)
    if wrong is not None:
        yield _of_another_family(path, contents, family) or _told(f"{path.name}: {wrong[0]}", wrong[1])


def _told(message: str, remedy: str, code: str = "bad-model") -> Finding:
    return Finding(code, KEY, f"{KEY}: {message}", remedy)


def _is_embedding(contents: Contents) -> bool:
    """Names of an adapter's tensors have a layer's before the dot; an embedding has a few without."""
    return 0 < len(contents.weights) <= 4 and not any("." in name for name in contents.weights)


def _is_stretched(contents: Contents) -> bool:
    """Whether LyCORIS' factor of each output, which starts at 1, has another value anywhere."""
    for name, weight in contents.weights.items():
        if name.endswith(".rescale") and weight.dtype in _ONES:
            with contents.file(name).open("rb") as stream:
                stream.seek(weight.start)
                if stream.read(weight.bytes) != _ONES[weight.dtype] * prod(weight.shape):
                    return True
    return False


def _of_another_family(path: Path, contents: Contents, family: Family) -> Finding | None:
    """What to say where the file itself tells that it was made for another family."""
    told = contents.facts.get("ss_base_model_version", "")
    if not told or next((name for start, name in _FAMILIES.items() if told.startswith(start)), "") == family.name:
        return None
    message = f'{path.name} was made for another family of models ("{told}"), and the base model is {family.title}'
    return _told(message, "Choose the base model that it was made for, or another file")


def _strange(names: list[str]) -> Wrong:
    """What to say of tensors for none of the layers."""
    more = f" and {len(names) - 1} more are for layers that are" if len(names) > 1 else " is for a layer that is"
    remedy = "Set targets, include, exclude and text_encoder of [method] as they were when the file was made"
    return f"{names[0]}{more} not trained here", remedy


def _unfit(method: Method, site: Site, found: Held) -> Wrong | None:
    """The first thing about a layer's tensors that the profile's adapter has no place for."""
    name = f"{site.component}.{site.path}"
    wanted = {FILE_NAMES.get(part, part): shape for part, shape in added(method, site).items()}
    axes = {FILE_NAMES.get(part, part): axis for part, axis in RANK_AXES.items()}
    held, loose = _usual(found, wanted)
    expected = wanted.keys() | ({"on_input"} if method.algorithm == "ia3" and not site.norm else set())
    if held.keys() != expected:
        stored, trained = ", ".join(sorted(held)), ", ".join(sorted(expected))
        names = ["algorithm", "weight_decompose", "norms"]
        names += ["rank", "factor", "decompose_both", "full_matrix"] if method.algorithm == "lokr" else []
        remedy = f"Set {', '.join(names[:-1])} and {names[-1]} of [method] as they were when the file was made"
        return f"{name} holds {stored} in the file, and the profile trains {trained}", remedy
    for part, shape in wanted.items():
        if part not in loose and not _has_room(held[part], shape, axes.get(part)):
            message = f"{name}: {part} is {list(held[part])} in the file, and {list(shape)} by the profile"
            return message, (
                "Set rank, conv_rank and factor as they were when the file was made; smaller ranks are filled up. "
                "Other widths are those of another family of models"
            )
    return None


def _usual(found: Held, wanted: Held) -> tuple[Held, set[str]]:
    """The tensors as they are trained here, and those whose shapes only come about as they are multiplied out."""
    held = {name: shape for name, shape in found.items() if name not in _ASIDE}
    loose = {factor for core, factors in _CORES.items() if held.pop(core, None) for factor in factors}
    for old, new in ((MAGNITUDES, "dora_scale"), ("oft_diag", "oft_blocks")):
        if old in held:
            held[new] = held.pop(old)
            loose.add(new)
    for part, shape in wanted.items():
        first, second = f"{part}_a", f"{part}_b"
        if part not in held and {first, second} <= held.keys():
            held[part] = shape
            del held[first], held[second]
    return held, loose


def _has_room(found: Shape, shape: Shape, axis: int | None) -> bool:
    """Whether a stored tensor has a place: of its own shape, or of a smaller rank."""
    if len(found) != len(shape):
        return False
    return all(a == b or (at == axis and a < b) for at, (a, b) in enumerate(zip(found, shape, strict=True)))
