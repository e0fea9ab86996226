"""`sdtui check`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from sdtui.cli import main
from sdtui.profile.schema import Method
from tests.support.headers import SDXL, hollow_file
from tests.support.hollow import hollow_pipeline
from tests.support.hub import hub_model

REPO = Path(__file__).parents[2]

FIVE_MISTAKES = """\
# five mistakes, five kinds
[model]
base = "sd15.gguf"

[method]
rnak = 16
text_encoder = "false"

[[dataset.folders]]
path = "images"

[training]
steps = 1000
epochs = 10

[optimizer]
learning_rate = 5

[saving]
every_steps = 100
"""

SOUND = """\
[model]
base = "sd"
[[dataset.folders]]
path = "images"
[training]
steps = 3
[saving]
every_steps = 1
"""

# A list of tables has a section of its own.
METHOD = ", ".join(name for name in Method.model_fields if name != "words")
OUTPUT = """\
five.toml:3:8: error: model.base: {here}/sd15.gguf is no file of weights
    allowed: .ckpt, .pt, .safetensors
    Name one, or a folder in diffusers layout
five.toml:6:1: error: [method] has no setting rnak
    allowed: {allowed}
    Did you mean rank?
five.toml:7:16: error: method.text_encoder is the text "false", not true or false
    allowed: true or false, without quotes
    Write it without quotes: text_encoder = false
five.toml:14:10: error: training.steps = 1000 and training.epochs = 10 contradict each other
    Keep one of the two: the other follows from the number of images
five.toml:17:17: error: optimizer.learning_rate is 5
    allowed: number above 0, up to 1
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "sd15.gguf").write_bytes(b"")
    (tmp_path / "five.toml").write_text(FIVE_MISTAKES)
    return tmp_path


def trainable(here: Path) -> None:
    """A base model and one captioned image."""
    hollow_pipeline(here / "sd")
    Image.new("RGB", (64, 64)).save(here / "images" / "a.png")
    (here / "images" / "a.txt").write_text("a thing")


def checked(here: Path, capsys: pytest.CaptureFixture[str], *settings: str) -> tuple[int, str]:
    """Exit code and what was printed for a profile that is sound in itself."""
    (here / "sound.toml").write_text(SOUND)
    overrides = [argument for setting in settings for argument in ("--set", setting)]
    code = main(["check", "sound.toml", *overrides])
    return code, capsys.readouterr().out.replace(str(here), "HERE")


def test_five_mistakes_are_told_with_their_lines(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "five.toml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == OUTPUT.format(here=here, allowed=METHOD)
    assert captured.err == "five.toml: 5 errors\n"


def test_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "five.toml", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["path"], found["ok"]) == (1, "five.toml", False)
    assert (found["errors"], found["warnings"]) == (5, 0)
    assert found["problems"][1] == {
        "severity": "error",
        "code": "unknown-key",
        "path": "five.toml",
        "line": 6,
        "column": 1,
        "key": "method.rnak",
        "found": "16",
        "allowed": METHOD,
        "message": "[method] has no setting rnak",
        "remedy": "Did you mean rank?",
    }


def test_a_warning_is_no_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainable(here)
    text = '[model]\nbase = "sd"\n[[dataset.folders]]\npath = "images"\n[training]\nsteps = 300\n'
    (here / "warned.toml").write_text(text)
    assert main(["check", "warned.toml"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("warned.toml:1:1: warning: no checkpoints are written while training")
    assert captured.err == "warned.toml: 1 warning\n"
    assert main(["check", "warned.toml", "--set", "saving.every_steps=1"]) == 0
    assert capsys.readouterr().err == "warned.toml: no problems\n"


def test_captions_without_the_trigger_are_a_warning(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainable(here)
    (here / "p.toml").write_text(f'{SOUND}[prior]\nclass_caption = "dog"\ntrigger = "sks"\n')
    assert main(["check", "p.toml"]) == 0
    assert "p.toml:11:11: warning: prior.trigger" in capsys.readouterr().out


def test_a_missing_file_is_one_message(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none.toml"]) == 2
    assert capsys.readouterr().err == "sdtui: none.toml: cannot read the profile: No such file or directory\n"


def test_a_base_model_that_cannot_be_loaded_is_an_error_at_its_line(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainable(here)
    assert checked(here, capsys) == (0, "")
    (here / "sd" / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\xff\0\0\0\0\0\0\0{}")
    code, out = checked(here, capsys)
    assert code == 2
    assert out.startswith("sound.toml:2:8: error: model.base: HERE/sd/unet/diffusion_pytorch_model.safetensors: not a")


def test_a_single_file_is_looked_into(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainable(here)
    hollow_file(here / "sdxl.safetensors", SDXL)
    assert checked(here, capsys, 'model.base="sdxl.safetensors"') == (0, "")
    hollow_file(here / "lora.safetensors", {f"lora_unet_mid_{i}.lora_down.weight": (4, 8) for i in range(9)})
    assert (
        "--set model.base: error: model.base: HERE/lora.safetensors: the file is a LoRA or LyCORIS, not a base model"
        in checked(here, capsys, 'model.base="lora.safetensors"')[1]
    )
    os.truncate(here / "sdxl.safetensors", 9000)
    assert "HERE/sdxl.safetensors: the file is cut short" in checked(here, capsys, 'model.base="sdxl.safetensors"')[1]


def test_a_file_to_go_on_from_is_looked_into_beside_the_base_model(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainable(here)
    hollow_file(here / "xl.safetensors", SDXL)
    layer = "lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"
    hollow_file(here / "mine.safetensors", {layer: (4, 320, 1, 1)}, {"ss_base_model_version": "sd_v1"})
    chosen = 'base = "xl.safetensors"\n[method]\ncontinue_from = "mine.safetensors"'
    (here / "sound.toml").write_text(SOUND.replace('base = "sd"', chosen))
    assert main(["check", "sound.toml"]) == 2
    assert capsys.readouterr().out.startswith(
        "sound.toml:4:17: error: method.continue_from: mine.safetensors was made for another family of models "
        '("sd_v1"), and the base model is Stable Diffusion XL\n'
        "    Choose the base model that it was made for, or another file\n"
    )


def test_a_vae_in_a_single_file_is_looked_into(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainable(here)
    vae = {name: shape for name, shape in SDXL.items() if name.startswith("first_stage_model.")}
    hollow_file(here / "vae.safetensors", vae)
    assert checked(here, capsys, 'model.vae="vae.safetensors"') == (0, "")
    hollow_file(here / "no.safetensors", {"a": (1,)})
    assert "HERE/no.safetensors: the file holds no VAE" in checked(here, capsys, 'model.vae="no.safetensors"')[1]


def test_a_model_of_the_hub_may_still_be_on_its_way(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainable(here)
    monkeypatch.setenv("HF_HUB_CACHE", str(here / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert checked(here, capsys, 'model.base="owner/name"')[0] == 2
    assert checked(here, capsys, 'model.base="owner/name"', "model.download=true") == (0, "")
    hub_model(here / "hub", "owner/name")
    assert "pipeline without a class name of a family that" in checked(here, capsys, 'model.base="owner/name"')[1]


def test_an_own_vae_takes_the_place_of_the_base_models(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainable(here)
    (here / "sd" / "vae").rename(here / "other")
    assert "the pipeline has no vae/ folder" in checked(here, capsys)[1]
    assert checked(here, capsys, 'model.vae="other"') == (0, "")
    (here / "other" / "config.json").unlink()
    assert (
        "--set model.vae: error: model.vae: HERE: the file other/config.json is missing"
        in checked(here, capsys, 'model.vae="other"')[1]
    )


def test_every_problem_of_the_dataset_is_told_with_its_own_remedy(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainable(here)
    for name in ("b", "c"):
        Image.new("RGB", (64, 64)).save(here / "images" / f"{name}.png")
    (here / "images" / "a.txt").write_text(" ")
    (here / "images" / "d.png").write_bytes(b"no image")
    code, out = checked(here, capsys)
    assert code == 2
    told = [line.split("images/")[1] for line in out.splitlines() if line.startswith("sound.toml:4:8: error: ")]
    assert told == [
        "a.txt: the caption file is empty",
        "b.png: no caption file (b.txt or b.caption or b.png.txt or b.png.caption)",
        "c.png: no caption file (c.txt or c.caption or c.png.txt or c.png.caption)",
        "d.png: cannot read the image: its contents are not an image of a known kind",
    ]
    code, out = checked(here, capsys, 'captions.on_missing="empty"', 'dataset.on_unreadable="skip"')
    assert code == 0
    assert out.count("warning") == 4


def test_of_many_problems_of_a_kind_the_first_are_told_and_scripts_get_all(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainable(here)
    for number in range(23):
        (here / "images" / f"{number:02}.png").write_bytes(b"")
    code, out = checked(here, capsys)
    told = [line for line in out.splitlines() if ": error: " in line]
    assert (code, len(told)) == (2, 21)
    assert told[-1].endswith("error: 3 more of the same kind (unreadable image); check --json lists all")
    assert main(["check", "sound.toml", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["errors"] == 23


def test_what_is_wrong_with_layout_and_masks_is_told_at_their_settings(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainable(here)
    (here / "images" / "2_cat").mkdir()
    Image.new("RGB", (64, 64)).save(here / "images" / "2_cat" / "a.png")
    (here / "masks").mkdir()
    (here / "masks" / "a.png").write_bytes(b"")
    path = 'path = "images"'
    (here / "odd.toml").write_text(SOUND.replace(path, f'{path}\nmasks = "masks"'))
    assert main(["check", "odd.toml"]) == 2
    out = capsys.readouterr().out.replace(str(here), "HERE").splitlines()
    assert out[0].startswith("odd.toml:4:8: warning: HERE/images: kohya's layout reads only folders named")
    assert out[0].endswith("and leaves out 1 image directly in it")
    assert "odd.toml:5:9: error: HERE/masks/a.png: cannot read the mask: the file is empty" in out
    (here / "odd.toml").write_text(SOUND.replace(path, 'path = "masks"\nlayout = "kohya"'))
    assert main(["check", "odd.toml"]) == 2
    assert "odd.toml:5:10: error: HERE/masks: no folder in it is named" in capsys.readouterr().out.replace(
        str(here), "HERE"
    )


def test_check_needs_no_pytorch(here: Path) -> None:
    trainable(here)
    (here / "sound.toml").write_text(SOUND)
    code = "import sys\nfrom sdtui.cli import main\nsys.exit(main(['check', 'sound.toml']) or 'torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    assert subprocess.run([sys.executable, "-c", code], cwd=here, env=environment, check=False).returncode == 0
