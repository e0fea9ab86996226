"""Folders whose weights are pickles (`.bin`), as diffusers and transformers wrote them until 2023."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sdtui.errors import UserError
from sdtui.models.assemble import assemble
from sdtui.models.layout import base_problems
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from tests.support.families import FAMILIES, tiny_folder

Rename = Callable[[str], str]


def load(base: Path) -> StableDiffusion:
    return assemble(recognise(base), None, torch.device("cpu"), torch.float32)


def pickled(base: Path, rename: Rename = lambda name: name) -> Path:
    """The same folder with every part's weights in a `.bin`."""
    for file in base.glob("*/*.safetensors"):
        name = "pytorch_model" if file.stem == "model" else file.stem
        weights = {rename(key): value for key, value in load_file(file).items()}
        torch.save(weights, file.with_name(f"{name}.bin"))
        file.unlink()
    return base


def weights_of(model: StableDiffusion) -> dict[str, Tensor]:
    return {
        f"{part}.{name}": value
        for part, module in {**model.components, "vae": model.vae}.items()
        for name, value in module.state_dict().items()
    }


def older(name: str) -> str:
    """As transformers before 5.6 and diffusers before 0.19 named them."""
    for now, then in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        if name.startswith(("encoder.mid_block.attentions", "decoder.mid_block.attentions")):
            name = name.replace(f".{now}.", f".{then}.")
    flat = name.startswith(("encoder.layers", "embeddings.", "final_layer_norm"))
    return f"text_model.{name}" if flat else name


@pytest.mark.parametrize("rename", [lambda name: name, older], ids=["as now", "as then"])
@pytest.mark.parametrize("family", FAMILIES)
def test_they_load_as_they_would_from_safetensors(tmp_path: Path, family: str, rename: Rename) -> None:
    expected = weights_of(load(tiny_folder(tmp_path / "plain", family)))
    base = pickled(tiny_folder(tmp_path / "pickled", family), rename)
    assert base_problems(base) == []
    model = load(base)
    found = weights_of(model)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert len(model.vae_digest) == 64


def in_two(base: Path) -> Path:
    """The same folder with every pickle cut in two, and an index of what lies where."""
    for file in base.glob("*/*.bin"):
        weights = torch.load(file)
        index: dict[str, str] = {}
        for half, names in enumerate((sorted(weights)[::2], sorted(weights)[1::2]), start=1):
            name = f"{file.stem}-0000{half}-of-00002.bin"
            torch.save({each: weights[each] for each in names}, file.with_name(name))
            index |= dict.fromkeys(names, name)
        file.with_name(f"{file.name}.index.json").write_text(json.dumps({"weight_map": index}))
        file.unlink()
    return base


def test_in_several_files_they_load_as_from_one(tmp_path: Path) -> None:
    expected = load(pickled(tiny_folder(tmp_path / "whole", "sd1")))
    base = in_two(pickled(tiny_folder(tmp_path / "model", "sd1")))
    assert base_problems(base) == []
    found = weights_of(load(base))
    assert found.keys() == weights_of(expected).keys()
    assert all(torch.equal(found[name], value) for name, value in weights_of(expected).items())


def test_of_several_files_the_damaged_one_is_named(tmp_path: Path) -> None:
    base = in_two(pickled(tiny_folder(tmp_path / "model", "sd1")))
    torch.save({"conv_in.weight": Harmful()}, base / "unet/diffusion_pytorch_model-00002-of-00002.bin")
    with pytest.raises(UserError, match=r"00002-of-00002\.bin: refused: loading this file would call \w+\.print"):
        load(base)


class Harmful:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return print, ("executed",)


def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = pickled(tiny_folder(tmp_path / "model", "sd1"))
    torch.save({"conv_in.weight": Harmful()}, base / "unet/diffusion_pytorch_model.bin")
    with pytest.raises(UserError, match=r"refused: loading this file would call \w+\.print"):
        load(base)
    assert [str(problem) for problem in base_problems(base) if "refused" in problem.message]
    assert "executed" not in capsys.readouterr().out


def test_a_weight_that_is_missing_never_stays_random(tmp_path: Path) -> None:
    base = pickled(tiny_folder(tmp_path / "model", "sd1"))
    file = base / "unet/diffusion_pytorch_model.bin"
    weights = torch.load(file)
    del weights["conv_in.bias"]
    torch.save(weights, file)
    with pytest.raises(UserError, match=r"the UNet lacks 1 weights in this file, the first conv_in\.bias"):
        load(base)
