"""Stored scores of 100 000 images, 120 each of 10 861 tags: what they take on disk, an append, and a threshold that moves.

A threshold is moved as a slider moves it: general tags by steps, characters at 0.85, ratings dropped; and with thresholds of
their own for a few tags. Beside each figure the floor: one comparison of all scores with one number.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.result import Result
from sdtui.dataset.library import Library
from sdtui.starter.demo import IMAGES as STARTER
from sdtui.tagging.rules import MCUT_FLOORS, WD, Rules
from sdtui.tagging.score_table import ScoreTable, packed
from sdtui.tagging.scored_images import ScoredImages
from sdtui.tagging.scores import Scores, TaggerFacts
from sdtui.tagging.survey import Survey
from sdtui.tagging.tag_list import TagList
from sdtui.tui.captions.score_desk import Found, ScoreDesk, Setting, Whose

IMAGES, KEPT, TAGS = 100_000, 120, 10_861
APPENDED = 1_000
MEGABYTES = 1_000_000


def measure() -> list[Result]:
    table = make_table(IMAGES)
    with tempfile.TemporaryDirectory() as folder:
        scores = Scores.of(Path(folder), TaggerFacts("tagger", "ab" * 32, "none", table.tags))
        scores.append(table)
        size = sum(path.stat().st_size for path in scores.home.iterdir()) / MEGABYTES
        more = [make_table(APPENDED, first=IMAGES + APPENDED * at) for at in range(3)]
        appended = max(milliseconds(partial(scores.append, table)) for table in more)
        scores.compact()
        opened = milliseconds(scores.table)
        survey = Survey(scores.table())
        results = [
            Result("scores on disk, 100 000 images × 120", size, 55, "MB", f"{TAGS} tags"),
            Result("append 1 000 images", appended / 1000, 1, "s", f"with its sync; opening all takes {opened:.0f} ms"),
        ]
        survey.totals(WD)
        floor = min(milliseconds(partial(np.greater, survey.table.scores, np.float16(0.35))) for _ in range(5))
        own = replace(WD, tags={"tag_10": 0.5, "tag_11": 0.6})
        for what, rules in (("the general threshold", WD), ("it, with two tags of their own", own)):
            took = [milliseconds(partial(survey.totals, moved(rules, at))) for at in range(20)]
            detail = f"median of 20 steps, slowest {max(took):.0f} ms; comparing as half floats takes {floor:.0f} ms"
            results.append(Result(f"totals after moving {what}", float(np.median(took)), 60, "ms", detail))
        results += [together(survey, *each) for each in whole_images(table.tags)]
        took = [milliseconds(partial(survey.changes, moved(WD, at), moved(WD, at + 1))) for at in range(5)]
        results.append(Result("tags that appear or vanish by a step", float(np.median(took)), 60, "ms", "median of 5"))
    return [*results, *on_the_screen(table)]


def whole_images(tags: TagList) -> list[tuple[str, Rules]]:
    """Rules that look at whole images; as many aliases and implications as a booru's lists have for so many tags."""
    names, random = tags.names, np.random.default_rng(0)
    says = {name: frozenset(names[at] for at in random.choice(np.arange(4, 1_500), 2)) for name in names[2_000:6_000]}
    renamed = {names[at]: names[at + 1] for at in range(4, 1_000, 2)}
    return [
        ("at most 30 tags", replace(WD, max_tags=30)),
        ("the likeliest rating first", replace(WD, ratings="first")),
        ("a gap's place in each image (mcut)", replace(WD, mcut=MCUT_FLOORS)),
        ("aliases", replace(WD, aliases=renamed)),
        ("implications", replace(WD, implied=says)),
    ]


def together(survey: Survey, what: str, rules: Rules) -> Result:
    once = milliseconds(partial(survey.totals, rules))
    took = [milliseconds(partial(survey.totals, moved(rules, at))) for at in range(10)]
    detail = f"median of 10 steps, slowest {max(took):.0f} ms; the first time {once:.0f} ms"
    return Result(f"totals after moving it with {what}", float(np.median(took)), 60, "ms", detail)


def on_the_screen(table: ScoreTable) -> list[Result]:
    """What a key that moves the threshold costs the captions screen: at once, and until its thread knows the totals."""
    whose = Whose(("tagger",), "union")
    desk = ScoreDesk(Library.scan(STARTER), Found(ScoredImages(table), "tagger", whose, [whose]), Setting())
    view = range(len(table))

    def key() -> None:
        desk.step(0.01)
        desk.rows(7, "tag_10, tag_11, my cat", len)

    def totals() -> None:
        next(desk.outcomes_slowly(view, "tag_10", lambda: False, len))

    key()
    totals()
    took = [(milliseconds(key), milliseconds(totals)) for _ in range(20)]
    at_once, known = (float(np.median(each)) for each in zip(*took, strict=True))
    detail = f"median of 20; slowest {max(each for _, each in took):.0f} ms"
    return [
        Result("captions screen, a key that moves the threshold", at_once, 10, "ms", "the image's tags decided again"),
        Result("captions screen, until the totals are known", at_once + known, 60, "ms", detail),
    ]


def moved(rules: Rules, at: int) -> Rules:
    return replace(rules, threshold=0.3 + 0.01 * at)


def make_table(images: int, first: int = 0) -> ScoreTable:
    names = tuple(f"tag_{number}" for number in range(TAGS))
    categories = ("rating",) * 4 + ("general",) * 6_600 + ("character",) * (TAGS - 6_604)
    random = np.random.default_rng(first)
    # General tags by far the most, as in any set: an image has its ratings and one or two characters.
    kind = random.random(images * KEPT)
    edges = (
        np.where(kind < 0.97, 4, np.where(kind < 0.99, 6_604, 0)),
        np.where(kind < 0.97, 6_604, np.where(kind < 0.99, TAGS, 4)),
    )
    ids = random.integers(*edges).astype(np.uint16)
    # Most scores are low, as a tagger's are.
    values = (random.random((images, KEPT)) ** 3 * 0.99 + 0.01).astype(np.float16)
    falling = np.ascontiguousarray(np.sort(values, axis=1)[:, ::-1]).reshape(-1)
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(first, first + images)]
    pointers = np.arange(0, images * KEPT + 1, KEPT, dtype=np.int64)
    return ScoreTable(TagList(names, categories), packed(digests), pointers, ids, falling)


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
