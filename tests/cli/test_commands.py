"""What is true of every command, and that texts speak only of commands and options that exist."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradcli.cli.commands
from gradcli.cli import by_typer
from gradcli.cli.declarations import COMMANDS
from gradcli.language.telling.hints import HINTS
from tests.commands import run

ROOT = Path(__file__).parents[2]

# As it is spelled where a command is quoted, or stands at a prompt.
QUOTED = re.compile(r"(?:[`\"'(]|\$ |\| )gradcli ([a-z][\w-]*)")
FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")


def test_each_module_is_a_command() -> None:
    assert {module.name for module in pkgutil.iter_modules(gradcli.cli.commands.__path__)} == {
        *COMMANDS
    }


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", COMMANDS)
def test_help(name: str, flag: str) -> None:
    done = run(name, flag)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: gradcli {name} [OPTIONS]")
    assert re.search(r"^  -h, --help +Show this message and exit\.$", done.out, re.MULTILINE)


EXPRESSIONS = ("eval", "jacobian", "hessian", "check", "diff", "map")
"""Commands whose text may begin with a minus sign."""


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option(name: str) -> None:
    done = run(name, "--hepl", *(["1"] if name in EXPRESSIONS else []), "--debug")
    assert done == (2, "", "error: no such option: --hepl\nhint: did you mean --help?\n")


def test_missing_and_surplus_arguments() -> None:
    hint = "hint: see `gradcli run --help`\n"
    assert run("run") == (2, "", f"error: missing argument 'FILE'\n{hint}")
    assert run("run", "a", "b", "c") == (2, "", f"error: unexpected argument: b c\n{hint}")
    assert run("run", "--timeout") == (2, "", f"error: --timeout needs a value\n{hint}")
    done = run("batch", "--timeout")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: option '--timeout' requires an argument\n")


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


def options() -> set[str]:
    """The long options of all commands, without their dashes."""
    programs = [by_typer.build(), *map(by_typer.load, COMMANDS)]
    parameters = [parameter for program in programs for parameter in program.params]
    return {"help", *(name.lstrip("-") for parameter in parameters for name in parameter.opts)}


def strings(path: Path) -> Iterator[str]:
    """The texts in a module: hints, messages, docstrings."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def texts() -> dict[str, str]:
    """What users read, by where it stands: the package's texts, the README's prose, hints."""
    found = {
        str(path.relative_to(ROOT)): "\n".join(strings(path))
        for path in (ROOT / "src").rglob("*.py")
    }
    readme = (ROOT / "README.md").read_text("utf-8")
    found["README.md"] = re.sub(r"^```.*?^```$", "", readme, flags=re.DOTALL | re.MULTILINE)
    for path in (ROOT / "README.md", *(ROOT / "tests/cli/golden").iterdir()):
        lines = path.read_text("utf-8").splitlines()
        hints = [line for line in lines if line.startswith("hint: ")]
        found[f"hints in {path.name}"] = "\n".join(hints)
    return found


@pytest.mark.parametrize(("where", "text"), texts().items(), ids=texts())
def test_texts_speak_of_commands_and_options_that_exist(where: str, text: str) -> None:
    assert {*QUOTED.findall(text)} <= COMMANDS.keys()
    # In hints about a command line that was mistaken, a flag is a variable's.
    if not where.startswith("hints in"):
        assert {*FLAG.findall(text)} <= options()


def test_texts_that_are_checked_are_found() -> None:
    everything = "\n".join(texts().values())
    assert {*QUOTED.findall(everything)} == COMMANDS.keys()
    assert {"retain-graph", "grad-tensors", "json"} <= {*FLAG.findall(everything)}
    assert all(row.hint in everything for row in HINTS)
    assert QUOTED.findall("ask for `gradcli jacobian` $ gradcli plot") == ["jacobian", "plot"]
    assert FLAG.findall("give --grad-tensors=1, not --x or a--b") == ["grad-tensors"]
