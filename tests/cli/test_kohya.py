"""`sdtui import kohya` and `sdtui export kohya`, up to a training of what was imported."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

import sdtui.starter
from sdtui.cli import main
from sdtui.models.configs import read_config
from tests.cli.conftest import Workspace, parsed

STARTER = Path(sdtui.starter.__file__).parent
CONFIG = """\
pretrained_model_name_or_path = "model"
train_data_dir = "images"
resolution = "64"
network_module = "networks.lora"
network_dim = 8
netwerk_alpha = 8
xformers = true
full_bf16 = true
max_train_steps = 3
"""


def test_import_writes_a_profile_and_a_summary(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.toml").write_text(CONFIG)
    assert main(["import", "kohya", "c.toml", "-o", "lora.toml"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "6 options mapped, 2 not applicable, 1 unknown",
        "  not applicable: full_bf16: what is trained stays fp32, which costs little for a LoRA",
        "  not needed here: 1 option, named at the end of the profile",
        "  unknown: netwerk_alpha; did you mean network_alpha?",
        "wrote lora.toml: next, `sdtui check lora.toml`",
    ]
    profile = tomllib.loads(Path("lora.toml").read_text())
    assert (profile["method"]["rank"], profile["model"]["base"]) == (8, "model")


def test_import_on_stdout(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.toml").write_text(CONFIG)
    assert main(["import", "kohya", "c.toml"]) == 0
    shown = capsys.readouterr()
    assert tomllib.loads(shown.out)["training"]["steps"] == 3
    assert "options mapped" in shown.err


def test_import_as_json(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.toml").write_text(CONFIG)
    assert main(["import", "kohya", "c.toml", "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    found = parsed(shown.out)
    assert tomllib.loads(found["profile"])["method"]["rank"] == 8
    assert {"kohya": "network_dim", "value": 8, "key": "method.rank"} in [
        {"kohya": one["kohya"], "value": one["written"], "key": one["key"]} for one in found["mapped"]
    ]
    assert [one["kohya"] for one in found["not_applicable"]] == ["xformers", "full_bf16"]
    assert found["unknown"] == [{"kohya": "netwerk_alpha", "nearest": "network_alpha"}]
    assert found["warnings"] == []


def test_a_dataset_is_given_beside_the_config(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.toml").write_text("network_dim = 8\nseed = 1\ndataset_config = 'gone.toml'\n")
    Path("d.toml").write_text('[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = "images"\n')
    assert main(["import", "kohya", "c.toml", "--dataset", "d.toml"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["dataset"]["folders"][0]["path"] == "images"


def test_nothing_is_written_over_without_force(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.toml").write_text(CONFIG)
    Path("lora.toml").write_text("mine")
    assert main(["import", "kohya", "c.toml", "-o", "lora.toml"]) == 2
    assert Path("lora.toml").read_text() == "mine"
    assert "lora.toml: the file exists. Name another, or give --force to replace it" in capsys.readouterr().err
    assert main(["import", "kohya", "c.toml", "-o", "lora.toml", "--force"]) == 0
    Path("kohya").mkdir()
    Path("kohya/config.toml").write_text("mine")
    assert main(["export", "kohya", workspace.profile("other")]) == 2
    assert Path("kohya/config.toml").read_text() == "mine"


def test_all_that_is_wrong_with_a_file_is_told_at_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = 'clip_skip = "two"\nseed = "x"\nlr_scheduler = "cosin"\nmixed_precision = "bf-16"\n'
    Path("c.toml").write_text(CONFIG + bad)
    assert main(["import", "kohya", "c.toml", "-o", "lora.toml"]) == 2
    shown = capsys.readouterr().err
    for told in ("Did you mean cosine?", 'Did you mean "bf16"?', "c.toml: 2 values cannot be read:",
                 "c.toml:10: clip_skip is 'two', expected a whole number", "c.toml:11: seed is 'x'"):  # fmt: skip
        assert told in shown
    assert not Path("lora.toml").exists()


@pytest.mark.parametrize("name", ["notes.toml", "notes.json", "gone.toml"])
def test_an_unrelated_file_is_one_message(name: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    if not name.startswith("gone"):
        Path(name).write_text('{"title": "x"}' if name.endswith("json") else 'title = "x"')
    assert main(["import", "kohya", name, "-o", "new.toml"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"sdtui: {name}: ")
    assert not Path("new.toml").exists()


def test_export_writes_what_sd_scripts_reads(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    profile = workspace.profile(more='[previews]\nprompts = ["a cat --n dogs"]\n')
    assert main(["export", "kohya", profile, "-o", "out"]) == 0
    shown = capsys.readouterr().err.splitlines()
    assert "  dataset.buckets = log: kohya's buckets are compat: other images land in another bucket" in shown
    assert shown[-2].startswith("wrote config.toml, dataset.toml, sample_prompts.txt in out; ")
    flat = {k: v for table in tomllib.loads(Path("out/config.toml").read_text()).values() for k, v in table.items()}
    assert (flat["max_train_steps"], flat["dataset_config"], flat["output_name"]) == (3, "dataset.toml", "lora")
    assert tomllib.loads(Path("out/dataset.toml").read_text())["datasets"][0]["subsets"] == [
        {"image_dir": str(workspace.folder / "images")}
    ]
    assert Path("out/sample_prompts.txt").read_text() == "a cat --w 512 --h 512 --s 20 --n dogs\n"


def test_export_for_another_machine(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    profile = Path(workspace.profile())
    profile.write_text(
        profile.read_text().replace('"model"', '"/elsewhere/sd15.safetensors"').replace("images", "gone")
    )
    assert main(["export", "kohya", str(profile), "-o", "out"]) == 0
    config = Path("out/config.toml").read_text()
    assert 'pretrained_model_name_or_path = "/elsewhere/sd15.safetensors"' in config
    with profile.open("a") as more:
        more.write("oops = 1\n")
    assert main(["export", "kohya", str(profile), "-o", "again"]) == 2
    assert "oops" in capsys.readouterr().err


def test_a_file_where_the_folder_should_be_is_one_message(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out").write_text("mine")
    assert main(["export", "kohya", workspace.profile(), "-o", "out"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "sdtui: out: cannot write: File exists. Nothing was changed\n")
    assert Path("out").read_text() == "mine"


def test_export_as_json(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "kohya", workspace.profile(), "-o", "out", "--json"]) == 0
    found = parsed(capsys.readouterr().out)
    assert found["files"] == ["config.toml", "dataset.toml"]
    assert {"key": "captions.extension", "value": "auto", "reason": ".txt is written; kohya takes one ending"} in found[
        "lacking"
    ]


@pytest.mark.parametrize(
    ("family", "pipeline", "edges", "script"),
    [
        ("sd1", "StableDiffusionPipeline", True, "train_network.py"),
        ("sdxl", "StableDiffusionXLPipeline", False, "sdxl_train_network.py"),
    ],
)
def test_the_base_model_s_family_chooses_layers_and_script(
    family: str, pipeline: str, script: str, workspace: Workspace, capsys: pytest.CaptureFixture[str], *, edges: bool
) -> None:
    """Files of sd-scripts do not say it."""
    Path("model/model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    Path("model/unet/config.json").write_text(json.dumps(read_config(family, "unet")))
    Path("c.toml").write_text(CONFIG.replace("networks.lora", "lycoris.kohya") + 'network_args = ["algo=loha"]\n')
    assert main(["import", "kohya", "c.toml", "-o", "loha.toml"]) == 0
    assert "preset" not in capsys.readouterr().err
    assert ("edges" in tomllib.loads(Path("loha.toml").read_text())["method"]["targets"]) is edges
    assert main(["export", "kohya", "loha.toml", "-o", "out"]) == 0
    told = capsys.readouterr().err
    assert told.endswith(f"accelerate launch …/sd-scripts/{script} --config_file config.toml\n")
    assert "method.targets" not in told
    assert '"preset=full"' in Path("out/config.toml").read_text()


GUIDE: dict[str, Any] = {
    "pretrained_model_name_or_path": str(STARTER / "model"),
    "train_data_dir": "img",
    "caption_extension": ".txt",
    "enable_bucket": True,
    "bucket_no_upscale": True,
    "bucket_reso_steps": 8,
    "network_dim": 4,
    "network_alpha": 3,
    "max_train_steps": 2,
    "train_batch_size": 2,
    "optimizer_args": "scale_parameter=False relative_step=False warmup_init=False",
    "learning_rate": 1e-3,
    "lr_scheduler": "constant_with_warmup",
    "lr_warmup_steps": 1,
    "shuffle_caption": True,
    "seed": 5,
    "save_every_n_epochs": 1,
    "save_precision": "fp16",
    "output_name": "guide",
}


def _guide(folder: Path, kind: str) -> str:
    """The classic guide on four of the starter's images, as sd-scripts' config or as kohya_ss's form."""
    for number, name in enumerate(("fox", "guitar", "automobile", "butterfly")):
        place = folder / "img" / ("2_creature" if number % 2 else "1_thing")
        place.mkdir(parents=True, exist_ok=True)
        for ending in (".png", ".txt"):
            shutil.copy(STARTER / "images" / f"{name}{ending}", place)
    if kind == "json":
        form = {**GUIDE, "max_resolution": "64,64", "LoRA_type": "Standard", "optimizer": "Adafactor", "unet_lr": "1e-3",
                "text_encoder_lr": "", "xformers": "none", "sdxl": False, "epoch": 1}  # fmt: skip
        (folder / "guide.json").write_text(json.dumps(form))
        return "guide.json"
    config = {**GUIDE, "resolution": "64", "network_module": "networks.lora", "optimizer_type": "Adafactor",
              "network_train_unet_only": True}  # fmt: skip
    config["optimizer_args"] = config["optimizer_args"].split()
    lines = [f"{name} = {json.dumps(value)}" for name, value in config.items()]
    (folder / "guide.toml").write_text("\n".join(lines))
    return "guide.toml"


@pytest.mark.parametrize("kind", ["toml", "json"])
def test_a_guide_is_imported_checked_and_trained(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    file = _guide(tmp_path, kind)
    assert main(["import", "kohya", file, "-o", "lora.toml"]) == 0
    assert main(["check", "lora.toml"]) == 0, capsys.readouterr().out
    assert main(["train", "lora.toml"]) == 0, capsys.readouterr().err
    (output,) = (tmp_path / "runs").glob("*/output/guide.safetensors")
    with safe_open(output, "pt") as weights:
        metadata = weights.metadata()
        names = list(weights.keys())
    assert (metadata["ss_network_dim"], metadata["ss_network_alpha"], metadata["ss_steps"]) == ("4", "3.0", "2")
    assert "adafactor" in metadata["ss_optimizer"].lower()
    assert not any(name.startswith("lora_te") for name in names)
