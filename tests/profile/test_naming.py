"""Names that any file system takes."""

from __future__ import annotations

import pytest

from sdtui.profile.naming import layouts, output_name, outputs, safe_name
from sdtui.profile.schema import Method, Profile


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


@pytest.mark.parametrize(
    ("kind", "formats", "files"),
    [
        ("textual-inversion", [], ["embeddings/toy.safetensors"]),
        (
            "textual-inversion",
            ["webui", "webui-png", "webui-webp", "diffusers"],
            ["embeddings/toy.pt", "embeddings/toy.png", "embeddings/toy.webp", "embeddings/toy.diffusers.safetensors"],
        ),
        ("lora", [], ["x.safetensors", "embeddings/toy.safetensors"]),
        ("lora", ["bundle"], ["x.safetensors"]),
        ("lora", ["bundle", "webui"], ["x.safetensors", "embeddings/toy.pt"]),
        ("full", ["webui"], ["x.safetensors", "embeddings/toy.pt"]),
    ],
)
def test_words_have_a_folder_of_their_own(kind: str, formats: list[str], files: list[str]) -> None:
    method = {"kind": kind, "words": [{"name": "toy"}]}
    data = {"name": "x", "model": {"base": "b"}, "method": method, "saving": {"word_formats": formats}}
    made = outputs(Profile.model_validate(data))
    assert [each.path for each in made] == files
    assert [each.result for each in made] == ["toy" if file.startswith("embeddings") else "" for file in files]


def test_an_adapter_with_its_words_in_it_is_a_bundle_in_kohyas_layout_only() -> None:
    method = {"words": [{"name": "toy"}]}
    saving = {"formats": ["kohya", "diffusers"], "word_formats": ["bundle"]}
    profile = Profile.model_validate({"name": "x", "model": {"base": "b"}, "method": method, "saving": saving})
    assert [each.layout for each in outputs(profile)] == ["bundle", "diffusers"]
    assert [each.layout for each in outputs(profile.model_copy(update={"method": Method()}))] == ["kohya", "diffusers"]
