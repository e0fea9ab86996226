"""Rows, values and problems of the form, and typed text on its way to TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdtui.profile.document import ProfileDocument
from sdtui.profile.problem import Finding
from sdtui.profile.settings import SETTINGS, Setting
from sdtui.tui.keys import KeyTable
from sdtui.tui.profile import form
from sdtui.tui.profile.form import Row, form_rows
from tests.tui.profile.desk import TEXT, document_of

PRESS = KeyTable().press


def setting(key: str) -> Setting:
    return next(each for each in SETTINGS if each.key == key)


def row_of(document: ProfileDocument, key: str) -> Row:
    return next(row for row in form_rows(document, PRESS) if row.key == key and row.kind != "heading")


@pytest.fixture
def document(tmp_path: Path) -> ProfileDocument:
    return document_of(tmp_path)


def test_sections_and_settings_stand_in_the_order_of_the_schema(document: ProfileDocument) -> None:
    rows = form_rows(document, PRESS)
    assert [row.title for row in rows if row.kind == "heading"] == [
        "profile", "model", "method", "words", "dataset", "folder 1", "folder 2", "augment", "captions", "training", "objective",
        "prior", "validation", "optimizer", "schedule", "previews", "saving", "launch",
    ]  # fmt: skip
    names = [each.name for each in SETTINGS if each.section == "dataset.folders[]"]
    assert names[:3] == ["path", "repeats", "recursive"]
    assert [row.key for row in rows if row.key.startswith("dataset.folders")] == [
        *("dataset.folders[0]", *(f"dataset.folders[0].{name}" for name in names)),
        *("dataset.folders[1]", *(f"dataset.folders[1].{name}" for name in names)),
        "dataset.folders",
    ]
    declared = {each.key for each in SETTINGS if "[]" not in each.key}
    assert declared <= {row.key for row in rows if row.kind == "setting"}


def test_a_profile_without_folders_offers_one_and_says_it_is_missing(tmp_path: Path) -> None:
    rows = form_rows(document_of(tmp_path, 'schema = 1\n[model]\nbase = "model"\n[training]\nsteps = 1\n'), PRESS)
    assert [(row.kind, row.title) for row in rows if row.key == form.FOLDERS] == [
        ("heading", "folders"),
        ("add", "add a folder"),
    ]
    assert row_of(document_of(tmp_path / "again", "schema = 1\n"), form.FOLDERS).problem is not None


def test_words_have_rows_of_their_own_and_one_more_is_offered(tmp_path: Path) -> None:
    text = TEXT + '\n[[method.words]]\nname = "toy"\n'
    rows = [row for row in form_rows(document_of(tmp_path, text), PRESS) if row.section == "method.words[]"]
    assert [(row.kind, row.title) for row in rows][:3] == [
        ("heading", "word 1"),
        ("setting", "name"),
        ("setting", "vectors"),
    ]
    assert (rows[-1].kind, rows[-1].key, rows[-1].title) == ("add", "method.words", "add a word")
    assert [form.list_of(key) for key in ("method.words[0].name", "method.words", "method.rank", "dataset.folders[2]")] == [
        "method.words", "method.words", "", "dataset.folders",
    ]  # fmt: skip
    assert form.section_title("method.words[]") == "words"


def test_a_problem_stands_at_its_row_and_an_unknown_key_in_its_section(tmp_path: Path) -> None:
    document = document_of(tmp_path, TEXT.replace("rank     = 16", "ranck    = 16").replace("1_000", '"1000"'))
    stray = row_of(document, "method.ranck")
    assert (stray.kind, stray.section, stray.title) == ("stray", "method", "ranck")
    assert form.said_at_row(stray) == "[method] has no setting ranck. Did you mean rank?"
    assert form.said_at_row(row_of(document, "training.steps")) == (
        'is the text "1000", not a number, allowed: whole number 1…100 000 000'
    )
    assert form.said_at_row(row_of(document, "method.alpha")) == ""


def test_a_setting_that_does_nothing_beside_the_others_steps_back_until_it_is_set(tmp_path: Path) -> None:
    text = TEXT.replace("[method]\n", '[method]\nkind = "full"\n').replace("alpha    = 16.0\n", "alpha = 8.0\n")
    document = document_of(tmp_path, text)
    back = [row.key for row in form_rows(document, PRESS) if row.steps_back and not row.key.startswith("captions.")]
    assert back == [
        "method.algorithm", "method.rank", "method.conv_rank", "method.conv_alpha", "method.block_ranks",
        "method.block_alphas", "method.rs_lora", "method.weight_decompose", "method.decompose_inputs", "method.factor",
        "method.decompose_both", "method.full_matrix", "method.norms", "method.dropout", "method.rank_dropout",
        "method.module_dropout", "method.scale_weight_norms", "method.continue_from", "optimizer.lora_plus_ratio",
    ]  # fmt: skip
    rank, alpha = row_of(document, "method.rank"), row_of(document, "method.alpha")
    assert rank.unused == alpha.unused == 'method.kind = "full" trains the weights themselves'
    assert form.said_at_row(alpha).startswith("has no effect")
    assert form.help_lines(setting("method.rank"), rank.unused)[1][0] == f"not used: {rank.unused}"


def test_a_broken_text_has_no_values_but_a_place_to_mend(tmp_path: Path) -> None:
    rows = form_rows(document_of(tmp_path, TEXT.replace("[method]", "[method")), PRESS)
    assert [(row.kind, row.title) for row in rows] == [("heading", "profile"), ("stray", "line 8")]
    assert form.said_at_row(rows[1]) == (
        "not valid TOML: expected ']' at the end of a table declaration. enter shows the place, e opens the text in "
        "$EDITOR. A section is written [name], a row of a list [[name]]"
    )


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("method.rank", "32", 32),
        ("method.rank", "32.0", 32.0),
        ("method.rank", "thirty", "thirty"),
        ("method.rank", " ", None),
        ("optimizer.learning_rate", "2e-4", 2e-4),
        ("optimizer.betas", "0.9, 0.99", [0.9, 0.99]),
        ("optimizer.betas", "0.9,", [0.9]),
        ("optimizer.betas", "0.9; 1", "[0.9; 1]"),
        ("method.text_encoder", "true", True),
        ("model.base", "true", "true"),
        ("model.base", "", ""),
        ("saving.name", "a\nx = 1", "a\nx = 1"),
        ("method.rank", "1\nx = 2", "1\nx = 2"),
        ("method.rank", "[1", "[1"),
    ],
)
def test_what_was_typed_becomes_a_value_or_stays_text_to_be_refused(key: str, text: str, value: Any) -> None:
    assert form.parse_typed(setting(key), text) == value


def test_values_are_shown_in_the_words_that_are_typed(document: ProfileDocument) -> None:
    shown = {row.key: form.shown_value(document, row) for row in form_rows(document, PRESS) if row.setting}
    assert shown["training.steps"] == "1000"
    assert shown["training.epochs"] == ""
    assert shown["method.targets"] == "attention, projection"
    assert shown["method.text_encoder"] == "false"
    assert shown["optimizer.betas"] == ""
    assert shown["dataset.folders[1].path"] == "more/city [night]"


@pytest.mark.parametrize(
    ("key", "value", "unit"),
    [
        ("training.steps", 1000, "steps"),
        ("captions.clip_skip", 1, "layer"),
        ("training.accumulation", 1, "batch"),
        ("training.threads", 0, "threads"),
        ("schedule.warmup", 100, "steps"),
        ("schedule.warmup", 0.05, "share of 1"),
        ("saving.every_minutes", 1.0, "minutes"),
        ("dataset.resolution", 1, "px"),
        ("method.rank", 16, ""),
    ],
)
def test_units(key: str, value: Any, unit: str) -> None:
    assert form.unit_of(setting(key), value) == unit


def test_choices_turn_round(document: ProfileDocument) -> None:
    kind = setting("schedule.name")
    assert [form.next_choice(kind, "constant", by) for by in (1, 2, 9, -1)] == [
        "linear",
        "cosine",
        "constant",
        "warmup_stable_decay",
    ]
    assert form.next_choice(kind, "no such word", 1) == "linear"
    assert form.next_choice(setting("method.text_encoder"), value=False, by=1) is True
    assert form.next_choice(setting("method.rank"), 16, 1) is None


def test_a_trial_judges_a_copy(document: ProfileDocument) -> None:
    wrong = form.trial(document, "method.rank", 5000)
    assert wrong is not None
    assert (wrong.message, wrong.allowed) == ("method.rank is 5000", "whole number 1…1 024")
    assert form.trial(document, "method.rank", 8) is None
    missing = form.trial(document, "model.base", None)
    assert missing is not None
    assert missing.code == "missing"
    assert (document.text, document.undo()) == (TEXT, False)


def test_help_says_what_may_stand_there_the_default_and_where_it_comes_from() -> None:
    assert [words for words, _ in form.help_lines(setting("dataset.bucket_step"))] == [
        "bucket_step",
        "Bucket sides are multiples of this.",
        "",
        "whole number 8…256, a multiple of 8, in px",
        "default 64",
        "kohya sd-scripts' default",
    ]
    assert ("required", "$soft") in form.help_lines(setting("model.base"))
    assert ("no default", "$soft") in form.help_lines(setting("model.vae"))


def test_what_was_found_in_a_folder_is_told_by_the_files_name_errors_first(document: ProfileDocument) -> None:
    folder, key = document.path.parent / "images", "dataset.folders[0].path"
    document.found(
        [
            Finding("left-out", key, f"{folder}: 1 image left out", severity="warning"),
            Finding("unreadable-image", key, f"{folder}/a.png: the file is empty"),
        ]
    )
    row = row_of(document, key)
    assert form.said_at_row(row, form.named_folder(document, row)) == "1 of 2: a.png: the file is empty"
    assert [problem.severity for problem in row.more] == ["warning"]
    assert form.report_words(document.report()) == "1 problem, 1 warning"
    document.found([Finding("left-out", key, f"{folder}: 1 image left out", severity="warning")])
    row = row_of(document, key)
    assert form.said_at_row(row, form.named_folder(document, row)) == "1 image left out"
    document.found([])
    assert form.report_words(document.report()) == "no problems"
