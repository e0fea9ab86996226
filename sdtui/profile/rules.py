"""Settings that are each allowed and do not go together: one small function per rule, one line in the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdtui.profile import (
    dataset_rules,
    launch_rules,
    memory_rules,
    method_rules,
    objective_rules,
    optimizer_rules,
    prior_rules,
    word_rules,
)
from sdtui.profile.folder_rules import captions_of
from sdtui.profile.no_effect import idle
from sdtui.profile.problem import Finding
from sdtui.profile.prompt_line import PromptError, parse_prompt_line
from sdtui.profile.schema import Profile

Rule = Callable[[Profile], Iterator[Finding]]

_SHORT = 100
"""Fewer steps than this are soon taken again."""


def length(profile: Profile) -> Iterator[Finding]:
    """Steps or epochs, exactly one."""
    training = profile.training
    if training.steps is not None and training.epochs is not None:
        yield Finding(
            "contradiction",
            "training.epochs",
            f"training.steps = {training.steps} and training.epochs = {training.epochs} contradict each other",
            "Keep one of the two: the other follows from the number of images",
        )
    if training.steps is None and training.epochs is None:
        yield Finding(
            "missing",
            "training.steps",
            "the profile does not say how long to train",
            "Add steps = … or epochs = … to [training]",
            "training.steps or training.epochs, exactly one",
        )


def warmup(profile: Profile) -> Iterator[Finding]:
    """A warm-up counted in steps ends before the run does."""
    steps, warm = profile.training.steps, profile.schedule.warmup
    if steps is not None and isinstance(warm, int) and warm > steps:
        yield Finding(
            "contradiction",
            "schedule.warmup",
            f"schedule.warmup = {warm} is longer than the run of {steps} steps: the learning rate would never be reached",
            "Make it shorter, or give a share such as 0.05",
            f"whole number 0…{steps}, or a share below 1",
        )


def targets(profile: Profile) -> Iterator[Finding]:
    """No group of layers twice."""
    chosen = profile.method.targets
    for index, target in enumerate(chosen):
        if target in chosen[:index]:
            message = f'method.targets holds "{target}" twice'
            yield Finding("twice", "method.targets", message, "Remove one", at=f"method.targets[{index}]")


def prompts(profile: Profile) -> Iterator[Finding]:
    """Every preview line can be read, and previews that are asked for have a prompt."""
    previews = profile.previews
    for index, line in enumerate(previews.prompts):
        try:
            parse_prompt_line(line)
        except PromptError as error:
            yield Finding(
                "preview-prompt",
                "previews.prompts",
                f"previews.prompts[{index}]: {error}",
                allowed="text --w 512 --h 512 --s 20 --l 7.5 --d 7 --n negative prompt",
                at=f"previews.prompts[{index}]",
            )
    for name in ("every", "every_epochs"):
        asked = getattr(previews, name)
        if asked and not previews.prompts:
            key = f"previews.{name}"
            message = f"{key} = {asked}, but previews.prompts is empty: no preview will be made"
            yield Finding("no-effect", key, message, 'Add prompts = ["…"] to [previews]', severity="warning")


def text_encoder_rate(profile: Profile) -> Iterator[Finding]:
    """A learning rate for a text encoder that is not trained does nothing."""
    rate = profile.optimizer.text_encoder_learning_rate
    if rate and not profile.method.text_encoder:
        key = "optimizer.text_encoder_learning_rate"
        message = f"{key} = {rate:g} has no effect: method.text_encoder is false"
        yield Finding(
            "no-effect", key, message, "Set method.text_encoder = true, or leave the rate out", severity="warning"
        )


def kept_tags(profile: Profile) -> Iterator[Finding]:
    """Keeping tags in place needs something that would move them."""
    captions = profile.captions
    read = [captions_of(profile, row) for row in range(len(profile.dataset.folders))] or [captions]
    moved = any(rules.shuffle or rules.tag_dropout or rules.token_warmup for rules in read)
    if captions.keep_tokens and not moved:
        key = "captions.keep_tokens"
        message = f"{key} = {captions.keep_tokens} has no effect: tags are neither shuffled, dropped nor warmed up"
        yield Finding(
            "no-effect", key, message, "Set captions.shuffle = true, or leave keep_tokens out", severity="warning"
        )
    elif captions.keep_tokens and captions.keep_separator:
        message = "captions.keep_tokens counts only in captions without the mark of captions.keep_separator"
        remedy = "Leave it out if all of them have the mark"
        yield Finding("both", "captions.keep_tokens", message, remedy, severity="warning")


def separators(profile: Profile) -> Iterator[Finding]:
    """What holds tags together must differ from what parts them."""
    captions = profile.captions
    if captions.secondary_separator == captions.separator:
        why = "it is the same as captions.separator, which parts tags"
        yield idle("captions.secondary_separator", why, 'Choose another mark, such as ";;;", or leave it out')


def no_captions(profile: Profile) -> Iterator[Finding]:
    """Dropout that leaves no caption at all."""
    captions = profile.captions
    for key, value, always in (
        ("dropout", captions.dropout, captions.dropout == 1),
        ("dropout_every", captions.dropout_every, captions.dropout_every == 1),
    ):
        if always:
            message = f"captions.{key} = {value:g} leaves every caption out in every epoch"
            remedy = "Use 0.1 for one in ten" if key == "dropout" else "Use 10 for every tenth epoch"
            yield Finding("no-captions", f"captions.{key}", message, remedy, severity="warning")


def half_on_cpu(profile: Profile) -> Iterator[Finding]:
    """Processors compute fp16 slowly and without loss scaling."""
    if profile.training.precision == "fp16" and profile.training.device == "cpu":
        message = 'training.precision = "fp16" does not work on the processor'
        yield Finding("contradiction", "training.precision", message, "Use fp32 or bf16 there", '"fp32" or "bf16"')


def checkpoints(profile: Profile) -> Iterator[Finding]:
    """A run without checkpoints starts from nothing when the machine goes down."""
    saving = profile.saving
    short = profile.training.steps is not None and profile.training.steps < _SHORT
    if not (short or saving.every_steps or saving.every_epochs or saving.every_minutes):
        message = "no checkpoints are written while training: a run that is killed starts again from the beginning"
        yield Finding(
            "no-checkpoints", "saving", message, "Set saving.every_minutes = 10, for example", severity="warning"
        )


# What each rule looks at: it is skipped when one of these has a problem of its own.
RULES: dict[Rule, tuple[str, ...]] = {
    length: ("training.steps", "training.epochs"),
    warmup: ("training.steps", "schedule.warmup"),
    targets: ("method.targets",),
    prompts: ("previews.prompts", "previews.every", "previews.every_epochs"),
    text_encoder_rate: ("optimizer.text_encoder_learning_rate", "method.text_encoder"),
    kept_tags: (
        "captions.keep_tokens",
        "captions.keep_separator",
        "captions.shuffle",
        "captions.tag_dropout",
        "captions.token_warmup",
    ),
    separators: ("captions.separator", "captions.secondary_separator"),
    no_captions: ("captions.dropout", "captions.dropout_every"),
    half_on_cpu: ("training.precision", "training.device"),
    checkpoints: ("saving.every_steps", "saving.every_epochs", "saving.every_minutes", "training.steps"),
    **dataset_rules.RULES,
    **launch_rules.RULES,
    **memory_rules.RULES,
    **method_rules.RULES,
    **objective_rules.RULES,
    **optimizer_rules.RULES,
    **prior_rules.RULES,
    **word_rules.RULES,
}


def contradictions(profile: Profile, broken: frozenset[str]) -> list[Finding]:
    """What the rules say about the sound part of a profile; `broken` keys have been reported already."""
    return [
        finding
        for rule, keys in RULES.items()
        if not broken.intersection({*keys, *(key.partition(".")[0] for key in keys)})
        for finding in rule(profile)
    ]


def unused(profile: Profile) -> dict[str, str]:
    """Keys of settings that do nothing in this profile, set or not, and the first reason of each."""
    found: dict[str, str] = {}
    for rule in (*method_rules.UNUSED, *word_rules.UNUSED):
        for each in rule(profile):
            for name in each.names:
                found.setdefault(f"{each.section}.{name}", each.why)
    return found
