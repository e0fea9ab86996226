"""The documentation's page is the one that the table makes."""

from __future__ import annotations

from pathlib import Path

from sdtui.profile.kohya.lacking import LACKING
from sdtui.profile.kohya.options import OPTIONS
from sdtui.profile.kohya.page import markdown
from sdtui.profile.settings import BY_KEY

DOCS = Path(__file__).parents[3] / "docs" / "coming-from-kohya.md"


def test_the_committed_page_is_the_generated_one() -> None:
    hint = "make it anew: python -m sdtui.profile.kohya > docs/coming-from-kohya.md"
    assert DOCS.read_text(encoding="utf-8") == markdown(), hint


def test_every_option_has_its_row() -> None:
    page = markdown()
    assert [name for name in OPTIONS if f"\n| `{name}`" not in page] == []
    assert "| `network_alpha` | `1` | `method.alpha` | as it is |\n" in page
    assert "| `resolution` (kohya_ss: `max_resolution`) |" in page
    assert "| `full_bf16` | `false` | – | what is trained stays fp32, which costs little for a LoRA |\n" in page


def test_what_kohya_lacks_are_settings() -> None:
    assert [key for key in LACKING if key not in BY_KEY] == []
