"""What is true of every command."""

from __future__ import annotations

import pkgutil
import re

import pytest

import gradcli.cli.commands
from gradcli.cli import app
from tests.commands import run


def test_each_module_is_a_command() -> None:
    assert {module.name for module in pkgutil.iter_modules(gradcli.cli.commands.__path__)} == {
        *app.COMMANDS
    }


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", app.COMMANDS)
def test_help(name: str, flag: str) -> None:
    done = run(name, flag)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: gradcli {name} [OPTIONS]")
    assert re.search(r"^  -h, --help +Show this message and exit\.$", done.out, re.MULTILINE)


@pytest.mark.parametrize("name", app.COMMANDS)
def test_unknown_option(name: str) -> None:
    done = run(name, "--hepl", *(["1"] if name == "eval" else []), "--debug")
    assert done == (2, "", "error: no such option: --hepl\nhint: did you mean --help?\n")


def test_missing_and_surplus_arguments() -> None:
    hint = "hint: see `gradcli run --help`\n"
    assert run("run") == (2, "", f"error: missing argument 'FILE'\n{hint}")
    assert run("run", "a", "b", "c") == (2, "", f"error: unexpected argument: b c\n{hint}")
    assert run("run", "--timeout") == (
        2,
        "",
        f"error: option '--timeout' requires an argument\n{hint}",
    )


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["eval", "x", "--x", "3", "--order", "2", "--order", "3"], "--order"),
        (["eval", "x", "--x", "3", "--dtype=float64", "--dtype", "float32"], "--dtype"),
        (["run", "-", "--timeout", "1", "--timeout=1"], "--timeout"),
    ],
)
def test_option_that_cannot_be_given_twice(arguments: list[str], option: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {option} is given more than once\n")


def test_flag_may_be_given_twice() -> None:
    assert run("eval", "1", "--json", "--json") == run("eval", "1", "--json")
