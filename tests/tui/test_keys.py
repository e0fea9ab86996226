from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.tui import keys
from sdtui.tui.app import SCREENS, SdtuiApp
from sdtui.tui.keys import CONTEXTS, TABLE, KeyTable, all_shown, bindings, shown

# Never reach us: tmux and screen prefixes, and keys whose legacy encoding is another key's.
EATEN = {"ctrl+m", "ctrl+i", "ctrl+h", "ctrl+b", "ctrl+a", "ctrl+space", "ctrl+slash"}
# Keys that mean the same deed in other words on every screen that has them.
VERBS = {
    "slash": {"filter", "search", "find"},
    "u": {"undo"},
    "U": {"redo"},
    "e": {"editor"},
    "question_mark": {"keys"},
    "colon": {"commands"},
    "q": {"back", "close"},
}


def test_ids_are_unique_and_contexts_known() -> None:
    assert len({row.id for row in TABLE}) == len(TABLE)
    assert {row.context for row in TABLE} <= set(CONTEXTS)


def test_no_key_twice_in_a_context_or_against_every_screen() -> None:
    for context in CONTEXTS:
        own = [key for row in TABLE if row.context == context for key in row.keys.split(",")]
        assert len(own) == len(set(own)), context
        if context not in {"everywhere", *keys.MODAL}:
            everywhere = {key for row in TABLE if row.context == "everywhere" for key in row.keys.split(",")}
            assert not everywhere & set(own), context


def test_only_keys_that_reach_us_through_tmux() -> None:
    used = {key for row in TABLE for key in row.keys.split(",")}
    assert not used & EATEN
    assert [row.id for row in TABLE if row.keys.split(",")[0] == "ctrl+p"] == []


@pytest.mark.parametrize("key", VERBS)
def test_one_key_means_one_thing(key: str) -> None:
    assert {row.label for row in TABLE if key in row.keys.split(",")} <= VERBS[key]


@pytest.mark.parametrize("context", [*SCREENS, "list", "everywhere", "typing", "editing", "dialog"])
def test_every_row_has_its_action(context: str) -> None:
    from sdtui.tui.screens.dialogs import Dialog
    from sdtui.tui.widgets.caption_editor import CaptionEditor
    from sdtui.tui.widgets.line_input import LineInput
    from sdtui.tui.widgets.linelist import LineList

    homes: dict[str, type] = {
        "list": LineList, "everywhere": SdtuiApp, "typing": LineInput, "editing": CaptionEditor, "dialog": Dialog,
    }  # fmt: skip
    if context in SCREENS:
        import importlib

        module, name = SCREENS[context]
        homes[context] = getattr(importlib.import_module(module), name)
    missing = [
        row.id for row in TABLE if row.context == context and not hasattr(homes[context], f"action_{row.action}")
    ]
    assert missing == []


def test_bindings_carry_ids_for_the_keymap() -> None:
    found = {binding.id: (binding.key, binding.action) for binding in bindings("captions")}
    assert found["captions.add_tag"] == ("a", "add_tag")


def test_shown_as_a_person_writes_them() -> None:
    assert (shown("question_mark,f1"), shown("slash"), shown("a")) == ("?", "/", "a")
    assert all_shown("pagedown,ctrl+d") == "pgdn ctrl+d"


def test_a_remap_reaches_footer_and_help() -> None:
    table = KeyTable({"captions.add_tag": "&,f6"})
    row = next(row for row in table.rows("captions") if row.action == "add_tag")
    assert row.keys == "ampersand,f6"
    assert table.remap == {"captions.add_tag": "ampersand,f6"}


def test_footer_is_ranked_with_help_and_way_out_last() -> None:
    labels = [row.label for row in KeyTable().footer("home", "list", "everywhere")]
    assert labels[:3] == ["open", "new", "launch"]
    assert labels[-3:] == ["keys", "commands", "back"]


def test_an_unknown_action_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown action 'captions.add_tags'.*'captions.add_tag'"):
        KeyTable({"captions.add_tags": "a"})


def test_one_key_for_two_actions_is_refused() -> None:
    with pytest.raises(UserError, match=r"'d' is given to both captions\.add_tag and captions\.drop_tag"):
        KeyTable({"captions.add_tag": "d"})


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(UserError, match="a key name is empty"):
        KeyTable({"captions.add_tag": "a,"})


def test_the_committed_page_is_the_generated_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == keys.reference_page(), "run: python -m sdtui.tui.keys > docs/keys.md"


@pytest.mark.parametrize(
    ("remap", "other"),
    [({"captions.mark": "j"}, "list.down"), ({"monitor.save": "q"}, "everywhere.back"), ({"list.down": "1"}, "home")],
)
def test_a_key_that_a_screen_and_a_list_or_every_screen_could_mean_is_refused(
    remap: dict[str, str], other: str
) -> None:
    with pytest.raises(UserError, match=f"is given to both .*{other}"):
        KeyTable(remap)


def test_a_key_that_only_a_dialog_takes_may_be_used_again() -> None:
    assert KeyTable({"items.add": "1", "home.new": "s"}).press("items.add") == "1"
