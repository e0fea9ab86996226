"""Which of a run's processes this is, and where they meet: settled before anything is loaded.

A run's first process is the one that was launched: it holds the lock, writes and obeys. It starts the other processes of
its machine; on every other machine the process that was launched there does the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sdtui.profile.schema import Launch

VARIABLE = "SDTUI_PLACE"
"""Environment variable by which a process tells those that it starts which they are."""

LOCAL = "127.0.0.1"


class Place(NamedTuple):
    """One process among those of a run."""

    machine: int = 0
    machines: int = 1
    process: int = 0  # on its machine
    processes: int = 1  # on each machine
    address: str = LOCAL  # of machine 0
    port: int = 0
    line: int = -1  # file descriptor of the socket to whoever started it; -1 for those that a user launched

    @property
    def rank(self) -> int:
        """Its number among all of the run."""
        return self.machine * self.processes + self.process

    @property
    def world(self) -> int:
        """How many the run has."""
        return self.machines * self.processes

    @property
    def leads(self) -> bool:
        """Whether it is the one that saves, measures, draws previews and obeys commands."""
        return self.rank == 0

    def told(self) -> str:
        """For people."""
        return f"process {self.rank}" if self.machines == 1 else f"process {self.rank} on machine {self.machine}"

    def written(self) -> str:
        """For the environment of the process whose place it is."""
        return "/".join(map(str, self))


def inherited() -> Place | None:
    """The place that was given to this process; None for one that a user launched. Processes of ours must not inherit it."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return None
    machine, machines, process, processes, address, port, line = text.split("/")
    return Place(int(machine), int(machines), int(process), int(processes), address, int(port), int(line))


def launched(launch: Launch) -> Place:
    """The place of the process that a user launched on a machine; the port of a run on one machine is not known yet."""
    if launch.machines == 1:
        return Place(processes=launch.processes)
    return Place(launch.machine_rank, launch.machines, 0, launch.processes, launch.main_address, launch.main_port)
