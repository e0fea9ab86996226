"""The demo's workspace, and what its run came to: the same prompts and seeds before and after, judged by a classifier."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tomlkit

from sdtui import paths
from sdtui.errors import SdtuiError, UserError
from sdtui.files import open_atomic, write_atomic

if TYPE_CHECKING:
    from PIL import Image

PACKAGE = Path(__file__).parent
MODEL = PACKAGE / "model"
IMAGES = PACKAGE / "images"
PROFILE = "demo.toml"
NEW_STYLE = "linocut"
COMPARISON = "before-after.png"
ENLARGED = 4
GAP = 8


@dataclass(frozen=True)
class Comparison:
    """Previews of the same prompts and seeds before and after training, and how many have the new style."""

    before: list[Path]
    after: list[Path]
    styled_before: int
    styled_after: int


def make_workspace(folder: Path | None = None) -> Path:
    """A workspace with the starter's images and profile; one that is there already is used as it stands.

    Args:
        folder: where; None: `sdtui-demo` here, or in the user's data folder where this one cannot be written.

    Raises:
        UserError: `folder` holds something else, or the installation lacks the starter.
        SdtuiError: it cannot be written.
    """
    if not (MODEL / "model_index.json").is_file():
        raise UserError(
            "the starter model is missing", where=str(MODEL), remedy="Install sdtui from a complete checkout or wheel"
        )
    target = _free_folder() if folder is None else folder.absolute()
    if _is_demo(target):
        _renew_base(target / PROFILE)
        return target
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(
            "this is something else, and the demo overwrites nothing",
            where=str(target),
            remedy="Name a new or empty folder with --dir",
        )
    try:
        _fill(target)
    except OSError as error:
        raise SdtuiError(
            f"cannot be written: {error.strerror}", where=str(target), remedy="Name another folder with --dir"
        ) from error
    return target


def compare(run: Path, workspace: Path) -> Comparison | None:
    """Judge the first and last previews of the run and write them side by side; None when it has only one set.

    Loads PyTorch. The picture is `before-after.png` in the workspace, before above after.
    """
    from sdtui.starter.style import styles_in

    sets = sorted(folder for folder in (run / "previews").glob("step-*") if any(folder.glob("*.png")))
    if len(sets) < 2:
        return None
    names = sorted({path.name for path in sets[0].glob("*.png")} & {path.name for path in sets[-1].glob("*.png")})
    before, after = [sets[0] / name for name in names], [sets[-1] / name for name in names]
    _write_comparison(before, after, workspace / COMPARISON)
    return Comparison(before, after, styles_in(before).count(NEW_STYLE), styles_in(after).count(NEW_STYLE))


def _free_folder() -> Path:
    here = Path.cwd()
    parent = here if os.access(here, os.W_OK) else paths.data_dir()
    number = 1
    while True:
        target = parent / ("sdtui-demo" if number == 1 else f"sdtui-demo-{number}")
        if _is_demo(target) or not target.exists():
            return target
        number += 1


def _is_demo(folder: Path) -> bool:
    return (folder / PROFILE).is_file() and (folder / "images").is_dir()


def _fill(target: Path) -> None:
    images = target / "images"
    images.mkdir(parents=True, exist_ok=True)
    for source in sorted(IMAGES.iterdir()):
        # Bytes only: read-only modes of an installed package must not follow into the user's folder.
        shutil.copyfile(source, images / source.name)
    document = tomlkit.parse(_template().read_text(encoding="utf-8"))
    document["model"]["base"] = str(MODEL)
    document["dataset"]["folders"][0]["path"] = "images"
    # The profile last: a folder with one is a finished workspace.
    write_atomic(target / PROFILE, tomlkit.dumps(document))


def _renew_base(profile: Path) -> None:
    """Point an older workspace at this installation's model if its own is gone."""
    document = tomlkit.parse(profile.read_text(encoding="utf-8"))
    base = document.get("model", {}).get("base")
    if isinstance(base, str) and not (profile.parent / base).exists():
        document["model"]["base"] = str(MODEL)
        write_atomic(profile, tomlkit.dumps(document))


def _template() -> Path:
    """The shipped profile: beside the package in a checkout, inside it in a wheel."""
    packaged = PACKAGE.parent / "_profiles" / PROFILE
    return packaged if packaged.exists() else PACKAGE.parent.parent / "profiles" / PROFILE


def _write_comparison(before: list[Path], after: list[Path], target: Path) -> None:
    from PIL import Image

    rows = [[_enlarged(path) for path in row] for row in (before, after)]
    width, height = rows[0][0].size
    sheet = Image.new("RGB", (len(before) * (width + GAP) - GAP, 2 * height + GAP), "white")
    for down, row in enumerate(rows):
        for across, image in enumerate(row):
            sheet.paste(image, (across * (width + GAP), down * (height + GAP)))
    with open_atomic(target) as stream:
        sheet.save(stream, "PNG")


def _enlarged(path: Path) -> Image.Image:
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB").resize((image.width * ENLARGED, image.height * ENLARGED), Image.Resampling.NEAREST)
