"""What the tests of the captions screen share: a dataset, the app on it, and what its screen says."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from textual.pilot import Pilot

from sdtui import paths
from sdtui.tui.app import SdtuiApp
from sdtui.tui.screens.captions import CaptionsScreen
from sdtui.tui.settings import Settings
from tests.tui.stage import screen_text, until

SIZE = (120, 36)


def dataset(folder: Path, captions: dict[str, bytes | None]) -> Path:
    """A folder with an image for each name, and the caption's bytes unless they are None."""
    folder.mkdir(parents=True)
    for name, raw in captions.items():
        Image.new("RGB", (48, 32), "teal").save(folder / f"{name}.png")
        if raw is not None:
            (folder / f"{name}.txt").write_bytes(raw)
    return folder


def app_on(folder: Path, *, ascii_only: bool = False) -> SdtuiApp:
    return SdtuiApp(folder.parent, start="captions", target=folder, settings=Settings(ascii=ascii_only))


def written(folder: Path) -> dict[str, bytes]:
    """All captions of a folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*.txt")}


def screen_of(app: SdtuiApp) -> CaptionsScreen:
    assert isinstance(app.screen, CaptionsScreen)
    return app.screen


def kept_drafts() -> dict[str, list[str]]:
    """The texts that were typed and not written, as they lie in the state folder, by image."""
    found: dict[str, list[str]] = {}
    for path in (paths.state_dir() / "drafts").glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def pane(app: SdtuiApp) -> list[str]:
    """The lines from the image's facts down to the footer."""
    rows = screen_text(app)
    start = max((at for at, row in enumerate(rows) if row.startswith(("────", "----"))), default=0)
    return rows[start + 1 :] or ["", ""]


def shows(app: SdtuiApp, facts: str, caption: str) -> Callable[[], bool]:
    return lambda: pane(app)[0].startswith(f" {facts}") and pane(app)[1] == f" {caption}"


def counted(app: SdtuiApp, tag: str) -> str:
    """The number behind a tag of one word in the list of tags, "" while that shows none."""
    rows = (row.rpartition("│")[2].split() for row in screen_text(app))
    return next((row[1] for row in rows if row[:1] == [tag] and len(row) > 1), "")


async def ready(pilot: Pilot[None], first: str = "bridge.png") -> None:
    """Until the first image is shown with its size, and all captions are counted."""
    await until(pilot, lambda: pane(pilot.app)[0].startswith(f" {first}   48"))  # type: ignore[arg-type]
    await until(pilot, lambda: "reading the captions" not in "\n".join(screen_text(pilot.app)))


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if letter == " " else "comma" if letter == "," else letter for letter in text))


async def saved(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: "saved" in pane(pilot.app)[0])  # type: ignore[arg-type]
