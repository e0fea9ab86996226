"""`sdtui plan`: what training a profile would do, without doing it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sdtui.amounts import bytes_text
from sdtui.cli.output import count_text, duration_text, emit_json, plural
from sdtui.cli.rehearsal import Rehearsed, rehearse
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.profile.load import load_frozen
from sdtui.profile.plan import Measured, Plan, make_plan
from sdtui.profile.planned_files import PlannedFile
from sdtui.profile.schema import Profile

if TYPE_CHECKING:
    from sdtui.dataset.collect import Collection

# A speed is taken from this many newest runs at most; older ones are other machines or other habits.
_RUNS_LOOKED_AT = 20
# The first steps warm kernels and caches up.
_STEPS_LEFT_OUT = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("profile", metavar="PROFILE", type=Path, help="a profile's TOML file")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help="plan with a setting changed, e.g. --set training.batch_size=4 (may be given more than once)",
    )  # fmt: skip
    parser.add_argument(
        "--captions", metavar="N", type=int, default=0,
        help="also show the first N captions that training will read, after shuffle, dropout, wildcards and the like",
    )  # fmt: skip
    parser.add_argument(
        "--measure", action="store_true",
        help="take the first few steps, in a folder that is removed after, and tell their memory and speed",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the plan; 2 if the dataset has something that forbids training."""
    from sdtui.cli.check import checked
    from sdtui.dataset.class_caption import missing_trigger
    from sdtui.dataset.collect import collect
    from sdtui.dataset.findings import dataset_lines
    from sdtui.dataset.survey import survey
    from sdtui.dataset.words import word_findings
    from sdtui.models.caption_length import cut_captions
    from sdtui.models.recognise import plan_parts

    profile = checked(args.profile, args.overrides)
    collection = collect(profile)
    for line in dataset_lines(profile, collection):
        print(line, file=sys.stderr)
    unread = [finding for finding in word_findings(profile, collection) if finding.severity == "error"]
    for finding in unread:
        print(f"error: {finding.message}. {finding.remedy}", file=sys.stderr)
    if any(finding.code == "bad-template" for finding in unread):
        return 2  # nothing that is read can be told
    if stopping := len(collection.blocking(profile)):
        print(f"{plural(stopping, 'problem')} of the dataset would stop the run", file=sys.stderr)
    rehearsed = rehearse(profile) if args.measure and not (unread or collection.blocking(profile)) else None
    measured = Measured(rehearsed.images_per_second) if rehearsed else measure(profile)
    plan = make_plan(profile, survey(profile, collection), measured, plan_parts(profile))
    told = (cut_captions(profile, collection.samples), missing_trigger(profile, collection.training))
    plan = replace(plan, warnings=(*plan.warnings, *filter(None, told)))
    captions = drawn_captions(profile, collection, args.captions)
    if args.json:
        shown: dict[str, object] = {"captions": [asdict(caption) for caption in captions]} if args.captions else {}
        shown |= {"measured": asdict(rehearsed)} if rehearsed else {}
        emit_json({"path": str(args.profile), "name": profile.name, **as_json(plan), **shown})
    else:
        taken = [_rehearsed(rehearsed)] if rehearsed else []
        print("\n".join([*describe(profile, plan), *taken, *map(_line, captions)]))
    return 2 if unread or collection.blocking(profile) else 0


@dataclass(frozen=True)
class DrawnCaption:
    """What training will read of an image's caption in a step, counted from 1."""

    step: int
    path: str
    caption: str


def drawn_captions(profile: Profile, collection: Collection, count: int) -> list[DrawnCaption]:
    """The first `count` captions of the run, exactly as the trainer draws them."""
    if count < 0:
        raise UserError(f"--captions is {count}", remedy="Give how many to show, such as --captions 20")
    if not (count and collection.samples):
        return []
    from sdtui.training.prepare import make_captions, make_order, trained

    samples = trained(collection.samples)
    captions = make_captions(profile, samples, make_order(profile, samples))
    return [
        DrawnCaption(drawn.step + 1, str(samples[drawn.sample].path), drawn.text)
        for drawn in islice(captions.in_order(), count)
    ]


def as_json(plan: Plan) -> dict[str, object]:
    """The plan for scripts, every figure by name."""
    memory = plan.memory and {**asdict(plan.memory), "bytes": plan.memory.bytes}
    return {**asdict(plan), "memory": memory}


def describe(profile: Profile, plan: Plan) -> list[str]:
    """The plan for people: one fact a line, aligned."""
    from sdtui.dataset.survey import folder_line
    from sdtui.models.recognise import family_line

    training = profile.training
    rows = [
        ("images", _images(plan)),
        *(("folder", folder_line(folder)) for folder in plan.folders),
        ("buckets", ", ".join(f"{each.width}×{each.height}: {count_text(each.samples)}" for each in plan.buckets)),
        (
            "batches",
            f"{count_text(plan.batches_per_epoch)} an epoch, {plural(training.batch_size, 'image')} each{_shared(profile)}",
        ),
        ("steps", f"{count_text(plan.steps)} = {plan.epochs:.4g} × {plural(plan.steps_per_epoch, 'step')} an epoch"),
        *([("class", _class_images(profile, plan))] if plan.generated else []),
        *([("warm-up", plural(plan.warmup_steps, "step"))] if plan.warmup_steps else []),
        *([("measured", _measured(profile, plan))] if plan.held_out else []),
        ("model", family_line(profile.model.base) or "not here yet, or not to be read"),
        (
            "learned",
            "not known for this base model"
            if plan.trained_values is None
            else f"{count_text(plan.trained_values)} values",
        ),
        *(("file", _file(file)) for file in plan.files),
        *(("cache", f"{_file(cache)}, shared by all runs") for cache in plan.caches),
        ("disk", _disk(plan)),
        ("memory", _memory(profile, plan)),
        (
            "time",
            f"about {duration_text(plan.seconds)}"
            if plan.seconds is not None
            else "not known before a run like this was trained",
        ),
        ("runs in", profile.launch.runs),
        *(("note", warning) for warning in plan.warnings),
    ]
    return [f"{name:<9}{text}" for name, text in rows]


def _shared(profile: Profile) -> str:
    """In how many processes, where that is not one."""
    from sdtui.profile.launch_rules import world_size

    return f", dealt out to {world_size(profile)} processes" if world_size(profile) > 1 else ""


def _images(plan: Plan) -> str:
    others = ((plan.regularization, "for regularisation"), (plan.held_out, "held out"))
    told = "".join(f", {count_text(count)} {purpose}" for count, purpose in others if count)
    return f"{count_text(plan.images)}{told}, with repeats {count_text(plan.samples)} an epoch"


def _class_images(profile: Profile, plan: Plan) -> str:
    """What the base model draws before training."""
    steps = plural(profile.prior.generate_steps, "step")
    seconds = plan.generating_seconds
    time = "" if seconds is None else f", about {duration_text(seconds)}"
    return f"{plural(plan.generated, 'image')} drawn by the base model first, {steps} each{time}"


def _measured(profile: Profile, plan: Plan) -> str:
    """When the loss of the held-out images is measured."""
    if not plan.measurements:
        return "never: validation.every_steps and every_epochs are 0"
    settings = profile.validation
    given = ((settings.every_steps, "step"), (settings.every_epochs, "epoch"))
    intervals = " and ".join(f"every {unit if every == 1 else plural(every, unit)}" for every, unit in given if every)
    points = plural(len(settings.timesteps), "timestep")
    most = settings.most_images
    limit = (
        f", {most} of each folder at most" if most and any(folder.held_out > most for folder in plan.folders) else ""
    )
    return f"{count_text(plan.measurements)} × the loss of held-out images{limit}, {intervals}, at {points}"


def _memory(profile: Profile, plan: Plan) -> str:
    """What is needed at the peak, and where it goes."""
    memory = plan.memory
    if memory is None:
        return "not known for this base model"
    parts = [("programs", memory.programs), ("frozen weights", memory.frozen), ("learned", memory.trained),
             ("activations", memory.activations), ("work", memory.working)]  # fmt: skip
    told = ", ".join(f"{name} {bytes_text(size)}" for name, size in parts if size)
    each = f" for each of {processes} processes" if (processes := profile.launch.processes) > 1 else ""
    wanted = profile.training.batch_size
    parts_of = (
        f"; {count_text(memory.images)} of the {wanted} images of a batch at once" if memory.images < wanted else ""
    )
    return f"about {bytes_text(memory.bytes)} on the {memory.device}{each}: {told}{parts_of}"


def _rehearsed(taken: Rehearsed) -> str:
    """What a few steps took."""
    return (
        f"measured {bytes_text(taken.peak_bytes)} at the peak, {taken.seconds_per_step:.3g} s a step, "
        f"{taken.images_per_second:.3g} images a second on {taken.device} in {taken.precision}, "
        f"{plural(taken.threads, 'thread')} on the processor"
    )


def _disk(plan: Plan) -> str:
    """All that is written, and how it comes together."""
    if plan.bytes is None:
        return "not known for this base model"
    parts = [(Path(file.path).parts[0], file.bytes) for file in plan.files]
    parts += [(f"cached {Path(cache.path).name}", cache.bytes) for cache in plan.caches]
    told = ", ".join(f"{name} {bytes_text(size)}" for name, size in parts if size is not None)
    return f"about {bytes_text(plan.bytes)}: {told}"


def measure(profile: Profile) -> Measured | None:
    """The speed of the newest run that did the same work for each image; None when there is none."""
    from sdtui.runs import registry

    for info in registry.list_runs(Path(profile.launch.runs))[:_RUNS_LOOKED_AT]:
        if info.step > _STEPS_LEFT_OUT and _same_work(info.run.profile_file, profile):
            return _speed(info.run.events_file)
    return None


def _same_work(frozen: Path, profile: Profile) -> bool:
    """Whether the run with this profile did the same; one that cannot be read, or no longer holds, tells nothing."""
    try:
        return _work(load_frozen(frozen)) == _work(profile)
    except UserError:
        return False


def _work(profile: Profile) -> dict[str, object]:
    """What the time for one image depends on."""
    length = {"steps", "epochs", "seed", "clip_norm"}
    return {
        "base": profile.model.base,
        "method": profile.method.model_dump(exclude={"alpha"}),
        "resolution": profile.dataset.resolution,
        "prior": (profile.prior.keeps_class, profile.prior.target),
        "training": profile.training.model_dump(exclude=length),
    }


def _speed(events: Path) -> Measured | None:
    """Images per second over the steps of a run, previews and checkpoints between them not counted."""
    from sdtui.runs.events import EventReader

    steps = [event for event in EventReader(events).poll() if event.get("kind") == "step"][_STEPS_LEFT_OUT:]
    images = sum(event.get("images", 0) for event in steps)
    seconds = sum(event.get("seconds", 0.0) for event in steps)
    return Measured(images / seconds) if images and seconds else None


def _line(drawn: DrawnCaption) -> str:
    text = printable(drawn.caption) or "(empty)"
    return f"{'caption':<9}step {count_text(drawn.step)}, {printable(Path(drawn.path).name)}: {text}"


def _file(file: PlannedFile) -> str:
    size = (
        "" if file.bytes_each is None else f", about {bytes_text(file.bytes_each)}{' each' if file.count > 1 else ''}"
    )
    times = f"{count_text(file.count)} × " if file.count > 1 else ""
    return f"{times}{file.path}{size}"
