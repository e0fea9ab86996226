"""One key: what it does, where, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One row of the table.

    Attributes:
        id: `context.action`.
        keys: comma-separated Textual key names, the first one shown.
        label: the footer's and palette's word or two.
        help: one sentence for `?` and the docs.
        footer: rank in the footer, lowest first; 0 keeps it out.
    """

    id: str
    keys: str
    label: str
    help: str
    footer: int = 0

    @property
    def context(self) -> str:
        """Where the key works."""
        return self.id.partition(".")[0]

    @property
    def action(self) -> str:
        """The name of the `action_…` method."""
        return self.id.partition(".")[2]
