"""The documents made from the declarations."""

from __future__ import annotations

from pathlib import Path

from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.profile.reference import json_schema, markdown
from sdtui.profile.settings import SETTINGS, declared

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert DOCS.read_text(encoding="utf-8") == markdown(), "make it anew: sdtui schema --markdown > docs/settings.md"


def test_the_page_has_every_setting() -> None:
    page = markdown()
    arguments = [declared(kind.arguments, "optimizer.args.") for kind in OPTIMIZERS.values()]
    assert page.count("\n**`") == len(SETTINGS) + sum(map(len, arguments))
    assert "### `[optimizer.args]` of adafactor" in page
    assert "## `[[dataset.folders]]`\n\nOne folder of images with their caption files.\n" in page
    assert "**`rank`**: whole number 1…1 024; default 16\n" in page
    assert "**`dropout`**: number 0…1, 1 itself not; share of 1; default 0.0\n" in page


def test_json_schema_carries_help_and_unit() -> None:
    schema = json_schema()
    assert schema["required"] == ["model"]
    assert "schema" in schema["properties"]
    step = schema["$defs"]["Dataset"]["properties"]["bucket_step"]
    assert (step["minimum"], step["maximum"], step["multipleOf"], step["x-unit"]) == (8, 256, 8, "px")
    assert step["description"] == "Bucket sides are multiples of this."
    assert schema["$defs"]["Method"]["additionalProperties"] is False
