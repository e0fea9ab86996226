"""Importing diffusers' models, which is most of a run's start, without what it imports only because it is installed."""

from __future__ import annotations

import importlib
import logging

_SPARED = ("bitsandbytes", "peft")
"""Packages whose own imports take a second of processor time, and which nothing here reaches through diffusers."""

_MODELS = ("diffusers.models.unets.unet_2d_condition", "diffusers.models.autoencoders.autoencoder_kl")


def import_models() -> None:
    """Import the classes that models are made of; whoever imports more of diffusers later finds those packages again."""
    # Whatever imports it later (diffusers' pipelines, an optimizer), it asks for a package of 4-bit kernels that is not used here.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    facts = importlib.import_module("diffusers.utils.import_utils")
    known = {name: getattr(facts, name) for name in (f"_{each}_available" for each in _SPARED) if hasattr(facts, name)}
    for name in known:
        setattr(facts, name, False)
    try:
        for module in _MODELS:
            importlib.import_module(module)
    finally:
        for name, found in known.items():
            setattr(facts, name, found)
