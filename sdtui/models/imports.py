"""Importing diffusers' models, which is most of a run's start, without what it imports only because it is installed."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from sdtui import heap

_SPARED = ("bitsandbytes", "peft")
"""Packages whose own imports take a second of processor time, and which nothing here reaches through diffusers."""

_MODELS = ("diffusers.models.unets.unet_2d_condition", "diffusers.models.autoencoders.autoencoder_kl")

_SCALERS = ("scale_lora_layers", "unscale_lora_layers")
"""What diffusers calls around each pass of a UNet: they import peft, and then see that the scale is 1 and return."""

_NAMES = "define_import_structure"
"""What transformers calls to read them."""


def import_models() -> None:
    """Import the classes that models are made of; whoever imports more of diffusers later finds those packages again."""
    # Whatever imports it later (diffusers' pipelines, an optimizer), it asks for a package of 4-bit kernels that is not used here.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    # Where they are there already, what has come since may well be garbage.
    missing = any(name not in sys.modules for name in _MODELS)
    with heap.importing() if missing else nullcontext():
        facts = importlib.import_module("diffusers.utils.import_utils")
        scaling = importlib.import_module("diffusers.utils.peft_utils")
        known = {
            name: getattr(facts, name) for name in (f"_{each}_available" for each in _SPARED) if hasattr(facts, name)
        }
        for name in known:
            setattr(facts, name, False)
        try:
            _import_transformers()
            for module in _MODELS:
                importlib.import_module(module)
        finally:
            for name, found in known.items():
                setattr(facts, name, found)
        for name in _SCALERS:
            setattr(scaling, name, _sparing(getattr(scaling, name)))


def _import_transformers() -> None:
    """With it come the names in all its models, read from their files in a quarter of a second, and the same once more for its
    package of models, of which only modules are asked: those are found without.
    """
    facts: Any = importlib.import_module("transformers.utils.import_utils")
    known = getattr(facts, _NAMES, None)
    if known is None or "transformers.models" in sys.modules:
        return
    setattr(facts, _NAMES, lambda *_: {frozenset(): {}})
    try:
        importlib.import_module("transformers.models")
    finally:
        setattr(facts, _NAMES, known)


def _sparing(scale: Callable[..., None]) -> Callable[..., None]:
    """`scale` as it is, but for a weight that changes nothing, which it need not be asked for."""
    if hasattr(scale, "spares"):
        return scale

    def scaled(model: Any, weight: float | None = None) -> None:
        if weight is not None and weight != 1.0:
            scale(model, weight)

    scaled.spares = True  # type: ignore[attr-defined]
    return scaled
