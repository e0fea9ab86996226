"""sd-scripts' own OFT, networks.oft: the UNet alone, every layer in the same number of blocks, however wide it is.

A profile gives the size of the blocks, and no size above their number. So kohya's number is a rank for each width of
layer, where all that is trained in a part of the UNet is equally wide and the blocks are that small.
"""

from __future__ import annotations

from sdtui.profile.kohya.draft import Draft

MODULE = "networks.oft"
# The UNet's parts and how wide they are: all families but XL, and XL.
_WIDTHS = {
    False: {
        "down_blocks.0": 320, "down_blocks.1": 640, "down_blocks.2": 1280, "down_blocks.3": 1280, "mid_block": 1280,
        "up_blocks.0": 1280, "up_blocks.1": 1280, "up_blocks.2": 640, "up_blocks.3": 320,
    },
    True: {
        "down_blocks.0": 320, "down_blocks.1": 640, "down_blocks.2": 1280, "mid_block": 1280,
        "up_blocks.0": 1280, "up_blocks.1": 640, "up_blocks.2": 320,
    },
}  # fmt: skip
# Parts without attention, by the same.
_CONVOLUTIONS_ONLY = {False: ("down_blocks.3", "up_blocks.0"), True: ("down_blocks.0", "up_blocks.2")}
_NOT_READ = (
    "block_dims", "block_alphas", "conv_dim", "conv_alpha", "rank_dropout", "module_dropout", "network_dropout",
    "down_lr_weight", "mid_lr_weight", "up_lr_weight",
)  # fmt: skip
_OF_OTHERS = (
    "method.rank", "method.alpha", "method.conv_rank", "method.conv_alpha", "method.dropout", "method.rank_dropout",
    "method.module_dropout", "optimizer.text_encoder_learning_rate",
)  # fmt: skip


def take(draft: Draft) -> None:
    """Layers and blocks, for a draft that already has the algorithm; what this module does not read is left out."""
    for name in _NOT_READ:
        draft.leave(name, f"{MODULE} does not read it")
    draft.leave("network_alpha", f"to {MODULE} the limit of a rotation, which has none here")
    draft.leave("text_encoder_lr", f"{MODULE} trains the UNet")
    for key in _OF_OTHERS:
        draft.made.pop(key, None)
    draft.mapped = [each for each in draft.mapped if each.key not in _OF_OTHERS]
    draft.put("method.text_encoder", False, note=f"{MODULE} trains the UNet")
    # As kohya reads them: any text is a yes, "False" as well.
    linear, convolutions = (bool(draft.source.value(name)) for name in ("enable_all_linear", "enable_conv"))
    targets = [
        "attention",
        *(["feed-forward", "projection"] if linear else []),
        *(["convolution"] if convolutions else []),
    ]
    given = [name for name in ("enable_all_linear", "enable_conv") if draft.source.given(name)]
    draft.put("method.targets", targets, *given, note=MODULE)
    blocks = draft.source.value("network_dim") or 4
    ranks = {} if linear or draft.source.may_be_xl else _ranks(blocks, xl=draft.source.is_xl, convolutions=convolutions)
    if ranks:
        draft.put("method.block_ranks", ranks, "network_dim", note=f"{blocks} blocks in each layer")
        return
    draft.leave("network_dim", f"to {MODULE} the number of blocks in a layer")
    draft.warnings.append(
        f"{MODULE} cuts every layer into {blocks} blocks; here method.rank is the largest size of a block, which is never"
        " above their number, and no one rank makes as many in layers of every width: it is left at its default"
    )


def _ranks(blocks: int, *, xl: bool, convolutions: bool) -> dict[str, int]:
    """The size of so many blocks by part; none where a layer cannot be cut so."""
    without = () if convolutions else _CONVOLUTIONS_ONLY[xl]
    widths = {part: width for part, width in _WIDTHS[xl].items() if part not in without}
    fit = blocks > 0 and all(width % blocks == 0 and width // blocks <= blocks for width in widths.values())
    return {part: width // blocks for part, width in widths.items()} if fit else {}
