"""Stage `fetch`: the artwork and its names, as pinned npm packages whose bytes are checked."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from sdtui.errors import SdtuiError


@dataclass(frozen=True)
class Package:
    """One npm package: where its tarball unpacks to, and what the tarball must hash to."""

    name: str
    version: str
    sha256: str

    @property
    def folder(self) -> str:
        """The folder name under `<work>/packages`."""
        return self.name.removeprefix("@").replace("/", "-")

    @property
    def tarball(self) -> str:
        """The file name npm gives the package."""
        return f"{self.folder}-{self.version}.tgz"


FLUENT = Package("fluentui-emoji", "1.3.0", "ec892e607e854859b812c7d827801756adc19955b0ef56d4ae8afcddd19492c5")
FLUENT_3D = Package(
    "@lobehub/fluent-emoji-3d", "1.1.0", "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58"
)
NOTO = Package("emoji-datasource-google", "16.0.0", "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438")
NAMES = Package("emojibase-data", "17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a")
PACKAGES = (FLUENT, FLUENT_3D, NOTO, NAMES)


def fetch(work: Path) -> None:
    """Download (with `npm pack`), check and unpack every package under `<work>/packages`; keep what is there."""
    packages = work / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        tarball = packages / package.tarball
        if not tarball.exists():
            subprocess.run(
                ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
                cwd=packages,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        found = hashlib.sha256(tarball.read_bytes()).hexdigest()
        if found != package.sha256:
            raise SdtuiError(f"sha256 is {found}, expected {package.sha256}", where=str(tarball))
        folder = packages / package.folder
        if not folder.exists():
            with tarfile.open(tarball) as archive:
                archive.extractall(folder, filter="data")
        print(f"{package.name} {package.version}: {folder}")
