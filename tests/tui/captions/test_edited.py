from __future__ import annotations

from sdtui.tui.captions.edited import EditedCaptions


def test_a_caption_is_edited_until_it_is_what_it_was_first() -> None:
    edited = EditedCaptions(4)
    edited.wrote(1, b"a", b"b")
    edited.wrote(2, None, b"x")
    assert [at in edited for at in range(4)] == [False, True, True, False]
    edited.wrote(1, b"b", b"c")
    edited.wrote(2, b"x", None)
    assert ([at in edited for at in (1, 2)], len(edited)) == ([True, False], 1)
    edited.wrote(1, b"c", b"a")
    assert len(edited) == 0
    # A file with nothing in it is another thing than none.
    edited.wrote(2, None, b"")
    assert 2 in edited


def test_what_is_found_on_disk_counts_only_where_something_was_edited() -> None:
    edited = EditedCaptions(2)
    edited.found(0, b"other")
    edited.wrote(1, b"a", b"b")
    edited.found(1, b"a")
    assert len(edited) == 0
    edited.found(1, b"z")
    assert (0 in edited, 1 in edited) == (False, True)
