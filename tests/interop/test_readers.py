"""ComfyUI's, AUTOMATIC1111's and kohya's rules for names, written down here from their sources, applied to whole files of ours.

The first two look a layer up under the names that Stability's own code gives it, kohya's sd-scripts walk over the model. The shapes to be found there come from diffusers'
and transformers' models: a name that leads to the wrong layer meets another shape.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from torch import Tensor

from sdtui.formats.kohya import tensors
from sdtui.profile.schema import Method
from sdtui.training.methods.lora import prepare
from tests.support.real_sizes import lent, shapes_of

pytestmark = pytest.mark.interop
RESNET = {
    "norm1": "in_layers_0", "conv1": "in_layers_2", "time_emb_proj": "emb_layers_1", "norm2": "out_layers_0",
    "conv2": "out_layers_3", "conv_shortcut": "skip_connection",
}  # fmt: skip

KOHYA_CLASSES = {
    "unet": {"Transformer2DModel", "ResnetBlock2D", "Downsample2D", "Upsample2D"},
    "text": {"CLIPAttention", "CLIPMLP"},
}


def webui_name(name: str) -> str:
    """AUTOMATIC1111's `convert_diffusers_name_to_compvis`: the name of a layer of SD 1.x or 2.x in Stability's code."""
    if found := re.fullmatch(r"lora_unet_(down|up)_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)", name):
        way, block, kind, index, inner = found.groups()
        number = int(block) * 3 + int(index) + (way == "down")
        side = "input" if way == "down" else "output"
        inner = RESNET[inner] if kind == "resnets" else inner
        return f"diffusion_model_{side}_blocks_{number}_{int(kind == 'attentions')}_{inner}"
    if found := re.fullmatch(r"lora_unet_mid_block_(attentions|resnets)_(\d+)_(.+)", name):
        kind, index, inner = found.groups()
        inner = RESNET[inner] if kind == "resnets" else inner
        return f"diffusion_model_middle_block_{1 if kind == 'attentions' else int(index) * 2}_{inner}"
    if found := re.fullmatch(r"lora_unet_down_blocks_(\d+)_downsamplers_0_conv", name):
        return f"diffusion_model_input_blocks_{3 + int(found[1]) * 3}_0_op"
    if found := re.fullmatch(r"lora_unet_up_blocks_(\d+)_upsamplers_0_conv", name):
        return f"diffusion_model_output_blocks_{2 + int(found[1]) * 3}_{2 if int(found[1]) > 0 else 1}_conv"
    # SDXL's UNet is named as Stability's already.
    return name.replace("lora_unet_", "diffusion_model_")


def webui_text_name(family: str, name: str) -> str:
    """Its name for a text encoder's layer: CLIP-L's as in transformers, OpenCLIP's own; SDXL has the two in a list.

    Query, key and value are a third each of the layer that OpenCLIP has for them.
    """
    found = re.fullmatch(r"lora_te[12]?_text_model_encoder_layers_(\d+)_(.+)", name)
    assert found, name
    layer, inner = found.groups()
    place = {"lora_te1": "0_", "lora_te2": "1_model_"}.get(name[:8], "model_" if family == "sd2" else "")
    if place.endswith("model_"):
        inner = inner.replace("mlp_fc1", "mlp_c_fc").replace("mlp_fc2", "mlp_c_proj").replace("self_attn", "attn")
        return f"{place}transformer_resblocks_{layer}_{re.sub('attn_[qkv]_proj', 'attn', inner)}"
    return f"{place}transformer_text_model_encoder_layers_{layer}_{inner}"


def text_shapes(family: str) -> dict[str, tuple[int, int]]:
    """Its text encoders' layers by those names, (outputs, inputs): widths and counts of the published encoders."""
    clip_l, clip_h, clip_g = (768, 12), (1024, 23), (1280, 32)
    encoders = {
        "sd1": [("", clip_l)],
        "sd2": [("model_", clip_h)],
        "sdxl": [("0_", clip_l), ("1_model_", clip_g)],
    }[family]
    shapes: dict[str, tuple[int, int]] = {}
    for place, (width, layers) in encoders:
        openclip = place.endswith("model_")
        stem = "transformer_resblocks" if openclip else "transformer_text_model_encoder_layers"
        whole = [f"self_attn_{part}_proj" for part in ("q", "k", "v", "out")]
        names = {
            **dict.fromkeys(["attn", "attn_out_proj"] if openclip else whole, (width, width)),
            "mlp_c_fc" if openclip else "mlp_fc1": (4 * width, width),
            "mlp_c_proj" if openclip else "mlp_fc2": (width, 4 * width),
        }
        shapes |= {f"{place}{stem}_{at}_{inner}": shape for at in range(layers) for inner, shape in names.items()}
    return shapes


def shapes_by_path(family: str) -> dict[str, tuple[int, ...]]:
    """Stability's name, dots as underscores, → shape, for all Linears and convolutions of the UNet in diffusers' order.

    diffusers' own reader of Stability's checkpoints says which layer is which.
    """
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    unet = shapes_of(family).components["unet"]
    own = {name: tuple(value.shape) for name, value in unet.state_dict().items()}
    names = stability_names(family)
    keyed: dict[str, Any] = {f"model.diffusion_model.{name}": name for name in names}
    mapped = convert_ldm_unet_checkpoint(keyed, dict(unet.config))
    return {
        f"diffusion_model_{mapped[path].removesuffix('.weight').replace('.', '_')}": shape
        for path, shape in own.items()
        if path in mapped and path.endswith(".weight")
    }


def stability_names(family: str) -> list[str]:
    """The weights' names in a checkpoint of Stability's UNet, from the shape of its blocks."""
    # (which transformers' depth per block on the way down, how many blocks) as in v1-inference.yaml and sd_xl_base.yaml.
    depths = {"sd1": (1, 1, 1, 0), "sd2": (1, 1, 1, 0), "sdxl": (0, 2, 10)}[family]
    blocks = len(depths)
    names = ["input_blocks.0.0.weight", "time_embed.0.weight", "time_embed.2.weight", "out.0.weight", "out.2.weight"]
    for block, depth in enumerate(depths):
        for layer in range(2):
            stem = f"input_blocks.{1 + 3 * block + layer}"
            names += resnet(f"{stem}.0") + (transformer(f"{stem}.1", depth) if depth else [])
        if block < blocks - 1:
            names.append(f"input_blocks.{3 * (block + 1)}.0.op.weight")
    middle = max(1, depths[-1])
    names += resnet("middle_block.0") + transformer("middle_block.1", middle) + resnet("middle_block.2")
    for block, depth in enumerate(reversed(depths)):
        for layer in range(3):
            stem = f"output_blocks.{3 * block + layer}"
            names += resnet(f"{stem}.0") + (transformer(f"{stem}.1", depth) if depth else [])
        if block < blocks - 1:
            names.append(f"output_blocks.{3 * block + 2}.{2 if depth else 1}.conv.weight")
    if family == "sdxl":
        names += ["label_emb.0.0.weight", "label_emb.0.2.weight"]
    return names + [
        name.removesuffix("weight") + "bias"
        for name in names
        if not name.endswith(("to_q.weight", "to_k.weight", "to_v.weight"))
    ]


def resnet(stem: str) -> list[str]:
    return [
        f"{stem}.{name}.weight"
        for name in ("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3", "skip_connection")
    ]


def transformer(stem: str, depth: int) -> list[str]:
    names = [f"{stem}.norm", f"{stem}.proj_in", f"{stem}.proj_out"]
    for index in range(depth):
        block = f"{stem}.transformer_blocks.{index}"
        names += [
            f"{block}.{attention}.{part}"
            for attention in ("attn1", "attn2")
            for part in ("to_q", "to_k", "to_v", "to_out.0")
        ]
        names += [f"{block}.{part}" for part in ("ff.net.0.proj", "ff.net.2", "norm1", "norm2", "norm3")]
    return [f"{name}.weight" for name in names]


def kohya_layers(family: str) -> dict[str, tuple[int, ...]]:
    """sd-scripts' `create_modules` over the model that a file is loaded beside: name → shape of the layer's weight.

    Every Linear and Conv2d below a module of the named classes. SDXL's UNet is its own there, with Stability's names; in the
    transformers that it pins, every text encoder is held under `text_model`.
    """
    components = dict(shapes_of(family).components)
    found: dict[str, tuple[int, ...]] = {}
    if family == "sdxl":
        del components["unet"]
        outside = ("input_blocks_0_0", "time_embed_", "label_emb_", "out_")
        for name, shape in shapes_by_path(family).items():
            bare = name.removeprefix("diffusion_model_")
            if len(shape) > 1 and not bare.startswith(outside):
                found[f"lora_unet_{bare}"] = shape
    prefixes = {"unet": "lora_unet", "text_encoder": "lora_te1" if family == "sdxl" else "lora_te"}
    for component, root in components.items():
        for path, module in root.named_modules():
            if type(module).__name__ in KOHYA_CLASSES[component.partition("_")[0]]:
                level = "" if component == "unet" or path.startswith("text_model.") else "text_model."
                for inner, child in module.named_modules():
                    if type(child).__name__ in {"Linear", "Conv2d"}:
                        name = f"{prefixes.get(component, 'lora_te2')}.{level}{path}.{inner}".replace(".", "_")
                        found[name] = tuple(child.weight.shape)
    return found


def file_of(family: str, **settings: Any) -> dict[str, Tensor]:
    method = Method.model_validate(
        {"rank": 1, "targets": ["attention", "feed-forward", "projection", "convolution"], **settings}
    )
    with lent(family) as model:
        return tensors(prepare(model, method, 0).export(), "fp16")


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_every_layer_is_found_under_its_stability_name_and_has_its_shape(family: str) -> None:
    unet, text = shapes_by_path(family), text_shapes(family)
    found = 0
    for name, tensor in file_of(family, text_encoder=True).items():
        layer, _, ending = name.partition(".")
        if ending != "alpha":
            shape = unet[webui_name(layer)] if "_unet_" in layer else text[webui_text_name(family, layer)]
            inputs_or_outputs = shape[1:] if ending == "lora_down.weight" else shape[:1]
            got = tensor.shape[1:] if ending == "lora_down.weight" else tensor.shape[:1]
            assert tuple(got) == inputs_or_outputs, name
            found += 1
    assert found == 2 * {"sd1": 278 + 72, "sd2": 278 + 138, "sdxl": 788 + 72 + 192}[family]


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_comfyui_maps_every_name(family: str) -> None:
    """Its map has Stability's names with `lora_unet_`, and the six kinds of CLIP layers by prefix and number."""
    unet = {f"lora_unet_{name.removeprefix('diffusion_model_')}" for name in shapes_by_path(family)}
    inner = ("mlp_fc1", "mlp_fc2", *(f"self_attn_{name}_proj" for name in "kqv"), "self_attn_out_proj")
    prefixes = {"sd1": {"lora_te": 12}, "sd2": {"lora_te": 32}, "sdxl": {"lora_te1": 12, "lora_te2": 32}}[family]
    text = {
        f"{prefix}_text_model_encoder_layers_{layer}_{name}"
        for prefix, layers in prefixes.items()
        for layer in range(layers)
        for name in inner
    }
    known = {"lora_down.weight", "lora_up.weight", "alpha", "w_norm", "b_norm", "dora_scale"}
    for name in file_of(family, text_encoder=True, norms=True, weight_decompose=True):
        layer, _, ending = name.partition(".")
        # Of SD 1.x it also has diffusers' names, from which the web UI's conversion is no different.
        stability = (
            "lora_unet_" + webui_name(layer).removeprefix("diffusion_model_")
            if family != "sdxl" and "unet" in layer
            else layer
        )
        assert stability in unet | text, name
        assert ending in known


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_kohya_makes_a_layer_for_every_name_and_finds_all_its_tensors(family: str) -> None:
    """`create_network_from_weights`: the rank of each name is its lora_down's; the tensors of such a layer are all there are."""
    file = file_of(family, text_encoder=True, conv_rank=2)
    ranks = {name.partition(".")[0]: len(tensor) for name, tensor in file.items() if "lora_down" in name}
    expected: dict[str, tuple[int, ...]] = {}
    for layer, (outputs, inputs, *kernel) in kohya_layers(family).items():
        rank = ranks.pop(layer)
        assert rank == (2 if kernel == [3, 3] else 1), layer
        expected |= {
            f"{layer}.lora_down.weight": (rank, inputs, *kernel),
            f"{layer}.lora_up.weight": (outputs, rank, *[1] * len(kernel)),
            f"{layer}.alpha": (),
        }
    assert not ranks
    assert {name: tuple(tensor.shape) for name, tensor in file.items()} == expected
