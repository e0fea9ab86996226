"""The two hashes that web UIs know an adapter by, as the sd-webui-additional-networks extension defined them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from torch import Tensor

from sdtui.formats import safetensors_file

LEGACY_START, LEGACY_LENGTH = 0x100000, 0x10000


def identity(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> dict[str, str]:
    """`sshs_model_hash` and `sshs_legacy_hash` of a file to be written.

    The first is SHA-256 over everything behind the header, so it names the tensors whatever is said about them. The
    second is 8 digits of SHA-256 over 64 KiB at 1 MiB of the file as it would be with its `ss_` metadata alone; it is
    that of no bytes for a file smaller than that.
    """
    kept = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    start = safetensors_file.header(tensors, kept)
    whole = hashlib.sha256()
    window = bytearray(start[LEGACY_START : LEGACY_START + LEGACY_LENGTH])
    position = len(start)
    for chunk in safetensors_file.data(tensors):
        whole.update(chunk)
        first = max(LEGACY_START - position, 0)
        window += chunk[first : max(LEGACY_START + LEGACY_LENGTH - position, 0)]
        position += len(chunk)
    return {"sshs_model_hash": whole.hexdigest(), "sshs_legacy_hash": hashlib.sha256(window).hexdigest()[:8]}
