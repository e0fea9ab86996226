"""Questions about captions that another program changed: one caption while it is edited, or all that an undo would touch."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sdtui.dataset.conflict import Conflict
from sdtui.dataset.merge import Merged
from sdtui.dataset.names import printable
from sdtui.tui.captions.words import two_texts
from sdtui.tui.glyphs import Glyphs
from sdtui.tui.literal import clean, shorten
from sdtui.tui.numbers import count
from sdtui.tui.screens.dialogs import Choose

# Characters of the text put together that are shown, and files that are named.
_SEEN, _NAMED = 120, 6


def ask_one(name: str, mine: str, theirs: str, merged: Merged, marks: Glyphs, *, ascii_only: bool) -> Choose:
    """Which text a caption gets that was changed while it was edited: `mine`, `theirs`, `merge`, or `edit` by hand."""
    title = f"{name} was changed on disk by another program while you edited it."
    doubt = "" if merged.clean else "; look at it, as both changed the same"
    choices = [
        ("merge", f"both changes together{doubt}", "m"),
        ("theirs", "keep what is on disk", "k"),
        ("mine", "write my text over it", "w"),
        ("edit", "go on editing my text", "e"),
    ]
    both = shorten(clean(merged.text, ascii_only=ascii_only), _SEEN, marks.ellipsis)
    detail = two_texts(mine, theirs, marks, ascii_only)
    return Choose(title, choices, Content.assemble(detail, "\n", (f"{'both':<9}", "$soft"), both))


def ask_all(what: str, conflicts: Sequence[Conflict], *, merged: bool, ascii_only: bool) -> Choose:
    """What becomes of all captions that another program changed since: `merge`, `mine`, `theirs`, or `each` by itself.

    Args:
        what: the edit that is undone or redone.
        conflicts: the captions.
        merged: whether putting both together was tried and left these.
        ascii_only: as the terminal wants it.
    """
    number = count(len(conflicts), "caption")
    title = f"{number} were changed" if len(conflicts) != 1 else f"{number} was changed"
    title += f" by another program since.\n{what}"
    if merged:
        title += "\nBoth changes cannot be put together here without a look."
    choices = [] if merged else [("merge", "both changes together, where that is clear", "m")]
    choices += [
        ("mine", "as this step wants them; undo brings theirs back", "w"),
        ("theirs", "leave them as they are on disk", "k"),
    ]
    choices += [("each", "one by one", "o")] if len(conflicts) > 1 else []
    names = [clean(printable(conflict.path.name), ascii_only=ascii_only) for conflict in conflicts[:_NAMED]]
    more = f", and {len(conflicts) - _NAMED} more" if len(conflicts) > _NAMED else ""
    return Choose(title, choices, Content.styled(", ".join(names) + more, "$soft"))


def ask_file(conflict: Conflict, place: str, marks: Glyphs, *, merged: bool, ascii_only: bool) -> Choose:
    """As `ask_all` for one of them; `place` says which it is ("2 of 5")."""
    choices = [] if merged else [("merge", "both changes together", "m")]
    choices += [("mine", "yours: as this step wants it", "w"), ("theirs", "leave it as it is on disk", "k")]
    detail = two_texts(_text(conflict.mine), _text(conflict.theirs), marks, ascii_only)
    return Choose(f"{printable(conflict.path.name)}  ({place})", choices, detail)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8-sig", "replace").rstrip("\r\n")
