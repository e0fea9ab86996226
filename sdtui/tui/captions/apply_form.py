"""Scores made into captions: what becomes of the tags that are there, of which images, and what that would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from sdtui.dataset.bulk import Proposal
from sdtui.tagging.applying import Mode, propose_tags
from sdtui.tui.captions.edit_form import APPLY, EditForm, Ground, Scope
from sdtui.tui.captions.fields import TurnField
from sdtui.tui.captions.preview import SAMPLES

if TYPE_CHECKING:
    from sdtui.tui.captions.score_desk import ScoreDesk

_MODES = (
    "add: those there stay, what lacks comes after them; replace: those there go; "
    "keep-own: those that the tagger does not know stay in front, the others go; "
    "prepend: they come before those there; append: they come after those there; only-new: captions that have any stay"
)


class ApplyForm(EditForm):
    """What becomes of the tags that are there.

    Args:
        typed: what was chosen the last time.
        scopes: the images it may be made of, the likeliest first.
        ground: what it works on.
        desk: the scores and rules.
    """

    def __init__(self, typed: Mapping[str, str], scopes: Sequence[Scope], ground: Ground, desk: ScoreDesk) -> None:
        mode = TurnField(_modes(), typed.get("mode", "add"), _MODES)
        where = "cut at the largest gap" if desk.rules.mcut else f"from {desk.rules.threshold:.2f} on"
        title = f"tags by the scores of {desk.whose.words}, {where}"
        super().__init__(APPLY, title, {"mode": mode}, scopes, ground)
        self._desk = desk

    def _check(self) -> None:
        """Every mode can be used."""

    def _propose(self, typed: Mapping[str, str], positions: Iterable[int]) -> Proposal:
        from sdtui.models import tokens

        desk, mode = self._desk, mode_in(typed)
        return propose_tags(
            desk.library, positions, desk.images, desk.rules, mode, count_tokens=tokens.count, samples=SAMPLES,
            count_tags=True,
        )  # fmt: skip


def mode_in(typed: Mapping[str, str]) -> Mode:
    """What was chosen."""
    return next((mode for mode in _modes() if mode == typed.get("mode")), "add")


def _modes() -> tuple[Mode, ...]:
    modes: tuple[Mode, ...] = get_args(Mode)
    return ("add", *(mode for mode in modes if mode != "add"))
