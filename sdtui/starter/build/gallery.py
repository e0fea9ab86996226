"""`python -m sdtui.starter.build.gallery`: docs/gallery.md, each method's work on the starter before and after, with its score.

Every adapter is trained by `sdtui train` and every picture drawn by `sdtui sample`, as a user would; what is in the work
folder already is not made again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import sdtui.starter
from sdtui.amounts import bytes_text
from sdtui.errors import SdtuiError
from sdtui.files import open_atomic, write_atomic
from sdtui.runs import registry
from sdtui.runs.layout import RunFolder
from sdtui.starter.build.trial import FIRST_SEED, GUIDANCE, SEEDS, STEPS, SUBJECTS
from sdtui.starter.demo import NEW_STYLE, PROFILE, make_workspace

DOCS = Path(sdtui.starter.__file__).parent.parent.parent / "docs"
TRIGGER = f"{NEW_STYLE} style"
WORD = "my-style"
ENLARGED = 2
GAP = 4
# Enough for flat drawings, and a third of the bytes of true colour.
COLOURS = 96


@dataclass(frozen=True)
class Exhibit:
    """One method on the starter.

    Attributes:
        name: of its run and its picture.
        title: what the page calls it.
        settings: what differs from the demo's profile, as `--set` takes it.
        prompt: what is drawn, `{}` standing for the subject; the captions begin as it does.
        words: what is said of it.
        style: that is learned; of one that the base model knows, the pictures to learn from are drawn by it.
    """

    name: str
    title: str
    settings: tuple[str, ...] = ()
    prompt: str = TRIGGER + ", {}"
    words: str = ""
    style: str = NEW_STYLE


EXHIBITS = (
    Exhibit("lora", "LoRA", words="The demo's own profile: rank 16, with the text encoder."),
    Exhibit(
        "locon",
        "LoCon",
        ('method.targets=["attention","feed-forward","projection","convolution"]', "method.conv_rank=8"),
        words="LoRA in the 3×3 convolutions, too, with rank 8.",
    ),
    Exhibit(
        "dora",
        "DoRA",
        ("method.weight_decompose=true", "method.rank=8", "method.alpha=16.0"),
        words="Half the rank, and the length of each output's weights learned apart.",
    ),
    Exhibit(
        "loha",
        "LoHa",
        ("method.algorithm=loha", "method.rank=8", "method.alpha=8.0"),
        words="The product of two low-rank pairs of rank 8.",
    ),
    Exhibit(
        "lokr",
        "LoKr",
        (
            "method.algorithm=lokr",
            "method.rank=16",
            "method.factor=4",
            "optimizer.learning_rate=5e-3",
            "optimizer.text_encoder_learning_rate=3e-3",
        ),
        words="A Kronecker product with a small factor of 4 × 4.",
    ),
    Exhibit(
        "ia3",
        "(IA)³",
        ("method.algorithm=ia3", "optimizer.learning_rate=2e-2", "optimizer.text_encoder_learning_rate=2e-2"),
        words="One factor for each channel, at ten times the rate.",
    ),
    Exhibit(
        "oft",
        "OFT",
        ("method.algorithm=oft", "method.rank=16"),
        words="Blocks of 16 outputs are rotated.",
    ),
    Exhibit(
        "difference",
        "Full difference",
        ("method.algorithm=full", "optimizer.learning_rate=2e-4", "optimizer.text_encoder_learning_rate=2e-4"),
        words="The whole difference of each chosen layer's weights, at a tenth of the rate.",
    ),
    Exhibit(
        "finetune",
        "Full fine-tuning",
        (
            "method.kind=full",
            'saving.formats=["folder"]',
            "optimizer.learning_rate=2e-4",
            "optimizer.text_encoder_learning_rate=2e-4",
        ),
        words="All weights of UNet and text encoder; the result is a model.",
    ),
    Exhibit(
        "dreambooth",
        "DreamBooth",
        (
            "method.kind=full",
            'saving.formats=["folder"]',
            "optimizer.learning_rate=2e-4",
            "optimizer.text_encoder_learning_rate=2e-4",
            'dataset.folders=[{path="images"},{path="class",regularization=true,generate=24,class_tokens="flat style, toy"}]',
        ),
        words="The same, with 24 pictures of what the model knows beside them, which it draws itself before training.",
    ),
    Exhibit(
        "pivotal",
        "Pivotal tuning",
        (f'method.words=[{{name="{WORD}",vectors=2,init="style",learning_rate=5e-3}}]', "method.text_encoder=false"),
        WORD + ", {}",
        "A word of two vectors and a LoRA of the UNet that learn together.",
    ),
    Exhibit(
        "textual-inversion",
        "Textual inversion",
        (
            "method.kind=textual-inversion",
            f'method.words=[{{name="{WORD}",vectors=4,init="style"}}]',
            "optimizer.learning_rate=2e-2",
        ),
        WORD + ", {}",
        "A word of four vectors and nothing else. It can only find what the model can draw: here a style that the model knows by "
        "another name, from 24 pictures that it has drawn itself.",
        "3d",
    ),
)


@dataclass(frozen=True)
class Shown:
    """What came of an exhibit: files in bytes, pictures in the new style of all, before and after."""

    exhibit: Exhibit
    size: int
    before: int
    after: int


def main() -> None:
    """Make what is missing, then the page."""
    parser = argparse.ArgumentParser(prog="python -m sdtui.starter.build.gallery", description="Make docs/gallery.md.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="only make these: " + " ".join(e.name for e in EXHIBITS)
    )
    parser.add_argument("--work", type=Path, default=Path("gallery-work"), help="folder for runs and pictures")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder that gets the page")
    args = parser.parse_args()
    chosen = [each for each in EXHIBITS if not args.names or each.name in args.names]
    workspace = make_workspace(args.work.absolute())
    shown = [_made(each, workspace, args.docs / "images") for each in chosen]
    if not args.names:
        write_atomic(args.docs / "gallery.md", page(shown))


def _made(exhibit: Exhibit, workspace: Path, images: Path) -> Shown:
    from sdtui.starter.style import styles_in

    run = _trained(exhibit, workspace)
    after = _drawn(str(run.path), exhibit.prompt, workspace / "pictures" / exhibit.name)
    # What most are compared with is drawn once.
    plain = "before" if exhibit.prompt == Exhibit.prompt else "before-word"
    before = _drawn("starter", exhibit.prompt, workspace / "pictures" / plain)
    write_rows([before[: len(SUBJECTS)], after[: len(SUBJECTS)]], images / f"gallery-{exhibit.name}.png")
    size = sum(file.stat().st_size for file in run.output_dir.rglob("*") if file.is_file())
    shown = Shown(exhibit, size, *(styles_in(drawn).count(exhibit.style) for drawn in (before, after)))
    print(f"{exhibit.name}: {shown.before} of {SEEDS} before, {shown.after} after, {bytes_text(size)}", flush=True)
    return shown


def _trained(exhibit: Exhibit, workspace: Path) -> RunFolder:
    runs = workspace / "runs" / exhibit.name
    for found in registry.list_runs(runs):
        if found.state == "finished":
            return found.run
    settings = ("previews.at_start=false", "previews.every=0", "saving.every_steps=0", *exhibit.settings)
    if exhibit.prompt != Exhibit.prompt:
        folder = _renamed(exhibit, workspace)
        settings = (
            *settings,
            f'dataset.folders=[{{path="{folder}"}}]',
            f"saving.trigger={WORD}",
            "previews.prompts=[]",
        )
    overrides = [part for each in settings for part in ("--set", each)]
    profile = str(workspace / PROFILE)
    _sdtui("train", profile, "--set", f"launch.runs={runs}", "--set", f"name={exhibit.name}", *overrides)
    return _trained(exhibit, workspace)


def _renamed(exhibit: Exhibit, workspace: Path) -> Path:
    """The pictures to learn from, with captions that begin with the word."""
    folder = workspace / f"images-{exhibit.style}"
    folder.mkdir(exist_ok=True)
    captions = {path.stem: path.read_text(encoding="utf-8") for path in sorted((workspace / "images").glob("*.txt"))}
    for name, caption in captions.items():
        (folder / f"{name}.txt").write_text(caption.replace(TRIGGER, WORD), encoding="utf-8")
    if exhibit.style == NEW_STYLE:
        for name in captions:
            (folder / f"{name}.png").write_bytes((workspace / "images" / f"{name}.png").read_bytes())
        return folder
    lines = [f"{exhibit.style} style, {name.replace('-', ' ')} --w 64 --h 64 --d 1" for name in captions]
    drawn = _all_drawn("starter", lines, workspace / "pictures" / f"images-{exhibit.style}", guidance=4.0)
    for name, path in zip(captions, drawn, strict=True):
        (folder / f"{name}.png").write_bytes(path.read_bytes())
    return folder


def _drawn(source: str, prompt: str, folder: Path) -> list[Path]:
    """The pictures that the score is about: 32 seeds of eight subjects that no training has seen."""
    lines = [
        f"{prompt.format(SUBJECTS[at % len(SUBJECTS)])} --w 64 --h 64 --d {FIRST_SEED + at}" for at in range(SEEDS)
    ]
    return _all_drawn(source, lines, folder)


def _all_drawn(source: str, lines: Sequence[str], folder: Path, guidance: float = GUIDANCE) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "prompts.txt"
    write_atomic(listed, "\n".join(lines) + "\n")
    options = ("--prompts", str(listed), "--steps", str(STEPS), "--cfg", f"{guidance:g}", "-o", str(folder))
    _sdtui("sample", source, *options)
    return sorted(folder.glob("0*.png"))


def _sdtui(*arguments: str) -> None:
    ended = subprocess.run([sys.executable, "-m", "sdtui", *arguments], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SdtuiError(ended.stderr.strip().removeprefix("sdtui: "), where=f"sdtui {' '.join(arguments[:2])}")


def write_rows(rows: Sequence[Sequence[Path]], target: Path) -> None:
    """Pictures in rows, each pixel enlarged, in few colours."""
    opened = [[_enlarged(path) for path in row] for row in rows]
    width, height = opened[0][0].size
    sheet = Image.new("RGB", (len(opened[0]) * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP), "white")
    for down, row in enumerate(opened):
        for across, image in enumerate(row):
            sheet.paste(image, (across * (width + GAP), down * (height + GAP)))
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_atomic(target) as stream:
        sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)


def _enlarged(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").resize((image.width * ENLARGED, image.height * ENLARGED), Image.Resampling.NEAREST)


def page(shown: Sequence[Shown]) -> str:
    """docs/gallery.md."""
    lines = [
        "# Gallery",
        "",
        f'Each method learns "{TRIGGER}" from the same 24 pictures, which ship with sdtui, with the same base model and the demo\'s',
        "profile (400 steps of eight images, 64 × 64 pixels) but for what is said. Above: the base model; below: what was",
        f"trained, with the same prompts and seeds, `{TRIGGER}, {SUBJECTS[0]}` and so on. None of the subjects is among the pictures.",
        "",
        f"The score is how many of {SEEDS} such pictures a small classifier takes for the style that was learned ([the starter](starter.md) says how good",
        "it is). It says whether a method does its job, not which is best: the rates were not tuned. Nor does it say whether the",
        "subject is right: after 24 pictures of so small a model a lion may be a butterfly, with every method.",
        "[Methods](methods.md) says which to take.",
        "",
        "| method | before | after | file |",
        "|---|---|---|---|",
        *(
            f"| [{each.exhibit.title}](#{_anchor(each.exhibit.title)}) | {each.before} of {SEEDS} | {each.after} of {SEEDS} | {bytes_text(each.size)} |"
            for each in shown
        ),
    ]
    for each in shown:
        settings = " ".join(f"`{setting.replace('=', ' = ', 1)}`" for setting in each.exhibit.settings)
        lines += ["", f"## {each.exhibit.title}", "", f"{each.exhibit.words} {settings}".strip(), ""]
        lines += [f"![{each.exhibit.title}: before above, after below](images/gallery-{each.exhibit.name}.png)"]
    lines += [
        "",
        "The page and its pictures are written by `python -m sdtui.starter.build.gallery`. The pictures come from the starter's",
        "weights and have their licences (`sdtui/starter/LICENCES.md`).",
    ]
    return "\n".join(lines) + "\n"


def _anchor(title: str) -> str:
    """The fragment that the site gives a heading."""
    kept = "".join(character for character in title.lower() if character.isalnum() or character in " -")
    return kept.encode("ascii", "ignore").decode().strip().replace(" ", "-")


if __name__ == "__main__":
    main()
