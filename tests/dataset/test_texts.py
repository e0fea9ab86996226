from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.texts import BLOCK, Texts


def loaded(texts: list[str | None]) -> Texts:
    store = Texts(len(texts))
    for _ in store.fill(lambda at: texts[at]):
        pass
    return store


@given(st.lists(st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=20))
def test_texts_come_back_as_they_were(texts: list[str | None]) -> None:
    store = loaded(texts)
    assert [store.get(at) for at in range(len(texts))] == texts
    assert list(store.iterate()) == texts
    assert all(map(store.loaded, range(len(texts))))


def test_several_blocks_with_progress() -> None:
    texts: list[str | None] = [f"tag {number}" for number in range(2 * BLOCK + 5)]
    store = Texts(len(texts))
    assert not store.loaded(3)
    assert store.get(3) is None
    assert list(store.fill(lambda at: texts[at])) == [BLOCK, 2 * BLOCK, 2 * BLOCK + 5]
    assert store.get(2 * BLOCK + 4) == f"tag {2 * BLOCK + 4}"
    assert list(store.containing(f"TAG {BLOCK}")) == [BLOCK]
    assert list(store.fill(lambda at: 1 / 0)) == [BLOCK, 2 * BLOCK, 2 * BLOCK + 5]  # type: ignore[arg-type, return-value]


def test_set_replaces_one_text() -> None:
    store = loaded(["a", None, ""])
    store.set(1, "B b")
    store.set(0, None)
    assert list(store.iterate()) == [None, "B b", ""]
    assert list(store.containing("b B")) == [1]


def test_set_before_loading_is_left_to_loading() -> None:
    store = Texts(2)
    store.set(0, "early")
    assert list(store.iterate()) == [None, None]


def test_case_is_ignored_in_any_script() -> None:
    store = loaded(["STRASSE", "straße", "Ζεύς", None])
    assert list(store.containing("straße")) == [0, 1]
    assert list(store.containing("ΖΕΎΣ")) == [2]
