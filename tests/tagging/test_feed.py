from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from PIL import Image

from sdtui.dataset.digests import Digests
from sdtui.dataset.image import content_digest
from sdtui.tagging.feed import feed
from sdtui.tagging.taggers.base import Pixels


def prepare(image: Image.Image) -> Pixels:
    return np.asarray(image, np.float32)


def images(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (1, 1), (number, 0, 0)).save(path)
    return paths


def test_images_come_in_order_with_their_digests(tmp_path: Path) -> None:
    paths = images(tmp_path, 20)
    fed = list(feed(paths, prepare, Digests(tmp_path), (), threads=4, ahead=7))
    assert [image.path for image in fed] == paths
    assert [image.prepared[0, 0, 0] for image in fed if image.prepared is not None] == list(range(20))
    assert fed[3].digest == content_digest(paths[3])


def test_what_has_scores_is_not_decoded(tmp_path: Path) -> None:
    paths = images(tmp_path, 2)
    fed = list(feed(paths, prepare, Digests(tmp_path), {content_digest(paths[0])}, threads=1, ahead=2))
    assert [image.prepared is None for image in fed] == [True, False]
    assert fed[0].error is None


def test_an_image_that_cannot_be_read_says_so_and_the_others_come(tmp_path: Path) -> None:
    paths = images(tmp_path, 3)
    paths[1].write_bytes(b"junk")
    fed = list(feed(paths, prepare, Digests(tmp_path), (), threads=2, ahead=2))
    assert [image.error is None for image in fed] == [True, False, True]
    assert fed[1].error is not None
    assert str(paths[1]) in fed[1].error.where


def test_only_so_many_are_prepared_ahead(tmp_path: Path) -> None:
    begun: list[int] = []
    guard = threading.Lock()

    def counted(image: Image.Image) -> Pixels:
        with guard:
            begun.append(1)
        return prepare(image)

    stream = feed(images(tmp_path, 30), counted, Digests(tmp_path), (), threads=2, ahead=5)
    next(stream)
    assert len(begun) <= 5
    stream.close()
    assert len(begun) <= 5
