"""What can be trained: one module per method, each turning a loaded model into a `Trainable`."""

from __future__ import annotations

from sdtui.training.methods import full, lora
from sdtui.training.methods.method import Method, ParameterGroup, Trainable

METHODS: dict[str, Method] = {
    "lora": lora,
    "full": full,
}

__all__ = ["METHODS", "Method", "ParameterGroup", "Trainable"]
