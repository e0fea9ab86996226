"""Reading kohya's files: which kind, what is unknown, what is no file of kohya's."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.profile.kohya.source import read_source, require_readable
from tests.profile.kohya.helpers import taken


def _file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_sections_of_a_config_only_group(tmp_path: Path) -> None:
    flat = read_source(_file(tmp_path, "flat.toml", "network_dim = 8\nseed = 3"))
    sectioned = read_source(_file(tmp_path, "sections.toml", "[any]\nnetwork_dim = 8\n[other]\nseed = 3"))
    assert flat.options == sectioned.options
    assert (flat.kind, flat.value("network_dim"), flat.value("seed"), flat.value("network_alpha")) == (
        "config",
        8,
        3,
        1,
    )


def test_unknown_names_with_the_nearest_known(tmp_path: Path) -> None:
    source = read_source(
        _file(tmp_path, "c.toml", 'network_dims = 8\nseed = 3\nnetwork_args = ["conv_dimm=4"]\nzzz = 1')
    )
    assert source.unknown == (("network_dims", "network_dim"), ("zzz", ""), ("network_args: conv_dimm", "conv_dim"))


def test_subset_dataset_general_options_in_this_order(tmp_path: Path) -> None:
    config = _file(tmp_path, "c.toml", "keep_tokens = 1\nshuffle_caption = true\nflip_aug = true\nseed = 4")
    dataset = _file(
        tmp_path,
        "d.toml",
        "[general]\nkeep_tokens = 2\nflip_aug = false\n[[datasets]]\nkeep_tokens = 3\n"
        '[[datasets.subsets]]\nimage_dir = "a"\nkeep_tokens = 4\n[[datasets.subsets]]\nimage_dir = "b"\n',
    )
    source = read_source(config, dataset)
    assert source.subsets is not None
    first, second = source.subsets
    assert [source.value("keep_tokens", subset) for subset in (first, second, None)] == [4, 3, 2]
    assert (source.value("flip_aug", first), source.value("shuffle_caption", first)) == (False, True)


def test_the_dataset_that_a_config_names_is_read_from_its_folder(tmp_path: Path) -> None:
    _file(tmp_path, "d.toml", '[[datasets]]\n[[datasets.subsets]]\nimage_dir = "a"\n')
    source = read_source(_file(tmp_path, "c.toml", 'dataset_config = "d.toml"\nseed = 1'))
    assert source.subsets is not None
    assert source.value("image_dir", source.subsets[0]) == "a"
    named = _file(tmp_path, "gone.toml", 'dataset_config = "gone/d.toml"\nseed = 1')
    with pytest.raises(UserError, match=r"gone/d\.toml does not exist from here\. Give the file with --dataset FILE"):
        read_source(named)


def test_unknown_names_in_a_dataset_say_where(tmp_path: Path) -> None:
    text = '[general]\nflip = true\n[[datasets]]\n[[datasets.subsets]]\nimage_dir = "a"\nnum_repeat = 2\n'
    source = read_source(_file(tmp_path, "d.toml", text))
    assert source.unknown == (("general.flip", ""), ("datasets[0].subsets[0].num_repeat", "num_repeats"))


def test_text_for_numbers_and_nothing(tmp_path: Path) -> None:
    form = '{"LoRA_type": "Standard", "learning_rate": "1e-4", "seed": "", "train_batch_size": 2.0, "max_resolution": "768,768"}'
    source = read_source(_file(tmp_path, "f.json", form))
    found = [source.value(name) for name in ("learning_rate", "seed", "train_batch_size", "resolution")]
    assert found == [1e-4, None, 2, "768,768"]
    assert source.kind == "form"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "network_dim = ", "a.toml: not TOML: "),
        ("a.json", "{", "a.json: not JSON: "),
        ("a.json", "[1, 2]", "a.json: it holds no options"),
        ("a.toml", "", "a.toml: not a file of kohya's: 0 of its 0 names are options of sd-scripts"),
        ("a.toml", '[tool.ruff]\nline-length = 100\n[project]\nname = "x"', "a.toml: not a file of kohya's"),
        ("a.json", '{"name": "x", "version": 1, "scripts": {}}', "a.json: not a file of kohya's"),
        ("a.toml", "schema = 1\n[model]\nbase = 'm'\n[method]\nrank = 4", "a.toml: a profile of sdtui"),
        ("a.toml", "network_dim = 'wide'\nseed = 1", "a.toml:1: network_dim is 'wide', expected a whole number"),
        ("a.toml", "shuffle_caption = 'perhaps'", "a.toml:1: shuffle_caption is 'perhaps', expected true or false"),
        ("a.toml", "[[datasets]]\nsubsets = 3", "a.toml: datasets\\[0\\] is not a table with \\[\\[datasets.subsets\\]\\]"),
        ("a.toml", "resolution = 'wide'\nseed = 1", "a.toml:1: resolution is 'wide', expected one side or width,height"),
        ("a.json", '{"LoRA_type": "Flux1", "flux1_checkbox": true}', "a.json: made for Flux.1"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_message(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        taken(tmp_path, text, name)


def test_every_value_that_cannot_be_read_has_its_line(tmp_path: Path) -> None:
    text = "[a]\nseed = 1\n[b]\nclip_skip = 'two'\nnetwork_args = [\n  'conv_dim=wide',\n]\nnetwork_dim = 8\n"
    dataset = (
        "[general]\nflip_aug = 2\n[[datasets]]\nresolution = [1, 2, 3]\n[[datasets.subsets]]\nimage_dir = 'a'\n"
        "[[datasets.subsets]]\nimage_dir = 'b'\nnum_repeats = 'few'\n"
    )
    source = read_source(_file(tmp_path, "c.toml", text), _file(tmp_path, "d.toml", dataset))
    assert source.unreadable == (
        f"{tmp_path}/c.toml:4: clip_skip is 'two', expected a whole number",
        f"{tmp_path}/c.toml:5: conv_dim is 'wide', expected a whole number",
        f"{tmp_path}/d.toml:2: flip_aug is 2, expected true or false",
        f"{tmp_path}/d.toml:4: resolution is [1, 2, 3], expected one side or width,height",
        f"{tmp_path}/d.toml:9: num_repeats is 'few', expected a whole number",
    )
    assert (source.value("network_dim"), source.value("clip_skip")) == (8, None)
    with pytest.raises(UserError, match=r"c\.toml: 5 values cannot be read:\n  .*c\.toml:4: clip_skip"):
        require_readable(source)


def test_a_form_s_values_have_the_line_of_their_field(tmp_path: Path) -> None:
    form = '{\n  "LoRA_type": "Standard",\n  "max_resolution": "wide",\n  "additional_parameters": "--seed x"\n}'
    source = read_source(_file(tmp_path, "f.json", form))
    assert source.unreadable == (
        f"{tmp_path}/f.json:3: resolution is 'wide', expected one side or width,height",
        f"{tmp_path}/f.json: seed is 'x', expected a whole number",
    )


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('[a]\nshuffle_caption = "no"\nseed = 1', '2: shuffle_caption = "no" is false here; sd-scripts takes any text for true'),
        ('[[datasets]]\n[[datasets.subsets]]\nimage_dir = "a"\nis_reg = "yes"',
         '4: is_reg = "yes" is true here; sd-scripts stops at text there'),
    ],
)  # fmt: skip
def test_a_flag_that_is_text_is_told(text: str, warning: str, tmp_path: Path) -> None:
    assert read_source(_file(tmp_path, "c.toml", text)).warnings == (f"{tmp_path}/c.toml:{warning}",)


def test_flags_are_text_in_forms_and_network_args(tmp_path: Path) -> None:
    form = '{"LoRA_type": "Standard", "shuffle_caption": "true", "network_args": "rs_lora=True"}'
    assert read_source(_file(tmp_path, "f.json", form)).warnings == ()
    config = 'network_args = ["rs_lora=True"]'
    assert read_source(_file(tmp_path, "c.toml", config)).warnings == ()


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file or directory"):
        read_source(tmp_path / "gone.toml")
    (tmp_path / "model.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a text file"):
        read_source(tmp_path / "model.toml")


def test_a_config_is_no_dataset(tmp_path: Path) -> None:
    config = _file(tmp_path, "c.toml", "seed = 1")
    with pytest.raises(UserError, match="not a dataset TOML: it has no \\[\\[datasets\\]\\]"):
        read_source(config, config)
