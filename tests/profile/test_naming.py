"""Names that any file system takes."""

from __future__ import annotations

import pytest

from sdtui.profile.naming import output_name, safe_name
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
