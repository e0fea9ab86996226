"""The Profile screen, driven by keys, on a file with its user's own layout."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError
from sdtui.profile.schema import Profile
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.tui.app import SdtuiApp
from sdtui.tui.looking import GoOn
from sdtui.tui.profile.planning import Planned, Planner
from tests.tui.hostile import HOSTILE
from tests.tui.monitor.actor import Actor
from tests.tui.profile.desk import TEXT, make_desk
from tests.tui.profile.drive import (
    SIZE,
    app_on,
    go_to,
    on_disk,
    opened,
    row,
    says,
    screen_of,
    search,
    text_of,
    type_over,
)
from tests.tui.stage import screen_text, told, until


async def test_sections_settings_help_and_plan_are_shown(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "plan   3 images, 7 an epoch · 1 000 steps in 250 epochs · 1 bucket"))
        rows = screen_text(app)
        assert rows[0].startswith(" sdtui  profile  city.toml")
        assert rows[0].endswith("no problems")
        assert [line[:14].strip(" ▸") for line in rows[1:18]] == [
            "profile", "model", "method", "words", "dataset", "folders", "augment", "captions", "training", "objective", "prior",
            "validation", "optimizer", "schedule", "previews", "saving", "launch",
        ]  # fmt: skip
        assert row(app, "alpha") == "alpha 16.0"
        await go_to(pilot, app, "method.rank")
        await until(pilot, lambda: says(app, "Hu et al. 2021, LoRA, §4.1"))
        assert says(app, "whole number 1…1 024")
        assert says(app, "default 16")


async def test_every_kind_of_value_is_changed_and_nothing_else_in_the_file(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.rank")
        await pilot.press("enter")
        await type_over(pilot, "32")
        await pilot.press("enter")
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space")
        await go_to(pilot, app, "schedule.name")
        await pilot.press("right", "right")
        await go_to(pilot, app, "method.targets")
        await pilot.press("enter", "j", "space", "enter")
        await go_to(pilot, app, "previews.prompts")
        await pilot.press("enter", "j", "J", "k", "enter", *" --d 7", "enter", "s")
        await go_to(pilot, app, "dataset.folders[1].path")
        await pilot.press("enter", *"s", "backspace", "enter")
        await go_to(pilot, app, "training.batch_size")
        await pilot.press("backspace")
        await pilot.press("w")
        await until(pilot, lambda: told(app, "wrote city.toml"))
    assert on_disk(profile) == EDITED


EDITED = """\
# Medieval city, third try [do not touch].
schema = 1

[training]      # how long
  steps = 1_000   # ~20 min

[method]
rank     = 32            # small
alpha    = 16.0
targets  = ["attention", 'feed-forward', 'projection']
text_encoder = true

[model]
base = 'model'

[[dataset.folders]]
path = "images"   # mine
repeats = 3

[[dataset.folders]]
path = 'more/city [night]'

[previews]
prompts = [
  "a tower --s 20 --d 7",  # the first
  "a gate",
]

[saving]
every_steps = 100

# the end

[schedule]
name = "cosine"
"""


async def test_the_problem_stands_at_the_field_as_one_types(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.rank")
        await pilot.press("enter")
        await type_over(pilot, "5000")
        await until(pilot, lambda: row(app, "rank") == "▸ ! rank 5000 allowed: whole number 1…1 024")
        assert says(app, "│ method.rank is 5000")
        assert text_of(app) == TEXT
        await pilot.press("backspace", "backspace")
        await until(pilot, lambda: row(app, "rank") == "▸ rank 50")
        await pilot.press("escape")
        await until(pilot, lambda: row(app, "rank") == "▸ rank 16")
        assert text_of(app) == TEXT


async def test_what_is_typed_takes_the_place_of_a_number_unless_an_arrow_comes_first(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "objective.min_snr_gamma")
        await pilot.press("enter", "5", "enter")
        await until(pilot, lambda: "min_snr_gamma = 5\n" in text_of(app))
        await go_to(pilot, app, "saving.every_steps")
        await pilot.press("enter", "left", "7", "enter")
        await until(pilot, lambda: "every_steps = 7100\n" in text_of(app))
        await pilot.press("enter", *"099")
        await until(pilot, lambda: says(app, "Write the bare number: every_steps") and says(app, "│ = 99"))
        await pilot.press("escape")
        await go_to(pilot, app, "saving.trigger")
        await pilot.press("enter", *"ohwx", "enter", "enter", *"y", "enter")
        await until(pilot, lambda: 'trigger = "ohwxy"' in text_of(app))


async def test_what_is_wrong_with_the_images_stands_at_their_folder(profile: Path) -> None:
    (profile.parent / "images" / "a.png").write_bytes(b"")
    (profile.parent / "images" / "b.txt").unlink()
    (profile.parent / "model" / "vae" / "config.json").unlink()
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: screen_text(app)[0].endswith("3 problems"))
        await go_to(pilot, app, "saving.trigger")
        await pilot.press("c")
        await until(pilot, lambda: told(app, "3 problems"))
        await until(pilot, lambda: row(app, "base").startswith("▸ ! base model"))
        await go_to(pilot, app, "dataset.folders[0].path")
        assert row(app, "path").startswith("▸ ! path images 1 of 2: b.png: no caption")
        # The panel tells both.
        await until(pilot, lambda: says(app, "a.png:") and says(app, "b.png:"))
        assert any(line.split("│")[0].split()[-2:] == ["folders", "!"] for line in screen_text(app))
        await pilot.press("T")
        await until(pilot, lambda: any('path = "images"' in line and "b.png" in line for line in screen_text(app)))
        await pilot.press("T", "d")
        await until(pilot, lambda: screen_text(app)[0].endswith("1 problem"))


async def test_check_sees_images_that_were_mended(profile: Path) -> None:
    caption = profile.parent / "images" / "a.txt"
    caption.unlink()
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: screen_text(app)[0].endswith("1 problem"))
        caption.write_text("city")
        await pilot.press("c")
        await until(pilot, lambda: told(app, "no problems") and screen_text(app)[0].endswith("no problems"))


async def test_a_wrong_value_stays_at_its_row_counts_and_keeps_from_launching(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "start", lambda *_, **__: pytest.fail("launched"))
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.rank")
        await pilot.press("enter")
        await type_over(pilot, "many")
        await pilot.press("enter")
        await until(pilot, lambda: screen_text(app)[0].endswith("1 problem"))
        assert row(app, "rank").startswith('▸ ! rank many is the text "many", not')
        assert any(line.split("│")[0].split() == ["▸", "method", "!"] for line in screen_text(app))
        await until(pilot, lambda: says(app, "plan   after the problems are mended"))
        await go_to(pilot, app, "saving.trigger")
        await pilot.press("L")
        await until(pilot, lambda: row(app, "rank").startswith("▸"))
        assert len(app._notifications) == 1
        await pilot.press("backspace", "c")
        await until(pilot, lambda: screen_text(app)[0].endswith("no problems"))


async def test_undo_and_redo_until_nothing_is_edited(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("space", "space", "space")
        await until(pilot, lambda: screen_text(app)[0].startswith(" sdtui  profile  city.toml  edited"))
        await pilot.press("u", "u")
        await until(pilot, lambda: row(app, "text_encoder") == "▸ text_encoder true")
        await pilot.press("u", "u")
        await until(pilot, lambda: told(app, "nothing to undo"))
        assert text_of(app) == TEXT
        assert "edited" not in screen_text(app)[0]
        await pilot.press("U")
        await until(pilot, lambda: row(app, "text_encoder") == "▸ text_encoder true")


async def test_text_view_goes_to_the_line_and_the_differences_follow(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "training.batch_size")
        await pilot.press("backspace", "T")
        await until(pilot, lambda: says(app, "   4  [training]      # how long"))
        assert screen_text(app)[0].startswith(" sdtui  profile  city.toml  edited  TOML")
        assert any(line.startswith("▸    4  [training]") for line in screen_text(app))
        await pilot.press("D")
        await until(pilot, lambda: says(app, "-batch_size=2"))
        await pilot.press("D")
        await until(pilot, lambda: says(app, "dataset.folders[0].repeats  3   default 1"))
        await pilot.press("u")
        await until(pilot, lambda: says(app, "training.batch_size"))
        await pilot.press("q")
        await until(pilot, lambda: row(app, "batch_size") == "▸ batch_size 2 images")


async def test_folders_are_added_filled_in_and_dropped(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("a", *"imagez")
        await until(pilot, lambda: says(app, 'has no "imagez"; did') and says(app, '"images"?'))
        await pilot.press("backspace", "s", "enter")
        await until(pilot, lambda: says(app, "folder 3"))
        assert '[[dataset.folders]]\npath = "images"\n' in text_of(app)
        await pilot.press("d")
        await until(pilot, lambda: not says(app, "folder 3"))
        assert text_of(app) == TEXT
        await go_to(pilot, app, "dataset.folders[0].recursive")
        await pilot.press("d")
        await until(pilot, lambda: not says(app, "folder 2"))
        await until(pilot, lambda: row(app, "path").startswith("▸"))
        assert 'path = "images"' not in text_of(app)
        assert "path = 'more/city [night]'" in text_of(app)


async def test_words_are_dropped_one_after_another_until_there_are_none(tmp_path: Path) -> None:
    words = [f'\n[[method.words]]\nname = "{name}"\n' for name in ("toy", "cat", "hat")]
    app = app_on(make_desk(tmp_path / "w", TEXT + "".join(words)))
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.words[1].vectors")
        await pilot.press("d")
        await until(pilot, lambda: text_of(app) == TEXT + words[0] + words[2])
        # The cursor is at the word that follows; after the last one at the one before, then at the offer of a new one.
        await pilot.press("d", "d", "d")
        await until(pilot, lambda: text_of(app) == TEXT + "\n")
        await until(pilot, lambda: row(app, "add a word") == "▸ add a word press a")
        await pilot.press("u")
        await until(pilot, lambda: text_of(app) == TEXT + words[0] + "\n")


async def test_search_finds_the_names_other_trainers_use_and_says_when_there_is_none(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await search(pilot, app, "network_dim")
        await until(pilot, lambda: row(app, "rank").startswith("▸"))
        await search(pilot, app, "no such [setting]")
        await until(pilot, lambda: told(app, "no setting matches 'no such [setting]'"))


async def test_a_section_is_chosen_at_the_left(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("tab", "g", "j", "j", "j", "j", "enter")
        await until(pilot, lambda: row(app, "resolution").startswith("▸ resolution"))


async def test_hostile_values_appear_literally(tmp_path: Path) -> None:
    prompts = "\n".join(f'  "{_toml(text)}",' for text in HOSTILE if "\udcff" not in text)
    profile = make_desk(tmp_path / "w", TEXT.replace('  "a tower --s 20",  # the first\n  "a gate",', prompts))
    app = app_on(profile)
    async with app.run_test(size=(250, 70)) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "saving.trigger")
        await pilot.press("enter", *"[/x][red]", "enter")
        await until(pilot, lambda: says(app, "▸   trigger") and says(app, "[/x][red]"))
        await go_to(pilot, app, "previews.prompts")
        await pilot.press("enter")
        await until(pilot, lambda: says(app, "城市"))
        assert [said for text, said in HOSTILE.items() if "\udcff" not in text and not says(app, said)] == []
        await pilot.press("escape", "T")
        await until(pilot, lambda: says(app, 'trigger = "[/x][red]"'))


def _toml(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" if ord(each) < 32 else each for each in text)


async def test_launching_shows_the_plan_writes_the_file_and_goes_to_the_run(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    with Actor(profile.parent / "runs", "city") as actor:

        def start(frozen: str, *_: object, **__: object) -> RunFolder:
            started.append(frozen)
            return actor.run

        monkeypatch.setattr(launch, "start", start)
        app = app_on(profile)
        async with app.run_test(size=SIZE) as pilot:
            await opened(pilot, app)
            await go_to(pilot, app, "method.text_encoder")
            await pilot.press("space", "L")
            await until(pilot, lambda: says(app, "Launch city?"))
            assert says(app, "3 images, 7 an epoch · 1 000 steps")
            assert says(app, "city.toml is written first.")
            await pilot.press("escape")
            assert (started, on_disk(profile)) == ([], TEXT)
            await pilot.press("L")
            await until(pilot, lambda: says(app, "Launch city?"))
            await pilot.press("y")
            await until(pilot, lambda: screen_text(app)[0].startswith(f" sdtui  monitor  {actor.run.name}"))
        assert "text_encoder = true" in on_disk(profile)
        assert "text_encoder = true" in started[0]


async def test_a_plan_of_what_the_profile_was_is_not_launched(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "start", lambda *_, **__: pytest.fail("launched"))
    go_on = threading.Event()
    plan = Planner.plan

    def slow(planner: Planner, of: Profile, still: GoOn, *, afresh: bool = False) -> Planned:
        go_on.wait(120)
        return plan(planner, of, still, afresh=afresh)

    monkeypatch.setattr(Planner, "plan", slow)
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await go_to(pilot, app, "method.text_encoder")
        await pilot.press("L", "space")
        await until(pilot, lambda: "text_encoder = true" in text_of(app))
        go_on.set()
        await until(pilot, lambda: told(app, "launch again"))
        assert app.screen is screen_of(app)
        await until(pilot, lambda: says(app, "3 images, 7 an epoch"))


async def test_the_app_ends_while_a_plan_is_being_made(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> Planned:
        looking.set()
        go_on.wait(60)
        raise AssertionError

    monkeypatch.setattr(Planner, "plan", slow)
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await until(pilot, looking.is_set)
        app.exit()
    assert app.return_code == 0
    go_on.set()


async def test_a_dataset_that_cannot_be_trained_is_refused_with_its_reason(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "start", lambda *_, **__: pytest.fail("launched"))
    (profile.parent / "images" / "a.txt").unlink()
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await until(pilot, lambda: says(app, "caption"))
        await pilot.press("L")
        await until(pilot, lambda: len(app._notifications) == 1)
        assert app.screen is screen_of(app)


async def test_a_run_that_cannot_be_started_says_why(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SdtuiError("no space left on the disk", where="runs", remedy="Free some space")

    monkeypatch.setattr(launch, "start", refuse)
    app = app_on(profile)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("L")
        await until(pilot, lambda: says(app, "Launch city?"))
        await pilot.press("y")
        await until(pilot, lambda: told(app, "no space left on the disk"))
        assert app.screen is screen_of(app)


async def test_a_narrow_window_has_help_and_plan_below_and_the_rest_behind_a_key(profile: Path) -> None:
    app = app_on(profile)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: says(app, "7 files"))
        assert screen_text(app)[-1] == " enter edit  / find  c check  L launch  ? keys  : commands  q back  i help"
        await go_to(pilot, app, "dataset.bucket_step")
        await until(pilot, lambda: says(app, "Bucket sides are multiples of this."))
        assert says(app, "i help")
        assert not says(app, "kohya sd-scripts' default")
        await pilot.press("enter", "end", "5")
        await until(pilot, lambda: says(app, " dataset.bucket_step is 645"))
        await pilot.press("escape", "i")
        await until(pilot, lambda: says(app, "kohya sd-scripts' default"))
        await pilot.press("q")
        await until(pilot, lambda: row(app, "bucket_step").startswith("▸ bucket_step"))


async def test_without_a_profile_the_screen_says_how_to_get_one(tmp_path: Path) -> None:
    app = SdtuiApp(tmp_path, start="profile")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: says(app, "No profile is open. Choose one on Home (1)"))
        await pilot.press("enter", "T", "D", "u", "U", "w", "c", "L", "e", "a", "d", "f5", "K", "left", "backspace")
        await pilot.pause()
        assert says(app, "No profile is open.")
        assert screen_text(app)[-1] == " ? keys  : commands  q back"
