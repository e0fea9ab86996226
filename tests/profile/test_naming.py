"""Names that any file system takes."""

from __future__ import annotations

import pytest

from sdtui.profile.naming import layouts, output_name, safe_name
from sdtui.profile.schema import Profile


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("lora", "lora"),
        ("a/b c", "a-b-c"),
        ("..", "run"),
        ("-rf", "rf"),
        ("Katze-日本", "Katze-日本"),
        ("x\x1b[31m", "x--31m"),
        ("a" * 99, "a" * 80),
        ("𠀀" * 80, "𠀀" * 40),
        ("a" + "日" * 80, "a" + "日" * 53),
    ],
)
def test_safe_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("saving", "file"),
    [("", "my-profile.safetensors"), ("cat", "cat.safetensors"), ("cat.safetensors", "cat.safetensors")],
)
def test_output_name(saving: str, file: str) -> None:
    profile = Profile.model_validate({"name": "my profile", "model": {"base": "b"}, "saving": {"name": saving}})
    assert output_name(profile) == file


@pytest.mark.parametrize(
    ("kind", "formats", "files"),
    [
        ("lora", [], ["x.safetensors"]),
        ("lora", ["kohya", "diffusers"], ["x.safetensors", "x.diffusers.safetensors"]),
        ("full", [], ["x.safetensors"]),
        ("full", ["folder", "single-file"], ["x", "x.safetensors"]),
    ],
)
def test_each_method_has_a_usual_layout(kind: str, formats: list[str], files: list[str]) -> None:
    data = {"name": "x", "model": {"base": "b"}, "method": {"kind": kind}, "saving": {"formats": formats}}
    profile = Profile.model_validate(data)
    assert [output_name(profile, layout) for layout in layouts(profile)] == files


def test_one_of_several_results_is_named_behind_the_run() -> None:
    profile = Profile.model_validate({"name": "x", "model": {"base": "b"}})
    assert output_name(profile, "kohya", "<my cat>") == "x-my-cat-.safetensors"
