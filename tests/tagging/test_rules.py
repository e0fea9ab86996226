from __future__ import annotations

from collections.abc import Callable

import pytest

from sdtui.errors import UserError
from sdtui.tagging.rules import WD, Rules, p_equals_r


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rules(threshold=1.5),
        lambda: Rules(categories={"character": -0.1}),
        lambda: Rules(tags={"solo": -1.0}),
        lambda: Rules(mcut={"general": 2.0}),
        lambda: Rules(order="random"),  # type: ignore[arg-type]
        lambda: Rules(max_tags=0),
        lambda: Rules(max_tokens=0),
    ],
    ids=["threshold", "category", "tag", "mcut", "order", "tags", "tokens"],
)
def test_rules_that_mean_nothing_are_refused(make: Callable[[], Rules]) -> None:
    with pytest.raises(UserError):
        make()


def test_the_wd_defaults_are_their_authors() -> None:
    assert (WD.threshold, WD.categories["character"], WD.above) == (0.35, 0.85, True)


def test_thresholds_of_equal_precision_and_recall_are_known_by_name() -> None:
    assert p_equals_r("SmilingWolf/wd-vit-tagger-v3") == 0.2614
    assert p_equals_r("wd-v1-4-vit-tagger-v2") == 0.3537
    with pytest.raises(UserError, match="no threshold of equal precision"):
        p_equals_r("starter")
