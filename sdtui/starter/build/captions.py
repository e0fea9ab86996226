"""What the base model reads for a picture: a few phrasings of the emoji's name, tags and style."""

from __future__ import annotations

import random

from sdtui.starter.build.artwork import Concept

EMPTY_SHARE = 0.1


def prompt(name: str, style: str) -> str:
    """The phrasing used most, and in every measurement."""
    return f"{name}, {style} style" if style else name


def phrase(concept: Concept, style: str, chance: random.Random) -> str:
    """One caption of a picture: often the plain prompt, sometimes other wordings, a tenth of the time none."""
    roll = chance.random()
    if roll < EMPTY_SHARE:
        return ""
    if roll < 0.6:
        return prompt(concept.name, style)
    if roll < 0.7:
        return f"{style} style, {concept.name}"
    if roll < 0.8:
        return f"a {concept.name}, {style} style"
    if roll < 0.85:
        return concept.name
    tags = chance.sample(concept.tags, k=min(len(concept.tags), chance.randint(1, 4)))
    return ", ".join([concept.name, *tags, f"{style} style"])
