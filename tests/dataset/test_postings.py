from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sdtui.dataset import postings
from sdtui.dataset.postings import Postings


def numbers(*values: int) -> NDArray[np.uint32]:
    return np.array(values, np.uint32)


def put(lists: Postings, captions: dict[int, list[int]]) -> list[int]:
    """Returns the images that name a tag twice."""
    pairs = [(image, tag) for image, tags in captions.items() for tag in tags]
    owners, tags = numbers(*(image for image, _ in pairs)), numbers(*(tag for _, tag in pairs))
    return sorted(set(lists.replace(numbers(*captions), owners, tags).tolist()))


def found(lists: Postings, *tags: int) -> list[int]:
    return np.flatnonzero(lists.having(numbers(*tags))).tolist()


def test_lists_are_flat_and_name_each_image_once() -> None:
    lists = Postings(4)
    assert put(lists, {0: [1, 0, 1], 1: [], 2: [3], 3: [1]}) == [0]
    lists.merge()
    assert lists.starts.tolist() == [0, 1, 3, 3, 4]
    assert lists.lists.tolist() == [0, 0, 3, 2]
    assert found(lists, 1) == [0, 3]
    assert found(lists, 2) == []
    assert found(lists, 0, 3, 77) == [0, 2]
    assert lists.counts(5).tolist() == [1, 2, 0, 1, 0]
    assert lists.counts(5, np.array([False, True, True, True])).tolist() == [0, 1, 0, 1, 0]


@pytest.mark.parametrize("places", [1, 2, 3, 4, 5, 100])
def test_any_number_of_places_at_a_time_gives_the_same(monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    monkeypatch.setattr(postings, "_PLACES", places)
    lists = Postings(4, np.array([0, 2, 2, 3, 5, 5]), np.array([0, 3, 1, 0, 1], np.uint32))
    assert lists.counts(5, np.array([True, False, True, True])).tolist() == [2, 0, 0, 1, 0]


def test_changes_count_before_the_lists_are_made_again() -> None:
    lists = Postings(3)
    put(lists, {0: [0], 1: [0, 1], 2: [1]})
    lists.merge()
    assert put(lists, {1: [2, 2]}) == [1]
    assert [found(lists, tag) for tag in range(3)] == [[0], [2], [1]]
    assert lists.counts(3).tolist() == [1, 1, 1]
    assert put(lists, {1: [0]}) == []
    assert [found(lists, tag) for tag in range(3)] == [[0, 1], [2], []]
    assert lists.counts(3, np.array([True, True, False])).tolist() == [2, 0, 0]
    put(lists, {0: [], 1: [], 2: []})
    assert lists.counts(3).tolist() == [0, 0, 0]
    lists.merge()
    assert lists.lists.tolist() == []


def test_what_waits_is_merged_when_it_is_as_much_as_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "_WAITING", 1)
    lists, merged = Postings(11), list[int]()
    for image in range(11):
        put(lists, {image: [image % 3]})
        if lists.full:
            merged.append(image)
            lists.merge()
    assert merged == [1, 4, 10]
    assert lists.counts(3).tolist() == [4, 4, 3]


def test_of_an_edit_less_waits_than_while_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "_WAITING", 4)
    lists, heavy = Postings(30), list[int]()
    for image in range(30):
        put(lists, {image: [0]})
        if lists.heavy:
            heavy.append(image)
            lists.merge()
    assert heavy == [2, 5, 8, 11, 15, 20, 26]


def test_lists_that_somebody_else_has_too_stay_as_they_are() -> None:
    starts, theirs = np.array([0, 2, 3]), np.array([0, 2, 1], np.uint32)
    lists = Postings(3, starts, theirs)
    put(lists, {1: [0], 2: []})
    lists.merge()
    assert (lists.lists.tolist(), lists.starts.tolist()) == ([0, 1], [0, 2, 2])
    assert (theirs.tolist(), starts.tolist()) == ([0, 2, 1], [0, 2, 3])


def test_without_images_there_is_nothing() -> None:
    lists = Postings(0)
    lists.merge()
    assert found(lists, 0) == []
    assert lists.counts(2, np.zeros(0, np.bool_)).tolist() == [0, 0]


steps = st.lists(st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 6), max_size=4), max_size=4), max_size=5)


@pytest.mark.parametrize(("beside", "many", "places"), [(0, 500, 1), (2, 0, 4), (99, 500, 99)])
@given(
    steps=steps, wanted=st.lists(st.integers(0, 7), max_size=4), inside=st.lists(st.booleans(), min_size=6, max_size=6)
)
def test_as_sets_would_say(
    beside: int, many: int, places: int, steps: list[dict[int, list[int]]], wanted: list[int], inside: list[bool]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "_BESIDE", beside)
        patch.setattr(postings, "_MANY", many)
        patch.setattr(postings, "_PLACES", places)
        lists, captions = Postings(6), dict[int, list[int]]()
        for step in steps:
            put(lists, step)
            if lists.crowded:
                lists.merge()
            captions.update(step)
        assert found(lists, *wanted) == [at for at in range(6) if set(captions.get(at, [])) & set(wanted)]
        assert lists.counts(7, np.array(inside)).tolist() == [
            sum(tag in captions.get(at, []) for at in range(6) if inside[at]) for tag in range(7)
        ]
        assert [lists.count(tag) for tag in range(7)] == lists.counts(7).tolist()
