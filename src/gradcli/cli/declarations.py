"""The commands and what they take: the one declaration of each option and argument.

A command is a function; its parameters are annotated with the `Option` and `Argument` here. A
well-formed command line is read along these (`gradcli.cli.app`); Typer, which takes longer to
import than a whole `gradcli eval`, is told of them for everything else (`gradcli.cli.by_typer`).
"""

import re
from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Annotated, Any, Final

PROGRAM: Final = "gradcli"

COMPLETES: Final = f"_{PROGRAM.upper()}_COMPLETE"
"""The variable of the environment by which a shell asks for completions."""

COMMANDS: Final = {
    "eval": "Evaluate an expression and print its value and gradients.",
    "jacobian": "Print all first derivatives of an expression.",
    "hessian": "Print all second derivatives of an expression.",
    "check": "Check derivatives, and what you believe them to be.",
    "diff": "Print derivatives as formulas.",
    "run": "Run a program file.",
    "map": "Append a formula of the columns of a table, and its derivatives.",
    "batch": "Answer many expressions or programs, one record a line.",
    "repl": "Talk in the language at a prompt.",
    "functions": "List what can be called, with derivative formulas.",
    "help": "Read about the language.",
}
"""Name -> one line of help; the module of that name in `commands` holds the function."""

HELP_OPTIONS: Final = ("-h", "--help")
"""What every command shows its help page for."""


Parser = Callable[[str], Any]
"""Makes the value of a word, or raises a `ValueError` that says what it must be."""


def command_named(name: str) -> FunctionType:
    """The function of a command, its module imported."""
    function: FunctionType = import_module(f"gradcli.cli.commands.{name}").command
    return function


class Argument:
    """A word that stands by itself.

    Args:
        metavar: what help calls it.
        takes_negations: whether it may begin with `-`, as an expression may.
    """

    parser: Parser | None = None

    def __init__(self, metavar: str, help: str, *, takes_negations: bool = False) -> None:
        self.metavar = metavar
        self.help = help
        self.takes_negations = takes_negations


class Option:
    """An option: a flag where its parameter is a `bool`, else with a value, or several in a list.

    Args:
        short: another spelling than that of the parameter's name.
        metavar: what help calls the value.
    """

    def __init__(
        self,
        help: str,
        *,
        short: str = "",
        metavar: str | None = None,
        parser: Parser | None = None,
    ) -> None:
        self.help = help
        self.short = short
        self.metavar = metavar
        self.parser = parser

    def spellings(self, name: str) -> tuple[str, ...]:
        """How the option of a parameter is written; `assert_` is `--assert`."""
        return f"--{name.rstrip('_').replace('_', '-')}", *([self.short] if self.short else [])


class Line:
    """What a command with variables knows of its command line.

    Attributes:
        variables: the names and texts of flags such as `--x 3`, in order.
        options: the spellings of the command's options.
    """

    def __init__(self, variables: list[tuple[str, str]], options: set[str]) -> None:
        self.variables = variables
        self.options = options


class Parameter:
    """A parameter of a command that is a word or an option of its command line.

    Attributes:
        type: what the command gets.
        required: whether it has no default.
        collects: whether it is an option whose values are collected.
    """

    def __init__(self, name: str, hint: Any, required: bool) -> None:
        self.name = name
        self.type = hint.__origin__
        self.declared: Option | Argument = hint.__metadata__[0]
        self.required = required
        self.is_flag = self.type is bool
        self.collects = self.type == list[str] | None

    def value_of(self, word: str) -> Any:
        """The value that a word gives it.

        Raises:
            ValueError: none; it says what the word must be.
        """
        parser = self.declared.parser
        return word if parser is None else parser(word)


class Declarations:
    """The parameters of a command.

    Attributes:
        options: by their spellings.
        line: the name of the parameter that is a `Line`, or "".
        takes_negations: whether the text that the command is about may begin with `-`.
    """

    def __init__(self, command: FunctionType) -> None:
        self.arguments: list[Parameter] = []
        self.options: dict[str, Parameter] = {}
        self.line = ""
        self.takes_negations = False
        hints = {name: hint for name, hint in command.__annotations__.items() if name != "return"}
        required = len(hints) - len(command.__defaults__ or ())
        for place, (name, hint) in enumerate(hints.items()):
            if hint is Line:
                self.line = name
                continue
            parameter = Parameter(name, hint, place < required)
            declared = parameter.declared
            if isinstance(declared, Option):
                self.options.update(dict.fromkeys(declared.spellings(name), parameter))
            else:
                self.arguments.append(parameter)
                self.takes_negations |= declared.takes_negations

    def takes_value(self) -> dict[str, bool]:
        """The spellings of all options, each with whether a value follows it."""
        own = {spelling: not option.is_flag for spelling, option in self.options.items()}
        return {**own, **dict.fromkeys(HELP_OPTIONS, False)}


def whole_number(least: int) -> Callable[[str], int]:
    """A parser of integers that are at least `least`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise ValueError(f"must be an integer of at least {least}")
        return number

    return parse


def positive_seconds(text: str) -> float:
    """A time.

    Raises:
        ValueError: it is none, or not positive.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise ValueError("must be a positive number of seconds")
    return number


def memory_size(text: str) -> int:
    """A size of memory in bytes: `500M` and `2G` are multiples of 1024.

    Raises:
        ValueError: it is none, or nothing.
    """
    found = re.fullmatch(r"(\d{1,18})([kmgt]?)(?:i?b)?", text, re.IGNORECASE | re.ASCII)
    size = int(found[1]) << 10 * " kmgt".index(found[2].lower() or " ") if found else 0
    if not size:
        raise ValueError("must be a size of memory, as 500M or 2G")
    return size


Const = Annotated[
    list[str] | None, Option("A variable that needs no gradient.", metavar="NAME=VALUE")
]
Let = Annotated[
    list[str] | None,
    Option("A variable whose name is also that of an option.", metavar="NAME=VALUE"),
]
Timeout = Annotated[
    float | None,
    Option("Stop an evaluation after this time.", metavar="SECONDS", parser=positive_seconds),
]
MaxMemory = Annotated[
    int | None,
    Option(
        "Stop an evaluation that takes more memory, as 500M or 2G.",
        metavar="SIZE",
        parser=memory_size,
    ),
]
Debug = Annotated[bool, Option("Show Python's traceback of an error.")]
