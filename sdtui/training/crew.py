"""The processes of a run at work together: each takes its batches of a step, and all apply the same mean of the gradients.

The gradients of what is trained (megabytes, for an adapter) are summed as one flat tensor, once for each optimizer step,
after its last batch. DistributedDataParallel would sum them while the backward pass still runs, which hides a transfer
that is short here, but counts on every process having a batch, and every parameter a gradient, in every pass; and how it
fills its buckets decides the last bits. One tensor has one order: the same run gives the same bits.

Process 0 alone saves, measures, draws previews, waits for disk space and obeys. The others wait for it between two steps,
where it tells them to go on (and how fast to learn) or to end. That talk goes over gloo, between processors: nothing waits
for a GPU, and a pause may last.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from sdtui.errors import UserError
from sdtui.training.failures import BrokenLinkError
from sdtui.training.place import LOCAL, Place
from sdtui.training.pulse import Pulse

if TYPE_CHECKING:
    from sdtui.training.siblings import Siblings

# How long processes wait for one that pauses, measures, or draws previews.
_PATIENCE = timedelta(days=21)
# How long they wait for one that takes its part of a step.
_STEP = timedelta(hours=2)
# How long the machines wait for each other at the start: they are started by hand.
_MEETING = timedelta(minutes=10)
_LOOK_SECONDS = 0.1

# Not exported to type checkers.
TCPStore: Any = dist.TCPStore  # type: ignore[attr-defined]

Item = TypeVar("Item")


class Word(NamedTuple):
    """What process 0 says between two steps, and whether another machine asks for an end."""

    go: bool
    rate_factor: float
    asked_to_stop: bool


class Crew:
    """All processes of a run, as one of them sees them; a run in one process is a crew of one, and nothing here waits.

    Args:
        place: of this process.
        siblings: the processes that this one started; None for one that was started by another.
    """

    def __init__(self, place: Place = Place(), siblings: Siblings | None = None) -> None:  # noqa: B008 - immutable
        self.place = place
        self._siblings = siblings
        self._control: Any = None  # the group of all processes that talks between processors

    @property
    def leads(self) -> bool:
        """Whether this process saves, measures, draws previews and obeys commands."""
        return self.place.leads

    def join(self, kind: str, check: Callable[[], None]) -> None:
        """Meet the others; `kind` of device, "cuda" or "cpu", says how gradients travel. `check` may raise to end it.

        Raises:
            UserError: a machine cannot be reached, or did not come.
        """
        place = self.place
        if place.world == 1:
            return
        if place.machines == 1:
            # Not what the machine's name stands for, which may be a network, or nothing.
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
        store = self._store(check)
        self._gather(store, check)
        backend = "nccl" if kind == "cuda" else "gloo"
        with _linked():
            dist.init_process_group(backend, store=store, rank=place.rank, world_size=place.world, timeout=_STEP)
            self._control = dist.new_group(backend="gloo", timeout=_PATIENCE)
        if place.machines > 1 and self._siblings is not None:
            self._siblings.tell_far = Pulse(place, _connect(place), self._siblings.lose).start()

    def takes(self, batch: int) -> bool:
        """Whether the step's batch of this number (the first is 0) is this process's."""
        return batch % self.place.world == self.place.rank

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's share of work that is done once on each machine."""
        return items[self.place.process :: self.place.processes]

    @contextmanager
    def first_on_machine(self) -> Iterator[None]:
        """A passage that a machine's first process goes through alone, then its others, which find what it has made."""
        if self.place.process:
            self.wait()
        yield
        if not self.place.process:
            self.wait()
        self.wait()

    def wait(self) -> None:
        """Until all processes have come here."""
        if self.place.world > 1:
            with _linked():
                dist.barrier(group=self._control)

    def of_all(self, value: Item) -> list[Item]:
        """What each process has, by rank."""
        if self.place.world == 1:
            return [value]
        found: list[Any] = [None] * self.place.world
        with _linked():
            dist.all_gather_object(found, value, group=self._control)
        return found

    def of_first(self, value: Item) -> Item:
        """What process 0 has."""
        if self.place.world == 1:
            return value
        box = [value]
        with _linked():
            dist.broadcast_object_list(box, src=0, group=self._control)
        return box[0]

    def require_same(self, facts: Mapping[str, str]) -> None:
        """All processes train on the same things in the same way.

        Raises:
            UserError: names what differs, and where.
        """
        for rank, theirs in enumerate(self.of_all((self.place.machine, dict(facts)))):
            machine, found = theirs
            for name, value in facts.items():
                if found[name] != value:
                    raise UserError(
                        f"{name} of process {rank} on machine {machine} differ from those of {self.place.told()}",
                        where="launch.machines",
                        remedy="Give all machines the same files and the same profile, but for launch.machine_rank",
                    )

    def agree(self, word: Word) -> Word:
        """What process 0 says, and whether any other machine was asked to stop; all processes get the same answer."""
        if self.place.world == 1:
            return word._replace(asked_to_stop=False)
        leads = self.leads
        said = torch.tensor(
            [word.go and leads, word.rate_factor if leads else 0.0, word.asked_to_stop and not leads],
            dtype=torch.float64,
        )
        with _linked():
            dist.all_reduce(said, dist.ReduceOp.MAX, group=self._control)
        return Word(bool(said[0]), float(said[1]), bool(said[2]))

    def sum_gradients(self, parameters: Sequence[Tensor], totals: Tensor, *, cut: bool) -> tuple[Tensor, bool]:
        """Give all processes the sum of their gradients, and of their `totals`; and whether any of them had to `cut`.

        A parameter that no process has a gradient of (its module was dropped in all batches) keeps none, as in one
        process.
        """
        if self.place.world == 1:
            return totals, cut
        seen = torch.tensor([*(parameter.grad is not None for parameter in parameters), cut], dtype=torch.uint8)
        with _linked():
            dist.all_reduce(seen, dist.ReduceOp.MAX, group=self._control)
        *has, cut = seen.tolist()
        gradients = [_gradient(parameter) for parameter, some in zip(parameters, has, strict=True) if some]
        flat = torch.cat([*(gradient.reshape(-1) for gradient in gradients), totals])
        with _linked():
            dist.all_reduce(flat)
        *summed, totals = torch.split(flat, [*(gradient.numel() for gradient in gradients), totals.numel()])
        for gradient, values in zip(gradients, summed, strict=True):
            gradient.copy_(values.view_as(gradient))
        return totals, bool(cut)

    def disband(self) -> None:
        """No step is left: from here on each process is for itself."""
        if self._siblings is not None:
            self._siblings.dismiss()
        if self.place.world > 1:
            dist.destroy_process_group()

    def _store(self, check: Callable[[], None]) -> Any:
        """The table that processes find each other by, which process 0 keeps."""
        listener = self._siblings.listener if self._siblings else None
        if listener is not None:
            return TCPStore(
                LOCAL, self.place.port, is_master=True, wait_for_workers=False, timeout=_MEETING,
                master_listen_fd=listener.detach(),
            )  # fmt: skip
        until = time.monotonic() + _MEETING.total_seconds()
        while True:
            check()
            try:
                # Tried by hand first: nothing interrupts the library while it waits.
                socket.create_connection((_address(self.place), self.place.port), timeout=5).close()
                return _connect(self.place)
            except (OSError, dist.DistError) as error:
                if time.monotonic() > until or isinstance(error, socket.gaierror):
                    raise UserError(
                        f"machine 0 cannot be reached at {_address(self.place)}, port {self.place.port}: {error}",
                        where="launch.main_address",
                        remedy="Start the run there too, and see that the name resolves here and that no firewall is between",
                    ) from error
            time.sleep(_LOOK_SECONDS)

    def _gather(self, store: Any, check: Callable[[], None]) -> None:
        """Wait until all processes have come to the table."""
        store.set(f"here/{self.place.rank}", "")
        until = time.monotonic() + _MEETING.total_seconds()
        missing = list(range(self.place.world))
        while missing := [rank for rank in missing if not store.check([f"here/{rank}"])]:
            check()
            if time.monotonic() > until:
                machines = sorted({rank // self.place.processes for rank in missing})
                raise UserError(
                    f"machine {', '.join(map(str, machines))} did not come in {int(_MEETING.total_seconds()) // 60} minutes",
                    where="launch.machines",
                    remedy="Start the run on every machine, each with its own launch.machine_rank",
                )
            time.sleep(_LOOK_SECONDS)


@contextmanager
def _linked() -> Iterator[None]:
    """What goes wrong inside is a matter of the connection."""
    try:
        yield
    except RuntimeError as error:
        raise BrokenLinkError(error) from error


def _address(place: Place) -> str:
    return LOCAL if place.machine == 0 else place.address


def _connect(place: Place) -> Any:
    return TCPStore(_address(place), place.port, is_master=False, wait_for_workers=False, timeout=_MEETING)


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
