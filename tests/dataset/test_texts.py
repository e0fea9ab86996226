from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.texts import BLOCK, Texts

captions = st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.lists(captions, max_size=20))
def test_texts_come_back_as_they_were(texts: list[str | None]) -> None:
    store = Texts(len(texts))
    store.put(dict(enumerate(texts)))
    assert [store.get(at) for at in range(len(texts))] == texts
    assert Texts(len(texts), store.blocks).get(len(texts) - 1) == texts[-1] if texts else len(store) == 0


@given(st.dictionaries(st.integers(0, 2 * BLOCK + 4), captions, max_size=9), st.sets(st.integers(0, 2 * BLOCK + 4)))
def test_some_of_several_blocks(texts: dict[int, str | None], wanted: set[int]) -> None:
    store = Texts(2 * BLOCK + 5)
    store.put(texts)
    assert list(store.some(sorted(wanted))) == [(at, texts.get(at)) for at in sorted(wanted)]


def test_other_texts_take_their_places() -> None:
    store = Texts(3)
    assert store.get(1) is None
    assert store.blocks == [b""]
    store.put({0: "a", 2: ""})
    store.put({1: "B b", 0: None})
    assert [store.get(at) for at in range(3)] == [None, "B b", ""]
