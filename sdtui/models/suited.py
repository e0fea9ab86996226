"""What a profile asks of its base model that it cannot give, seen from the model's configs before anything is loaded.

Its layers, how many layers its text encoders have and what it predicts stand in a folder's JSON files and follow from a
single file's header. The trainer refuses the same, but only when a run was begun and the model read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sdtui.errors import UserError
from sdtui.models.going_on import fit_findings
from sdtui.models.layout import read_scheduler
from sdtui.models.new_words import word_findings
from sdtui.models.recognise import EPSILON, Found, recognise, stated_prediction
from sdtui.models.untold import make_findings
from sdtui.profile.factors import Site
from sdtui.profile.objective_rules import unsuited
from sdtui.profile.positions import join_key
from sdtui.profile.prior_rules import asks_frozen
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile
from sdtui.profile.size import is_chosen, trainable
from sdtui.profile.targets import block_of, left_out, strange_blocks, strength, whole_path


def suits(profile: Profile, base: Path) -> Iterator[Finding]:
    """What of the profile the base model at `base` cannot do; nothing where it cannot be read, which is told elsewhere."""
    try:
        found = recognise(base)
        configs, prediction = found.configs(), _prediction(found)
    except UserError:
        return
    yield from _objective(profile, prediction)
    yield from _clip_skip(profile, found, configs)
    yield from _layers(profile, configs)
    yield from word_findings(profile, found, configs)
    yield from make_findings(profile, found, configs)
    yield from fit_findings(profile, found.family, configs)


def _prediction(found: Found) -> str:
    """What it predicts: "epsilon", "v_prediction", or "" where only its answers tell."""
    if found.contents is None:
        return str(read_scheduler(found.base)["prediction_type"])
    return stated_prediction(found.contents) or ("" if found.family.ambiguous else EPSILON)


def _objective(profile: Profile, prediction: str) -> Iterator[Finding]:
    """With a prediction written out the rules of the profile itself say it."""
    objective = profile.objective
    if objective.prediction != "auto":
        yield from _own_answers(profile, prediction)
        return
    for name in unsuited(objective, prediction):
        message = f'objective.{name} is not for a model that predicts "{prediction}", as the base model does'
        yield Finding("contradiction", f"objective.{name}", message, "Leave it out")
    if objective.zero_terminal_snr and prediction == EPSILON:
        message = "the base model predicts noise, and objective.zero_terminal_snr needs one that predicts the velocity"
        remedy = 'Leave it out, or set objective.prediction = "v_prediction" and train long enough to relearn'
        yield Finding("contradiction", "objective.zero_terminal_snr", message, remedy)


def _own_answers(profile: Profile, prediction: str) -> Iterator[Finding]:
    """Noise is not held by velocity, nor velocity by noise."""
    key = asks_frozen(profile)
    if key and prediction not in {"", profile.objective.prediction}:
        message = (
            f'{key} holds the training to what the base model answers, and that is "{prediction}", not '
            f'objective.prediction = "{profile.objective.prediction}"'
        )
        yield Finding("contradiction", key, message, "Leave one of the two out")


def _clip_skip(profile: Profile, found: Found, configs: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    skip = profile.captions.clip_skip
    counts = [configs[encoder.component].get("num_hidden_layers") for encoder in found.family.encoders]
    layers = min((count for count in counts if isinstance(count, int)), default=None)
    if layers is None:
        return
    most = layers - found.family.penultimate
    if skip > most:
        message = f"captions.clip_skip is {skip}, and the base model's text encoder has {layers} layers"
        yield Finding("too-deep", "captions.clip_skip", message, "Use 1 or 2", f"whole number 1…{most}")


def _layers(profile: Profile, configs: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether the method finds layers in each part, and each block that a setting names one of them."""
    method = profile.method
    if method.kind == "textual-inversion":
        return
    parts = trainable(method, configs)
    if not all(parts.values()):
        return  # of a kind that only diffusers can count
    chosen = {name: [site for site in sites if is_chosen(method, site)] for name, sites in parts.items()}
    for name, sites in chosen.items():
        if not sites and name not in left_out(method, chosen):
            yield _nothing_chosen(profile, name)
    layers = [site for sites in chosen.values() for site in sites]
    if method.kind == "full":
        if layers:
            yield from _rates(profile, list(map(_name, layers)))
        return
    for key, blocks in (("block_ranks", method.block_ranks), ("block_alphas", method.block_alphas)):
        # What is not trained at all is another finding's.
        own = [block for block in blocks if chosen.get(whole_path(block).partition(".")[0], layers)]
        yield from _strange(f"method.{key}", own, [_name(site) for site in layers])
    trained = [site for site in layers if strength(method, site.component, site.path, spatial=site.spatial).rank]
    if trained:
        yield from _rates(profile, list(map(_name, trained)))


def _rates(profile: Profile, trained: list[str]) -> Iterator[Finding]:
    """Each block with a rate is one of those that are trained, and not all of them have the rate 0."""
    key, given = "optimizer.block_rates", profile.optimizer.block_rates
    yield from _strange(key, list(given), trained)
    yield from _strange("optimizer.stops", list(profile.optimizer.stops), trained)
    factors = {whole_path(block): factor for block, factor in given.items()}
    if not any(factors.get(block_of(name, factors), 1) for name in trained):
        yield Finding("contradiction", key, f"{key} leave nothing to train", "Give a block a factor above 0")


def _strange(key: str, blocks: list[str], layers: list[str]) -> Iterator[Finding]:
    for block, message, remedy in strange_blocks(blocks, layers):
        yield Finding("no-such-layer", key, f"{key}: {message}", remedy, at=f"{key}.{join_key(block)}")


def _nothing_chosen(profile: Profile, component: str) -> Finding:
    method = profile.method
    part = component.replace("_", " ")
    key = next((name for name in ("include", "exclude") if getattr(method, name)), "targets")
    message = f"method.{key} leaves no layer of the {part} to train"
    remedy = (
        'Add "attention" or "feed-forward"' if key == "targets"
        else "Paths are such as down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q, * stands for any part of one"
    )  # fmt: skip
    return Finding("no-such-layer", f"method.{key}", message, remedy)


def _name(site: Site) -> str:
    return f"{site.component}.{site.path}"
