from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Static

from sdtui.tui.screens.dialogs import Ask, Choose, Confirm, Dialog
from tests.tui.stage import Stage, says, screen_text, until

CHOICES = [("one", "the [red]first[/x]", "f"), ("two", "the second", "s")]


class Asking(Stage):
    """An app that asks at once and keeps the answer."""

    def __init__(self, dialog: Dialog[str]) -> None:
        super().__init__(Static("behind"))
        self.dialog = dialog
        self.answers: list[str | None] = []

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self.answers.append)


async def answer_to(dialog: Dialog[str], *pressed: str) -> Any:
    app = Asking(dialog)
    async with app.run_test(size=(60, 16)) as pilot:
        await until(pilot, lambda: says(app, "esc leave"))
        await pilot.press(*pressed)
        await until(pilot, lambda: len(app.answers) == 1)
        assert screen_text(app)[0] == "behind"
    return app.answers[0]


@pytest.mark.parametrize(
    ("pressed", "answer"),
    [(["x", "1", "q", "enter"], "ax1q"), (["escape"], None), (["backspace", "enter"], "")],
)
async def test_ask(pressed: list[str], answer: str | None) -> None:
    assert await answer_to(Ask("Name?", "a"), *pressed) == answer


@pytest.mark.parametrize(
    ("pressed", "answer"),
    [
        (["enter"], "one"),
        (["j", "enter"], "two"),
        (["s"], "two"),
        (["q"], None),
        (["escape"], None),
        (["x", "f"], "one"),
    ],
)
async def test_choose(pressed: list[str], answer: str | None) -> None:
    assert await answer_to(Choose("Which?", CHOICES), *pressed) == answer


@pytest.mark.parametrize(
    ("pressed", "answer"), [(["enter"], None), (["j", "enter"], "yes"), (["y"], "yes"), (["n"], ""), (["escape"], None)]
)
async def test_confirm_leaves_it_unless_told(pressed: list[str], answer: str | None) -> None:
    assert await answer_to(Confirm("Sure?", yes="do it"), *pressed) == answer


async def test_titles_and_choices_are_literal() -> None:
    app = Asking(Choose("What of [b]x[/y] \x1b[31m\nand below?", CHOICES))
    async with app.run_test(size=(60, 16)) as pilot:
        await until(pilot, lambda: says(app, "esc leave"))
        rows = [row.strip() for row in screen_text(app)]
        assert r"What of [b]x[/y] \x1b[31m" in rows
        assert "and below?" in rows
        assert "▸ f  the [red]first[/x]" in rows
        assert "s  the second" in rows


async def test_choices_without_letters_have_no_column_for_them() -> None:
    app = Asking(Choose("Which?", [("a", "lora"), ("b", "full")]))
    async with app.run_test(size=(60, 16)) as pilot:
        await until(pilot, lambda: says(app, "  ▸ lora"))


async def test_the_cursor_starts_at_what_counts_now() -> None:
    choices = [("a", "lora"), ("b", "full"), ("c", "words")]
    assert await answer_to(Choose("Which?", choices, now="b"), "enter") == "b"
    assert await answer_to(Choose("Which?", choices, now="z"), "enter") == "a"


@pytest.mark.parametrize(
    ("ends", "cut"),
    [
        (True, "▸ run    very-very-very-ve…  finished   2 hours ago"),
        (False, "  A description that is longer A description that …"),
    ],
    ids=["ends", "beginning"],
)
async def test_a_long_choice_widens_the_frame_and_is_cut_where_there_is_no_room(ends: bool, cut: str) -> None:
    words = f"run    {'very-' * 12}long-20261122   finished   2 hours ago"
    app = Asking(Choose("Which?", [("a", words), ("b", "A description that is longer " * 3)], ends=ends))
    async with app.run_test(size=(140, 16)) as pilot:
        await until(pilot, lambda: says(app, f"▸ {words}"))
        await pilot.resize_terminal(60, 16)
        await until(pilot, lambda: says(app, cut))


async def test_a_second_click_chooses() -> None:
    app = Asking(Choose("Which?", CHOICES))
    async with app.run_test(size=(60, 16)) as pilot:
        await until(pilot, lambda: says(app, "the second"))
        row = next(at for at, words in enumerate(screen_text(app)) if "the second" in words)
        await pilot.click(offset=(20, row))
        await pilot.click(offset=(20, row))
        await until(pilot, lambda: app.answers == ["two"])
