"""The command itself: finding the verb, exit codes, one message per failure."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from sdtui.cli import main, sample, table


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "sdtui 0.1.0\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for verb, command in table.COMMANDS.items():
        if verb != "app":
            assert verb in shown
            assert command.summary in shown


@pytest.mark.parametrize("verb", [verb for verb in table.COMMANDS if verb != "app"])
def test_each_command_explains_itself_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    shown = capsys.readouterr().out
    assert caught.value.code == 0
    assert shown.startswith(f"usage: sdtui {verb}")
    assert f"example:\n  {table.COMMANDS[verb].example}" in shown


def test_an_unknown_word_is_wrong_input_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chekc"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "sdtui: 'chekc' is neither a command nor a folder. Did you mean `sdtui check`?\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    shell = f"{sys.executable} -m sdtui --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


@pytest.mark.parametrize(("command", "unbuffered"), [("--help", ""), ("schema", "1"), ("train --help", "")])
def test_output_that_cannot_be_written_is_one_sentence(command: str, unbuffered: str) -> None:
    shell = f"PYTHONUNBUFFERED={unbuffered} {sys.executable} -m sdtui {command} >/dev/full"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "sdtui: the output cannot be written: No space left on device\n")


def test_help_on_a_command_is_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["help", "train"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("usage: sdtui train ")
    assert main(["help", "trian"]) == 2
    assert "Did you mean `sdtui train`?" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--ascii", "--theme", "--version"])
def test_help_tells_the_options_of_the_app(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert f"  {option}" in capsys.readouterr().out.replace("sdtui --", "  --")


def test_options_may_stand_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[argparse.Namespace] = []

    def run(arguments: argparse.Namespace) -> int:
        found.append(arguments)
        return 0

    monkeypatch.setattr(sample, "run", run)
    assert main(["sample", "starter", "--lora", "x.safetensors:0.7", "a cat", "--seed", "3", "a dog"]) == 0
    assert (found[0].source, found[0].prompts) == ("starter", ["a cat", "a dog"])
    assert (found[0].loras, found[0].seed) == (["x.safetensors:0.7"], 3)
