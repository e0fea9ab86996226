from __future__ import annotations

import pytest

from sdtui.tagging.tag_list import TagList, key


def test_ratings_are_known_by_their_name() -> None:
    assert TagList.plain(["solo", "rating:safe"]).categories == ("general", "rating")


def test_a_tag_is_found_however_it_is_written() -> None:
    tags = TagList.plain(["long_hair", "flat style"])
    assert tags.place(" long hair ") == 0
    assert tags.place("flat_style") == 1
    assert tags.place("short hair") is None
    assert key(" a b_c ") == "a_b_c"


def test_names_and_categories_belong_together() -> None:
    with pytest.raises(ValueError, match="1 tags and 0 categories"):
        TagList(("a",), ())
