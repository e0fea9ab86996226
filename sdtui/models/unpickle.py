"""Reading `.ckpt` and `.pt` files without running what is in them.

A pickle is a program: loading one carelessly runs whatever its author wrote. This reader knows the few globals that
state dicts are made of, has inert stand-ins for what training frameworks leave beside them, and imports nothing that a
file names: any other global ends the reading with its name. PyTorch is not needed; tensors become places in the file.

A pickle may also be made to fill the memory or to keep the processor busy for years. So it is read by Python's own
interpreter of pickles in place of the one in C, which makes a table as long as the largest number of a memo; no more is
read than the file holds; and only plain values are hashed, whose hash takes no longer than they do to read.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

from sdtui.errors import UserError
from sdtui.models.weights import BYTES, Contents, Weight, broken

_STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}  # fmt: skip
# These have no class of storage: their bytes lie in an untyped one, and the tensor names the type.
_TYPES = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}
_BYTE = "U8"
_OTHER_TYPES = {
    "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2", "uint16", "uint32", "uint64",
}  # fmt: skip
# Left beside the weights by PyTorch Lightning (callbacks, configs), numpy (a step counter) and the like; never needed.
_SKIPPED = {
    "numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "_codecs.encode",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray",
    "argparse.Namespace", "collections.defaultdict", "collections.Counter", "pathlib.PosixPath", "pathlib.WindowsPath",
    "builtins.set", "builtins.frozenset", "builtins.dict", "builtins.list", "builtins.int",
    "builtins.long", "torch.device", "torch.Size",
}  # fmt: skip
# PyTorch writes protocol 2, in which builtins have the names that Python 2 had for them.
_OLD_BUILTINS = "__builtin__"
_SKIPPED_PACKAGES = ("pytorch_lightning.", "lightning.", "lightning_fabric.", "omegaconf.")
# The first object of a file written before PyTorch 1.6 (torch.serialization, `MAGIC_NUMBER`).
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LONGEST_LINE = 100_000
# How deep state dicts lie in dicts; one that holds itself must not hold us up.
_NESTED = 4
_UNREADABLE = (
    pickle.UnpicklingError, EOFError, KeyError, AttributeError, TypeError, ValueError, IndexError, ImportError,
    RecursionError, MemoryError, OverflowError, OSError, zipfile.BadZipFile, NotImplementedError, struct.error,
    AssertionError,
)  # fmt: skip


class _Storage(NamedTuple):
    """A run of values in the file, by its key there."""

    dtype: str
    key: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    first: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class _StandIn:
    """Takes the place of an object that is not needed, and takes whatever a pickle does to it."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass

    def __setitem__(self, *_: object) -> None:
        pass

    def append(self, _: object) -> None:
        """As a list's."""

    def extend(self, _: object) -> None:
        """As a list's."""


class _ForbiddenError(Exception):
    """A pickle names a global that no weights need."""


class _OtherTypeError(Exception):
    """A tensor's type is one that neither training nor its files know."""


class _Bounded:
    """A file of which no more is read than it holds: a pickle may ask for any number of bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        position = stream.tell()
        self._end = stream.seek(0, io.SEEK_END)
        stream.seek(position)

    def read(self, count: int) -> bytes:
        """The next `count` bytes; fewer are an error."""
        if not 0 <= count <= self._end - self._stream.tell():
            raise EOFError("it ends too early")
        return self._stream.read(count)

    def readline(self) -> bytes:
        """The next line, of the length of a name at most."""
        return self._stream.readline(_LONGEST_LINE)


# The interpreter in Python: that in C lets nothing stand in between.
_Interpreter: Any = pickle._Unpickler  # noqa: SLF001


class _Unpickler(_Interpreter):  # type: ignore[misc]
    """Builds state dicts of `_Tensor`; `storages` gathers what they lie in."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(_Bounded(stream), encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def load_build(self) -> None:
        """No object has a state of its own that is needed; setting one could change what stands in for a global."""
        self.stack.pop()

    def load_setitem(self) -> None:
        """One value of a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self.stack[-1][_plain(key)] = value

    def load_setitems(self) -> None:
        """Several values of a dict."""
        items = self.pop_mark()
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.stack[-1][_plain(key)] = value

    def load_dict(self) -> None:
        """A dict of what stands behind the mark."""
        items = self.pop_mark()
        self.append({_plain(key): value for key, value in zip(items[::2], items[1::2], strict=True)})

    def load_additems(self) -> None:
        """Members of a set, which no weights are: left out."""
        self.pop_mark()

    def load_frozenset(self) -> None:
        """Another kind of set."""
        self.pop_mark()
        self.append(frozenset())

    # By the operations' codes.
    dispatch: ClassVar[dict[int, Any]] = {
        **_Interpreter.dispatch,
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
    }

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a global; nothing is imported."""
        known: dict[str, Callable[..., object]] = {
            "collections.OrderedDict": _ordered,
            "torch._utils._rebuild_tensor_v2": _rebuild,
            "torch._utils._rebuild_tensor": _rebuild,
            "torch._utils._rebuild_tensor_v3": _rebuild_typed,
            "torch._utils._rebuild_parameter": _parameter,
        }
        full = f"{'builtins' if module == _OLD_BUILTINS else module}.{name}"
        if full in known:
            return known[full]
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if full == "torch.storage.UntypedStorage":
            return _BYTE
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if module == "torch" and name in _OTHER_TYPES:
            raise _OtherTypeError(full)
        if full in _SKIPPED or full.startswith(_SKIPPED_PACKAGES) or (module == "torch" and name in _DTYPES):
            return _StandIn
        raise _ForbiddenError(full)

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage, as torch.save refers to it: ("storage", type, key, device, length, …)."""
        _, dtype, key, _, length = pid[:5]
        if not isinstance(dtype, str) or dtype not in BYTES:
            raise pickle.UnpicklingError("a storage of an unknown type")
        name = str(_plain(key))
        return self.storages.setdefault(name, _Storage(dtype, name, int(length)))


_DTYPES = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"}


def read_pickled(path: Path, *, zipped: bool, word: bool = False) -> Contents:
    """The tensors of the state dict in `path`, and the numbers and words beside it; with `word` those of an embedding.

    Raises:
        UserError: the file is damaged, holds no state dict, or names a global that no weights need.
    """
    try:
        found, starts = _read_zip(path) if zipped else _read_legacy(path)
        is_word = isinstance(found, Mapping) and "string_to_param" in found
        if is_word and word:
            found = found["string_to_param"]  # type: ignore[index]  # a mapping, as was just asked
        elif is_word:
            raise UserError(
                "an embedding, neither a model nor an adapter",
                where=str(path),
                remedy="Name it as continue_from of a word, [[method.words]], to go on from it",
            )
        tensors, facts = _state_dict(found)
        weights = {name: _weight(tensor, starts) for name, tensor in tensors.items()}
        size = path.stat().st_size
        beyond = next((name for name, each in weights.items() if each.start + each.bytes > size), "")
    except _ForbiddenError as error:
        raise UserError(
            f"refused: loading this file would call {error}, which no weights need",
            where=str(path),
            remedy="Do not use this file; get the model as .safetensors from its publisher",
        ) from None
    except _OtherTypeError as error:
        raise UserError(
            f"it has numbers of the type {error}, which is not read",
            where=str(path),
            remedy="Convert its weights to fp16, or get the model as .safetensors from its publisher",
        ) from None
    except _UNREADABLE as error:
        raise broken(path, f"not a readable checkpoint ({error or type(error).__name__})") from error
    if beyond:
        raise broken(path, f"the file is cut short: {beyond} lies beyond its end")
    return Contents(path, weights, facts)


def _read_zip(path: Path) -> tuple[object, dict[str, int]]:
    """The object of a file as PyTorch writes it since 1.6, and the byte each storage starts at."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
        pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if pickled is None:
            raise pickle.UnpicklingError("a zip archive without data.pkl")
        root = pickled.removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(_stored(archive, f"{root}byteorder")) != b"little":
            raise pickle.UnpicklingError("its numbers are big-endian")
        unpickler = _Unpickler(io.BytesIO(archive.read(_stored(archive, pickled))))
        found: object = unpickler.load()
        starts = {}
        for key, storage in unpickler.storages.items():
            entry = _stored(archive, f"{root}data/{key}")
            if storage.length * BYTES[storage.dtype] > entry.file_size:
                raise pickle.UnpicklingError(f"a storage is longer than {entry.filename}")
            starts[key] = _entry_start(raw, entry)
        return found, starts


def _stored(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """An entry, which PyTorch never compresses: a small file could hold a large one."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED:
        raise pickle.UnpicklingError(f"{entry.filename} is compressed")
    return entry


def _entry_start(raw: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where an entry's bytes begin: behind its local header, whose padding the directory does not tell."""
    raw.seek(entry.header_offset)
    local = raw.read(30)
    return entry.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")


def _read_legacy(path: Path) -> tuple[object, dict[str, int]]:
    """The object of a file from before PyTorch 1.6: pickles one behind the other, then each storage with its length."""
    with path.open("rb") as stream:
        if _Unpickler(stream).load() != _LEGACY_MAGIC:
            raise pickle.UnpicklingError("a pickle that PyTorch did not write")
        _Unpickler(stream).load()  # the protocol's version
        _Unpickler(stream).load()  # sizes of the writing machine's types
        unpickler = _Unpickler(stream)
        found: object = unpickler.load()
        keys = _Unpickler(stream).load()
        starts: dict[str, int] = {}
        position = stream.tell()
        for key in keys:
            storage = unpickler.storages[str(_plain(key))]
            stream.seek(position)
            if int.from_bytes(stream.read(8), "little") != storage.length:
                raise pickle.UnpicklingError(f"a storage has another length than {storage.length} values")
            starts[storage.key] = position + 8
            position += 8 + storage.length * BYTES[storage.dtype]
        return found, starts


def _state_dict(found: object) -> tuple[dict[str, _Tensor], dict[str, str]]:
    """The tensors by name, wherever they are kept, and what plain numbers and words lie beside them."""
    facts: dict[str, str] = {}
    for _ in range(_NESTED):
        if not isinstance(found, Mapping):
            break
        facts |= {
            key: str(value)
            for key, value in found.items()
            if isinstance(key, str) and isinstance(value, (int, float, str))
        }
        if not isinstance(found.get("state_dict"), Mapping):
            break
        found = found["state_dict"]
    tensors = {
        name: value
        for name, value in (found.items() if isinstance(found, Mapping) else ())
        if isinstance(name, str) and isinstance(value, _Tensor)
    }
    if not tensors:
        raise pickle.UnpicklingError("it holds no state dict")
    return tensors, facts


def _weight(tensor: _Tensor, starts: Mapping[str, int]) -> Weight:
    storage = tensor.storage
    contiguous = tuple(prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape)))
    start = starts[storage.key] + tensor.first * BYTES[storage.dtype]
    weight = Weight(storage.dtype, tensor.shape, start, None if tensor.stride == contiguous else tensor.stride)
    if min((tensor.first, *tensor.shape, *tensor.stride)) < 0 or tensor.first + weight.values > storage.length:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    return weight


def _rebuild(storage: _Storage, first: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor of something else than a storage")
    return _Tensor(storage, int(first), tuple(map(int, shape)), tuple(map(int, stride)))


def _rebuild_typed(
    storage: _Storage,
    first: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    _grad: object,
    _hooks: object,
    dtype: str,
    *_: object,
) -> _Tensor:
    """A tensor of bytes whose type is its own: only types of one byte, so that the storage's length stays its values'."""
    if dtype not in _TYPES.values() or not isinstance(storage, _Storage) or storage.dtype != _BYTE:
        raise pickle.UnpicklingError("a tensor of an unknown type")
    return _rebuild(storage._replace(dtype=dtype), first, shape, stride)


def _ordered(pairs: Iterable[tuple[object, object]] = ()) -> OrderedDict[Any, object]:
    return OrderedDict((_plain(key), value) for key, value in pairs)


def _plain(key: object) -> object:
    """A key that is a name, a number or a class: a tuple of tuples of tuples may take years to hash.

    Raises:
        pickle.UnpicklingError: it is anything else.
    """
    if isinstance(key, (str, bytes, int, float, type)) or key is None:
        return key
    raise pickle.UnpicklingError("a key that is no name")


def _parameter(data: _Tensor, *_: object) -> _Tensor:
    return data
