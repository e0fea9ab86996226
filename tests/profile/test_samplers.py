from __future__ import annotations

import pytest

from sdtui.profile.samplers import SAMPLER_NAMES, nearest, public_name, sampler_called


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("euler_a", "euler_a"),
        ("Euler a", "euler_a"),
        ("k_euler_a", "euler_a"),
        ("DPM++ 2M Karras", "dpmsolver++_karras"),
        ("dpmpp_2m", "dpmsolver++"),
        (" PLMS ", "pndm"),
        ("DPM2 a", "dpm_2_a"),
        ("DPM adaptive", None),
        ("", None),
    ],
)
def test_samplers_by_the_names_of_other_programs(text: str, name: str | None) -> None:
    assert sampler_called(text) == name


def test_each_has_a_name_that_leads_back() -> None:
    assert [sampler_called(public_name(name)) for name in SAMPLER_NAMES] == list(SAMPLER_NAMES)


def test_a_name_that_is_nearly_right() -> None:
    assert nearest("eular a") == "euler a"
    assert nearest("zzz") == ""
