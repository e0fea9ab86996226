"""Whether a class named by its dotted path is there, from the source of its module alone: importing PyTorch takes seconds."""

from __future__ import annotations

import ast
import difflib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

# A module that makes names as they are asked for, or takes over another's, is only known when it is imported.
_MAKES_NAMES = ("__getattr__", "sys.modules[__name__]", "import *")


class MissingClassError(ValueError):
    """The class is not there, in so many words; `near` is the name that may be meant, `package` what is not installed."""

    def __init__(self, message: str, *, near: str = "", package: str = "") -> None:
        super().__init__(message)
        self.near = near
        self.package = package


def require_class(path: str) -> None:
    """See that `path`, such as "torch.optim.RAdam", leads to something; what only an import can tell is let pass.

    Raises:
        MissingClassError: its package, its module or the name in it is not there.
    """
    *modules, name = path.split(".")
    package = modules[0]
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise MissingClassError(f"the package {package} is not installed here", package=package)
    source = Path(spec.origin) if spec.origin else None
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    for number, module in enumerate(modules[1:], start=2):
        inside = list(_modules(folders))
        if module not in inside:
            near = difflib.get_close_matches(module, inside, n=1)
            whole = ".".join([*modules[: number - 1], *near, *modules[number:], name]) if near else ""
            raise MissingClassError(f"{'.'.join(modules[: number - 1])} has no module {module}", near=whole)
        source = next((file for folder in folders if (file := _source(folder, module)).is_file()), None)
        folders = [folder / module for folder in folders]
    names = _names(source)
    if names and name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        whole = ".".join([*modules, near[0]]) if near else ""
        raise MissingClassError(f"{'.'.join(modules)} has no {name}", near=whole)


def _modules(folders: list[Path]) -> Iterator[str]:
    for folder in folders:
        if folder.is_dir():
            yield from (entry.name.partition(".")[0] for entry in folder.iterdir())


def _source(folder: Path, module: str) -> Path:
    inside = folder / module / "__init__.py"
    return inside if inside.is_file() else folder / f"{module}.py"


def _names(source: Path | None) -> frozenset[str]:
    """What the module defines or imports at its top level; empty where that cannot be said."""
    try:
        text = source.read_text(encoding="utf-8") if source else ""
        body = ast.parse(text).body
    except (OSError, ValueError, SyntaxError):
        return frozenset()
    if any(sign in text for sign in _MAKES_NAMES):
        return frozenset()
    return frozenset(name for statement in body for name in _bound(statement))


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in statement.names)
    elif isinstance(statement, ast.Assign):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
    elif isinstance(statement, ast.If | ast.Try):
        # Names under a condition are there or not; a profile is not refused for them.
        yield from (
            name for inner in ast.iter_child_nodes(statement) if isinstance(inner, ast.stmt) for name in _bound(inner)
        )
