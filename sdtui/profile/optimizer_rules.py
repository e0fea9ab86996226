"""Settings of optimizer and schedule that do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, get_args

from pydantic import ValidationError

from sdtui.profile import values
from sdtui.profile.class_path import MissingClassError, require_class
from sdtui.profile.no_effect import idle
from sdtui.profile.optimizers import INSTALL, OPTIMIZERS, sets_own_rate
from sdtui.profile.positions import join_key
from sdtui.profile.problem import Finding
from sdtui.profile.rate_text import RateTextError, length
from sdtui.profile.schema import Profile, Schedule
from sdtui.profile.settings import Setting, declared
from sdtui.profile.targets import whole_path

_COMMON = ("weight_decay", "betas", "eps")
# Settings of a schedule's shape, and the shapes that have them.
_SHAPED = {
    "cycles": ("cosine_with_restarts", "sine"),
    "power": ("polynomial",),
    "timescale": ("inverse_sqrt",),
    "decay": ("warmup_stable_decay",),
    "min_factor": tuple(name for name in get_args(Schedule.model_fields["name"].annotation) if name != "constant"),
}


def arguments(profile: Profile) -> Iterator[Finding]:
    """Every argument is one of the optimizer's, and of its type. Those of a dotted path are known when it is imported."""
    kind = OPTIMIZERS.get(profile.optimizer.name)
    if kind is None:
        return
    known = {setting.name: setting for setting in declared(kind.arguments, "optimizer.args.")}
    try:
        kind.arguments.model_validate(profile.optimizer.args)
    except ValidationError as error:
        wrong = {str(detail["loc"][0]): detail for detail in error.errors(include_url=False)}
        for name, detail in wrong.items():
            item = detail["input"] is not profile.optimizer.args[name]
            yield (
                _wrong_value(known[name], detail["input"], item=item)
                if name in known
                else _unknown(profile, name, known)
            )
    if profile.optimizer.args.get("warmup_init") is True and profile.optimizer.args.get("relative_step") is not True:
        key = "optimizer.args.warmup_init"
        yield Finding("contradiction", key, f"{key} needs relative_step = true", "Set both, or neither")


def _wrong_value(setting: Setting, found: Any, *, item: bool) -> Finding:
    verdict = values.judge(setting, found, item=item)
    return Finding(verdict.code, setting.key, f"{setting.key} {verdict.message}", verdict.remedy, setting.allowed)


def _unknown(profile: Profile, name: str, known: dict[str, Setting]) -> Finding:
    optimizer = profile.optimizer.name
    meant = next((setting.name for setting in known.values() if name in setting.aka), None)
    near = [meant] if meant else difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if name in type(profile.optimizer).model_fields:
        remedy = f"{name} belongs to [optimizer]"
    else:
        remedy = f"Did you mean {near[0]}?" if near else ""
    return Finding(
        "unknown-key",
        f"optimizer.args.{name}",
        f"{optimizer} has no argument {name}",
        remedy,
        ", ".join(known) or "none",
    )


def common(profile: Profile) -> Iterator[Finding]:
    """Weight decay, betas and eps are only given to an optimizer that has them."""
    kind = OPTIMIZERS.get(profile.optimizer.name)
    for name in _COMMON:
        if kind and getattr(profile.optimizer, name) is not None and name not in kind.common:
            own = next((s for s in declared(kind.arguments, "optimizer.args.") if s.name.startswith(name)), None)
            remedy = f"Its own is {own.key}: {own.allowed}" if own else "Leave it out"
            message = f"{profile.optimizer.name} takes no optimizer.{name}"
            yield Finding("contradiction", f"optimizer.{name}", message, remedy)


def installed(profile: Profile) -> Iterator[Finding]:
    """What the optimizer is in can be imported; a profile may be written on another machine than it is trained on."""
    kind = OPTIMIZERS.get(profile.optimizer.name)
    if kind and importlib.util.find_spec(kind.package) is None:
        message = f"{profile.optimizer.name} needs the package {kind.package}, which is not installed here"
        yield Finding("not-installed", "optimizer.name", message, INSTALL, severity="warning")
    if kind is None:
        yield from _own_class(profile.optimizer.name)


def _own_class(path: str) -> Iterator[Finding]:
    try:
        require_class(path)
    except MissingClassError as error:
        key, message = "optimizer.name", f'optimizer.name is "{path}": {error}'
        if error.package:
            remedy = f"Install {error.package} where it is trained, or choose another optimizer"
            yield Finding("not-installed", key, message, remedy, severity="warning")
        else:
            yield Finding("no-such-class", key, message, f'Did you mean "{error.near}"?' if error.near else "")


def one_rate(profile: Profile) -> Iterator[Finding]:
    """An optimizer that finds the rate itself has one for all parameters, and learning_rate multiplies it."""
    optimizer = profile.optimizer
    kind = OPTIMIZERS.get(optimizer.name)
    if kind is None or not kind.finds_rate:
        return
    text_rate = optimizer.text_encoder_learning_rate
    separate = {
        "text_encoder_learning_rate": profile.method.text_encoder and text_rate not in {0, optimizer.learning_rate},
        "lora_plus_ratio": optimizer.lora_plus_ratio != 1,
        "block_rates": any(factor not in {0, 1} for factor in optimizer.block_rates.values()),
    }
    for name, is_separate in separate.items():
        if is_separate:
            message = f"{optimizer.name} finds one rate for all parameters: optimizer.{name} cannot set another"
            yield Finding("contradiction", f"optimizer.{name}", message, "Leave it out, or choose another optimizer")
    for number, word in enumerate(profile.method.words):
        if word.learning_rate not in {0, optimizer.learning_rate}:
            key = f"method.words[{number}].learning_rate"
            message = f"{optimizer.name} finds one rate for all parameters: {key} cannot set another"
            yield Finding("contradiction", key, message, "Leave it out, or choose another optimizer")
    if optimizer.learning_rate < 0.05:
        key = "optimizer.learning_rate"
        message = f"{key} = {optimizer.learning_rate:g} multiplies the rate that {optimizer.name} finds"
        yield Finding("small-factor", key, message, "1.0 is usual", severity="warning")


def stops(profile: Profile) -> Iterator[Finding]:
    """A part that stops is one that learns, before the run ends, and another one learns to the end."""
    given, steps = profile.optimizer.stops, profile.training.steps
    at = {whole_path(block): stop for block, stop in given.items()}
    for block, stop in given.items():
        key = f"optimizer.stops.{join_key(block)}"
        if block.startswith("text_encoder") and not profile.method.text_encoder:
            why = "method.text_encoder is false"
            yield replace(idle("optimizer.stops", f"{block}: {why}", "Set it to true, or leave this out"), at=key)
        elif steps is not None and isinstance(stop, int) and stop >= steps:
            why = f"{block} = {stop} is no earlier than the end, training.steps = {steps}"
            yield replace(idle("optimizer.stops", why, "Choose an earlier step, or leave it out"), at=key)
    rest = ["text_encoder"] if profile.method.text_encoder else []
    ends = [at[name] for name in ("unet", *rest) if name in at]
    early = all(not (isinstance(end, int) and steps is not None and end >= steps) for end in ends)
    if len(ends) == 1 + len(rest) and early and not profile.method.words:
        message = "optimizer.stops ends all that is trained before the run ends"
        yield Finding("contradiction", "optimizer.stops", message, "Leave one part out, or shorten the run")


def own_schedule(profile: Profile) -> Iterator[Finding]:
    """A schedule does nothing where the optimizer sets the rate by step, and harms where it averages all steps."""
    optimizer, schedule = profile.optimizer, profile.schedule
    shaped = schedule.name != "constant" or bool(schedule.rates)
    if sets_own_rate(optimizer.name, optimizer.args) and (shaped or schedule.warmup):
        key = "schedule.rates" if schedule.rates else "schedule.name" if shaped else "schedule.warmup"
        message = f"{key} has no effect: adafactor's relative_step sets the rate"
        yield Finding("no-effect", key, message, "Leave it out, or relative_step", severity="warning")
    kind = OPTIMIZERS.get(optimizer.name)
    if kind and kind.averages and shaped:
        message = "schedule-free averages all steps in place of a falling rate"
        remedy = 'Set schedule.name = "constant", with a warm-up if you like'
        yield Finding("double-schedule", "schedule.name", message, remedy, severity="warning")


def one_average(profile: Profile) -> Iterator[Finding]:
    """A moving average of an optimizer's steps, or its own, not one of the other."""
    kind = OPTIMIZERS.get(profile.optimizer.name)
    if kind and kind.averages and profile.training.ema_decay:
        message = f"{profile.optimizer.name} averages its steps itself"
        yield Finding(
            "contradiction", "training.ema_decay", message, "Leave ema_decay out, or choose another optimizer"
        )


def shape(profile: Profile) -> Iterator[Finding]:
    """A setting of another shape than the chosen one does nothing."""
    schedule = profile.schedule
    for name, shapes in _SHAPED.items():
        if schedule.name not in shapes and getattr(schedule, name) != Schedule.model_fields[name].default:
            message = f'schedule.{name} has no effect with schedule.name = "{schedule.name}"'
            yield Finding(
                "no-effect", f"schedule.{name}", message, f"It is for {', '.join(shapes)}", severity="warning"
            )


def rates(profile: Profile) -> Iterator[Finding]:
    """The text of rates can be read, stands alone, and says when it ends the run early."""
    schedule, steps = profile.schedule, profile.training.steps
    if not schedule.rates:
        return
    key = "schedule.rates"
    try:
        last = length(schedule.rates, steps or 1)
    except RateTextError as error:
        allowed = "text such as 0.005:100, 1e-3:0.5, 1e-5"
        yield Finding("not-allowed", key, f"{key} cannot be read: {error}", allowed=allowed)
        return
    for name in ("name", "warmup"):
        if getattr(schedule, name) != Schedule.model_fields[name].default:
            message = f"{key} takes the place of schedule.{name}"
            yield Finding("contradiction", f"schedule.{name}", message, "Leave one of the two out")
    if steps is not None and last < steps:
        message = f"{key} ends after {last} steps, and training.steps = {steps}: the run ends with the last rate"
        yield Finding("ends-early", key, message, "End it with a rate alone, such as 1e-5", severity="warning")


RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    arguments: ("optimizer.name", "optimizer.args"),
    common: ("optimizer.name", *(f"optimizer.{name}" for name in _COMMON)),
    installed: ("optimizer.name",),
    one_rate: (
        "optimizer.name",
        "optimizer.learning_rate",
        "optimizer.text_encoder_learning_rate",
        "optimizer.lora_plus_ratio",
        "optimizer.block_rates",
        "method.words",
    ),
    stops: ("optimizer.stops", "method.text_encoder", "training.steps"),
    own_schedule: ("optimizer.name", "optimizer.args", "schedule.name", "schedule.warmup", "schedule.rates"),
    one_average: ("optimizer.name", "training.ema_decay"),
    shape: ("schedule.name", *(f"schedule.{name}" for name in _SHAPED)),
    rates: ("schedule.rates", "schedule.name", "schedule.warmup", "training.steps"),
}
