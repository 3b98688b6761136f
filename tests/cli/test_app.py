"""Command lines: what is read without Typer is what Typer reads."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from functools import update_wrapper
from itertools import islice
from types import FunctionType
from typing import Any
from unittest import mock

import pytest

from gradcli.cli import app, by_typer
from gradcli.cli.declarations import COMMANDS, Declarations, Line, command_named
from gradcli.cli.report import Exit, UsageError

ROUNDS = 300

WORDS = {
    "eval": ["x+y", "x", "-x", "-x*y", "-g", "--x*2", "", "-", "1", "let x = 3; x", "--3"],
    "jacobian": ["x+y", "-x", "--rank", "", "-", "1", "--3"],
    "hessian": ["x+y", "-x", "--eigenvalues", "", "-", "1", "--3"],
    "check": ["x+y", "-x", "--claim=x: 1", "--assert", "x.grad > 0", "", "-", "1", "--3"],
    "diff": ["x+y", "-x", "--all", "--gradient", "", "-", "1", "--3"],
    "map": ["x+y", "-x", "t.csv", "--no-grad", "", "-", "1", "--3"],
    "run": ["a.py", "-", "", "b.py", "-a"],
    "batch": ["a.jsonl", "-", "", "b", "-b"],
    "repl": [],
    "functions": ["sin", "", "-", "torch.sin", "-s"],
    "help": ["language", "", "eval", "-l"],
}
ANYWHERE = [
    "--x",
    "--x=3",
    "--x=-3",
    "--y=",
    "--x==3",
    "--é=1",
    "--x-y",
    "--x-y=2",
    "--",
    "3",
    "-3",
]
STRANGE = [
    "--hepl",
    "--help",
    "-h",
    "-V",
    "--version",
    "-gx",
    "-hg",
    "--json=1",
    "--js",
    "--1",
    "-ab",
]
VALUES = [
    "1",
    "2",
    "0",
    "-1",
    "1e3",
    "x",
    "x,y",
    "500M",
    "2G",
    "inf",
    "nan",
    "",
    " 1",
    "1_0",
    "--x",
]


def command_lines(name: str, generator: random.Random) -> Iterator[list[str]]:
    """Command lines of which some are fine and some are not."""
    options = Declarations(command_named(name)).options
    texts = [[word] for word in WORDS[name]] or [[]]
    while True:
        parts = [generator.choice(texts)]
        for _ in range(generator.choice([0, 1, 1, 2, 3, 5])):
            kind = generator.random()
            if kind < 0.6 and options:
                option = generator.choice([*options])
                value = generator.choice(VALUES)
                plain = options[option].is_flag and generator.random() < 0.95
                parts.append([option] if plain else [f"{option}={value}"])
                if not plain and generator.random() < 0.7:
                    parts[-1] = [option, value]
            elif kind < 0.85:
                parts.append([generator.choice(ANYWHERE), generator.choice(VALUES)])
            elif kind < 0.9:
                parts.append([generator.choice(ANYWHERE)])
            elif kind < 0.95:
                parts.append([generator.choice(STRANGE)])
            else:
                parts.append(generator.choice(texts))
        if generator.random() < 0.1:
            del parts[0]
        generator.shuffle(parts)
        yield [word for part in parts for word in part]


class Called(Exception):
    """A command was called with these values."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__()
        self.values = values


class Recorder:
    """Stands for a command, and tells what it is called with."""

    def __init__(self, command: FunctionType) -> None:
        update_wrapper(self, command)
        self.__defaults__ = command.__defaults__

    def __call__(self, **values: Any) -> None:
        raise Called(values)


def typers_values(name: str, words: list[str]) -> dict[str, Any] | None:
    """The values that Typer calls a command with; None where it does not."""
    try:
        by_typer.run_by_typer([name, *words])
    except Called as called:
        return called.values
    except (Exit, UsageError):
        return None
    raise AssertionError(f"no end: {words}")


@pytest.mark.parametrize("name", COMMANDS)
def test_both_readings_agree(name: str) -> None:
    command = command_named(name)
    declared = Declarations(command)
    parameters = inspect.signature(command).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    generator = random.Random(name)
    read = 0
    with mock.patch.object(by_typer, "command_named", lambda name: Recorder(command_named(name))):
        for words in islice(command_lines(name, generator), ROUNDS):
            ours, typers = app.read(declared, words), typers_values(name, words)
            if ours is not None:
                read += 1
                ours = {**defaults, **ours}
            assert repr_of(ours) == repr_of(typers), words
    assert ROUNDS // 10 < read < ROUNDS


def repr_of(values: dict[str, Any] | None) -> dict[str, str] | None:
    """Values that compare, nan too."""
    if values is None:
        return None
    return {name: repr(vars(v)) if isinstance(v, Line) else repr(v) for name, v in values.items()}
