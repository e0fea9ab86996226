"""What is trained beside the base model: sd-scripts' network modules, and LyCORIS's algorithms and presets."""

from __future__ import annotations

from typing import NamedTuple

from sdtui.profile.kohya import blocks, oft
from sdtui.profile.kohya.draft import Draft
from sdtui.profile.targets import LAYERS

_PLAIN = "networks.lora"
_MOST_RANK = 1024
LYCORIS = "lycoris.kohya"
_MODULES = {_PLAIN: "lora", "networks.loha": "loha", "networks.lokr": "lokr", oft.MODULE: "oft"}
ALGORITHMS = {
    "lora": "lora",
    "locon": "lora",
    "loha": "loha",
    "lokr": "lokr",
    "ia3": "ia3",
    "diag-oft": "oft",
    "boft": "boft",
    "full": "full",
}
KOHYA_TARGETS = ("attention", "feed-forward", "projection")
_EDGES = "edges"
_ALL = (*KOHYA_TARGETS, "convolution", _EDGES)


class Preset(NamedTuple):
    """One of LyCORIS's presets: the layers as a profile chooses them, and whether the text encoder is among them."""

    targets: tuple[str, ...]
    text_encoder: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


# LyCORIS's config.py. Of the layers in a named module all Linears are trained and, with enable_conv or without, all 1×1
# convolutions, such as proj_in and proj_out of SD 1.x.
_LARGER = ("*.conv1", "*.conv2", "*.downsamplers.*", "*.upsamplers.*", "conv_in", "conv_out")
_TIME = ("time_embedding.*",)
PRESETS = {
    "full": Preset(_ALL),
    "full-lin": Preset(_ALL, exclude=_LARGER),
    "attn-mlp": Preset(KOHYA_TARGETS),
    "attn-only": Preset(("attention",)),
    "unet-only": Preset(_ALL, text_encoder=False),
    "unet-transformer-only": Preset(KOHYA_TARGETS, text_encoder=False),
    "unet-convblock-only": Preset(("convolution", _EDGES), text_encoder=False, exclude=_TIME),
    "ia3": Preset(KOHYA_TARGETS, include=("*.to_k", "*.to_v", "*.ff.net.2", "*.k_proj", "*.v_proj", "*.fc2")),
}


def presets(*, xl: bool) -> dict[str, Preset]:
    """By name; sd-scripts' own UNet of Stable Diffusion XL names no edges as the presets do, so that none is trained."""
    if not xl:
        return PRESETS
    return {name: _without_edges(preset) for name, preset in PRESETS.items()}


def _without_edges(preset: Preset) -> Preset:
    beside = tuple(pattern for pattern in preset.exclude if pattern not in (*LAYERS["unet"][_EDGES], *_TIME))
    return preset._replace(targets=tuple(each for each in preset.targets if each != _EDGES), exclude=beside)


def take(draft: Draft) -> None:
    """Algorithm, layers, ranks by block, and the file to start from."""
    source = draft.source
    module = source.value("network_module")
    is_lycoris = module == LYCORIS
    draft.used.add("network_args")
    algorithm = _algorithm(draft, module)
    draft.put("method.kind", "lora", "network_module")
    draft.put("method.algorithm", algorithm, *(("algo", "network_module") if is_lycoris else ("network_module",)))
    if module == oft.MODULE:
        oft.take(draft)
    else:
        _layers(draft, is_lycoris=is_lycoris)
    for name in ("network_weights", "lora_network_weights"):
        if source.value(name):
            key = "method.continue_from"
            draft.put(key, draft.place(source.value(name), key), name)
    if source.value("network_dropout") and module != oft.MODULE:
        draft.warnings.append("method.dropout drops inputs of the matrices; kohya drops between them")


def _layers(draft: Draft, *, is_lycoris: bool) -> None:
    if is_lycoris:
        _preset(draft)
    _convolutions(draft, is_lycoris=is_lycoris)
    _full_matrix(draft)
    blocks.take(draft)


def _algorithm(draft: Draft, module: str | None) -> str:
    named = (draft.source.value("algo") or "lora").lower() if module == LYCORIS else module
    known = ALGORITHMS if module == LYCORIS else _MODULES
    if module is None:
        draft.warnings.append("no network_module, and options of one: a plain LoRA is trained")
    elif named not in known:
        draft.warnings.append(f"there is no {named}: a plain LoRA is trained in its place")
    return known.get(named or "", "lora")


def _full_matrix(draft: Draft) -> None:
    """People ask LoKr for the whole matrix by a rank beyond any layer's."""
    if draft.made["method.rank"].value > _MOST_RANK and draft.made["method.algorithm"].value == "lokr":
        draft.put("method.full_matrix", True, "network_dim")
        for key in ("method.rank", "method.conv_rank"):
            draft.made.pop(key, None)


def _preset(draft: Draft) -> None:
    """Which layers LyCORIS trains."""
    name = draft.source.value("preset")
    if name not in PRESETS:
        draft.warnings.append(f"preset {name} is not read: method.targets, include and exclude choose layers")
        name = "full"
    preset = presets(xl=draft.source.is_xl)[name]
    if _EDGES in preset.targets and draft.source.may_be_xl:
        draft.warnings.append(
            f"preset {name}: if the base model is of Stable Diffusion XL, take {_EDGES} out of method.targets, which kohya"
            " does not train there"
        )
    draft.put("method.targets", list(preset.targets), "preset")
    for key, patterns in (("include", preset.include), ("exclude", preset.exclude)):
        if patterns:
            draft.put(f"method.{key}", list(patterns), "preset")
    if not preset.text_encoder:
        draft.put("method.text_encoder", False, "preset")


def _convolutions(draft: Draft, *, is_lycoris: bool) -> None:
    """3×3 convolutions: a target of their own beside kohya's LoRA, a matter of the preset with LyCORIS."""
    rank, alpha = draft.source.value("conv_dim"), draft.source.value("conv_alpha")
    if not rank:
        for name in ("conv_dim", "conv_alpha"):
            draft.used.add(name)
        return
    if not is_lycoris:
        draft.put("method.targets", [*KOHYA_TARGETS, "convolution"], "conv_dim")
    draft.put("method.conv_rank", rank, "conv_dim")
    if alpha or not is_lycoris:
        draft.put("method.conv_alpha", float(alpha or 1), "conv_alpha")
