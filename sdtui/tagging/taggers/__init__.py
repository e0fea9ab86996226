"""All taggers: a name, folder, file or hub id is looked at by each kind in turn, and the first that knows it opens it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sdtui
from sdtui.dataset.names import printable
from sdtui.errors import UserError
from sdtui.tagging.describers import is_address, require_plain
from sdtui.tagging.taggers import deepdanbooru_project, wd
from sdtui.tagging.taggers.base import Tagger, Where
from sdtui.tagging.taggers.hub import from_hub

STARTER = "starter"
_TORCH = {".pt", ".pth"}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


class Kind(NamedTuple):
    """One kind of tagger: what it is called, whether a path is one, and how it is opened under a name."""

    title: str
    finds: Callable[[Path], bool]
    open: Callable[[Path, str, Where], Tagger]


def _torch_file(path: Path) -> Path | None:
    """The file itself, or the only one in a folder, as A1111's `models/torch_deepdanbooru` has it."""
    files = [path] if path.is_file() else sorted(path.glob("*.pt")) if path.is_dir() else []
    return files[0] if len(files) == 1 and files[0].suffix in _TORCH else None


def _open_torch_file(path: Path, _name: str, where: Where) -> Tagger:
    from sdtui.tagging.taggers.deepdanbooru import DeepDanbooruTagger

    file = _torch_file(path)
    assert file is not None
    return DeepDanbooruTagger(file, file.stem, where)


KINDS: dict[str, Kind] = {
    "wd": Kind("a folder with model.onnx and selected_tags.csv", wd.finds, wd.WdTagger),
    "deepdanbooru": Kind(
        "TorchDeepDanbooru's .pt file, or a folder with it",
        lambda path: _torch_file(path) is not None,
        _open_torch_file,
    ),
    "deepdanbooru-project": Kind(
        "a DeepDanbooru project exported to ONNX",
        deepdanbooru_project.finds,
        deepdanbooru_project.DeepDanbooruProject,
    ),
}


def open_tagger(word: str, where: Where) -> Tagger:
    """The tagger that `word` means: `starter`, a folder or file, or a repository of the Hugging Face hub.

    Raises:
        UserError: it is none, is damaged, or what it needs is not installed.
    """
    path = resolved(word)
    if kind := kind_of(path):
        return kind.open(path, name_of(word), where)
    if lacking := wd.lacking(path):
        raise UserError(
            f"there is no {lacking} in it", where=printable(path), remedy=f"{' and '.join(wd.FILES)} belong together"
        )
    kinds = "; ".join(kind.title for kind in KINDS.values())
    raise UserError("not a tagger", where=printable(path), remedy=f"Known are: {kinds}")


def kind_of(path: Path) -> Kind | None:
    """What kind of tagger lies there, if any."""
    return next((kind for kind in KINDS.values() if kind.finds(path)), None)


def is_clip(path: Path) -> bool:
    """Whether a folder holds a CLIP model of transformers, which is a tagger once it is given terms."""
    try:
        return bool(json.loads((path / "config.json").read_bytes())["model_type"] == "clip")
    except (OSError, ValueError, LookupError, TypeError):
        return False


def checked(word: str) -> str:
    """`word` as it means the same tagger from any folder; raises UserError where it can be none."""
    if is_address(word):
        require_plain(word)
        return word
    path = Path(word).expanduser()
    if word != STARTER and path.exists():
        return str(path.absolute())
    if word == STARTER or _HUB_ID.fullmatch(word):
        return word
    raise UserError(
        f"there is no tagger {printable(word)}",
        remedy=f"Give {STARTER}, a folder, file or address, or a hub repository such as SmilingWolf/wd-vit-tagger-v3",
    )


def resolved(word: str) -> Path:
    """Where the tagger's files are; those of a hub repository are fetched where they are not there yet."""
    known = checked(word)
    if known == STARTER:
        return Path(sdtui.__file__).parent / "starter" / "tagger"
    return Path(known) if os.path.isabs(known) else from_hub(known)


def name_of(word: str) -> str:
    """What a tagger is called where its scores are kept."""
    if is_address(word):
        return word.split("//", 1)[1].split("/", 1)[0]
    path = Path(word)
    return path.stem if path.suffix in _TORCH else path.name or word
