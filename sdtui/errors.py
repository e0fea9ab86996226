"""The two kinds of failure a user meets, each one message: where, what, why, what to do."""

from __future__ import annotations


class SdtuiError(Exception):
    """Something went wrong that is not the user's mistake (disk full, a run that died). Exit code 1.

    Args:
        message: what happened and why, in one sentence without a final full stop.
        where: the file, file:line or key it happened at.
        remedy: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        located = f"{self.where}: {self.message}" if self.where else self.message
        return with_remedy(located, self.remedy)


def with_remedy(told: str, remedy: str) -> str:
    """What went wrong and what to do about it: a sentence after another, under a list a line of its own."""
    if not remedy:
        return told
    return f"{told}\n{remedy}" if "\n" in told else f"{told}. {remedy}"


class UserError(SdtuiError):
    """The user's input is wrong (a missing file, a misspelt key, a run that does not exist). Exit code 2."""

    exit_code = 2
