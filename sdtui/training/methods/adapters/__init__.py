"""What can be added to a frozen layer so that it learns: one module per algorithm."""

from __future__ import annotations

from sdtui.training.methods.adapters.boft import Butterfly
from sdtui.training.methods.adapters.full import Full
from sdtui.training.methods.adapters.ia3 import Scale
from sdtui.training.methods.adapters.layer import Adapter
from sdtui.training.methods.adapters.loha import Hadamard
from sdtui.training.methods.adapters.lokr import Kronecker
from sdtui.training.methods.adapters.lora import LowRank
from sdtui.training.methods.adapters.norm import Norm
from sdtui.training.methods.adapters.oft import Rotation

ALGORITHMS: dict[str, type[Adapter]] = {
    "lora": LowRank,
    "loha": Hadamard,
    "lokr": Kronecker,
    "ia3": Scale,
    "oft": Rotation,
    "boft": Butterfly,
    "full": Full,
}

__all__ = ["ALGORITHMS", "Adapter", "Norm"]
