"""What can be trained: one module per method, each turning a loaded model into a `Trainable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdtui.training.methods import full, lora, textual_inversion
from sdtui.training.methods.method import Method, ParameterGroup, Trainable
from sdtui.training.methods.together import Together

if TYPE_CHECKING:
    from sdtui.models.family import Model
    from sdtui.profile.schema import Method as MethodSettings

METHODS: dict[str, Method] = {
    "lora": lora,
    "full": full,
    "textual-inversion": textual_inversion,
}

__all__ = ["METHODS", "Method", "ParameterGroup", "Trainable", "prepare"]


def prepare(model: Model, settings: MethodSettings, seed: int) -> Trainable:
    """Add what the profile trains to `model`: its method and, where that is another, its words.

    Raises:
        UserError: one of them does not fit the model.
    """
    # Words last: what goes before looks at the model's layers, and they change none.
    kinds = [settings.kind]
    if settings.words and settings.kind != "textual-inversion":
        kinds.append("textual-inversion")
    parts = [METHODS[kind].prepare(model, settings, seed) for kind in kinds]
    return parts[0] if len(parts) == 1 else Together(parts)
