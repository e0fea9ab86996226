"""The text and the two differences, line by line."""

from __future__ import annotations

from pathlib import Path

from sdtui.profile.document import ProfileDocument
from sdtui.profile.problem import Finding
from sdtui.tui.profile.views import diff_default_lines, diff_disk_lines, text_lines
from tests.tui.profile.desk import TEXT, document_of


def test_the_text_has_line_numbers_and_its_problems(tmp_path: Path) -> None:
    document = document_of(tmp_path, TEXT.replace("rank     = 16", "rank     = 5000"))
    lines = [line.plain for line in text_lines(document, ascii_only=False)]
    assert lines[:5] == [
        "   1  # Medieval city, third try [do not touch].",
        "   2  schema = 1",
        "   3  ",
        "   4  [training]      # how long",
        "   5    steps = 1_000   # ~20 min",
    ]
    assert lines[8] == "!  9  rank     = 5000            # small   method.rank is 5000"
    assert len(lines) == 32


def test_of_two_problems_of_a_line_the_error_is_told(tmp_path: Path) -> None:
    document = document_of(tmp_path)
    document.found([Finding("a", "method.rank", "odd", severity="warning"), Finding("b", "method.rank", "wrong")])
    assert text_lines(document, ascii_only=False)[8].plain.endswith("# small   wrong")


def test_a_broken_or_empty_text_is_still_shown(tmp_path: Path) -> None:
    broken = document_of(tmp_path, "a = [1\nb = \x072\n")
    lines = [line.plain for line in text_lines(broken, ascii_only=False)]
    assert lines[1].startswith(r"! 2  b = \x072   not valid TOML")
    assert text_lines(ProfileDocument(tmp_path / "new.toml", ""), ascii_only=False) == []


def test_what_writing_would_change(tmp_path: Path) -> None:
    document = document_of(tmp_path)
    assert [line.plain for line in diff_disk_lines(document, ascii_only=False)] == [
        "nothing differs from the file on disk"
    ]
    document.set("method.rank", 32)
    lines = [line.plain for line in diff_disk_lines(document, ascii_only=False)]
    assert lines[:3] == ["--- on disk", "+++ edited", "@@ -6,7 +6,7 @@"]
    assert [line for line in lines[3:] if line[0] in "+-"] == [
        "-rank     = 16            # small",
        "+rank     = 32            # small",
    ]


def test_what_is_not_at_its_default(tmp_path: Path) -> None:
    lines = [line.plain for line in diff_default_lines(document_of(tmp_path), ascii_only=False)]
    assert lines == [
        "model.base                  model   no default",
        "method.targets              attention, projection   default attention, feed-forward, projection",
        "dataset.folders[0].path     images   no default",
        "dataset.folders[1].path     more/city [night]   no default",
        "dataset.folders[0].repeats  3   default 1",
        "training.steps              1000   no default",
        "training.batch_size         2   default 1",
        "previews.prompts            a tower --s 20, a gate   default (empty)",
        "saving.every_steps          100   default 0",
    ]
    plain_document = document_of(tmp_path / "empty", "")
    assert [line.plain for line in diff_default_lines(plain_document, ascii_only=False)] == [
        "every setting has its default"
    ]
