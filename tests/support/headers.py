"""The telling part of published models' headers, written down from the files themselves: names and shapes, no weights."""

from __future__ import annotations

from pathlib import Path

from sdtui.models.weights import Contents, Weight

U, V = "model.diffusion_model.", "first_stage_model."
L, H = "cond_stage_model.transformer.text_model.", "cond_stage_model.model."
XL_L, XL_G = "conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model."
ATTENTION = "transformer_blocks.0.attn2.to_k.weight"

_VAE: dict[str, tuple[int, ...]] = {
    f"{V}encoder.conv_in.weight": (128, 3, 3, 3),
    f"{V}encoder.down.0.block.0.conv1.weight": (128, 128, 3, 3),
    f"{V}encoder.down.0.block.1.conv1.weight": (128, 128, 3, 3),
    f"{V}encoder.down.1.block.0.conv1.weight": (256, 128, 3, 3),
    f"{V}encoder.down.2.block.0.conv1.weight": (512, 256, 3, 3),
    f"{V}encoder.down.3.block.0.conv1.weight": (512, 512, 3, 3),
    f"{V}decoder.conv_in.weight": (512, 4, 3, 3),
    f"{V}quant_conv.weight": (8, 8, 1, 1),
}


def _four_blocks(text: int, *, linear: bool) -> dict[str, tuple[int, ...]]:
    """The UNet that 1.x and 2.x share: twelve input blocks, attention in the first three quarters."""
    found: dict[str, tuple[int, ...]] = {
        f"{U}input_blocks.0.0.weight": (320, 4, 3, 3),
        f"{U}time_embed.0.weight": (1280, 320),
        f"{U}input_blocks.11.0.in_layers.2.weight": (1280, 1280, 3, 3),
        f"{U}out.2.weight": (4, 320, 3, 3),
    }
    for start, before, width in ((1, 320, 320), (4, 320, 640), (7, 640, 1280), (10, 1280, 1280)):
        found[f"{U}input_blocks.{start}.0.in_layers.2.weight"] = (width, before, 3, 3)
        if start < 10:
            found[f"{U}input_blocks.{start}.1.proj_in.weight"] = (width, width) if linear else (width, width, 1, 1)
            found[f"{U}input_blocks.{start}.1.{ATTENTION}"] = (width, text)
    return found


SD15 = _four_blocks(768, linear=False) | _VAE | {
    f"{L}embeddings.token_embedding.weight": (49408, 768),
    f"{L}encoder.layers.0.mlp.fc1.bias": (3072,),
    f"{L}encoder.layers.11.mlp.fc1.bias": (3072,),
    "alphas_cumprod": (1000,),
    "model_ema.decay": (),
}  # fmt: skip
SD21 = _four_blocks(1024, linear=True) | _VAE | {
    f"{H}token_embedding.weight": (49408, 1024),
    f"{H}transformer.resblocks.0.mlp.c_fc.bias": (4096,),
    f"{H}transformer.resblocks.0.attn.in_proj_weight": (3072, 1024),
    f"{H}transformer.resblocks.23.mlp.c_fc.bias": (4096,),
    f"{H}text_projection": (1024, 1024),
}  # fmt: skip
SDXL = {
    f"{U}input_blocks.0.0.weight": (320, 4, 3, 3),
    f"{U}input_blocks.1.0.in_layers.2.weight": (320, 320, 3, 3),
    f"{U}input_blocks.4.0.in_layers.2.weight": (640, 320, 3, 3),
    f"{U}input_blocks.4.1.{ATTENTION}": (640, 2048),
    f"{U}input_blocks.4.1.transformer_blocks.1.attn2.to_k.weight": (640, 2048),
    f"{U}input_blocks.7.0.in_layers.2.weight": (1280, 640, 3, 3),
    f"{U}input_blocks.7.1.transformer_blocks.9.attn2.to_k.weight": (1280, 2048),
    f"{U}input_blocks.8.0.in_layers.2.weight": (1280, 1280, 3, 3),
    f"{U}label_emb.0.0.weight": (1280, 2816),
    **_VAE,
    f"{XL_L}embeddings.token_embedding.weight": (49408, 768),
    f"{XL_L}encoder.layers.0.mlp.fc1.bias": (3072,),
    f"{XL_L}encoder.layers.11.mlp.fc1.bias": (3072,),
    f"{XL_G}token_embedding.weight": (49408, 1280),
    f"{XL_G}transformer.resblocks.0.mlp.c_fc.bias": (5120,),
    f"{XL_G}transformer.resblocks.31.mlp.c_fc.bias": (5120,),
    f"{XL_G}text_projection": (1280, 1280),
}


def contents(shapes: dict[str, tuple[int, ...]], facts: dict[str, str] | None = None) -> Contents:
    """A header with these shapes."""
    return Contents(
        Path("m.safetensors"), {name: Weight("F16", shape, 0) for name, shape in shapes.items()}, facts or {}
    )


def hollow_file(path: Path, shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> Path:
    """A `.safetensors` file of these shapes, as long as its header says, with nothing but holes behind it."""
    import json
    from math import prod

    entries: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * prod(shape)
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        stream.truncate(8 + len(header) + end)
    return path
