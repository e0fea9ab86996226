from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from PIL import Image

from sdtui.errors import SdtuiError, UserError
from sdtui.profile.load import load_profile
from sdtui.starter import demo, style


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What makes a workspace only looks at whether the base model is there."""
    folder = tmp_path / "starter-model"
    for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler"):
        (folder / part).mkdir(parents=True)
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    monkeypatch.setattr(demo, "MODEL", folder)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_workspace_is_made_here(here: Path, model: Path) -> None:
    workspace = demo.make_workspace()
    assert workspace == here / "sdtui-demo"
    assert len(list((workspace / "images").glob("*.png"))) == 24
    assert len(list((workspace / "images").glob("*.txt"))) == 24
    written = tomllib.loads((workspace / "demo.toml").read_text())
    assert written["model"]["base"] == str(model)
    assert written["dataset"]["folders"] == [{"path": "images"}]


def test_the_profile_passes_every_check_and_keeps_its_comments(here: Path) -> None:
    workspace = demo.make_workspace()
    profile = load_profile(workspace / "demo.toml")
    assert profile.name == "demo"
    assert profile.previews.at_start
    assert Path(profile.launch.runs) == workspace / "runs"
    assert "# Subjects that are not among the images" in (workspace / "demo.toml").read_text()


def test_a_workspace_that_is_there_is_used_as_it_stands(here: Path) -> None:
    workspace = demo.make_workspace()
    (workspace / "images" / "fox.txt").write_text("mine")
    changed = (workspace / "demo.toml").read_text().replace("rank = 16", "rank = 4  # smaller")
    (workspace / "demo.toml").write_text(changed)
    assert demo.make_workspace() == workspace
    assert demo.make_workspace(workspace) == workspace
    assert (workspace / "images" / "fox.txt").read_text() == "mine"
    assert (workspace / "demo.toml").read_text() == changed


def test_a_workspace_from_an_installation_that_is_gone_gets_this_ones_model(here: Path, model: Path) -> None:
    workspace = demo.make_workspace()
    text = (workspace / "demo.toml").read_text()
    (workspace / "demo.toml").write_text(text.replace(str(model), "/gone/model"))
    assert demo.make_workspace() == workspace
    assert (workspace / "demo.toml").read_text() == text


def test_a_folder_of_that_name_with_something_else_is_left_alone(here: Path) -> None:
    (here / "sdtui-demo").mkdir()
    (here / "sdtui-demo" / "letter.txt").write_text("dear")
    assert demo.make_workspace() == here / "sdtui-demo-2"
    assert [path.name for path in (here / "sdtui-demo").iterdir()] == ["letter.txt"]


def test_a_named_folder_with_something_else_is_refused(here: Path) -> None:
    (here / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="the demo overwrites nothing"):
        demo.make_workspace(here)
    with pytest.raises(UserError, match="the demo overwrites nothing"):
        demo.make_workspace(here / "letter.txt")


def test_an_empty_named_folder_is_filled(here: Path) -> None:
    assert demo.make_workspace(here) == here
    assert (here / "demo.toml").is_file()


def test_where_nothing_may_be_written_the_data_folder_is_used(
    here: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert demo.make_workspace() == own_folders / "data" / "sdtui-demo"


def test_a_named_folder_that_cannot_be_made_is_one_clear_message(here: Path) -> None:
    (here / "letter.txt").write_text("dear")
    with pytest.raises(SdtuiError, match=r"letter\.txt/demo: cannot be written: .*--dir"):
        demo.make_workspace(here / "letter.txt" / "demo")


def test_a_missing_model_is_said_before_anything_is_made(here: Path, model: Path) -> None:
    (model / "model_index.json").unlink()
    with pytest.raises(UserError, match="starter model is missing"):
        demo.make_workspace()
    assert list(here.iterdir()) == []


def test_compare_takes_the_first_and_the_last_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        style, "styles_in", lambda paths: ["linocut" if "300" in str(path) else "flat" for path in paths]
    )
    for step, colour in (("000000", "red"), ("000100", "green"), ("000300", "blue")):
        folder = tmp_path / "previews" / f"step-{step}"
        folder.mkdir(parents=True)
        for index in range(2):
            Image.new("RGB", (64, 64), colour).save(folder / f"{index:02d}.png")
    found = demo.compare(tmp_path, tmp_path)
    assert found is not None
    assert (found.styled_before, found.styled_after) == (0, 2)
    assert [path.name for path in found.after] == ["00.png", "01.png"]
    with Image.open(tmp_path / "before-after.png") as sheet:
        assert sheet.size == (2 * 256 + 8, 2 * 256 + 8)
        assert sheet.getpixel((0, 0)) == (255, 0, 0)
        assert sheet.getpixel((0, 264)) == (0, 0, 255)


def test_one_set_of_previews_is_nothing_to_compare(tmp_path: Path) -> None:
    folder = tmp_path / "previews" / "step-000000"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(folder / "00.png")
    assert demo.compare(tmp_path, tmp_path) is None
