"""The layers of a base model, from its config.json files; no weights and no PyTorch needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sdtui.profile.factors import Site

_PLAIN = {"DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D", "UNetMidBlock2DCrossAttn"}


@dataclass(frozen=True)
class _UNet:
    """What diffusers' UNet2DConditionModel is built from."""

    channels: Sequence[int]
    width: int
    layers: int
    depths: Sequence[int]
    down: Sequence[str]
    up: Sequence[str]
    linear: bool
    ends: tuple[int, int]
    sizes: int

    @property
    def time(self) -> int:
        """Channels of the timestep's embedding."""
        return 4 * self.channels[0]


def unet_sites(config: dict[str, Any]) -> list[Site]:
    """The layers of diffusers' UNet2DConditionModel; none when its config cannot be read or is of another kind."""
    unet = _read_unet(config)
    if unet is None:
        return []
    found = [*_edges(unet), *_down(unet), *_middle(unet), *_up(unet)]
    return [replace(site, component="unet") for site in found]


def text_sites(config: dict[str, Any], component: str) -> list[Site]:
    """The layers of transformers' CLIPTextModel; none when its config cannot be read."""
    try:
        hidden: int = config["hidden_size"]
        inner: int = config["intermediate_size"]
        layers: int = config["num_hidden_layers"]
    except KeyError:
        return []
    return [
        site
        for layer in range(layers)
        for stem in [f"encoder.layers.{layer}"]
        for site in (
            *(Site(component, f"{stem}.self_attn.{name}_proj", hidden, hidden) for name in ("q", "k", "v", "out")),
            Site(component, f"{stem}.mlp.fc1", inner, hidden),
            Site(component, f"{stem}.mlp.fc2", hidden, inner),
        )
    ]


def text_tables(config: dict[str, Any], component: str) -> list[Site]:
    """What a text encoder has beside `text_sites`: norms, the tables of words and places, and the second's projection."""
    try:
        hidden, layers = config["hidden_size"], config["num_hidden_layers"]
        tables = (("token", config["vocab_size"]), ("position", config["max_position_embeddings"]))
    except KeyError:
        return []
    norms = [f"encoder.layers.{layer}.layer_norm{number}" for layer in range(layers) for number in (1, 2)]
    found = [Site(component, path, hidden, hidden, norm=True) for path in (*norms, "final_layer_norm")]
    found += [Site(component, f"embeddings.{name}_embedding", rows, hidden, bias=False) for name, rows in tables]
    if component == "text_encoder_2":
        found.append(Site(component, "text_projection", config.get("projection_dim", hidden), hidden, bias=False))
    return found


def _read_unet(config: dict[str, Any]) -> _UNet | None:
    try:
        channels: list[int] = config["block_out_channels"]
        width, layers = config["cross_attention_dim"], config.get("layers_per_block", 2)
        down, up = config["down_block_types"], config["up_block_types"]
        middle = config.get("mid_block_type", "UNetMidBlock2DCrossAttn")
    except KeyError:
        return None
    depth = config.get("transformer_layers_per_block", 1)
    depths = [depth] * len(channels) if isinstance(depth, int) else depth
    whole = isinstance(width, int) and isinstance(layers, int) and all(isinstance(one, int) for one in depths)
    if not whole or not _PLAIN.issuperset([*down, *up, middle]) or not len(channels) == len(depths) == len(down):
        return None
    ends = config.get("in_channels", 4), config.get("out_channels", 4)
    # SDXL knows the images' sizes, beside the sum of the text.
    sizes = config.get("projection_class_embeddings_input_dim") if config.get("addition_embed_type") else 0
    linear = bool(config.get("use_linear_projection"))
    return _UNet(channels, width, layers, depths, down, up, linear, ends, sizes or 0)


def _edges(unet: _UNet) -> Iterator[Site]:
    first, time = unet.channels[0], unet.time
    yield Site("", "conv_in", first, unet.ends[0], (3, 3))
    yield Site("", "conv_out", unet.ends[1], first, (3, 3))
    yield Site("", "time_embedding.linear_1", time, first)
    yield Site("", "time_embedding.linear_2", time, time)
    if unet.sizes:
        yield Site("", "add_embedding.linear_1", time, unet.sizes)
        yield Site("", "add_embedding.linear_2", time, time)
    yield _norm("conv_norm_out", first)


def _down(unet: _UNet) -> Iterator[Site]:
    before = unet.channels[0]
    for index, (kind, size, depth) in enumerate(zip(unet.down, unet.channels, unet.depths, strict=True)):
        block = f"down_blocks.{index}"
        for layer in range(unet.layers):
            yield from _resnet(f"{block}.resnets.{layer}", before, size, unet.time)
            before = size
            if kind.startswith("CrossAttn"):
                yield from _transformer(f"{block}.attentions.{layer}", size, depth, unet)
        if index < len(unet.channels) - 1:
            yield Site("", f"{block}.downsamplers.0.conv", size, size, (3, 3))


def _middle(unet: _UNet) -> Iterator[Site]:
    size = unet.channels[-1]
    for layer in range(2):
        yield from _resnet(f"mid_block.resnets.{layer}", size, size, unet.time)
    yield from _transformer("mid_block.attentions.0", size, unet.depths[-1], unet)


def _up(unet: _UNet) -> Iterator[Site]:
    sizes = list(reversed(unet.channels))
    before = sizes[0]
    for index, (kind, size, depth) in enumerate(zip(unet.up, sizes, reversed(unet.depths), strict=True)):
        block = f"up_blocks.{index}"
        # The last layer meets the states from before the block's downsampler, which are those of the block below.
        skips = [size] * unet.layers + [sizes[min(index + 1, len(sizes) - 1)]]
        for layer, skip in enumerate(skips):
            yield from _resnet(f"{block}.resnets.{layer}", before + skip, size, unet.time)
            before = size
            if kind.startswith("CrossAttn"):
                yield from _transformer(f"{block}.attentions.{layer}", size, depth, unet)
        if index < len(sizes) - 1:
            yield Site("", f"{block}.upsamplers.0.conv", size, size, (3, 3))


def _resnet(stem: str, inputs: int, outputs: int, time: int) -> Iterator[Site]:
    yield _norm(f"{stem}.norm1", inputs)
    yield Site("", f"{stem}.conv1", outputs, inputs, (3, 3))
    yield Site("", f"{stem}.time_emb_proj", outputs, time)
    yield _norm(f"{stem}.norm2", outputs)
    yield Site("", f"{stem}.conv2", outputs, outputs, (3, 3))
    if inputs != outputs:
        yield Site("", f"{stem}.conv_shortcut", outputs, inputs, (1, 1))


def _transformer(stem: str, size: int, depth: int, unet: _UNet) -> Iterator[Site]:
    """One Transformer2DModel of `size` channels that attends to text."""
    kernel = () if unet.linear else (1, 1)
    yield _norm(f"{stem}.norm", size)
    yield Site("", f"{stem}.proj_in", size, size, kernel)
    for index in range(depth):
        block = f"{stem}.transformer_blocks.{index}"
        for attention, width in (("attn1", size), ("attn2", unet.width)):
            yield Site("", f"{block}.{attention}.to_q", size, size, bias=False)
            yield Site("", f"{block}.{attention}.to_k", size, width, bias=False)
            yield Site("", f"{block}.{attention}.to_v", size, width, bias=False)
            yield Site("", f"{block}.{attention}.to_out.0", size, size)
        # GEGLU: the first layer makes 4 × size values and as many gates.
        yield Site("", f"{block}.ff.net.0.proj", 8 * size, size)
        yield Site("", f"{block}.ff.net.2", size, 4 * size)
        yield from (_norm(f"{block}.norm{number}", size) for number in (1, 2, 3))
    yield Site("", f"{stem}.proj_out", size, size, kernel)


def _norm(path: str, size: int) -> Site:
    return Site("", path, size, size, norm=True)
