"""The models' classes without packages that are not used, in a fresh interpreter."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from sdtui.models.imports import import_models

PROGRAM = """
import sys
from sdtui.models.imports import import_models
import_models()
print(sorted({"bitsandbytes", "peft"} & set(sys.modules)))
from diffusers.utils import is_bitsandbytes_available, is_peft_available
print("diffusers.models.autoencoders.autoencoder_kl" in sys.modules, is_bitsandbytes_available(), is_peft_available())
"""


def test_packages_that_are_only_installed_are_not_imported_and_are_known_again_afterwards() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["[]", "True True True"]


def test_nothing_is_said_of_kernels_that_are_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = logging.getLogger("bitsandbytes.backends.cpu.ops")
    monkeypatch.setattr(told, "level", logging.NOTSET)
    import_models()
    told.warning("pip install kernels")
    told.error("the processor is on fire")
    assert caplog.messages == ["the processor is on fire"]
