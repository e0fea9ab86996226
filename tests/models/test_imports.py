"""The models' classes without packages that are not used, in a fresh interpreter."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import torch
from peft import LoraConfig

from sdtui.models.imports import import_models

PROGRAM = """
import gc, sys
from sdtui.models.imports import import_models
import_models()
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
one = {"block_out_channels": (32,), "down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",), "layers_per_block": 1}
unet = UNet2DConditionModel(mid_block_type=None, cross_attention_dim=8, **one)
unet(torch.zeros(1, 4, 8, 8), torch.tensor([5]), torch.zeros(1, 2, 8))
print(gc.isenabled(), sorted({"bitsandbytes", "peft"} & set(sys.modules)))
from diffusers.utils import is_bitsandbytes_available, is_peft_available
print("diffusers.models.autoencoders.autoencoder_kl" in sys.modules, is_bitsandbytes_available(), is_peft_available())
"""


def test_packages_that_are_only_installed_are_imported_by_no_pass_of_a_unet_and_are_known_again_afterwards() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["True []", "True True True"]


NAMES = """
import sys
from pathlib import Path
import transformers
from transformers.utils import import_utils
assert "transformers.models" not in sys.modules
read = []
known = import_utils.create_import_structure_from_path
import_utils.create_import_structure_from_path = lambda path: (read.append(Path(path).parts[-3:]), known(path))[1]
from sdtui.models.imports import import_models
import_models()
print(("transformers", "models", "__init__.py") in read)
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers import BertConfig, CLIPTextModel as same
print(same is CLIPTextModel, transformers.models.clip.__name__, BertConfig.model_type)
"""


def test_transformers_reads_its_models_once_and_has_all_of_them_afterwards() -> None:
    told = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["False", "True transformers.models.clip bert"]


def test_a_scale_that_changes_something_still_reaches_layers_of_peft() -> None:
    import_models()
    import_models()
    from diffusers.utils import peft_utils
    from peft.tuners.lora import Linear

    layer = Linear(torch.nn.Linear(1, 1), adapter_name="one", config=LoraConfig(r=2, lora_alpha=6), r=2, lora_alpha=6)
    for weight, scaling in ((1.0, 3.0), (0.5, 1.5)):
        peft_utils.scale_lora_layers(layer, weight)
        assert layer.scaling == {"one": scaling}
    for weight, scaling in ((1.0, 1.5), (0.5, 3.0)):
        peft_utils.unscale_lora_layers(layer, weight)
        assert layer.scaling == {"one": scaling}


def test_nothing_is_said_of_kernels_that_are_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = logging.getLogger("bitsandbytes.backends.cpu.ops")
    monkeypatch.setattr(told, "level", logging.NOTSET)
    import_models()
    told.warning("pip install kernels")
    told.error("the processor is on fire")
    assert caplog.messages == ["the processor is on fire"]
