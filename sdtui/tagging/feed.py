"""Images on their way to a model: digests taken, files decoded and resized by a few threads, a little ahead of the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from sdtui.dataset.digests import Digests
from sdtui.dataset.image import UnreadableImage, open_rgb

Prepare = Callable[[Image.Image], Any]


@dataclass(frozen=True)
class Fed:
    """One image: its digest in hex, and what was prepared of it unless it is done already or cannot be read."""

    path: Path
    digest: str = ""
    prepared: Any = None
    error: UnreadableImage | None = None


def feed(
    paths: Sequence[Path],
    prepare: Prepare,
    digests: Digests,
    done: Container[str],
    *,
    threads: int,
    ahead: int,
) -> Generator[Fed]:
    """The images in order, each prepared before it is asked for where the threads are fast enough.

    Args:
        paths: the images.
        prepare: as `Output.prepare`; not None.
        digests: where their digests are remembered.
        done: digests of images that need nothing.
        threads: how many prepare images.
        ahead: how many images may be ready or under way at once.
    """

    def one(path: Path) -> Fed:
        try:
            digest = digests.of(path)
            if digest in done:
                return Fed(path, digest)
            return Fed(path, digest, prepare(open_rgb(path)))
        except UnreadableImage as error:
            return Fed(path, error=error)

    waiting: deque[Future[Fed]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="images") as pool:
        try:
            for path in paths:
                waiting.append(pool.submit(one, path))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
