"""Which previews are shown: scrubbing, prompts, comparison, and following the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.runs.figures import Preview
from sdtui.tui.monitor.previews import Album, PreviewPane
from sdtui.tui.widgets.picture import PicturePanel
from tests.tui.stage import Stage, screen_text, until


def preview(step: int, index: int = 0) -> Preview:
    return Preview(step, index, f"previews/step-{step:06d}/{index:02d}.png", f"prompt {index}", 7 + index, 1.0)


@pytest.fixture
def album() -> Album:
    return Album([preview(step, index) for step in (0, 100, 200) for index in (0, 1, 2)])


def shown(album: Album, places: int = 1) -> list[tuple[int, int]]:
    return [(found.step, found.index) for found in album.chosen(places)]


def test_it_shows_the_latest_and_follows(album: Album) -> None:
    assert shown(album) == [(200, 0)]
    assert shown(album.with_previews([*album.previews, preview(300)])) == [(300, 0)]


def test_scrubbing_stays_where_it_was_put_and_follows_again_at_the_end(album: Album) -> None:
    earlier = album.scrubbed(-1)
    assert shown(earlier) == [(100, 0)]
    longer = earlier.with_previews([*album.previews, preview(300)])
    assert shown(longer) == [(100, 0)]
    assert shown(longer.scrubbed(-9)) == [(0, 0)]
    assert shown(longer.scrubbed(9).with_previews([*longer.previews, preview(400)])) == [(400, 0)]


def test_prompts_go_round(album: Album) -> None:
    assert shown(album.turned(1)) == [(200, 1)]
    assert shown(album.turned(-1)) == [(200, 2)]
    assert shown(album.turned(3)) == [(200, 0)]


def test_several_places_show_the_prompts_that_follow(album: Album) -> None:
    assert shown(album.turned(2), 4) == [(200, 2), (200, 0), (200, 1)]


def test_comparing_shows_the_first_and_the_chosen_step_of_one_prompt(album: Album) -> None:
    compared = album.turned(1).compared()
    assert shown(compared, 4) == [(0, 1), (200, 1)]
    assert shown(compared.scrubbed(-1)) == [(0, 1), (100, 1)]
    assert shown(compared.compared()) == [(200, 1)]


def test_a_resume_that_drops_the_chosen_step_falls_back_to_the_latest(album: Album) -> None:
    earlier = album.scrubbed(-1)
    assert shown(earlier.with_previews([preview(0)])) == [(0, 0)]
    assert shown(earlier.with_previews([])) == []


def test_an_empty_album_does_nothing() -> None:
    assert shown(Album().scrubbed(1).turned(1).compared()) == []


async def test_the_pane_names_step_prompt_and_seed_literally(tmp_path: Path) -> None:
    hostile = Preview(100, 0, "previews/x.png", "[red]a \x1b[31mtower[/x]", 7, 1.0)
    app = Stage(PreviewPane(ascii_only=True))
    async with app.run_test(size=(44, 12)) as pilot:
        app.query_one(PreviewPane).show(Album([hostile]), tmp_path, will_come=True)
        await until(pilot, lambda: "cannot read the image" in " ".join(screen_text(app)))
        rows = screen_text(app)
        assert rows[0] == " previews  step 100  1/1"
        assert rows[-1] == r" [red]a \x1b[31mtower[/x]  (seed 7)"


async def test_no_previews_yet_or_none_at_all(tmp_path: Path) -> None:
    app = Stage(PreviewPane())
    async with app.run_test(size=(44, 12)) as pilot:
        for will_come, said in ((True, "no previews yet"), (False, "no previews")):
            app.query_one(PreviewPane).show(Album(), tmp_path, will_come=will_come)
            await pilot.pause()
            assert [row.strip() for row in screen_text(app) if row.strip()] == ["previews", said]


@pytest.mark.parametrize(("size", "panes"), [((44, 20), 1), ((120, 40), 3)])
async def test_room_for_more_prompts_is_used(album: Album, tmp_path: Path, size: tuple[int, int], panes: int) -> None:
    app = Stage(PreviewPane())
    async with app.run_test(size=size) as pilot:
        app.query_one(PreviewPane).show(album, tmp_path, will_come=True)
        await pilot.pause()
        assert len([panel for panel in app.query(PicturePanel) if not panel.has_class("unused")]) == panes


@pytest.mark.parametrize("previews", [[], [preview(100)]])
async def test_showing_the_same_again_draws_nothing(
    tmp_path: Path, previews: list[Preview], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Stage(PreviewPane())
    async with app.run_test(size=(44, 20)) as pilot:
        pane = app.query_one(PreviewPane)
        pane.show(Album(previews), tmp_path, will_come=True)
        words = "cannot read the image" if previews else "no previews yet"
        await until(pilot, lambda: words in " ".join(screen_text(app)))
        await app.workers.wait_for_complete()
        await pilot.pause()
        drawn: list[str] = []
        monkeypatch.setattr(PicturePanel, "refresh", lambda panel, *_regions, **_options: drawn.append(panel.id))
        pane.show(Album(previews), tmp_path, will_come=True)
        await pilot.pause()
        assert drawn == []
