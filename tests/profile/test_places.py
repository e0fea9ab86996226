"""Paths against the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.profile.check import check_file
from sdtui.profile.places import misplaced
from sdtui.profile.problem import Finding
from sdtui.profile.resolve import anchored
from sdtui.profile.schema import Profile
from tests.support.hub import hub_model


def _findings(
    workspace: Path,
    *,
    base: str = "model",
    images: str = "images",
    vae: str = "",
    runs: str = "runs",
    download: bool = False,
    adapter: str = "",
) -> list[Finding]:
    profile = Profile.model_validate(
        {
            "model": {"base": base, "vae": vae, "download": download},
            "dataset": {"folders": [{"path": images}]},
            "launch": {"runs": runs},
            "method": {"continue_from": adapter},
        }
    )
    return misplaced(profile, workspace, frozenset())


def test_nothing_misplaced(workspace: Path) -> None:
    assert _findings(workspace) == []


def test_a_missing_folder_says_how_far_the_path_is_right(workspace: Path) -> None:
    (finding,) = _findings(workspace, images="image")
    assert (finding.code, finding.key) == ("no-such-path", "dataset.folders[0].path")
    assert finding.message == f"dataset.folders[0].path: {workspace}/image does not exist"
    assert finding.remedy == f'{workspace} has no "image"; did you mean "images"?'


def test_a_folder_of_class_images_is_made_when_they_are_drawn(workspace: Path) -> None:
    drawn = {"path": "class", "regularization": True, "generate": 5, "class_tokens": "a dog"}
    folders = [{"path": "images"}, drawn, {"path": "missing"}]
    profile = Profile.model_validate({"model": {"base": "model"}, "dataset": {"folders": folders}})
    assert [finding.key for finding in misplaced(profile, workspace, frozenset())] == ["dataset.folders[2].path"]
    (workspace / "class").write_text("a file")
    found = [(finding.code, finding.key) for finding in misplaced(profile, workspace, frozenset())]
    assert ("not-a-folder", "dataset.folders[1].path") in found


@pytest.mark.parametrize("name", ["sd15.safetensors", "sd15.ckpt", "sd15.PT"])
def test_a_single_file_may_be_a_model_or_a_vae(workspace: Path, name: str) -> None:
    (workspace / name).write_bytes(b"")
    assert _findings(workspace, base=name, vae=name) == []


def test_another_file_is_no_model(workspace: Path) -> None:
    (workspace / "sd15.gguf").write_bytes(b"")
    for finding in _findings(workspace, base="sd15.gguf", vae="sd15.gguf"):
        assert (finding.code, finding.allowed) == ("not-a-model", ".ckpt, .pt, .safetensors")
        assert finding.message == f"{finding.key}: {workspace}/sd15.gguf is no file of weights"
    assert len(_findings(workspace, base="sd15.gguf", vae="sd15.gguf")) == 2


def test_a_folder_without_an_index_says_what_it_holds(workspace: Path) -> None:
    for name in ("a.ckpt", "b.ckpt", "c.ckpt", "d.ckpt", "e.ckpt", "f.ckpt"):
        (workspace / "images" / name).write_bytes(b"")
    (finding,) = _findings(workspace, base="images")
    assert finding.message.endswith("has no model_index.json; it holds a.ckpt, b.ckpt, c.ckpt, d.ckpt and 2 more")


def test_the_model_one_folder_down_is_found(workspace: Path) -> None:
    (finding,) = _findings(workspace, base=".")
    assert finding.remedy == f'Did you mean "{workspace}/model"?'


def test_a_hub_name_that_is_not_here_may_be_downloaded_when_the_profile_says_so(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(workspace / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    (finding,) = _findings(workspace, base="stable/diffusion-v1-5")
    assert "(hf download stable/diffusion-v1-5), or set model.download = true" in finding.remedy
    assert _findings(workspace, base="stable/diffusion-v1-5", download=True) == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (finding,) = _findings(workspace, base="stable/diffusion-v1-5", download=True)
    assert "or unset HF_HUB_OFFLINE" in finding.remedy


def test_a_hub_name_that_was_downloaded_is_a_model(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(workspace / "hf"))
    hub_model(workspace / "hf" / "hub", "stable/diffusion-v1-5")
    assert _findings(workspace, base="stable/diffusion-v1-5") == []
    (finding,) = _findings(workspace, base="stable/diffusion-v2-1")
    assert finding.code == "no-such-path"


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        (r"sets\images", 'Write "sets/images"'),
        (r".\images", 'Write "./images" (it exists)'),
        (r"C:\sets\city", 'Write "/mnt/c/sets/city"'),
        ("C:/sets/city", 'Write "/mnt/c/sets/city"'),
        ("d:/", 'Write "/mnt/d/"'),
        ("C:\new\tags", r"Write the path in single quotes ('C:\images') or with forward slashes"),
    ],
)
def test_backslashes(workspace: Path, written: str, remedy: str) -> None:
    (finding,) = _findings(workspace, images=written)
    assert (finding.code, finding.remedy) == ("backslash-path", remedy)


def test_no_folder_is_made_that_is_named_like_a_drive(workspace: Path) -> None:
    (finding,) = _findings(workspace, runs="C:/runs")
    assert finding.message == "launch.runs: C:/runs is a path on Windows"
    assert finding.remedy == 'Write "/mnt/c/runs"'


def test_a_file_in_place_of_a_folder(workspace: Path) -> None:
    (workspace / "file").write_text("")
    found = _findings(workspace, images="file", vae="file", runs="file")
    assert [(finding.code, finding.key) for finding in found] == [
        ("not-a-model", "model.vae"),
        ("not-a-folder", "dataset.folders[0].path"),
        ("not-a-folder", "launch.runs"),
    ]


def test_no_permission(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = _findings(workspace, runs="deep/runs")
    assert [(finding.code, finding.key) for finding in found] == [
        ("no-permission", "dataset.folders[0].path"),
        ("no-permission", "launch.runs"),
    ]
    assert found[1].message == f"launch.runs: no permission to write in {workspace}"


def test_keys_that_are_broken_already_are_left_alone(workspace: Path) -> None:
    profile = Profile.model_validate({"model": {"base": "-"}})
    assert misplaced(profile, workspace, frozenset({"model.base"})) == []


def test_a_folder_that_no_profile_can_name(tmp_path: Path) -> None:
    """In a workspace whose own name is not UTF-8 every relative path becomes one that cannot be frozen."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "p.toml").write_text(
        '[model]\nbase = "model"\n[[dataset.folders]]\npath = "images"\n[training]\nsteps = 1\n'
    )
    report = check_file(folder / "p.toml")
    assert {problem.code for problem in report.errors} == {"not-utf8"}
    assert [problem.key for problem in report.errors] == ["launch.runs", "model.base", "dataset.folders[0].path"]
    assert "caf\\xe9/runs has a part that is not UTF-8" in report.errors[0].message


def test_a_profile_file_whose_name_is_not_utf_8_gets_one_that_is(workspace: Path) -> None:
    profile = Profile.model_validate({"model": {"base": "model"}})
    assert anchored(profile, workspace / os.fsdecode(b"caf\xe9.toml")).name == "caf?"


def test_an_adapter_to_go_on_from_is_a_file(workspace: Path) -> None:
    (workspace / "kept.safetensors").write_bytes(b"")
    assert _findings(workspace, adapter="kept.safetensors") == []
    (missing,) = _findings(workspace, adapter="keep.safetensors")
    assert (missing.code, missing.key) == ("no-such-path", "method.continue_from")
    assert missing.remedy == f'{workspace} has no "keep.safetensors"; did you mean "kept.safetensors"?'
    (folder,) = _findings(workspace, adapter="images")
    assert folder.message == f"method.continue_from: {workspace}/images is a folder, not a file"
