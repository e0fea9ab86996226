"""What a declaration says about a setting beyond its type, range and default: help, unit, source, other names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

PathKind = Literal["", "model", "vae", "folder", "file", "output"]


@dataclass(frozen=True, slots=True)
class About:
    """Stands in a field's `Annotated[...]` and travels into the JSON schema with it.

    Args:
        help: one or two sentences for the form, `sdtui schema` and the docs page.
        unit: what a bare number counts ("steps", "px", "share of 1"); empty when it has none.
        source: where the default or the recommendation comes from.
        path: "model" and "vae" (a folder or a file of weights), "folder" and "file" (must exist), "output" (made when
            missing), "" no path.
        allowed: what may stand here in words, where type and range do not say it (a pattern).
        aka: names that other trainers give it, so that a profile written from a guide gets the right hint.
        words: values that other trainers give it, in lower case, and what to write here instead.
        limit: why a number beyond the range means nothing; may be empty.
    """

    help: str
    unit: str = ""
    source: str = ""
    path: PathKind = ""
    allowed: str = ""
    aka: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    limit: str = ""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Put help, unit and source where editors that read the schema show them."""
        schema = handler(core_schema)
        extra: dict[str, Any] = {"description": self.help, "x-unit": self.unit, "x-source": self.source}
        schema.update({key: value for key, value in extra.items() if value})
        return schema


class Section(BaseModel):
    """One table of a profile: immutable, no unknown keys, no conversions (the text "false" is not a boolean)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
