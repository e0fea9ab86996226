"""Whole runs on a tiny model, inside this process: what they write, and how each command and failure shows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from sdtui import paths
from sdtui.dataset.collect import collect
from sdtui.dataset.image import open_rgb
from sdtui.models.family import Model
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.profile.load import load_frozen
from sdtui.runs import control, record
from sdtui.runs.layout import RunFolder
from sdtui.runs.lock import hold
from sdtui.training import cache, checkpoint, prepare, preview, session
from sdtui.training.__main__ import main
from sdtui.training.data import DataOrder
from sdtui.training.disk import DiskGuard
from tests.support.odd_images import CUT_IN_HEADER, CUT_SHORT, EMPTY, SIZES, make_odd_images
from tests.training.workplace import events, make_images, make_run, make_workplace, rewrite, settings, wait_for

PREVIEWS = {"prompts": ["a red square --w 64 --h 64 --s 1"]}


def train(run: RunFolder) -> int:
    return main([str(run.path)])


def states(run: RunFolder) -> list[str]:
    return [event["state"] for event in events(run, "state")]


def steps(run: RunFolder) -> list[int]:
    return [event["step"] for event in events(run, "step")]


def answers(run: RunFolder) -> list[tuple[str, str, str]]:
    return [(event["command"], event["status"], event["message"]) for event in events(run, "control")]


@contextmanager
def watcher(run: RunFolder, script: Callable[[], None]) -> Iterator[None]:
    """Run `script` beside the trainer, and let the test fail if it failed."""
    failures: list[BaseException] = []

    def follow() -> None:
        try:
            script()
        except (Exception, AssertionError) as error:  # noqa: BLE001 - raised again in the test
            failures.append(error)
            control.send(run, "stop")

    thread = threading.Thread(target=follow)
    thread.start()
    yield
    thread.join()
    assert not failures, failures


def test_a_run_writes_steps_previews_checkpoints_and_the_finished_file(workplace: Path) -> None:
    run = make_run(
        workplace,
        {
            "training": {"epochs": 2, "steps": None},
            "previews": {**PREVIEWS, "every": 3, "every_epochs": 1, "at_start": True},
            "saving": {"every_epochs": 1, "keep_last": 1, "name": "my lora", "trigger": "sqr"},
        },
    )
    assert train(run) == 0
    # Six images in two buckets, 5 + 1, in batches of 2: 3 + 1 steps an epoch.
    begun = events(run)[0]
    assert (begun["kind"], begun["steps_total"], begun["epochs_total"], begun["images"]) == ("run", 8, 2, 6)
    assert steps(run) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [event["epoch"] for event in events(run, "step")] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert sum(event["images"] for event in events(run, "step")) == 12
    assert events(run, "step")[0]["lr"] == {"unet": 1e-3}
    assert [event["step"] for event in events(run, "preview")] == [0, 3, 4, 6, 8]
    assert [event["path"] for event in events(run, "checkpoint")] == [
        "checkpoints/step-000004",
        "checkpoints/step-000008",
    ]
    assert [event["path"] for event in events(run, "checkpoint_removed")] == ["checkpoints/step-000004"]
    assert [event["path"] for event in events(run, "output")] == ["output/my-lora.safetensors"]
    assert states(run)[:2] == ["loading", "caching"]
    assert states(run)[-1] == "finished"
    last = events(run)[-1]
    assert (last["kind"], last["state"], last["step"]) == ("finished", "finished", 8)
    found = record.read(run)
    assert (found.state, found.step, found.steps_total, found.device) == ("finished", 8, 8, "cpu")
    with safe_open(run.output_dir / "my-lora.safetensors", "pt") as file:
        metadata = file.metadata()
    assert (metadata["ss_steps"], metadata["modelspec.trigger_phrase"]) == ("8", "sqr")


def test_names_may_hold_what_patterns_and_shells_take_for_their_own(tmp_path: Path) -> None:
    place = make_workplace(tmp_path / "Zoë's [v2] 100 %* {a} 猫", [(64, 64)] * 3)
    for file in [*(place / "images").iterdir(), *(place / "masks").iterdir()]:
        file.rename(file.with_stem(f"{file.stem} [x] ${{y}} ñ"))
    folder = {"path": str(place / "images"), "masks": str(place / "masks")}
    run = make_run(place, {"dataset": {"folders": [folder]}, "training": {"steps": 2}, "saving": {"every_steps": 1}})
    assert train(run) == 0
    assert [event["images"] for event in events(run, "step")] == [2, 1]
    assert not events(run, "warning")
    assert len(run.complete_checkpoints()) == 2


def test_what_files_say_of_the_dataset_is_worked_out_once_a_run(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[int] = []

    def noted(*_: object) -> dict[str, object]:
        worked_out.append(1)
        return {"num_train_images": 6}

    monkeypatch.setattr(session, "describe_dataset", noted)
    run = make_run(workplace, {"saving": {"every_steps": 2, "name": "my lora"}})
    assert train(run) == 0
    assert worked_out == [1]
    with safe_open(run.output_dir / "my-lora.safetensors", "pt") as file:
        assert file.metadata()["ss_num_train_images"] == "6"


def test_a_checkpoint_is_written_before_the_previews_of_its_step(workplace: Path) -> None:
    run = make_run(workplace, {"previews": {**PREVIEWS, "every": 2}, "saving": {"every_steps": 2}})
    assert train(run) == 0
    kinds = [event["kind"] for event in events(run) if event.get("step") == 2]
    assert kinds.index("checkpoint") < kinds.index("preview")


def test_the_images_folder_is_left_as_it_was(workplace: Path) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (workplace / "images").iterdir())
    assert train(make_run(workplace)) == 0
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (workplace / "images").iterdir()) == before


def test_stats_say_where_the_time_goes(workplace: Path) -> None:
    run = make_run(workplace)
    assert train(run) == 0
    stats = events(run, "stats")[0]
    assert set(stats["time"]) == {"data", "forward", "backward", "optimizer", "other"}
    assert sum(stats["time"].values()) == pytest.approx(1, abs=0.01)
    assert stats["memory"]["kind"] == "process"
    assert 0 < stats["memory"]["used_mib"] <= stats["memory"]["total_mib"]
    assert stats["images_per_second"] > 0


def test_text_encoder_training_has_its_own_rate(workplace: Path) -> None:
    run = make_run(
        workplace,
        {"method": {"text_encoder": True}, "optimizer": {"text_encoder_learning_rate": 1e-4}, "training": {"steps": 1}},
    )
    assert train(run) == 0
    assert events(run, "step")[0]["lr"] == pytest.approx({"unet": 1e-3, "text_encoder": 1e-4})
    weights = load_file(run.output_dir / "tiny.safetensors")
    assert any(tensor.any() for name, tensor in weights.items() if name.startswith("lora_te_") and "up" in name)


def test_bf16_trains_fp32_weights(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 1, "precision": "bf16"}})
    assert train(run) == 0
    weights = load_file(run.output_dir / "tiny.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())


def test_fp16_on_the_processor_is_refused(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    run = make_run(workplace, {"training": {"precision": "fp16", "device": "auto"}})
    assert train(run) == 2
    assert events(run, "error")[0]["where"] == "training.precision"


# Commands


def test_pause_holds_and_unpause_goes_on(workplace: Path) -> None:
    run = make_run(workplace)
    control.send(run, "pause")

    def script() -> None:
        wait_for(lambda: states(run)[-1:] == ["paused"], "the pause")
        assert steps(run) == []
        control.send(run, "pause")
        control.send(run, "save")
        control.send(run, "unpause")

    with watcher(run, script):
        assert train(run) == 0
    assert answers(run) == [
        ("pause", "done", "paused"),
        ("pause", "refused", "the run is paused already"),
        ("unpause", "done", "going on"),
        ("save", "done", "saved at step 0"),
    ]
    assert steps(run) == [1, 2, 3, 4]


def test_stop_saves_and_ends_and_the_run_can_be_resumed(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 40}})

    def script() -> None:
        wait_for(lambda: steps(run), "a step")
        control.send(run, "stop")

    with watcher(run, script):
        assert train(run) == 0
    assert answers(run) == [("stop", "done", "saving, then ending")]
    assert states(run)[-1] == "stopped"
    assert record.read(run).state == "stopped"
    step, _ = run.complete_checkpoints()[-1]
    assert 0 < step < 40
    assert not list(run.output_dir.iterdir())
    short = settings(workplace, {"training": {"steps": step + 1}})
    rewrite(run, short)
    assert train(run) == 0
    assert [event["step"] for event in events(run, "resumed")] == [step]
    assert steps(run)[-1] == step + 1


def test_save_and_preview_are_answered_when_done(workplace: Path) -> None:
    run = make_run(workplace, {"previews": PREVIEWS})
    control.send(run, "save")
    control.send(run, "preview")
    assert train(run) == 0
    assert answers(run) == [("save", "done", "saved at step 0"), ("preview", "done", "previews made at step 0")]
    assert [event["step"] for event in events(run, "preview")] == [0, 4]


def test_preview_without_prompts_is_refused(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 1}})
    control.send(run, "preview")
    assert train(run) == 0
    assert [status for _, status, _ in answers(run)] == ["refused"]


def test_set_changes_the_interval_and_the_rate(workplace: Path) -> None:
    run = make_run(workplace, {"previews": PREVIEWS})
    control.send(run, "set", key="previews.every", value=1)
    control.send(run, "set", key="learning_rate_factor", value=0.5)
    control.send(run, "set", key="training.seed", value=5)
    assert train(run) == 0
    assert [status for _, status, _ in answers(run)] == ["done", "done", "refused"]
    assert [event["step"] for event in events(run, "preview")] == [1, 2, 3, 4]
    assert [event["lr"]["unet"] for event in events(run, "step")] == pytest.approx([5e-4] * 4)


def test_what_was_set_live_survives_a_stop(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 2}})
    control.send(run, "set", key="learning_rate_factor", value=0.5)
    control.send(run, "save")
    assert train(run) == 0
    assert checkpoint.load_latest(run)[0] is None  # nothing to save at step 0
    saved = make_run(workplace, {"training": {"steps": 2}, "saving": {"every_steps": 1}})
    control.send(saved, "set", key="learning_rate_factor", value=0.5)
    assert train(saved) == 0
    found, _ = checkpoint.load_latest(saved)
    assert found is not None
    assert found.progress.rate_factor == 0.5


def test_a_second_trainer_is_refused_and_writes_nothing(workplace: Path) -> None:
    run = make_run(workplace)
    with hold(run):
        assert train(run) == 2
    assert not run.events_file.exists()


# Failures


def poison(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Let the model answer with NaN at its `call`-th prediction."""
    predict, count = StableDiffusion.predict, iter(range(1, 1000))

    def poisoned(self: StableDiffusion, *arguments: Any) -> torch.Tensor:
        prediction = predict(self, *arguments)
        return prediction * torch.nan if next(count) == call else prediction

    monkeypatch.setattr(StableDiffusion, "predict", poisoned)


def test_a_loss_that_is_not_finite_ends_the_run_before_its_step_and_names_the_images(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(workplace, {"saving": {"every_steps": 2}})
    poison(monkeypatch, call=3)
    assert train(run) == 1
    assert steps(run) == [1, 2]
    (error,) = events(run, "error")
    assert error["message"] == "the loss is nan in step 3"
    (batch,) = DataOrder([(96, 96)] * 5 + [(128, 64)], [1] * 6, batch_size=2, accumulation=1, seed=3).at(2)
    assert error["images"] == [str(workplace / f"images/{sample:02d}.png") for sample in batch]
    assert states(run)[-1] == "failed"
    assert record.read(run).state == "failed"
    assert [step for step, _ in run.complete_checkpoints()] == [2]
    assert "the loss is nan in step 3" in run.log_file.read_text()
    assert "Traceback" not in run.log_file.read_text()


def test_nothing_is_saved_after_a_step_that_was_not_finite(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(workplace, {"saving": {"every_steps": 1}})
    poison(monkeypatch, call=2)
    assert train(run) == 1
    assert [step for step, _ in run.complete_checkpoints()] == [1]


def test_a_failing_preview_never_ends_a_run(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> preview.Preview:
        raise RuntimeError("no such kernel\nmore")

    monkeypatch.setattr(preview, "render", fail)
    run = make_run(workplace, {"previews": {**PREVIEWS, "every": 2}})
    assert train(run) == 0
    failed = events(run, "preview_failed")
    assert [event["step"] for event in failed] == [2, 4]
    assert failed[0]["message"].startswith("unexpected RuntimeError: no such kernel.")
    assert steps(run) == [1, 2, 3, 4]


def test_a_fault_of_ours_is_one_line_in_the_event_and_a_traceback_in_the_log(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(StableDiffusion, "predict", fail)
    run = make_run(workplace)
    assert train(run) == 1
    (error,) = events(run, "error")
    assert error["message"] == "unexpected KeyError: 'odd'"
    assert "Traceback" in run.log_file.read_text()


def test_images_are_read_while_the_model_is_loaded_and_a_stop_then_ends_the_run_before_any_is_encoded(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, read, load = make_run(workplace), threading.Event(), prepare.load

    def noted(*given: Any) -> Image.Image:
        read.set()
        return open_rgb(*given)

    def stopped(*given: Any) -> Model:
        model = load(*given)
        assert read.wait(120)
        control.send(run, "stop")
        return model

    monkeypatch.setattr(cache, "open_rgb", noted)
    monkeypatch.setattr(prepare, "load", stopped)
    assert train(run) == 0
    assert states(run) == ["loading", "caching", "stopped"]
    assert not list((paths.cache_dir() / "latents").rglob("*.safetensors"))


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_truncated_images(tmp_path: Path, workplace: Path, policy: str) -> None:
    images = make_images(tmp_path / "images", [(64, 64)] * 3)
    whole = (images / "01.png").read_bytes()
    (images / "01.png").write_bytes(whole[: len(whole) // 2])
    run = make_run(workplace, {"dataset": {"folders": [{"path": str(images)}], "on_unreadable": policy}})
    code = train(run)
    if policy == "stop":
        assert code == 2
        (error,) = events(run, "error")
        assert error["images"] == [str(images / "01.png")]
        assert "on_unreadable" in error["remedy"]
    else:
        assert code == 0
        assert "training without 1 image that" in events(run, "warning")[0]["message"]
        assert events(run, "run")[-1]["images"] == 2


def test_a_folder_of_odd_images_stops_the_run_or_is_trained_without_the_broken_ones(
    tmp_path: Path, workplace: Path
) -> None:
    images = make_odd_images(tmp_path / "odd")
    folders = {"folders": [{"path": str(images)}]}
    run = make_run(workplace, {"dataset": folders})
    assert train(run) == 2
    (error,) = events(run, "error")
    assert CUT_IN_HEADER in error["message"]
    assert EMPTY in error["message"]
    run = make_run(
        workplace, {"dataset": {**folders, "on_unreadable": "skip"}, "training": {"steps": None, "epochs": 1}}
    )
    assert train(run) == 0
    told = [event["message"] for event in events(run, "warning")]
    assert CUT_IN_HEADER in told[0]
    assert CUT_SHORT in told[1]
    assert sum(event["images"] for event in events(run, "step")) == len(SIZES) - 1


def test_a_run_says_what_its_folders_were_found_to_be(tmp_path: Path, workplace: Path) -> None:
    make_images(tmp_path / "train" / "2_red square", [(96, 96)])
    make_images(tmp_path / "train" / "drafts", [(96, 96)])
    run = make_run(workplace, {"dataset": {"folders": [{"path": str(tmp_path / "train")}]}, "training": {"steps": 1}})
    assert train(run) == 0
    (told,) = events(run, "dataset")
    assert told["folders"] == [
        {
            "path": f"{tmp_path}/train/2_red square", "layout": "kohya", "images": 1, "repeats": 2,
            "class_tokens": "red square", "regularization": False, "held_out": 0, "masks": 0, "transparent": 0,
            "note": "",
        }
    ]  # fmt: skip
    assert "2_red square: kohya, 1 image × 2" in run.log_file.read_text()
    warning = events(run, "warning")[0]["message"]
    assert warning.startswith(f"training in spite of 1 problem of the dataset: {tmp_path}/train")
    assert "leaves out 1 image in drafts" in warning


@pytest.mark.parametrize(("policy", "code"), [("stop", 2), ("empty", 0)])
def test_missing_captions(tmp_path: Path, workplace: Path, policy: str, code: int) -> None:
    images = make_images(tmp_path / "images", [(64, 64)] * 3)
    (images / "02.txt").unlink()
    run = make_run(workplace, {"dataset": {"folders": [{"path": str(images)}]}, "captions": {"on_missing": policy}})
    assert train(run) == code
    told = events(run, "error") if code else events(run, "warning")
    assert "02.png" in told[0]["message"]


def test_an_empty_dataset_is_one_clear_message(tmp_path: Path, workplace: Path) -> None:
    (tmp_path / "nothing").mkdir()
    run = make_run(workplace, {"dataset": {"folders": [{"path": str(tmp_path / "nothing")}]}})
    assert train(run) == 2
    (error,) = events(run, "error")
    assert "no images here" in error["message"]
    assert events(run)[-1]["state"] == "failed"


def test_a_missing_model_is_one_clear_message(workplace: Path, tmp_path: Path) -> None:
    run = make_run(workplace, {"model": {"base": str(tmp_path / "gone")}})
    assert train(run) == 2
    assert events(run, "error")[0]["where"] == str(tmp_path / "gone")


def test_a_run_folder_of_a_newer_version_is_left_alone(workplace: Path) -> None:
    run = make_run(workplace)
    run.run_json.write_text(json.dumps({"schema": 99}))
    assert train(run) == 2
    assert not run.events_file.exists()


def test_a_damaged_checkpoint_is_passed_over(workplace: Path) -> None:
    run = make_run(workplace, {"saving": {"every_steps": 1}})
    assert train(run) == 0
    with (run.checkpoint_dir(4) / "state.safetensors").open("r+b") as file:
        file.truncate(1000)
    assert train(run) == 0
    assert "damaged" in events(run, "warning")[0]["message"]
    assert [event["step"] for event in events(run, "resumed")] == [3]


def test_changed_images_are_told_on_resume(tmp_path: Path, workplace: Path) -> None:
    images = make_images(tmp_path / "images", [(64, 64)] * 3)
    run = make_run(workplace, {"dataset": {"folders": [{"path": str(images)}]}, "saving": {"every_steps": 1}})
    assert train(run) == 0
    Image.new("RGB", (64, 64), "black").save(images / "00.png")
    assert train(run) == 0
    assert "have changed" in events(run, "warning")[0]["message"]


def test_a_full_disk_pauses_the_run_until_there_is_room(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(workplace, {"saving": {"every_steps": 2, "min_free_mib": 100}})
    free = {"bytes": 10 << 20}
    monkeypatch.setattr(DiskGuard, "free_bytes", lambda _: free["bytes"])

    def script() -> None:
        wait_for(lambda: states(run)[-1:] == ["paused"], "the pause")
        free["bytes"] = 1 << 40

    with watcher(run, script):
        assert train(run) == 0
    (warning,) = events(run, "warning")
    assert warning["message"] == "10 MiB of disk are free, less than saving.min_free_mib = 100"
    assert steps(run) == [1, 2, 3, 4]
    assert record.read(run).state == "finished"


def test_unpause_overrules_a_nearly_full_disk_once_and_for_all(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(workplace, {"saving": {"every_steps": 2, "min_free_mib": 100}})
    monkeypatch.setattr(DiskGuard, "free_bytes", lambda _: 10 << 20)

    def script() -> None:
        wait_for(lambda: states(run)[-1:] == ["paused"], "the pause")
        control.send(run, "unpause")

    with watcher(run, script):
        assert train(run) == 0
    assert len(events(run, "warning")) == 1
    assert answers(run) == [("unpause", "done", "going on")]


def test_the_profile_of_the_run_is_all_that_is_read(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 1}})
    rewrite(run, {"model": {"base": str(workplace / "model")}, "training": {"stepz": 3}})
    assert train(run) == 2
    assert "stepz" in str(events(run, "error")[0])


def test_the_run_event_comes_first_whatever_waits_to_be_told(tmp_path: Path, workplace: Path) -> None:
    images = make_images(tmp_path / "images", [(64, 64)] * 2)
    (images / "01.txt").unlink()
    dataset = {"folders": [{"path": str(images)}]}
    run = make_run(workplace, {"dataset": dataset, "captions": {"on_missing": "empty"}, "training": {"steps": 1}})
    control.send(run, "set", key="learning_rate_factor", value=0.5)
    assert train(run) == 0
    kinds = [event["kind"] for event in events(run)]
    assert kinds[0] == "run"
    assert {"warning", "control"} <= set(kinds)


def test_the_digest_is_of_what_was_read_and_a_late_change_is_told(workplace: Path) -> None:
    run = make_run(workplace, {"training": {"steps": 1}})
    read = collect(load_frozen(run.profile_file)).digest
    record.update(run, dataset_digest="of other captions")
    assert train(run) == 0
    assert record.read(run).dataset_digest == read
    (warning,) = events(run, "warning")
    assert warning["message"].startswith("the images or captions have changed since the run was started")
