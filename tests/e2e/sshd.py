"""A throw-away SSH server on the loopback address, and the client command that reaches it."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from pathlib import Path

from tests.e2e.terminal import clean_env, wait_until

CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/pid
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PermitRootLogin yes
AcceptEnv SDTUI_*
"""


class Sshd:
    """`sshd` with keys made for this one test; `stop` kills it and every connection."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("sshd") or "/usr/sbin/sshd"
        self.folder = folder
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        command = [binary, "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
        for _ in range(5):  # another program may take the port first
            self.port = free_port()
            (folder / "config").write_text(CONFIG.format(port=self.port, folder=folder))
            self.server = subprocess.Popen(command, env=clean_env())
            wait_until(lambda: self.server.poll() is not None or answers(self.port), (folder / "log").read_text)
            if self.server.poll() is None:
                return
        raise AssertionError((folder / "log").read_text())

    def client(self, command: str) -> list[str]:
        """The ssh command line that runs `command` on a terminal of its own, forwarding the SDTUI_ folders."""
        options = [
            "StrictHostKeyChecking=no",
            f"UserKnownHostsFile={self.folder}/known",
            "LogLevel=ERROR",
            "SendEnv=SDTUI_*",
        ]
        flags = [part for option in options for part in ("-o", option)]
        return [
            "ssh",
            "-tt",
            "-i",
            str(self.folder / "user"),
            "-p",
            str(self.port),
            *flags,
            f"{getpass.getuser()}@127.0.0.1",
            command,
        ]

    def drop_connections(self) -> None:
        """Kill every session process of this server with -9, as when the network goes away; the server stays."""
        subprocess.run(["pkill", "-9", "-P", str(self.server.pid)], check=False)

    def stop(self) -> None:
        """End the server and what it serves."""
        self.drop_connections()
        self.server.terminate()
        self.server.wait(60)


def free_port() -> int:
    """A port on the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something accepts connections at `port`."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
