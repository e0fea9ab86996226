"""Embeddings, vectors that stand for a word of their own, in the files that web UIs, trainers and pipelines read."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_safetensors
from torch import Tensor

from sdtui.errors import UserError
from sdtui.files import write_atomic
from sdtui.formats import embedding_png, safetensors_file
from sdtui.formats.learned import Embedding
from sdtui.profile.layer_names import BUNDLE

__all__ = [
    "Embedding",
    "read",
    "read_bundle",
    "write_card",
    "write_diffusers",
    "write_picture",
    "write_safetensors",
    "write_webui",
]

# By text encoder: Stable Diffusion XL's files hold both.
_XL = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}
# The id of "*" in CLIP's vocabulary, which A1111 writes for every embedding.
_STAR = 265
_PICTURES = (".png", ".webp")


def write_webui(path: Path, embedding: Embedding) -> int:
    """A1111's `.pt`, in the older of PyTorch's layouts: its loader refuses what newer ones add; returns bytes written.

    Raises:
        ValueError: it has vectors for two text encoders, for which there is no such file.
        SdtuiError: it cannot be written; what was at `path` is untouched.
    """
    stream = io.BytesIO()
    torch.save(_webui(embedding), stream, _use_new_zipfile_serialization=False)
    write_atomic(path, stream.getvalue())
    return stream.tell()


def write_safetensors(path: Path, embedding: Embedding, metadata: Mapping[str, str]) -> int:
    """Kohya's `emb_params`, or `clip_l` and `clip_g` of Stable Diffusion XL, which diffusers and web UIs read too."""
    return safetensors_file.write(path, _plain(embedding), metadata)


def write_diffusers(path: Path, embedding: Embedding, metadata: Mapping[str, str]) -> int:
    """Diffusers' `learned_embeds.safetensors`: the vectors under the word itself."""
    if len(embedding.vectors) > 1:
        return write_safetensors(path, embedding, metadata)
    return safetensors_file.write(path, {embedding.name: _only(embedding)}, metadata)


def write_card(path: Path, embedding: Embedding, kind: str) -> int:
    """A1111's picture that is an embedding, "PNG" or lossless "WEBP", with its name, model, vectors and steps on its cover."""
    told = f"{embedding.count}v {embedding.step}s"
    notes = (embedding.model, f"[{embedding.model_hash}]" if embedding.model_hash else "", told)
    picture = embedding_png.card(embedding.name, notes, embedding_png.opened(embedding.cover))
    return write_picture(path, embedding, picture, kind)


def write_picture(path: Path, embedding: Embedding, picture: Any, kind: str = "PNG") -> int:
    """The same with the vectors in `picture` (a PIL image): as text in a PNG, and in the pixels of both."""
    content = embedding_png.encode(_webui(embedding), picture, kind)
    write_atomic(path, content)
    return len(content)


def read(path: Path) -> Embedding:
    """An embedding file of any of these programs; where the file says no name, it is the file's.

    Nothing a file holds is run.

    Raises:
        UserError: it cannot be read, or holds no embedding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        found = _loaded(path, content)
        return _understood(path.stem, found)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RuntimeError,
        SafetensorError,
        EOFError,
        OSError,
    ) as error:
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"holds no embedding: {cause}", where=str(path), remedy="Download it again") from error
    except Exception as error:
        # torch's unpickler raises pickle.UnpicklingError and zlib.error, which share no base.
        if type(error).__module__ not in {"_pickle", "pickle", "zlib"}:
            raise
        raise UserError("holds no embedding, or more than plain tensors", where=str(path)) from error


def read_bundle(path: Path) -> list[Embedding]:
    """The words in an adapter's file; none of most.

    Raises:
        UserError: one of them is in a form that is not known.
    """
    if path.suffix != ".safetensors":
        return []
    held: dict[str, dict[str, Tensor]] = {}
    with safe_open(path, framework="pt") as file:
        for key in file.keys():  # noqa: SIM118 - it is no dictionary
            if key.startswith(BUNDLE):
                name, _, rest = key.removeprefix(BUNDLE).partition(".")
                held.setdefault(name, {})[rest] = file.get_tensor(key)
    try:
        return [_of_bundle(name, found) for name, found in held.items()]
    except ValueError as error:
        raise UserError(f"holds a word that cannot be read: {error}", where=str(path)) from error


def _of_bundle(name: str, found: Mapping[str, Tensor]) -> Embedding:
    if _XL.keys() <= found.keys():
        return Embedding(name, {part: _rows(found[key]) for key, part in _XL.items()})
    params = [rows for key, rows in found.items() if key.startswith("string_to_param.")]
    if len(params) != 1:
        raise ValueError(f"{name} has {len(params)} tensors, and no name that says which")
    return Embedding(name, {"text_encoder": _rows(params[0])})


def _loaded(path: Path, content: bytes) -> dict[str, Any]:
    if path.suffix.lower() in _PICTURES:
        return embedding_png.decode(content)
    if content[8:9] == b"{":
        return dict(load_safetensors(content))
    found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(found, dict):
        raise TypeError(f"it is a {type(found).__name__}")
    return found


def _understood(stem: str, found: dict[str, Any]) -> Embedding:
    """In the order in which A1111 looks: its own dictionary, both encoders of XL, a single tensor."""
    if "string_to_param" in found:
        (vectors,) = dict(found["string_to_param"]).values()
        return Embedding(
            str(found.get("name") or stem), {"text_encoder": _rows(vectors)}, int(found.get("step") or 0),
            str(found.get("sd_checkpoint_name") or ""), str(found.get("sd_checkpoint") or ""),
        )  # fmt: skip
    if _XL.keys() <= found.keys():
        return Embedding(stem, {part: _rows(found[key]) for key, part in _XL.items()})
    tensors = {key: value for key, value in found.items() if isinstance(value, Tensor)}
    if len(tensors) != 1:
        raise ValueError(f"it has {len(tensors)} tensors, and no name that says which")
    ((key, vectors),) = tensors.items()
    return Embedding(stem if key == "emb_params" else key, {"text_encoder": _rows(vectors)})


def _rows(vectors: Tensor) -> Tensor:
    """(n, D) in fp32; a single vector may lack its first side."""
    rows = vectors.detach().float()
    rows = rows.unsqueeze(0) if rows.dim() == 1 else rows
    if rows.dim() != 2 or not len(rows):
        raise ValueError(f"its vectors are {list(vectors.shape)}")
    return rows


def _webui(embedding: Embedding) -> dict[str, Any]:
    return {
        "string_to_token": {"*": _STAR},
        "string_to_param": {"*": _only(embedding)},
        "name": embedding.name,
        "step": embedding.step,
        "sd_checkpoint": embedding.model_hash or None,
        "sd_checkpoint_name": embedding.model or None,
    }


def _plain(embedding: Embedding) -> dict[str, Tensor]:
    if len(embedding.vectors) == 1:
        return {"emb_params": _only(embedding)}
    return {key: embedding.vectors[part].detach().cpu().contiguous() for key, part in _XL.items()}


def _only(embedding: Embedding) -> Tensor:
    if len(embedding.vectors) != 1:
        raise ValueError("a file of this kind holds the vectors of one text encoder")
    return next(iter(embedding.vectors.values())).detach().cpu().contiguous()
