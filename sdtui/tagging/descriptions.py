"""What models said of the images of a dataset in words, kept by model in `.sdtui/descriptions/`, an image by its digest.

Each model has a folder: `describer.json` says which it is and what it was asked, `descriptions.jsonl` holds a line for each
answer, written as it came; of two of one image the later counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sdtui.dataset import sidecar
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError, UserError
from sdtui.files import make_folder, write_atomic, write_failure
from sdtui.runs.events import EventReader, EventWriter
from sdtui.tagging.folder_name import folder_name

SCHEMA = 1
_FILE = "descriptions.jsonl"


@dataclass(frozen=True)
class DescriberFacts:
    """Which model described.

    Attributes:
        name: as people call it.
        digest: tells it, and what it was asked, from all others.
        how: what it was asked, in a sentence.
    """

    name: str
    digest: str
    how: str


class Descriptions:
    """What one model said of the images of one dataset."""

    def __init__(self, home: Path, facts: DescriberFacts, other: Path | None = None) -> None:
        """`other` is where its words lay while the dataset could not be written, or before that; it is only read."""
        self.home = home
        self.facts = facts
        self._other = other

    @classmethod
    def of(cls, dataset: Path, facts: DescriberFacts) -> Descriptions:
        """The place for this model's words; nothing is written before the first of them."""
        other, home = (
            folder / folder_name(facts.name, facts.digest) for folder in sidecar.both(dataset, "descriptions")
        )
        return cls(home, facts, other)

    @property
    def id(self) -> str:
        """What tells it from all others of the dataset."""
        return self.home.name

    def texts(self) -> dict[str, str]:
        """The description of each image, by its SHA-256 in hex."""
        places = [self.home] if self._other is None else [self._other, self.home]
        told = [event for place in places for event in EventReader(place / _FILE).poll()]
        return {str(each["digest"]): str(each["text"]) for each in told if {"digest", "text"} <= each.keys()}

    def append(self, digests: Sequence[str], texts: Sequence[str]) -> None:
        """Add what was said of some images.

        Raises:
            SdtuiError: the disk does not take it.
        """
        make_folder(self.home)
        facts = self.home / "describer.json"
        if not facts.exists():
            write_atomic(facts, json.dumps({"schema": SCHEMA, **asdict(self.facts)}))
        with EventWriter(self._file) as writer:
            for digest, text in zip(digests, texts, strict=True):
                writer.write("description", digest=digest, text=text)
        if writer.failure is not None:
            raise write_failure(self._file, writer.failure)

    @property
    def _file(self) -> Path:
        return self.home / _FILE


def describers(dataset: Path) -> list[Descriptions]:
    """All models that described images of the dataset, by name.

    Raises:
        SdtuiError: what says which model it is cannot be read.
    """
    other, home = sidecar.both(dataset, "descriptions")
    found = {folder.name: facts for place in (other, home) if place.is_dir() for folder, facts in _found(place)}
    return [Descriptions(home / name, found[name], other / name) for name in sorted(found)]


def descriptions_of(dataset: Path, name: str) -> Descriptions:
    """The descriptions of one model, by its name or id.

    Raises:
        UserError: there is none of this name, or several.
    """
    found = describers(dataset)
    fitting = [each for each in found if name in {each.id, each.facts.name}]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(each.id for each in found) or "none"
    what = "several models of this name have" if fitting else f"no model {name!r} has"
    raise UserError(f"{what} described these images", remedy=f"There are: {known}")


def _found(home: Path) -> Iterator[tuple[Path, DescriberFacts]]:
    for folder in home.iterdir():
        path = folder / "describer.json"
        try:
            raw = json.loads(path.read_bytes())
            facts = DescriberFacts(str(raw["name"]), str(raw["digest"]), str(raw["how"]))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise SdtuiError(
                f"what described the images cannot be read: {error}",
                where=printable(path),
                remedy="Delete the folder; `sdtui tag` describes its images again",
            ) from error
        yield folder, facts
