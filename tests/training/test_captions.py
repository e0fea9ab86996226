"""Captions of a step: drawn from (seed, step, place), whatever was drawn before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdtui.dataset.buckets import Bucket
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import ImageFacts
from sdtui.profile.schema import Captions, Prior, Profile
from sdtui.training.captions import CaptionSource, Drawn
from sdtui.training.data import DataOrder
from sdtui.training.prepare import make_captions, make_order

TAGS = "cat, sits, red, old, soft"


def source(texts: list[str], seed: int = 7, total: int = 100, **settings: Any) -> CaptionSource:
    order = DataOrder([(64, 64)] * len(texts), [1] * len(texts), 1, 1, seed)
    return CaptionSource(texts, [Captions(**settings)] * len(texts), order, seed, total)


def test_the_draws_are_fixed_for_good() -> None:
    # Other numbers would make every interrupted run of an older version go on differently.
    drawn = source([TAGS], shuffle=True, tag_dropout=0.3)
    assert [drawn.at(step, 0, [0]) for step in range(3)] == [
        ["old, soft, cat, red"],
        ["red, soft"],
        ["soft, red, sits, cat, old"],
    ]


def test_a_step_reads_the_same_whatever_was_read_before() -> None:
    first, again = source([TAGS, "dog"], shuffle=True), source([TAGS, "dog"], shuffle=True)
    for step in range(5):
        first.at(step, 0, [0, 1])
    assert first.at(5, 0, [0, 1]) == again.at(5, 0, [0, 1])
    assert first.at(5, 0, [1, 0])[1:] == again.at(5, 1, [0])


def test_steps_places_and_seeds_read_differently() -> None:
    drawn = source([TAGS], shuffle=True)
    texts = {drawn.at(step, place, [0])[0] for step in range(4) for place in range(4)}
    assert len(texts) > 10
    assert drawn.at(0, 0, [0]) != source([TAGS], seed=8, shuffle=True).at(0, 0, [0])


def test_every_order_is_equally_likely() -> None:
    drawn = source(["a, b, c"], shuffle=True)
    texts = [drawn.at(step, 0, [0])[0] for step in range(1200)]
    counts = {text: texts.count(text) for text in sorted(set(texts))}
    assert len(counts) == 6
    assert all(150 < count < 250 for count in counts.values())


def test_dropout_comes_at_its_rate_and_takes_whole_captions() -> None:
    drawn = source([TAGS], dropout=0.25)
    texts = [drawn.at(step, 0, [0])[0] for step in range(400)]
    assert set(texts) == {TAGS, ""}
    assert 70 < texts.count("") < 130


def test_the_epoch_is_that_of_the_step() -> None:
    drawn = source(["a", "b"], dropout_every=2)
    assert [drawn.at(step, 0, [0])[0] for step in range(6)] == ["a", "a", "", "", "a", "a"]


def test_the_warm_up_follows_the_step_and_the_length_of_the_run() -> None:
    drawn = source([TAGS], total=8, token_warmup=0.5)
    assert [len(drawn.at(step, 0, [0])[0].split(", ")) for step in range(5)] == [1, 2, 3, 4, 5]


def test_the_captions_of_a_run_come_in_the_order_they_are_trained() -> None:
    order = DataOrder([(64, 64)] * 3, [1, 1, 2], batch_size=2, accumulation=2, seed=7)
    drawn = CaptionSource([TAGS, "a, b, c", "d, e, f"], [Captions(shuffle=True)] * 3, order, 7, 3)
    trained = []
    for step in range(3):
        first = 0
        for batch in order.at(step):
            trained += [Drawn(step, *pair) for pair in zip(batch, drawn.at(step, first, batch), strict=True)]
            first += len(batch)
    assert list(drawn.in_order()) == trained
    assert len(trained) == 12


def test_each_sample_is_read_by_its_own_rules() -> None:
    order = DataOrder([(64, 64)] * 2, [1] * 2, 1, 1, 7)
    drawn = CaptionSource(["a, b", "c, d"], [Captions(prefix="x "), Captions(dropout=1.0)], order, 7, 4)
    assert drawn.at(0, 0, [0, 1]) == ["x a, b", ""]
    assert drawn.settled
    assert drawn.all_texts() == ["", "c, d", "x a, b"]
    assert not CaptionSource(["a", "b"], [Captions(), Captions(shuffle=True)], order, 7, 4).settled


def test_a_folder_s_samples_are_read_by_its_own_rules() -> None:
    folders = [{"path": "a"}, {"path": "a", "caption_prefix": "x "}]
    profile = Profile.model_validate(
        {
            "model": {"base": "m"},
            "training": {"steps": 4},
            "dataset": {"folders": folders},
            "captions": {"suffix": " y"},
        }
    )
    facts = ImageFacts(Path("1.png"), 64, 64)
    samples = [Sample(facts.path, "cat", 1, facts, Bucket(64, 64), "a", row) for row in (0, 1)]
    drawn = make_captions(profile, samples, make_order(profile, samples))
    assert drawn.at(0, 0, [0, 1]) == ["cat y", "x cat y"]
    assert drawn.total == 4


def test_settled_captions_are_known_beforehand() -> None:
    drawn = source(["a ||| b", "a ||| b", "c", ""], keep_separator="|||", prefix="x ")
    assert drawn.settled
    assert drawn.all_texts() == ["", "x a, b", "x c"]
    assert source(["c"]).all_texts() == ["c"]
    assert source(["c"], dropout=0.1).all_texts() == ["", "c"]
    assert source(["c"], dropout_every=5).all_texts() == ["", "c"]
    assert not source(["c"], shuffle=True).settled


def test_class_captions_of_training_samples_are_among_all_texts() -> None:
    order = DataOrder([(64, 64)] * 3, [1] * 3, 1, 1, 7, frozenset({2}))
    prior = Prior(class_caption="dog", trigger="sks")
    rules = [Captions(), Captions(dropout=0.1), Captions()]
    drawn = CaptionSource(["a sks", "b", "sks kept"], rules, order, 7, 4, prior)
    assert drawn.all_texts() == ["", "a dog", "a sks", "b", "dog", "sks kept"]
    off = CaptionSource(["a sks"], [Captions()], order, 7, 4, prior.model_copy(update={"class_weight": 0.0}))
    assert off.all_texts() == ["a sks"]
