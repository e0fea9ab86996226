"""A machine without a network, for what must not ask for one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def unplugged() -> Iterator[None]:
    """Refuse every name and every connection, and fail at the end if there was any: whoever asks may well hide the refusal."""
    asked: list[str] = []

    def refuse(*arguments: object, **_: object) -> None:
        asked.append(str(arguments[-1]))
        raise OSError("the network is unreachable")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield
    assert asked == []
