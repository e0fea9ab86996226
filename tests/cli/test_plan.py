"""`sdtui plan`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from sdtui.cli import main, plan
from sdtui.paths import cache_dir
from sdtui.profile.load import freeze, load_profile
from sdtui.profile.memory import Memory
from sdtui.profile.plan import Plan
from sdtui.profile.planned_files import PlannedFile
from sdtui.profile.schema import Profile
from sdtui.runs import record
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import RunFolder
from sdtui.runs.record import RunRecord
from tests.support.headers import SDXL, hollow_file
from tests.support.hollow import hollow_pipeline

PROFILE = """\
[model]
base = "sd"
[[dataset.folders]]
path = "images"
repeats = 3
[dataset]
resolution = 64
bucket_step = 8
bucket_min = 32
bucket_max = 128
[training]
epochs = 5
batch_size = 2
[saving]
every_steps = 10
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    hollow_pipeline(tmp_path / "sd")
    (tmp_path / "images").mkdir()
    for name, size in (("a", (64, 64)), ("b", (64, 64)), ("c", (96, 48))):
        Image.new("RGB", size, (ord(name), 0, 0)).save(tmp_path / "images" / f"{name}.png")
        (tmp_path / "images" / f"{name}.txt").write_text("a thing")
    path = tmp_path / "p.toml"
    path.write_text(PROFILE)
    return path


def test_a_word_that_nothing_reads_is_an_error(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with profile.open("a") as file:
        file.write('[[method.words]]\nname = "my-cat"\n')
    assert main(["plan", "p.toml"]) == 2
    told = capsys.readouterr()
    assert 'error: neither a caption nor a template holds the word "my-cat"' in told.err
    assert "file     output/embeddings/my-cat.safetensors" in told.out
    assert main(["plan", "p.toml", "--set", 'captions.template="subject"']) == 0


def test_for_people(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = cache_dir()
    assert main(["plan", "p.toml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "images   3, with repeats 9 an epoch",
        "folder   images: flat, 3 images × 3",
        "buckets  64×64: 6, 88×40: 3",
        "batches  5 an epoch, 2 images each",
        "steps    25 = 5 × 5 steps an epoch",
        "model    Stable Diffusion 1.x, a folder",
        "learned  not known for this base model",
        "file     output/p.safetensors",
        "file     2 × checkpoints/step-*",
        f"cache    3 × {cache}/latents, about 1.9 KiB each, shared by all runs",
        f"cache    {cache}/texts, shared by all runs",
        "disk     not known for this base model",
        "memory   not known for this base model",
        "time     not known before a run like this was trained",
        f"runs in  {profile.parent}/runs",
    ]


def test_a_single_file_is_told_by_its_family(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hollow_file(profile.parent / "xl.safetensors", SDXL)
    assert main(["plan", "p.toml", "--set", 'model.base="xl.safetensors"', "--set", "method.rank=16"]) == 0
    told = capsys.readouterr().out
    assert "model    Stable Diffusion XL, a single file\nlearned  42 557 440 values" in told


def test_for_scripts(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "p.toml", "--json", "--set", "training.batch_size=1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["name"], found["steps"], found["epochs"]) == (1, "p", 45, 5.0)
    assert found["buckets"][0] == {"width": 64, "height": 64, "samples": 6, "batches": 6}
    assert (found["seconds"], found["bytes"]) == (None, None)


def test_every_folder_says_what_it_was_found_to_be(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (profile.parent / "images").rename(profile.parent / "10_cup and bee")
    (profile.parent / "images").mkdir()
    (profile.parent / "10_cup and bee").rename(profile.parent / "images" / "10_cup and bee")
    kept = profile.parent / "images" / "10_cup and bee"
    Image.new("RGB", (64, 64)).save(kept / "d.png")
    (profile.parent / "masks").mkdir()
    Image.new("L", (64, 64)).save(profile.parent / "masks" / "a.png")
    profile.write_text(
        PROFILE.replace("repeats = 3", 'masks = "masks"')
        + '[validation]\nshare = 0.25\n[[dataset.folders]]\npath = "images/10_cup and bee"\nregularization = true\n'
    )
    overrides = ["--set", 'captions.on_missing="empty"']
    assert main(["plan", "p.toml", *overrides]) == 0
    first, second, third = capsys.readouterr().out.splitlines()[:3]
    assert (first, second) == (
        "images   4, 4 for regularisation, with repeats 80 an epoch",
        'folder   10_cup and bee: kohya, 4 images × 10, 1 with a mask, "cup and bee" where a caption is missing',
    )
    assert third.startswith(
        "folder   10_cup and bee: flat, 4 images × 1, for regularisation, 10 repeats in its name not"
    )
    assert main(["plan", "p.toml", "--json", *overrides]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["regularization"], found["held_out"]) == (4, 4, 0)
    assert found["folders"][0] == {
        "path": str(kept), "layout": "kohya", "images": 4, "repeats": 10, "class_tokens": "cup and bee",
        "regularization": False, "held_out": 0, "masks": 1, "transparent": 0, "note": "",
    }  # fmt: skip


def test_what_is_held_out_is_told(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "p.toml", "--set", "validation.share=0.3"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "images   2, 1 held out, with repeats 6 an epoch",
        "folder   images: flat, 3 images × 3, 1 held out",
    ]
    intervals = ("validation.share=0.3", "validation.every_steps=5", "validation.every_epochs=1")
    measured = []
    few = ("validation.share=0.7", "validation.most_images=1", "validation.every_steps=5")
    for changes in (intervals[:2], (*intervals[:1], "validation.every_epochs=0"), (), few):
        main(["plan", "p.toml", *(part for change in changes for part in ("--set", change))])
        measured.append([line for line in capsys.readouterr().out.splitlines() if line.startswith("measured")])
    assert measured == [
        ["measured 9 × the loss of held-out images, every 5 steps and every epoch, at 4 timesteps"],
        ["measured never: validation.every_steps and every_epochs are 0"],
        [],
        [
            "measured 7 × the loss of held-out images, 1 of each folder at most, every 5 steps and every epoch, at 4 timesteps"
        ],
    ]


def test_class_images_that_will_be_drawn_are_told(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = '[[dataset.folders]]\npath = "class"\nregularization = true\ngenerate = 7\nclass_tokens = "a thing"\n'
    profile.write_text(PROFILE + table)
    assert main(["check", "p.toml"]) == 0
    capsys.readouterr()
    assert main(["plan", "p.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["generated"], told["generating_seconds"], told["regularization"]) == (7, None, 7)
    assert main(["plan", "p.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "class    7 images drawn by the base model first, 50 steps each" in lines
    assert "cache    7 × class images, about 6.4 KiB each, shared by all runs" in lines
    assert not (profile.parent / "class").exists()
    profile.write_text(PROFILE + table.replace('class_tokens = "a thing"', 'class_tokens = ""'))
    assert main(["check", "p.toml"]) == 2
    assert "no class_tokens to draw them by" in capsys.readouterr().out


def test_a_warm_up_is_told_where_there_is_one(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "p.toml", "--set", "schedule.warmup=5"]) == 0
    assert "warm-up  5 steps" in capsys.readouterr().out.splitlines()


def test_captions_are_shown_as_training_will_read_them(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a", "apple, red, small"), ("b", "bee, wings, loud"), ("c", "cup, blue, \x1b[31mhot")):
        (profile.parent / "images" / f"{name}.txt").write_text(text)
    settings = ["captions.shuffle=true", "captions.keep_tokens=1", "captions.dropout=0.3", "training.seed=3"]
    overrides = [argument for setting in settings for argument in ("--set", setting)]
    assert main(["plan", "p.toml", "--captions", "6", *overrides]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("caption")]
    assert lines == [
        "caption  step 1, b.png: bee, loud, wings",
        "caption  step 1, b.png: bee, loud, wings",
        "caption  step 2, c.png: (empty)",
        r"caption  step 2, c.png: cup, blue, \x1b[31mhot",
        "caption  step 3, c.png: (empty)",
        "caption  step 4, a.png: apple, red, small",
    ]
    assert main(["plan", "p.toml", "--captions", "2", "--json", *overrides]) == 0
    found = json.loads(capsys.readouterr().out)["captions"]
    assert [(row["step"], Path(row["path"]).name, row["caption"]) for row in found] == [
        (1, "b.png", "bee, loud, wings"),
        (1, "b.png", "bee, loud, wings"),
    ]


def test_captions_that_will_be_cut_are_told(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (profile.parent / "images" / "b.txt").write_text("thing " * 80)
    note = f"1 caption is longer than captions.max_tokens = 75, and cut: the first is that of {profile.parent}/images/b.png"
    assert main(["plan", "p.toml"]) == 0
    assert f"note     {note}" in capsys.readouterr().out.splitlines()
    assert main(["plan", "p.toml", "--json"]) == 0
    assert note in json.loads(capsys.readouterr().out)["warnings"]
    assert main(["plan", "p.toml", "--set", "captions.max_tokens=150"]) == 0
    assert "note" not in capsys.readouterr().out


def test_captions_without_the_trigger_are_told(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile.write_text(f'{PROFILE}[prior]\nclass_caption = "dog"\ntrigger = "sks"\n')
    assert main(["plan", str(profile), "--json"]) == 0
    assert [line[:47] for line in json.loads(capsys.readouterr().out)["warnings"]] == [
        'prior.trigger = "sks" is not in 3 of 3 captions'
    ]


def test_a_negative_number_of_captions_is_refused(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "p.toml", "--captions", "-1"]) == 2
    assert "--captions is -1" in capsys.readouterr().err


def test_no_more_captions_are_shown_than_the_run_reads(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "p.toml", "--captions", "100", "--set", "training.epochs=1"]) == 0
    assert capsys.readouterr().out.count("a thing") == 9
    assert main(["plan", "p.toml"]) == 0
    assert "a thing" not in capsys.readouterr().out


def test_a_dataset_that_cannot_be_trained_exits_2(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (profile.parent / "images" / "a.txt").unlink()
    assert main(["plan", "p.toml"]) == 2
    captured = capsys.readouterr()
    assert "images   3, with repeats 9 an epoch" in captured.out
    assert "a.png: no caption file" in captured.err


def test_time_comes_from_a_run_that_did_the_same_work(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder.create(profile.parent / "runs", "p")
    run.profile_file.write_text(freeze(load_profile(profile), profile.parent))
    record.write(run, RunRecord(state="finished", created=1.0, step=10, steps_total=10))
    with EventWriter(run.events_file) as events:
        for step in range(1, 4):
            events.write("step", step=step, seconds=60.0, images=2)
        for step in range(4, 11):
            events.write("step", step=step, seconds=0.5, images=2)
    measured = plan.measure(load_profile(profile))
    assert measured is not None
    assert measured.images_per_second == 4.0
    assert main(["plan", "p.toml"]) == 0
    assert "time     about 11 s" in capsys.readouterr().out
    for other in ("training.batch_size=1", 'prior.class_caption="dog"', 'prior.target="frozen"'):
        assert plan.measure(load_profile(profile, [other])) is None


@pytest.mark.parametrize("frozen", ["not TOML", "[training]\nunheard_of = 1\n", None])
def test_a_run_whose_profile_no_longer_holds_is_no_hindrance(profile: Path, frozen: str | None) -> None:
    run = RunFolder.create(profile.parent / "runs", "p")
    if frozen is not None:
        run.profile_file.write_text(frozen)
    record.write(run, RunRecord(state="finished", created=1.0, step=10, steps_total=10))
    assert main(["plan", "p.toml"]) == 0


def test_a_base_model_that_cannot_be_loaded_exits_2(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (profile.parent / "sd" / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert main(["plan", "p.toml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "unet/ holds no weights" in captured.err


def test_what_stops_the_run_and_what_does_not_is_told_apart(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = profile.parent / "images"
    (images / "a.txt").unlink()
    (images / "b.txt").write_bytes(b"\xff")
    (images / "d.png").write_bytes(b"no image")
    (images / "d.txt").write_text("d")
    tolerant = ["--set", 'captions.on_missing="empty"', "--set", 'dataset.on_unreadable="skip"']
    assert main(["plan", "p.toml", *tolerant]) == 2
    lines = capsys.readouterr().err.replace(f"{images}/", "").splitlines()
    told = {line.split(": ")[1]: line for line in lines[:3]}
    assert told["a.png"].startswith("warning: ")
    assert told["a.png"].endswith(": trained with an empty caption")
    assert told["d.png"].endswith(": the image is skipped")
    assert told["b.txt"].startswith("error: b.txt: ")
    assert lines[3] == "1 problem of the dataset would stop the run"


def test_processes_share_the_batches(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "p.toml", "--set", "launch.processes=2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "batches  5 an epoch, 2 images each, dealt out to 2 processes" in lines
    assert "steps    15 = 5 × 3 steps an epoch" in lines


def test_the_disk_figure_names_its_parts() -> None:
    files = (PlannedFile("output/p.safetensors", 1, 2048), PlannedFile("previews/step-*/*.png", 2, 1024))
    caches = (PlannedFile("/cache/latents", 4, 256),)
    made = Plan(1, 1, (), 1, 1, 1, 1.0, 0, 5, files, caches, 5120, None, ())
    row = "disk     about 5.0 KiB: output 2.0 KiB, previews 2.0 KiB, cached latents 1.0 KiB"
    assert row in plan.describe(Profile.model_validate({"training": {"steps": 1}, "model": {"base": "b"}}), made)


def test_the_memory_figure_names_its_parts() -> None:
    mib = 1 << 20
    memory = Memory("GPU", programs=0, frozen=2000 * mib, trained=50 * mib, activations=900 * mib, working=122 * mib)
    made = Plan(1, 1, (), 1, 1, 1, 1.0, 0, 5, (), (), 0, None, (), memory=memory)
    profile = Profile.model_validate({"training": {"steps": 1}, "model": {"base": "b"}})
    row = (
        "memory   about 3.0 GiB on the GPU: frozen weights 2.0 GiB, learned 50.0 MiB, activations 900 MiB, work 122 MiB"
    )
    assert row in plan.describe(profile, made)
    two = profile.model_copy(update={"launch": profile.launch.model_copy(update={"processes": 2})})
    assert any("on the GPU for each of 2 processes: frozen" in line for line in plan.describe(two, made))
    eight = profile.model_copy(update={"training": profile.training.model_copy(update={"batch_size": 8})})
    assert f"{row}; 1 of the 8 images of a batch at once" in plan.describe(eight, made)
    assert plan.as_json(made)["memory"] == {
        "device": "GPU", "programs": 0, "frozen": 2000 * mib, "trained": 50 * mib, "activations": 900 * mib,
        "working": 122 * mib, "images": 1, "bytes": 3072 * mib,
    }  # fmt: skip
