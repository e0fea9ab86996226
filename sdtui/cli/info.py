"""`sdtui info`: what a bug report needs and what a user looks for: versions, devices, the terminal, every path."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sdtui import __version__, paths
from sdtui.amounts import bytes_text
from sdtui.cli.output import emit_json
from sdtui.profile import shipped

_PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "safetensors", "textual", "pydantic", "pillow")
# torch takes two seconds to import, ten on a cold disk; a driver that hangs must not hang us.
_TORCH_SECONDS = 60
_ASK_TORCH = """
import json, torch
found = [{"device": "cpu", "name": "processor", "threads": torch.get_num_threads()}]
if torch.cuda.is_available():
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        found.append({"device": f"cuda:{index}", "name": facts.name, "memory_bytes": facts.total_memory,
                      "bf16": torch.cuda.is_bf16_supported()})
if torch.backends.mps.is_available():
    found.append({"device": "mps", "name": "Apple GPU"})
print(json.dumps(found))
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print everything; what cannot be found out says so."""
    found = {
        "sdtui": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        **devices(),
        "terminal": terminal(),
        "paths": _paths(),
    }
    if args.json:
        emit_json(found)
    else:
        print("\n".join(_lines(found)))
    return 0


def devices() -> dict[str, Any]:
    """What torch sees, asked in a process of its own: {"devices": [...], "devices_error": why there are none}."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH],
            capture_output=True, text=True, timeout=_TORCH_SECONDS, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return {"devices": json.loads(answer.stdout.splitlines()[-1]), "devices_error": ""}
    except subprocess.TimeoutExpired:
        return {"devices": [], "devices_error": f"torch did not answer within {_TORCH_SECONDS} s"}
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        return {"devices": [], "devices_error": f"torch cannot be used: {last}"}
    except (OSError, ValueError, IndexError) as error:
        return {"devices": [], "devices_error": f"torch cannot be asked: {error}"}


def terminal() -> dict[str, Any]:
    """What the environment says the terminal can do; the app decides by the same."""
    size = shutil.get_terminal_size()
    environment = os.environ
    colours = (
        "24 bit"
        if environment.get("COLORTERM") in {"truecolor", "24bit"}
        else "256"
        if "256" in environment.get("TERM", "")
        else "16"
    )
    return {
        "interactive": sys.stdout.isatty(),
        "TERM": environment.get("TERM", ""),
        "COLORTERM": environment.get("COLORTERM", ""),
        "NO_COLOR": bool(environment.get("NO_COLOR")),
        "colours": "none" if environment.get("NO_COLOR") else colours,
        "multiplexer": "tmux" if environment.get("TMUX") else "screen" if environment.get("STY") else "",
        "ssh": bool(environment.get("SSH_CONNECTION")),
        "encoding": sys.stdout.encoding or "",
        "utf8": (sys.stdout.encoding or "").lower().replace("-", "") == "utf8",
        "columns": size.columns,
        "lines": size.lines,
        "editor": environment.get("VISUAL") or environment.get("EDITOR") or "",
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _paths() -> dict[str, dict[str, Any]]:
    from sdtui.dataset import vocabulary_file

    rows = {
        "settings": (paths.config_file(), "SDTUI_CONFIG", "keys, theme, paths"),
        "cache": (paths.cache_dir(), "SDTUI_CACHE", "cached latents and text; safe to delete"),
        "data": (paths.data_dir(), "SDTUI_DATA", "journals of read-only datasets, trash"),
        "state": (paths.state_dir(), "SDTUI_STATE", "where the app was left, its log"),
        "tags": (
            vocabulary_file.folder(),
            "",
            "lists of tags, to complete and to colour by; `[captions] tags` names others",
        ),
        "profiles": (shipped.folder(), "", "ready profiles that come with sdtui"),
        "workspace": (Path.cwd(), "", "the folder you stand in; `sdtui DIR` opens another"),
    }
    return {
        name: {"path": str(path), "exists": path.exists(), "override": variable, "holds": holds}
        for name, (path, variable, holds) in rows.items()
    }


def _lines(found: dict[str, Any]) -> list[str]:
    packages = [f"  {name:<14}{version}" for name, version in found["packages"].items()]
    places = [
        f"  {name:<14}{row['path']}{'' if row['exists'] else '  (not made yet)'}\n{'':<16}{_purpose(row)}"
        for name, row in found["paths"].items()
    ]
    facts = [f"  {name:<14}{_plain(value)}" for name, value in found["terminal"].items()]
    return [
        f"sdtui {found['sdtui']}, Python {found['python']}, {found['system']}",
        "", "packages", *packages,
        "", "devices", *(_device(row) for row in found["devices"]), *([f"  {found['devices_error']}"] if found["devices_error"] else []),
        "", "terminal", *facts,
        "", "paths", *places,
    ]  # fmt: skip


def _purpose(row: dict[str, Any]) -> str:
    return f"{row['holds']}; ${row['override']} puts it elsewhere" if row["override"] else row["holds"]


def _device(row: dict[str, Any]) -> str:
    memory = f", {bytes_text(row['memory_bytes'])}" if "memory_bytes" in row else ""
    threads = f", {row['threads']} threads" if "threads" in row else ""
    return f"  {row['device']:<14}{row['name']}{memory}{threads}"


def _plain(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value) or "not set"
