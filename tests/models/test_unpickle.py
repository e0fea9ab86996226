"""Checkpoints by pickle: read as far as weights go, refused where they would run something."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import subprocess
import sys
import tracemalloc
import types
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from sdtui.errors import UserError
from sdtui.models import unpickle
from sdtui.models.loading import SingleFile
from sdtui.models.weights import read_contents


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


def values(path: Path, name: str) -> list[Any]:
    source = SingleFile(read_contents(path))
    found: list[Any] = source.raw(name).tolist()
    return found


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_contents(path)
    return str(caught.value)


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def zipped(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def lightning(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class as PyTorch Lightning has one, which is not installed when the file is read."""
    name = "pytorch_lightning.callbacks.model_checkpoint"
    callback = type("ModelCheckpoint", (), {"__module__": name})
    for package in ("pytorch_lightning", "pytorch_lightning.callbacks", name):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    sys.modules[name].ModelCheckpoint = callback  # type: ignore[attr-defined]
    return callback


def test_weights_have_their_names_types_shapes_and_values(tmp_path: Path, *, zipped: bool) -> None:
    weights = OrderedDict(
        a=torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        half=torch.tensor([0.5, -2.0], dtype=torch.float16),
        brain=torch.tensor(3.0, dtype=torch.bfloat16),
        learned=torch.nn.Parameter(torch.tensor([7.0])),
    )
    torch.save(
        {"state_dict": weights, "global_step": 875000}, tmp_path / "m.ckpt", _use_new_zipfile_serialization=zipped
    )
    contents = read_contents(tmp_path / "m.ckpt")
    assert {name: (each.dtype, each.shape) for name, each in contents.weights.items()} == {
        "a": ("F32", (2, 3)),
        "half": ("F16", (2,)),
        "brain": ("BF16", ()),
        "learned": ("F32", (1,)),
    }
    assert contents.facts == {"global_step": "875000"}
    assert values(tmp_path / "m.ckpt", "a") == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert values(tmp_path / "m.ckpt", "half") == [0.5, -2.0]
    assert cast("object", values(tmp_path / "m.ckpt", "brain")) == 3.0
    assert values(tmp_path / "m.ckpt", "learned") == [7.0]


def test_views_and_transposed_weights_keep_their_places(tmp_path: Path, *, zipped: bool) -> None:
    table = torch.arange(6.0).reshape(2, 3)
    torch.save({"turned": table.t(), "row": table[1]}, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    assert values(tmp_path / "m.pt", "turned") == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert values(tmp_path / "m.pt", "row") == [3.0, 4.0, 5.0]


def test_weights_of_one_byte_are_read(tmp_path: Path, *, zipped: bool) -> None:
    """PyTorch writes them by another function: as bytes, and their type beside them."""
    table = torch.tensor([[1.0, -2.0], [0.5, 448.0]])
    weights = {
        "turned": table.to(torch.float8_e4m3fn).t(),
        "row": table.to(torch.float8_e4m3fn)[1],
        "learned": torch.nn.Parameter(torch.tensor([1.0, 57344.0]).to(torch.float8_e5m2), requires_grad=False),
    }
    torch.save({"state_dict": weights}, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    contents = read_contents(tmp_path / "m.pt")
    assert {name: each.dtype for name, each in contents.weights.items()} == {
        "turned": "F8_E4M3",
        "row": "F8_E4M3",
        "learned": "F8_E5M2",
    }
    raw = SingleFile(contents).raw
    assert raw("turned").float().tolist() == [[1.0, 0.5], [-2.0, 448.0]]
    assert raw("row").float().tolist() == [0.5, 448.0]
    assert raw("learned").float().tolist() == [1.0, 57344.0]


def test_a_type_that_is_not_read_is_no_attack(tmp_path: Path, *, zipped: bool) -> None:
    weights = {"w": torch.ones(2).to(torch.float8_e4m3fnuz)}
    torch.save(weights, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    assert "it has numbers of the type torch.float8_e4m3fnuz, which is not read" in refusal(tmp_path / "m.pt")


@pytest.mark.parametrize(
    ("storage", "dtype"),
    [
        (b"ctorch\nFloatStorage\n", b"ctorch\nfloat8_e5m2\n"),
        (b"ctorch.storage\nUntypedStorage\n", b"X\x03\0\0\0F64"),
        (b"ctorch.storage\nUntypedStorage\n", b"ctorch\nfloat32\n"),
    ],
    ids=["values of four bytes", "a word for a type", "another type"],
)
def test_a_typed_tensor_of_other_than_bytes_is_refused(tmp_path: Path, storage: bytes, dtype: bytes) -> None:
    pid = b"(X\x07\0\0\0storage" + storage + b"X\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v3\n(" + pid + b"K\x00K\x04\x85K\x01\x85\x89)" + dtype + b"tR"
    path = zipped_pickle(tmp_path / "m.ckpt", b"}X\x01\0\0\0w" + tensor + b"s.", **{"0": bytes(16)})
    assert "a tensor of an unknown type" in refusal(path)


def test_what_training_frameworks_leave_behind_is_skipped(tmp_path: Path, lightning: type) -> None:
    callback = lightning()
    callback.best = torch.zeros(1)
    content = {
        "state_dict": {"w": torch.ones(2)},
        "callbacks": {lightning: {"best_model_score": torch.tensor(0.1)}, "object": callback},
        "numpy": np.float64(0.5),
        "epoch": 3,
    }
    torch.save(content, tmp_path / "m.ckpt")
    del sys.modules["pytorch_lightning.callbacks.model_checkpoint"]
    contents = read_contents(tmp_path / "m.ckpt")
    assert list(contents.weights) == ["w"]
    assert contents.facts["epoch"] == "3"


def test_python_s_own_collections_are_skipped_beside_the_weights(tmp_path: Path, *, zipped: bool) -> None:
    """PyTorch writes protocol 2, which says `__builtin__` for their module."""
    beside = {"set": {1, 2}, "frozen": frozenset({1}), "lists": defaultdict(list), "counts": defaultdict(int)}
    torch.save(
        {"state_dict": {"w": torch.ones(2)}, **beside}, tmp_path / "m.ckpt", _use_new_zipfile_serialization=zipped
    )
    assert list(read_contents(tmp_path / "m.ckpt").weights) == ["w"]


def test_a_pickle_that_would_run_a_command_is_refused_and_not_run(tmp_path: Path, *, zipped: bool) -> None:
    trace = tmp_path / "run"
    content = {"state_dict": {"w": torch.ones(2)}, "x": Attack(f"touch {trace}")}
    torch.save(content, tmp_path / "m.ckpt", _use_new_zipfile_serialization=zipped)
    message = refusal(tmp_path / "m.ckpt")
    assert "refused: loading this file would call posix.system" in message
    assert not trace.exists()
    # The file is a real attack: whoever trusts it runs the command.
    torch.load(tmp_path / "m.ckpt", weights_only=False)
    assert trace.exists()


@pytest.mark.parametrize(
    ("program", "named"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        (b"cbuiltins\ngetattr\n.", "builtins.getattr"),
        (b"c__builtin__\neval\n.", "builtins.eval"),
        (b"csubprocess\nPopen\n.", "subprocess.Popen"),
        (b"ctorch\nload\n.", "torch.load"),
        (b"ctorch.hub\nload\n.", "torch.hub.load"),
        (b"cpytorch_lightningx\nf\n.", "pytorch_lightningx.f"),
    ],
)
def test_forbidden_globals_are_named(tmp_path: Path, program: bytes, named: str) -> None:
    with zipfile.ZipFile(tmp_path / "m.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program)
    assert f"would call {named}," in refusal(tmp_path / "m.ckpt")


def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(4)}, tmp_path / "m.pt")
    with zipfile.ZipFile(tmp_path / "m.pt") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "bad.pt", "w") as archive:
        for name, content in entries.items():
            # The shape (4,) of the tensor becomes (200,); its storage still says 4.
            archive.writestr(
                name, content.replace(b"K\x04\x85", b"K\xc8\x85") if name.endswith("data.pkl") else content
            )
    assert "a tensor reaches beyond its storage" in refusal(tmp_path / "bad.pt")


@pytest.mark.parametrize("length", [3, 60, 400, 1500])
def test_a_truncated_file_is_named(tmp_path: Path, length: int, *, zipped: bool) -> None:
    torch.save({"w": torch.ones(1000)}, tmp_path / "m.ckpt", _use_new_zipfile_serialization=zipped)
    (tmp_path / "m.ckpt").write_bytes((tmp_path / "m.ckpt").read_bytes()[:length])
    assert refusal(tmp_path / "m.ckpt").startswith(f"{tmp_path / 'm.ckpt'}: ")


def test_the_web_ui_s_embedding_is_named(tmp_path: Path, *, zipped: bool) -> None:
    content = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.ones(2, 768)}, "name": "toy"}
    torch.save(content, tmp_path / "toy.pt", _use_new_zipfile_serialization=zipped)
    assert "toy.pt: an embedding, neither a model nor an adapter" in refusal(tmp_path / "toy.pt")


def test_other_pickles_and_archives_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"w": 1}))
    assert "a pickle that PyTorch did not write" in refusal(tmp_path / "plain.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    assert "it holds no state dict" in refusal(tmp_path / "empty.pt")
    with zipfile.ZipFile(tmp_path / "photos.ckpt", "w") as archive:
        archive.writestr("a.jpg", b"")
    assert "a zip archive without data.pkl" in refusal(tmp_path / "photos.ckpt")


def test_a_state_dict_in_itself_does_not_hold_the_reader_up(tmp_path: Path) -> None:
    content: dict[str, Any] = {"w": torch.ones(1)}
    content["state_dict"] = content
    torch.save(content, tmp_path / "m.pt")
    assert list(read_contents(tmp_path / "m.pt").weights) == ["w"]


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    plain = io.BytesIO()
    torch.save({"w": torch.ones(4)}, plain)
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(tmp_path / "m.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    assert "is compressed" in refusal(tmp_path / "m.pt")


def test_it_needs_no_pytorch() -> None:
    code = "import sys, sdtui.models.unpickle; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def zipped_pickle(path: Path, program: bytes, **entries: bytes) -> Path:
    """A checkpoint whose object is made by `program`, protocol 2 or later."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program)
        for name, content in entries.items():
            archive.writestr(f"archive/data/{name}", content)
    return path


# (), then 60 times a pair of the last: 2⁶⁰ tuples to whoever looks at each.
LAUGHS = b")" + b"q\x000h\x00h\x00\x86" * 60


@pytest.mark.parametrize(
    "program",
    [
        b"}" + LAUGHS + b"K\x01s.",
        b"}(" + LAUGHS + b"K\x01u.",
        b"(" + LAUGHS + b"K\x01d.",
        b"ccollections\nOrderedDict\n((" + LAUGHS + b"K\x01tltR.",
        b"(X\x07\0\0\0storagectorch\nFloatStorage\n" + LAUGHS + b"X\x03\0\0\0cpuK\x01tQ.",
        b"(X\x07\0\0\0storage" + LAUGHS + b"X\x01\0\0\0aX\x03\0\0\0cpuK\x01tQ.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(K\x00K\x00" + LAUGHS + b")tR.",
    ],
    ids=["item", "items", "dict", "ordered", "storage", "type", "shape"],
)
def test_nothing_is_hashed_or_told_that_takes_years(tmp_path: Path, program: bytes) -> None:
    assert "not a readable checkpoint" in refusal(zipped_pickle(tmp_path / "m.ckpt", program))


def test_sets_are_left_out_without_being_made(tmp_path: Path) -> None:
    program = b"\x80\x04\x8f(" + LAUGHS + b"\x90(" + LAUGHS + b"\x91."
    with zipfile.ZipFile(tmp_path / "m.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", program)
    assert "it holds no state dict" in refusal(tmp_path / "m.ckpt")


@pytest.mark.parametrize(
    "program",
    [b"Nr\xff\xff\xff\xff.", b"X\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 7 + b"\x0f", b"\x95" + b"\xff" * 7 + b"\x0f"],
    ids=["memo", "text", "bytes", "frame"],
)
def test_no_more_memory_is_taken_than_the_file_is_large(
    tmp_path: Path, program: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry of a memo at 2³² - 1 makes the interpreter in C ask for 64 GiB."""
    (tmp_path / "legacy.pt").write_bytes(b"\x80\x04" + program)
    tracemalloc.start()
    refusal(zipped_pickle(tmp_path / "m.ckpt", program))
    refusal(tmp_path / "legacy.pt")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_what_stands_for_a_global_cannot_be_changed(tmp_path: Path) -> None:
    """BUILD on a function would set its attributes."""
    program = b"ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\0\0\0__defaults__K\x01\x85s\x86b0N."
    refusal(zipped_pickle(tmp_path / "m.ckpt", program))
    assert unpickle._rebuild.__defaults__ is None


def test_a_compressed_object_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50_000_000))
    tracemalloc.start()
    assert "archive/data.pkl is compressed" in refusal(tmp_path / "m.ckpt")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_storage_that_is_longer_than_what_the_file_holds_is_refused(tmp_path: Path) -> None:
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x05tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K\x05\x85K\x01\x85tR"
    path = zipped_pickle(tmp_path / "m.ckpt", b"}X\x01\0\0\0w" + tensor + b"s.", **{"0": bytes(16)})
    assert "a storage is longer than archive/data/0" in refusal(path)
    path = zipped_pickle(tmp_path / "m.ckpt", b"}X\x01\0\0\0w" + tensor + b"s.", **{"0": bytes(20)})
    assert values(path, "w") == [0.0] * 5


def test_an_old_storage_of_another_length_is_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(4)}, tmp_path / "m.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "m.pt").read_bytes()
    length = (4).to_bytes(8, "little")
    (tmp_path / "m.pt").write_bytes(content[:-24] + content[-24:].replace(length, (5).to_bytes(8, "little")))
    assert "a storage has another length than 4 values" in refusal(tmp_path / "m.pt")


def test_a_zip_in_a_zip_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(4)}, tmp_path / "inner.pt")
    with zipfile.ZipFile(tmp_path / "m.ckpt", "w") as archive:
        archive.write(tmp_path / "inner.pt", "archive/inner.pt")
    assert "a zip archive without data.pkl" in refusal(tmp_path / "m.ckpt")


@pytest.mark.parametrize("seed", range(40))
def test_bytes_at_random_end_in_a_message(tmp_path: Path, seed: int) -> None:
    """Whatever a bit that flips makes of a checkpoint: it is read, or it is refused in words."""
    torch.save(
        {"state_dict": {"w": torch.ones(3)}, "epoch": 3}, tmp_path / "m.pt", _use_new_zipfile_serialization=seed % 2 > 0
    )
    content = bytearray((tmp_path / "m.pt").read_bytes())
    draw = random.Random(seed)
    for _ in range(4):
        content[draw.randrange(2, len(content))] = draw.randrange(256)
    (tmp_path / "m.pt").write_bytes(content)
    with contextlib.suppress(UserError):
        read_contents(tmp_path / "m.pt")
