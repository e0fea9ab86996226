"""Where runs go, and how many processes on how many machines train them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sdtui.profile.declare import About, Section


class Launch(Section):
    """Where runs go, and in how many processes."""

    runs: Annotated[
        str,
        Field(min_length=1),
        About(
            "Folder that runs are made in, relative to the workspace: the profile's folder, or the one above when that is named profiles.",
            path="output",
        ),
    ] = "runs"
    processes: Annotated[
        int,
        Field(ge=1, le=64),
        About(
            "Processes on each machine that share the work of a run, one for each GPU. Each takes batches of "
            "training.batch_size: a step learns from batch_size × accumulation × processes × machines images.",
            unit="processes",
            aka=("num_processes",),
        ),
    ] = 1
    machines: Annotated[
        int,
        Field(ge=1, le=256),
        About(
            "Machines that share the work of a run, each with as many processes; it is started on each of them.",
            unit="machines",
            aka=("num_machines",),
        ),
    ] = 1
    machine_rank: Annotated[
        int,
        Field(ge=0, le=255),
        About("Which of the machines this is: 0 is where the run is saved and steered, the others are 1, 2 and so on."),
    ] = 0
    main_address: Annotated[
        str,
        Field(pattern=r"^[^\s/]*$"),
        About(
            "Name or address of machine 0, as the other machines reach it.",
            allowed="a host name or an IP address",
            aka=("main_process_ip",),
        ),
    ] = ""
    main_port: Annotated[
        int,
        Field(ge=1, le=65535),
        About("Port of machine 0 that the machines meet at.", aka=("main_process_port",)),
    ] = 29500
