"""Editing captions in a real terminal by keys only: jobs people do often, and kill -9 in the middle of them."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from sdtui.dataset.edit import Journal, Unfinished
from tests.e2e.terminal import Terminal, sdtui, wait_until
from tests.tui.captions.desk import dataset

pytestmark = pytest.mark.e2e

# The app whose process is killed when so many captions have been switched.
DEADLY = textwrap.dedent("""
    import os, signal, sys
    replace, left = os.replace, int(sys.argv.pop(1))
    def deadly(source, target, **more):
        global left
        if str(target).endswith(".txt"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target, **more)
    os.replace = deadly
    from sdtui.cli import entry
    entry()
""")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    captions: dict[str, bytes | None] = {f"view_{number:03}": b"city, canal\n" for number in range(120)}
    return dataset(tmp_path / "images", {**captions, "view_007": b"blue_eyes, city, city\r\n"})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def killed_amid_an_edit(images: Path, folders: dict[str, str]) -> None:
    """Add a tag to all captions from the screen, whose process is killed when 50 of them are written."""
    command = [sys.executable, "-c", DEADLY, "50", "captions", str(images)]
    with Terminal(command, width=120, height=36, env=folders) as terminal:
        terminal.wait_for("120 images", "? keys")
        terminal.press("E")
        terminal.wait_for("edit captions: which edit", "dedupe")
        terminal.press("Enter")
        terminal.wait_for("add: add a tag")
        terminal.type("night")
        terminal.wait_for("changes 120 of 120 captions")
        terminal.press("Enter")
        wait_until(terminal.dead, terminal.screen)


@pytest.mark.parametrize(("key", "tagged"), [("f", 120), ("t", 0)], ids=["finish", "take back"])
def test_kill_9_amid_an_edit_of_all_is_asked_about(
    images: Path, folders: dict[str, str], key: str, tagged: int
) -> None:
    before = contents(images)
    killed_amid_an_edit(images, folders)
    after = contents(images)
    new = [name for name, raw in after.items() if raw != before[name]]
    assert len(new) == 50
    assert {after[name] for name in new} <= {b"city, canal, night\n", b"blue_eyes, city, city, night\r\n"}
    assert Journal.unfinished(images) == Unfinished("add 'night' (all)", "edit", files=120, written=50)
    with Terminal(sdtui("captions", images), width=80, height=24, env=folders) as terminal:
        terminal.wait_for("This edit was cut short, 50 of 120 captions done:", "add 'night' (all)", "finish it")
        assert contents(images) == after
        terminal.press(key)
        terminal.wait_gone("finish it")
        wait_until(lambda: sum(b"night" in raw for raw in contents(images).values()) == tagged, terminal.screen)
        if key == "f":
            terminal.wait_for("finished: add 'night'")
            terminal.press("u")
        wait_until(lambda: contents(images) == before, terminal.screen)
        terminal.press("q", "q")
        assert terminal.wait_exit() == 0
    assert not list(images.glob(".*.tmp"))


def test_kill_9_while_typing_loses_nothing(images: Path, folders: dict[str, str]) -> None:
    with Terminal(sdtui("captions", images), width=120, height=36, env=folders) as terminal:
        terminal.wait_for("120 images", "city, canal", "? keys")
        terminal.press("j", "Enter")
        terminal.wait_for("enter save")
        terminal.type(", three ducks")
        terminal.wait_for("● edited")
        drafts = Path(folders["SDTUI_STATE"]) / "drafts"
        wait_until(lambda: any("three ducks" in path.read_text() for path in drafts.glob("*.json")), terminal.screen)
        os.kill(int(terminal.pane_pid()), signal.SIGKILL)
        wait_until(terminal.dead, terminal.screen)
    assert (images / "view_001.txt").read_bytes() == b"city, canal\n"
    with Terminal(sdtui("captions", images), width=120, height=36, env=folders) as terminal:
        terminal.wait_for("view_001.png", "city, canal, three ducks", "enter save")
        terminal.press("Enter")
        wait_until(lambda: (images / "view_001.txt").read_bytes() == b"city, canal, three ducks\n", terminal.screen)


def test_job_a_regular_expression_with_a_group_over_all_then_undo(images: Path, folders: dict[str, str]) -> None:
    before = contents(images)
    with Terminal(sdtui("captions", images), width=80, height=24, env=folders) as terminal:
        terminal.wait_for("120 images", "? keys")
        terminal.press("E")
        terminal.wait_for("which edit")
        terminal.type("regex")
        terminal.press("Enter")
        terminal.wait_for("pattern")
        terminal.type(r"(\w+)_eyes")
        terminal.press("Down")
        terminal.type(r"eyes of \1")
        terminal.wait_for("changes 1 of 120 captions", "- blue_eyes, city, city", "+ eyes of blue, city, city")
        terminal.press("Enter")
        wait_until(
            lambda: contents(images) == {**before, "view_007.txt": b"eyes of blue, city, city\r\n"},
            terminal.screen,
        )
        terminal.wait_for("saved")
        terminal.press("H")
        terminal.wait_for("History of edits", "1 file", "· now", "+ eyes of blue, city, city")
        terminal.press("G", "Enter")
        wait_until(lambda: contents(images) == before, terminal.screen)


def test_job_tags_of_one_image_into_the_marked_ones(images: Path, folders: dict[str, str]) -> None:
    before = contents(images)
    with Terminal(sdtui("captions", images), width=140, height=40, env=folders) as terminal:
        terminal.wait_for("120 images", "city, canal", "? keys")
        terminal.press("/")
        terminal.type("tag:blue_eyes")
        terminal.wait_for("1 of 120")
        terminal.press("Enter", "c")
        terminal.wait_for("copied 3 tags")
        terminal.press("Escape")
        terminal.wait_gone("1 of 120")
        terminal.press("g", "Space", "Space")
        terminal.wait_for("2 marked")
        terminal.press("p")
        terminal.wait_for("pasted into 2 of 2 marked")
        pasted = b"city, canal, blue_eyes\n"
        wait_until(
            lambda: contents(images) == {**before, "view_000.txt": pasted, "view_001.txt": pasted},
            terminal.screen,
        )
        terminal.press("u")
        wait_until(lambda: contents(images) == before, terminal.screen)


def test_looking_only_changes_nothing(images: Path, folders: dict[str, str]) -> None:
    before = contents(images)
    with Terminal(sdtui("captions", images, "--read-only"), width=80, height=24, env=folders) as terminal:
        terminal.wait_for("read-only", "view_000.png", "? keys")
        terminal.press("d", "a")
        terminal.wait_for("read-only: you said so")
        terminal.press("q", "q")
        assert terminal.wait_exit() == 0
    assert contents(images) == before
