"""Problems as people and scripts read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sdtui.profile.problem import Problem, ProfileError, order

ERROR = Problem(
    "error", "out-of-range", "p.toml", 4, 8, "method.rank", "0", "whole number 1…1 024", "method.rank is 0", "Raise it"
)


def test_text() -> None:
    assert str(ERROR) == "p.toml:4:8: error: method.rank is 0\n    allowed: whole number 1…1 024\n    Raise it"
    assert str(replace(ERROR, allowed="", remedy="")) == "p.toml:4:8: error: method.rank is 0"
    assert replace(ERROR, path="--set", line=0, column=0).where == "--set method.rank"


def test_control_characters_do_not_reach_the_terminal() -> None:
    problem = replace(ERROR, message="model.base: a\x1b[31m\x00 é does not exist", allowed="", remedy="")
    assert str(problem) == r"p.toml:4:8: error: model.base: a\x1b[31m\x00 é does not exist"


def test_json() -> None:
    assert ERROR.as_json() == {
        "severity": "error",
        "code": "out-of-range",
        "path": "p.toml",
        "line": 4,
        "column": 8,
        "key": "method.rank",
        "found": "0",
        "allowed": "whole number 1…1 024",
        "message": "method.rank is 0",
        "remedy": "Raise it",
    }


def test_order_is_that_of_the_file() -> None:
    later, override = replace(ERROR, line=10), replace(ERROR, line=0)
    assert sorted([later, ERROR, override], key=order) == [override, ERROR, later]


def test_the_exception_lists_errors_and_counts_no_warnings() -> None:
    error = ProfileError(Path("p.toml"), [ERROR, replace(ERROR, severity="warning")])
    assert str(error).startswith("p.toml: 1 error in the profile\np.toml:4:8: error:")
    assert "warning" not in str(error)
    assert error.exit_code == 2
