"""The picture pane: drawings, captions, messages, and only the last one asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from textual.strip import Strip

from sdtui.tui.settings import Settings
from sdtui.tui.widgets.picture import Job, PicturePanel
from tests.tui.stage import Stage, until

SIZE = (12, 6)


def write(path: Path, colours: tuple[tuple[int, int, int], tuple[int, int, int]]) -> Path:
    """A picture whose left half has one colour and right half the other."""
    image = Image.new("RGB", (40, 40), colours[0])
    image.paste(colours[1], (20, 0, 40, 40))
    image.save(path)
    return path


def panel_of(app: Stage) -> PicturePanel:
    return app.query_one(PicturePanel)


async def test_a_picture_is_centred_with_its_caption_taken_literally(tmp_path: Path) -> None:
    app = Stage(PicturePanel(ascii_only=True))
    async with app.run_test(size=SIZE) as pilot:
        panel_of(app).show(write(tmp_path / "a.png", ((0, 0, 0), (255, 255, 255))), "[red]a[/x]")
        await until(pilot, lambda: "@" in "".join(panel_of(app).plain()))
        assert panel_of(app).plain() == ["      @@@@@"] * 5 + [" [red]a[/x]"]


@pytest.mark.parametrize(("chosen", "glyphs"), [("half", {"▀"}), ("ascii", {"+"}), ("quadrant", {"▞"})])
async def test_the_users_settings_say_what_is_drawn_with(tmp_path: Path, chosen: str, glyphs: set[str]) -> None:
    board = Image.new("RGB", (4, 4), "white")
    for x in range(4):
        for y in range(4):
            board.putpixel((x, y), (255, 255, 255) if (x + y) % 2 else (0, 0, 120))
    board.save(tmp_path / "a.png")
    app = Stage(PicturePanel())
    app.settings = Settings(picture=chosen)  # type: ignore[attr-defined]
    async with app.run_test(size=(2, 2)) as pilot:
        panel_of(app).show(tmp_path / "a.png")
        await until(pilot, lambda: bool(set("".join(panel_of(app).plain())) & glyphs))


async def test_a_resize_draws_for_the_new_size(tmp_path: Path) -> None:
    app = Stage(PicturePanel(ascii_only=True))
    async with app.run_test(size=SIZE) as pilot:
        panel_of(app).show(write(tmp_path / "a.png", ((0, 0, 0), (255, 255, 255))))
        await pilot.resize_terminal(4, 2)
        await until(pilot, lambda: panel_of(app).plain() == ["  @@", "  @@"])


async def test_an_unreadable_picture_is_a_message_in_the_pane(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nonsense")
    app = Stage(PicturePanel())
    async with app.run_test(size=(60, 5)) as pilot:
        panel_of(app).show(tmp_path / "broken.png")
        await until(pilot, lambda: any(panel_of(app).plain()))
        assert [row.strip() for row in panel_of(app).plain()[1:3]] == [
            "cannot read the image: its contents are not an image of a",
            "known kind",
        ]
        panel_of(app).show(tmp_path / "gone.png")
        await until(pilot, lambda: "cannot read the image: the file does not exist" in panel_of(app).plain()[2])


async def test_no_picture_shows_the_message_given() -> None:
    app = Stage(PicturePanel())
    async with app.run_test(size=(20, 3)) as pilot:
        panel_of(app).show(None, message="no previews yet")
        await pilot.pause()
        assert panel_of(app).plain()[1].strip() == "no previews yet"


async def test_only_the_last_of_many_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write(tmp_path / f"{n}.png", ((0, 0, 0), (255, 255, 255))) for n in range(20)]
    decoded: list[Path] = []
    app = Stage(PicturePanel(ascii_only=True))
    async with app.run_test(size=SIZE) as pilot:
        panel = panel_of(app)
        real = panel._drawing

        def drawing(job: Job) -> list[Strip]:
            decoded.append(job.path)
            return real(job)

        monkeypatch.setattr(panel, "_drawing", drawing)
        for path in paths:
            panel.show(path)
        await until(pilot, lambda: paths[-1] in decoded and not panel._busy)
        assert len(decoded) <= 3


async def test_a_file_that_was_replaced_is_drawn_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", ((0, 0, 0), (255, 255, 255)))
    app = Stage(PicturePanel(ascii_only=True))
    async with app.run_test(size=SIZE) as pilot:
        panel_of(app).show(path)
        await until(pilot, lambda: panel_of(app).plain()[0] == "      @@@@@@")
        write(path, ((255, 255, 255), (0, 0, 0)))
        os.utime(path, ns=(1, 1))
        panel_of(app).show(path)
        await until(pilot, lambda: panel_of(app).plain()[0] == "@@@@@@")


async def test_a_picture_that_cannot_be_drawn_does_not_keep_the_next_one_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = PicturePanel._drawing

    def fail(panel: PicturePanel, job: Job) -> list[Strip]:
        if job.path.name == "odd.png":
            raise KeyError("no such band")
        return drawing(panel, job)

    monkeypatch.setattr(PicturePanel, "_drawing", fail)
    app = Stage(PicturePanel(ascii_only=True))
    async with app.run_test(size=(60, 5)) as pilot:
        panel_of(app).show(write(tmp_path / "odd.png", ((0, 0, 0), (9, 9, 9))))
        await until(pilot, lambda: "cannot be drawn: 'no such band'" in " ".join(panel_of(app).plain()))
        panel_of(app).show(write(tmp_path / "a.png", ((0, 0, 0), (255, 255, 255))))
        await until(pilot, lambda: "@" in "".join(panel_of(app).plain()))
