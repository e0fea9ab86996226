"""The Captions screen driven by keys: colours and their legend, tags that are offered, the user's lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.tui.app import SdtuiApp
from sdtui.tui.settings import Settings
from tests.tui.captions.desk import SIZE, app_on, dataset, pane, ready, saved, type_in
from tests.tui.stage import says, told, until

LIST = 'saber,4,300,artoria\nlong_hair,0,900,"longhair"\nwooden_bridge,0,50,\n'


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(
        tmp_path / "images",
        {
            "a": b"city, gargoyl, artoria\n", "b": b"city, gargoyle\n", "c": b"city, gargoyle\n",
            "d": b"city, gargoyle, saber\n", "e": b"city, gargoyle, long hair\n",
        },
    )  # fmt: skip


@pytest.fixture
def lists(own_folders: Path) -> Path:
    path = own_folders / "tags.csv"
    path.write_text(LIST)
    (own_folders / "config.toml").write_text(f'[captions]\ntags = "{path}"\n')
    return path


def legend(app: SdtuiApp) -> str:
    return pane(app)[-2].strip()


async def test_a_misspelt_tag_is_told_and_put_right_with_one_key(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await until(pilot, lambda: pane(app)[1] == " city, ?gargoyl, artoria")
        assert legend(app).startswith("problems  ? misspelt? 1")
        await pilot.press("f")
        await until(pilot, lambda: told(app, "the colours say of no other tag here"))
        await pilot.press("tab")
        await until(pilot, lambda: legend(app).endswith("f gargoyle   gargoyl: in 1 caption of 5"))
        await pilot.press("f")
        await saved(pilot)
        assert (images / "a.txt").read_bytes() == b"city, gargoyle, artoria\n"
        assert pane(app)[1] == " city, gargoyle, artoria"


@pytest.mark.usefixtures("lists")
async def test_kinds_come_from_the_users_list(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("C", "tab", "tab")
        await until(pilot, lambda: pane(app)[1] == " ?city, ?gargoyl, cartoria")
        await until(pilot, lambda: "f saber   artoria: character, 300 elsewhere, called saber today" in legend(app))
        await pilot.press("f")
        await saved(pilot)
        assert (images / "a.txt").read_bytes() == b"city, gargoyl, saber\n"


async def test_the_scheme_goes_round_and_is_remembered(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        for name in (
            "kinds",
            "frequency",
            "relations",
            "tokens",
            "spelling",
            "trigger",
            "scores",
            "origin",
            "none",
            "problems",
            "kinds",
        ):
            await pilot.press("C")
            await until(pilot, lambda name=name: legend(app).startswith(name))  # type: ignore[misc]
        await pilot.press("ctrl+q")
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await until(pilot, lambda: legend(app).startswith("kinds"))
        assert says(app, "no list of tags yet")


async def test_the_trigger_word_is_that_of_a_profile_which_uses_the_images(images: Path) -> None:
    profile = images.parent / "cat.toml"
    profile.write_text('[dataset]\nfolders = [{ path = "images" }]\n[saving]\ntrigger = "city, ohwx"\n')
    (images.parent / "other.toml").write_text('[dataset]\nfolders = [{ path = "x" }]\n[saving]\ntrigger = "nope"\n')
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("C", "C", "C", "C", "C", "C")
        await until(pilot, lambda: "missing: ohwx" in legend(app))
        assert pane(app)[1] == " tcity, gargoyl, artoria"
        assert "nope" not in legend(app)


@pytest.mark.usefixtures("lists")
async def test_tags_of_the_dataset_and_of_the_list_are_offered(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("C")
        await until(pilot, lambda: "cartoria" in pane(app)[1])
        await pilot.press("a")
        await type_in(pilot, "wo")
        await until(pilot, lambda: says(app, "wooden bridge"))
        await pilot.press("tab", "comma")
        await type_in(pilot, "longh")
        await until(pilot, lambda: says(app, "long hair ← longhair"))
        await pilot.press("tab", "enter")
        await saved(pilot)
        assert (images / "a.txt").read_bytes() == b"city, gargoyl, artoria, wooden bridge,long hair\n"


async def test_a_tag_written_a_moment_ago_is_offered_in_a_text(images: Path) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await pilot.press("a")
        await type_in(pilot, "zeppelin")
        await pilot.press("enter")
        await saved(pilot)
        await pilot.press("j", "enter")
        await type_in(pilot, ", zep")
        await until(pilot, lambda: says(app, "1 here"))
        await pilot.press("tab", "enter")
        await saved(pilot)
        assert (images / "b.txt").read_bytes() == b"city, gargoyle, zeppelin\n"


async def test_a_list_that_cannot_be_read_is_told_and_nothing_else_suffers(images: Path, own_folders: Path) -> None:
    (own_folders / "config.toml").write_text('[captions]\ntags = "gone.csv"\n')
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot, "a.png")
        await until(pilot, lambda: told(app, "cannot read the list of tags"))
        assert says(app, "?gargoyl")


async def test_longer_than_the_encoder_reads_at_once(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "images", {"a": ", ".join(["wall"] * 50).encode()})
    app = SdtuiApp(tmp_path, start="captions", target=folder, settings=Settings(ascii=True))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "99 / 150 (2 chunks)" in pane(app)[0])
        await pilot.press("C", "C", "C", "C")
        await until(pilot, lambda: "wall75,\n 2wall, 2wall" in "\n".join(pane(app)))
