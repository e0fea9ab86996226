from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdtui.cli import main
from sdtui.dataset.image import content_digest
from sdtui.tagging.descriptions import DescriberFacts, Descriptions
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.scores import Scores, TaggerFacts
from sdtui.tagging.tag_list import TagList

NAMES = TagList(("general", "cat", "night_sky", "tom_(cat)"), ("rating", "general", "general", "character"))
IMAGES = {
    "a": [(0, 0.9), (1, 0.75), (2, 0.3), (3, 0.9)],
    "b": [(0, 0.8), (1, 0.25), (2, 0.4)],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for stem in ("a", "b", "c"):
        (tmp_path / f"{stem}.png").write_bytes(stem.encode())
        (tmp_path / f"{stem}.txt").write_text("ohwx")
    store(tmp_path, "first")
    return tmp_path


def store(folder: Path, name: str) -> None:
    rows = [(content_digest(folder / f"{stem}.png"), pairs) for stem, pairs in IMAGES.items()]
    facts = TaggerFacts(name, content_digest(folder / "a.png"), "as it is", NAMES)
    Scores.of(folder, facts).append(ScoreTable.of_lists(NAMES, rows))


def answer(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    assert main(["tags", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["tom (cat), cat", "night sky", None]),
        (["--preset", "a1111"], [r"cat, tom \(cat\)", "", None]),
        (["--threshold", "0.25"], ["tom (cat), cat, night sky", "night sky", None]),
        (["--threshold", "mcut"], ["tom (cat), cat", "night sky, cat", None]),
        (["--category", "character=0.95"], ["cat", "night sky", None]),
        (["--tag", "night sky=0.2", "--tag", "cat=1.1"], ["tom (cat), night sky", "night sky", None]),
        (["--ban", "tom (cat)"], ["cat", "night sky", None]),
        (["--first", "cat"], ["cat, tom (cat)", "night sky", None]),
        (["--ratings", "last"], ["tom (cat), cat, general", "night sky, general", None]),
        (["--max-tags", "1"], ["tom (cat)", "night sky", None]),
        (["--max-tokens", "4"], ["tom (cat)", "night sky", None]),
        (["--no-spaces", "--escape"], [r"tom_\(cat\), cat", "night_sky", None]),
        (["--ranks"], ["(tom (cat):0.900), (cat:0.750)", "(night sky:0.400)", None]),
        (["--order", "model", "--threshold", "0.2"], ["tom (cat), cat, night sky", "cat, night sky", None]),
    ],
    ids=lambda value: "-".join(value[:2]) if value and isinstance(value[0], str) and value[0][:1] == "-" else "",
)
def test_show_prints_what_the_rules_give(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], expected: list[str | None]
) -> None:
    assert [row["tags"] for row in answer(capsys, "show", folder, *options)["images"]] == expected


def test_show_says_why_of_one_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "show", folder, "a.png")
    assert told["text"] == "tom (cat), cat"
    assert [(row["tag"], row["kept"], row["why"]) for row in told["tags"]] == [
        ("tom_(cat)", True, ""),
        ("general", False, "rating"),
        ("cat", True, ""),
        ("night_sky", False, "below"),
    ]
    assert main(["tags", "show", str(folder), "a.png"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "0.900\tkept\tcharacter\ttom_(cat)"
    assert main(["tags", "show", str(folder), "c.png"]) == 2
    assert "has no scores" in capsys.readouterr().err


def test_apply_is_one_edit_that_a_dry_run_only_shows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = answer(capsys, "apply", folder, "--dry-run")
    assert (report["changed"], report["without_scores"]) == (2, 1)
    assert (folder / "a.txt").read_text() == "ohwx"
    assert main(["tags", "apply", str(folder), "--mode", "prepend", "--where", "name:a"]) == 0
    assert [(folder / f"{stem}.txt").read_text() for stem in "abc"] == ["tom (cat), cat, ohwx", "ohwx", "ohwx"]
    assert main(["caption", "undo", str(folder)]) == 0
    assert (folder / "a.txt").read_text() == "ohwx"


def test_stats_count_the_set_a_change_and_one_tag(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "stats", folder, "--threshold", "0.5")
    assert {name: told[name] for name in ("images", "kept", "empty", "tags")} == {
        "images": 2,
        "kept": 2,
        "empty": 1,
        "tags": 2,
    }
    assert told["counts"] == [{"tag": "cat", "images": 1}, {"tag": "tom_(cat)", "images": 1}]
    told = answer(capsys, "stats", folder, "--threshold", "0.5", "--versus", "0.28")
    assert told["changes"] == [{"tag": "night_sky", "images": -2}]
    assert (told["before"]["kept"], told["after"]["empty"]) == (4, 1)
    told = answer(capsys, "stats", folder, "--of", "cat", "--where", "name:a")
    assert [entry for entry in told["bins"] if entry["images"]] == [{"from": 0.75, "images": 1}]


def test_several_taggers_are_listed_chosen_and_combined(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(folder, "second")
    listed = answer(capsys, "taggers", folder)["taggers"]
    assert [(row["tagger"][:-9], row["images"], row["tags"]) for row in listed] == [("first", 2, 4), ("second", 2, 4)]
    assert main(["tags", "show", str(folder)]) == 2
    assert "several taggers" in capsys.readouterr().err
    both = answer(capsys, "show", folder, "--tagger", "first", "--tagger", "second", "--combine", "mean")
    assert both["images"][0]["tags"] == "tom (cat), cat"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "high"], "'high' is no threshold"),
        (["--threshold", "2"], "not between 0 and 1"),
        (["--threshold", "p=r"], "no threshold of equal precision"),
        (["--tag", "cat"], "not NAME=THRESHOLD"),
        (["--tag", "cats=0.5"], "Did you mean cat?"),
        (["--ban", "zebra"], "knows no tag 'zebra'"),
        (["--category", "artist=0.5"], "no category 'artist'"),
        (["--tagger", "other"], "no tagger 'other'"),
        (["--aliases"], "no tag lists"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["tags", "show", str(folder), *options]) == 2
    assert message in capsys.readouterr().err


def test_aliases_and_implications_come_from_the_users_lists(
    folder: Path, capsys: pytest.CaptureFixture[str], own_folders: Path
) -> None:
    from sdtui.dataset import vocabulary_file

    vocabulary_file.folder().mkdir(parents=True)
    (vocabulary_file.folder() / "danbooru.csv").write_text('feline,0,10,"cat"\n')
    assert answer(capsys, "show", folder, "--aliases")["images"][0]["tags"] == "tom (cat), feline"


def test_queries_ask_the_stored_scores(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caption", "find", str(folder), "score:cat>0.5"]) == 0
    assert capsys.readouterr().out == "a.png\tohwx\n"
    rows = answer(capsys, "show", folder, "--where", "score:night sky>=0.4")["images"]
    assert [row["image"] for row in rows] == ["b.png"]


def test_a_query_for_scores_without_any_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").touch()
    assert main(["caption", "find", str(tmp_path), "score:cat>0.5"]) == 2
    assert "no tagger has scored these images" in capsys.readouterr().err


def test_sort_puts_the_surest_tag_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").write_text(r"night sky, ohwx, cat, tom \(cat\)")
    assert answer(capsys, "sort", folder, "--dry-run")["changed"] == 1
    assert main(["tags", "sort", str(folder)]) == 0
    assert (folder / "a.txt").read_text() == r"ohwx, tom \(cat\), cat, night sky"
    assert main(["caption", "undo", str(folder)]) == 0
    assert main(["tags", "sort", str(folder), "--keep", "1"]) == 0
    assert (folder / "a.txt").read_text() == r"night sky, ohwx, tom \(cat\), cat"
    assert main(["tags", "sort", str(folder), "--keep", "-1"]) == 2
    assert main(["tags", "stats", str(folder), "--top", "-1"]) == 2


def test_descriptions_are_shown_and_applied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = DescriberFacts("blip", "cd" * 32, "at most 75 tokens")
    Descriptions.of(folder, facts).append([content_digest(folder / "a.png")], ["a tom cat"])
    assert answer(capsys, "taggers", folder)["describers"] == [
        {"describer": "blip-cdcdcdcd", "images": 1, "how": "at most 75 tokens"}
    ]
    rows = answer(capsys, "show", folder, "--description", "blip")["images"]
    assert [row["text"] for row in rows] == ["a tom cat", None, None]
    assert main(["tags", "apply", str(folder), "--description", "blip", "--mode", "prepend"]) == 0
    assert [(folder / f"{stem}.txt").read_text() for stem in "abc"] == ["a tom cat, ohwx", "ohwx", "ohwx"]
    assert main(["tags", "apply", str(folder), "--description", "blip"]) == 2
    assert "cannot be applied by add" in capsys.readouterr().err


def test_stats_count_what_looks_at_whole_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "stats", folder, "--threshold", "mcut")
    assert told["counts"] == [
        {"tag": "cat", "images": 2},
        {"tag": "night_sky", "images": 1},
        {"tag": "tom_(cat)", "images": 1},
    ]
    told = answer(capsys, "stats", folder, "--max-tags", "1")
    assert (told["kept"], [row["tag"] for row in told["counts"]]) == (2, ["night_sky", "tom_(cat)"])
    told = answer(capsys, "stats", folder, "--ratings", "last", "--threshold", "0.5", "--versus", "0.28")
    assert told["changes"] == [{"tag": "night_sky", "images": -2}]
    assert (told["after"]["kept"], told["after"]["empty"]) == (4, 0)


def test_versus_knows_every_kind_of_threshold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "stats", folder, "--threshold", "mcut", "--versus", "0.35")
    assert told["changes"] == [{"tag": "cat", "images": 1}]
    told = answer(capsys, "stats", folder, "--versus", "mcut")
    assert told["changes"] == [{"tag": "cat", "images": -1}]
    assert main(["tags", "stats", str(folder), "--versus", "high"]) == 2
    assert "--versus: 'high' is no threshold" in capsys.readouterr().err


def test_an_image_is_named_from_the_dataset_or_from_here(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    for name in ("a.png", f"{folder.name}/a.png", str(folder / "a.png")):
        assert answer(capsys, "show", folder.name, name)["text"] == "tom (cat), cat"
    assert main(["tags", "show", str(folder), "../a.png"]) == 2
    assert "there is no such image in the dataset" in capsys.readouterr().err


def test_captions_that_would_lose_all_tags_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "apply", folder, "--mode", "replace", "--threshold", "0.5", "--dry-run")
    assert (told["changed"], told["emptied"]) == (2, 1)
    assert main(["tags", "apply", str(folder), "--mode", "replace", "--threshold", "0.5"]) == 0
    assert "1 caption would hold nothing any more" in capsys.readouterr().err
    assert (folder / "b.txt").read_text() == ""


def test_taggers_tell_their_preprocessing_and_their_absence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "taggers", str(folder)]) == 0
    assert "\t2 images\t4 tags\t" in (out := capsys.readouterr().out)
    assert out.endswith("\tas it is\n")
    (folder / "deep").mkdir()
    assert main(["tags", "taggers", str(folder / "deep")]) == 0
    assert "no model has scored" in capsys.readouterr().err


def test_applying_to_many_says_how_far_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # From the first image on, and a line whenever it is another one.
    monkeypatch.setattr("sdtui.cli.tags._QUIET_SECONDS", -1.0)
    monkeypatch.setattr("sdtui.cli.progress._PLAIN_SECONDS", -1.0)
    assert main(["tags", "apply", str(folder), "--dry-run"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("deciding")]
    assert told == ["deciding image 1 of 3", "deciding image 2 of 3", "deciding image 3 of 3"]
