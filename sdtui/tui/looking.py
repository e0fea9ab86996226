"""Looking beyond a profile's text, in a thread: at its base model, its machine and its dataset, as the commands do.

Reading the headers of 100 000 images takes a while; a look is given up as soon as nobody waits for it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sdtui.dataset.collect import Collection, collect
from sdtui.dataset.findings import findings_of
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile

# A thread that reads headers without end would hold the keys back: a rest so often.
IMAGES_BETWEEN_RESTS = 64
REST_SECONDS = 0.001

GoOn = Callable[[], None]
"""Called at each image; raises what ends the look when nobody waits for it any more."""


class Datasets:
    """The dataset that was looked at last; it is looked at again only when settings that it depends on changed."""

    def __init__(self) -> None:
        self._last: tuple[str, Collection] | None = None

    def of(self, profile: Profile, go_on: GoOn, *, afresh: bool = False) -> Collection:
        """The profile's dataset; `afresh` looks at it in any case."""

        def progress(done: int, _total: int) -> None:
            go_on()
            if done % IMAGES_BETWEEN_RESTS == 0:
                time.sleep(REST_SECONDS)

        # Which class images are there also depends on what they are drawn with.
        sections = (profile.dataset, profile.captions, profile.validation, profile.prior, profile.model)
        wanted = "".join(section.model_dump_json() for section in sections)
        if afresh or self._last is None or self._last[0] != wanted:
            self._last = (wanted, collect(profile, progress))
        return self._last[1]


def findings_about(profile: Profile, collection: Collection) -> tuple[Finding, ...]:
    """Everything that `sdtui check` finds beyond the text of a sound profile."""
    from sdtui.models.preflight import JUDGES

    asked = (finding for judge in JUDGES for finding in judge(profile))
    return (*asked, *findings_of(profile, collection))
