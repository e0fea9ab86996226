"""Sample prompts in kohya's three kinds of file, as lines of `previews.prompts`."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from sdtui.profile.prompt_line import PromptError, PromptLine, is_comment, parse_prompt_line

# What kohya draws with where a prompt is silent, and this program otherwise.
_DEFAULTS = {"w": 512, "h": 512, "s": 30}
_FLAGS = {"width": "w", "height": "h", "sample_steps": "s", "scale": "l", "seed": "d", "sample_sampler": "ss"}


def read_prompts(folder: Path, written: str, lines: list[str] | None = None) -> tuple[list[str], list[str]]:
    """The prompts of the file `written` (from `folder`), or of `lines`, and what is wrong with them."""
    if lines is None:
        path = folder / written
        try:
            lines = _lines(path)
        except OSError as error:
            return [], [f"sample_prompts: {path} cannot be read ({error.strerror}): previews.prompts stays empty"]
        except (ValueError, KeyError, TypeError):
            return [], [f"sample_prompts: {path} is not a file of prompts: previews.prompts stays empty"]
    found, trouble = [], []
    for line in lines:
        if not is_comment(line):
            kept, wrong = _readable(line.strip())
            trouble += [f"sample_prompts: {flag!r} is left out of {line.strip()!r}: {why}" for flag, why in wrong]
            found.append(_complete(kept))
    return found, trouble


def _readable(line: str) -> tuple[str, list[tuple[str, str]]]:
    """The line without the flags that mean nothing here, which kohya passes over, and each of those with the reason."""
    kept, *flags = re.split(r"\s--", f" {line}")
    wrong: list[tuple[str, str]] = []
    for flag in flags:
        longer = f"{kept} --{flag}"
        try:
            parse_prompt_line(longer)
        except PromptError as error:
            wrong.append((f"--{flag.strip()}", str(error)))
        else:
            kept = longer
    return kept.removeprefix(" "), wrong


def kohya_line(line: str, side: int) -> str:
    """One of our lines in kohya's short flags, with the size and steps that it means here.

    Args:
        line: a line that can be read.
        side: of images whose size the line does not say.
    """
    read = parse_prompt_line(line)
    flags = [f"--w {read.width or side}", f"--h {read.height or side}", f"--s {read.steps}"]
    flags += [f"--l {read.guidance:g}"] if read.guidance != PromptLine("").guidance else []
    flags += [f"--d {read.seed}"] if read.seed is not None else []
    flags += [f"--ss {read.sampler}"] if read.sampler else []
    flags += [f"--n {read.negative}"] if read.negative else []
    return " ".join([read.prompt, *flags])


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".toml":
        shared = tomllib.loads(text)["prompt"]
        common = {name: value for name, value in shared.items() if name != "subset"}
        return [_line({**common, **row}) for row in shared["subset"]]
    if path.suffix == ".json":
        return [row if isinstance(row, str) else _line(row) for row in json.loads(text)]
    return text.splitlines()


def _line(row: dict[str, Any]) -> str:
    flags = [f"--{flag} {row[name]}" for name, flag in _FLAGS.items() if name in row]
    negative = [f"--n {row['negative_prompt']}"] if row.get("negative_prompt") else []
    return " ".join([str(row["prompt"]), *flags, *negative])


def _complete(line: str) -> str:
    """The line with kohya's own size and steps where it has none, before the negative prompt that may end it."""
    prompt = parse_prompt_line(line)
    silent = {"w": prompt.width is None, "h": prompt.height is None, "s": " --s " not in f" {line} "}
    added = "".join(f" --{flag} {_DEFAULTS[flag]}" for flag, missing in silent.items() if missing)
    text, mark, rest = line.partition(" --")
    return f"{text}{added}{mark}{rest}"
