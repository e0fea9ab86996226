"""What the processes of a run tell each other: two that meet here, and one that is alone."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sdtui.errors import SdtuiError, UserError
from sdtui.training.crew import Crew, Word
from sdtui.training.place import LOCAL, Place
from tests.training.workplace import SERVER


def meet(work: Callable[[Crew], Any], folder: Path) -> list[Any]:
    """What `work` gives in each of two processes."""
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
        processes = []
        for rank in (0, 1):
            place = Place(process=rank, processes=2, port=port)
            arguments = (work, place, listener if rank == 0 else None, str(folder / f"{rank}.json"))
            processes.append(SERVER.Process(target=_member, args=arguments))
            processes[-1].start()
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def _member(work: Callable[[Crew], Any], place: Place, listener: socket.socket | None, result: str) -> None:
    siblings: Any = SimpleNamespace(listener=listener, dismiss=lambda: None)
    crew = Crew(place, siblings)
    crew.join("cpu", lambda: None)
    found = work(crew)
    crew.disband()
    Path(result).write_text(json.dumps(found))


def talk(crew: Crew) -> dict[str, Any]:
    rank = crew.place.rank
    found: dict[str, Any] = {}
    found["agreed"] = crew.agree(Word(rank == 0, 0.5 + rank, asked_to_stop=rank == 1))
    found["stopped"] = crew.agree(Word(rank == 1, 0.25, asked_to_stop=rank == 0))
    found["network"] = os.environ["GLOO_SOCKET_IFNAME"]
    found["all"] = crew.of_all(f"of {rank}")
    found["first"] = crew.of_first([rank, "x"])
    found["share"] = crew.share(["a", "b", "c"])
    found["batches"] = [batch for batch in range(5) if crew.takes(batch)]
    crew.require_same({"the weather": "fine"})
    try:
        crew.require_same({"the weather": "fine", "the hour": str(rank)})
    except UserError as error:
        found["differs"] = error.message
    return found


def test_talk(tmp_path: Path) -> None:
    first, second = meet(talk, tmp_path)
    assert first["agreed"] == second["agreed"] == [True, 0.5, True]
    # What others want to be told is for process 0 to say.
    assert first["stopped"] == second["stopped"] == [False, 0.25, False]
    # Nobody beyond this machine can take part.
    assert first["network"] in {"lo", "lo0"}
    assert first["all"] == second["all"] == ["of 0", "of 1"]
    assert first["first"] == second["first"] == [0, "x"]
    assert (first["share"], second["share"]) == (["a", "c"], ["b"])
    assert (first["batches"], second["batches"]) == ([0, 2, 4], [1, 3])
    assert first["differs"] == "the hour of process 1 on machine 0 differ from those of process 0"
    assert second["differs"] == "the hour of process 0 on machine 0 differ from those of process 1"


def add(crew: Crew) -> list[Any]:
    """One parameter that both have a gradient of, one that the second has, one that none has; the second had to cut."""
    rank = crew.place.rank
    both, one, none = (torch.nn.Parameter(torch.zeros(2)) for _ in range(3))
    both.grad = torch.tensor([1.0, 10.0]) * (rank + 1)
    if rank:
        one.grad = torch.tensor([4.0, 5.0])
    totals, cut = crew.sum_gradients([both, one, none], torch.tensor([0.5, 0.25]), cut=rank == 1)
    assert one.grad is not None
    return [both.grad.tolist(), one.grad.tolist(), none.grad is None, totals.tolist(), cut]


def test_gradients_are_summed(tmp_path: Path) -> None:
    summed = [[3.0, 30.0], [4.0, 5.0], True, [1.0, 0.5], True]
    assert meet(add, tmp_path) == [summed, summed]


def take_turns(crew: Crew) -> list[str]:
    notes = Path(crew.of_first(str(Path.cwd() / f"turns-{crew.place.port}")))
    with crew.first_on_machine():
        notes.open("a").write(f"{crew.place.rank} in, {crew.place.rank} out;")
    crew.wait()
    told = notes.read_text().split(";")
    crew.wait()
    notes.unlink(missing_ok=True)
    return told


def test_the_first_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert meet(take_turns, tmp_path)[1] == ["0 in, 0 out", "1 in, 1 out", ""]


def test_alone() -> None:
    crew = Crew()
    parameter = torch.nn.Parameter(torch.zeros(1))
    assert crew.agree(Word(go=True, rate_factor=2.0, asked_to_stop=True)) == (True, 2.0, False)
    assert (crew.of_all("x"), crew.of_first("x"), crew.share([1, 2])) == (["x"], "x", [1, 2])
    totals = torch.tensor([1.0, 2.0])
    assert crew.sum_gradients([parameter], totals, cut=True) == (totals, True)
    assert parameter.grad is None
    assert crew.takes(0)
    assert crew.takes(3)


def test_a_wait_can_be_ended() -> None:
    class EndedError(SdtuiError):
        pass

    def check() -> None:
        raise EndedError("told to end")

    with pytest.raises(EndedError):
        Crew(Place(process=1, processes=2, port=1)).join("cpu", check)
