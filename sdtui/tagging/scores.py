"""The scores of a dataset, kept by tagger in `.sdtui/scores/`: scored once, read whenever a threshold moves.

Each tagger has a folder: `tagger.json` says which it is and what its tags are, numbered files hold the scores, each a table
of its own (see `score_file`). Images are named by the digest of their bytes, so that moved and renamed ones keep theirs.
New scores are a new file; of two that know an image the later one counts. Once there are many files the small ones at the
end are joined: the joined file says which it stands for, so a process that dies before it has deleted them leaves nothing
wrong behind. Writers hold a lock, readers need none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdtui.dataset import sidecar
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_atomic
from sdtui.tagging import score_file
from sdtui.tagging.folder_name import folder_name
from sdtui.tagging.score_table import DIGEST_BYTES, ScoreTable, id_type, joined
from sdtui.tagging.tag_list import TagList

SCHEMA = 1
# So many files of a tagger may lie side by side.
_FILES = 16
_NAME = re.compile(r"(\d{6,})\.safetensors")
# A file may vanish between being listed and being opened, when another process has just joined some.
_TRIES = 5


@dataclass(frozen=True)
class TaggerFacts:
    """Which tagger gave the scores.

    Attributes:
        name: as people call it.
        digest: SHA-256 of the model file in hex; of imported scores, of the file they came from.
        preprocessing: how images are made into what the model reads, in a sentence.
        tags: what it knows.
    """

    name: str
    digest: str
    preprocessing: str
    tags: TagList


class Scores:
    """The scores that one tagger gave the images of one dataset."""

    def __init__(self, home: Path, facts: TaggerFacts, other: Path | None = None) -> None:
        """`other` is where its scores lay while the dataset could not be written, or before that; it is only read."""
        self.home = home
        self.facts = facts
        self._earlier = [Scores(other, facts)] if other is not None else []

    @classmethod
    def of(cls, dataset: Path, facts: TaggerFacts) -> Scores:
        """The place for this tagger's scores; nothing is written before the first `append`."""
        other, home = (folder / folder_name(facts.name, facts.digest) for folder in sidecar.both(dataset, "scores"))
        return cls(home, facts, other)

    @property
    def id(self) -> str:
        """What tells it from all others of the dataset: its name and the first of its digest."""
        return self.home.name

    @property
    def newest(self) -> int:
        """A number that rises with every change; 0 without any scores."""
        return self._newest + sum(each.newest for each in self._earlier)

    @property
    def _newest(self) -> int:
        return max((number for number, _ in self._files()), default=0)

    @property
    def size(self) -> int:
        """The bytes of all files that count."""
        return sum(path.stat().st_size for _, path in self._live()) + sum(each.size for each in self._earlier)

    def table(self) -> ScoreTable:
        """All scores; straight from the disk where one file holds them.

        Raises:
            SdtuiError: a file is damaged.
        """
        for _ in range(_TRIES):
            try:
                tables = [score_file.read(path, self.facts.tags) for _, path in self._live()]
                tables[:0] = (each.table() for each in self._earlier if each.newest)
            except FileNotFoundError:
                continue
            return joined(tables) if tables else empty_table(self.facts.tags)
        raise SdtuiError("the scores change all the time", where=printable(self.home), remedy="Try again")

    def append(self, table: ScoreTable) -> None:
        """Add the scores of some images; those that have scores get the new ones.

        Raises:
            SdtuiError: the disk does not take them, or another process keeps the lock.
        """
        if not len(table):
            return
        with self._locked():
            self._introduce()
            self._write(table, None)
            self._join(least=_FILES)

    def compact(self) -> None:
        """Join all files into one, which is then read without a copy; nothing happens where there is no more than one."""
        if len(self._files()) < 2:
            return
        with self._locked():
            self._join(least=1)

    def _join(self, least: int) -> None:
        live = self._live()
        self._sweep({number for number, _ in live})
        if len(live) <= least:
            return
        sizes = [path.stat().st_size for _, path in live]
        first = 0 if least == 1 else _small_from(sizes)
        tables = [score_file.read(path, self.facts.tags) for _, path in live[first:]]
        self._write(joined(tables), live[first][0])
        self._sweep({number for number, _ in self._live()})

    def _write(self, table: ScoreTable, replaces: int | None) -> None:
        score_file.write(self.home / f"{self._newest + 1:06d}.safetensors", table, replaces)

    def _introduce(self) -> None:
        path = self.home / "tagger.json"
        if path.exists():
            return
        facts = self.facts
        body = {
            "schema": SCHEMA,
            "name": facts.name,
            "digest": facts.digest,
            "preprocessing": facts.preprocessing,
            "tags": facts.tags.names,
            "categories": facts.tags.categories,
        }
        write_atomic(path, json.dumps(body))

    def _files(self) -> list[tuple[int, Path]]:
        if not self.home.is_dir():
            return []
        found = ((match, path) for path in self.home.iterdir() if (match := _NAME.fullmatch(path.name)))
        return sorted((int(match[1]), path) for match, path in found)

    def _live(self) -> list[tuple[int, Path]]:
        """The files that count, oldest first: those that no later one stands for."""
        live: list[tuple[int, Path]] = []
        for number, path in self._files():
            first = score_file.replaced_from(path)
            live = [file for file in live if first is None or file[0] < first]
            live.append((number, path))
        return live

    def _sweep(self, live: set[int]) -> None:
        for number, path in self._files():
            if number not in live:
                path.unlink(missing_ok=True)

    def _locked(self) -> AbstractContextManager[None]:
        busy = SdtuiError(
            "another sdtui is writing scores of this tagger",
            where=printable(self.home),
            remedy="Wait for it, or stop it; nothing was changed",
        )
        return sidecar.locked(self.home, "the scores", busy)


def taggers(dataset: Path) -> list[Scores]:
    """All taggers that have scored images of the dataset, by name.

    Raises:
        SdtuiError: what says which tagger it is cannot be read.
    """
    other, home = sidecar.both(dataset, "scores")
    # Of a tagger that has scores in both the one at home counts, and reads the others as well.
    found = {folder.name: facts for place in (other, home) if place.is_dir() for folder, facts in _found(place)}
    return [Scores(home / name, found[name], other / name) for name in sorted(found)]


def scores_of(dataset: Path, name: str = "") -> Scores:
    """The scores of one tagger, by its name or id; without a name, of the only one.

    Raises:
        UserError: there is none, or several.
    """
    found = taggers(dataset)
    if not found:
        raise UserError(
            "no tagger has scored these images",
            where=printable(dataset),
            remedy="Score them with `sdtui tag DIR --tagger NAME`",
        )
    fitting = [scores for scores in found if name in {"", scores.id, scores.facts.name}]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(scores.id for scores in found)
    if not fitting:
        raise UserError(f"no tagger {name!r} has scored these images", remedy=f"There are: {known}")
    raise UserError("several taggers have scored these images", remedy=f"Choose with --tagger: {known}")


def empty_table(tags: TagList) -> ScoreTable:
    """A table without images."""
    digests = np.zeros((0, DIGEST_BYTES), np.uint8)
    return ScoreTable(tags, digests, np.zeros(1, np.int64), np.zeros(0, id_type(tags)), np.zeros(0, np.float16))


def _found(home: Path) -> Iterator[tuple[Path, TaggerFacts]]:
    for folder in home.iterdir():
        path = folder / "tagger.json"
        try:
            raw = json.loads(path.read_bytes())
            if raw["schema"] != SCHEMA:
                raise SdtuiError(
                    f"the scores have schema {raw['schema']}, this sdtui knows {SCHEMA}",
                    where=printable(path),
                    remedy="Use the newer sdtui that wrote them",
                )
            tags = TagList(tuple(map(str, raw["tags"])), tuple(map(str, raw["categories"])))
            facts = TaggerFacts(str(raw["name"]), str(raw["digest"]), str(raw["preprocessing"]), tags)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise score_file.damaged(path, str(error) or type(error).__name__) from error
        yield folder, facts


def _small_from(sizes: list[int]) -> int:
    """Where the files begin that are joined: the last two, and each before them that is not larger than what follows.

    So a byte is written again only when it lands in a file of twice the size.
    """
    first, total = len(sizes) - 2, sizes[-1] + sizes[-2]
    while first > 0 and sizes[first - 1] <= total:
        first -= 1
        total += sizes[first]
    return first
