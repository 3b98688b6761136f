"""Command lines: a well-formed one is read here, anything else, help and errors too, by Typer.

Both go by the same declarations (`gradcli.cli.declarations`), and give a command the same values.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from gradcli.cli.declarations import (
    COMMANDS,
    COMPLETES,
    PROGRAM,
    Declarations,
    Line,
    command_named,
)
from gradcli.cli.report import FAILED, USAGE, Exit, UsageError, say_usage
from gradcli.cli.words import sort_words


def run(arguments: list[str]) -> int:
    """Runs a command line; the exit code."""
    name = arguments[0] if arguments else ""
    try:
        if name in COMMANDS and COMPLETES not in os.environ:
            command = command_named(name)
            values = read(Declarations(command), arguments[1:])
            if values is not None:
                command(**values)
                return 0
        from gradcli.cli.by_typer import run_by_typer

        run_by_typer(arguments)
    except Exit as done:
        return done.code
    except UsageError as error:
        say_usage(error, f"{PROGRAM} {name}" if name in COMMANDS else PROGRAM)
        return USAGE
    except Exception as error:
        return _internal(error, "--debug" in arguments)
    return 0


def read(declared: Declarations, words: Sequence[str]) -> dict[str, Any] | None:
    """The values that a command line gives to the parameters of its command.

    None where help is asked for or anything is wrong: Typer says what.
    """
    found = sort_words(words, declared.takes_value(), declared.takes_negations)
    if found.doubtful or (found.variables and not declared.line):
        return None
    required = sum(argument.required for argument in declared.arguments)
    if not required <= len(found.positional) <= len(declared.arguments):
        return None
    names = [argument.name for argument in declared.arguments]
    values: dict[str, Any] = dict(zip(names, found.positional, strict=False))
    if declared.line:
        values[declared.line] = Line(found.variables, {*declared.options})
    rest = iter(found.options)
    for word in rest:
        name, equals, text = word.partition("=")
        option = declared.options.get(name)
        if option is None or (option.is_flag and equals):
            return None
        if option.name in values and not (option.is_flag or option.collects):
            return None
        try:
            value = option.is_flag or option.value_of(text if equals else next(rest))
        except ValueError:
            return None
        if option.collects:
            values.setdefault(option.name, []).append(value)
        else:
            values[option.name] = value
    return values


def _internal(error: Exception, debug: bool) -> int:
    """Reports an error that is gradcli's own fault."""
    from gradcli.cli.report import say
    from gradcli.language.telling.diagnostics import Diagnostic

    if debug:
        import traceback

        sys.stdout.flush()
        traceback.print_exception(error)
    hint = "" if debug else "this is a fault of gradcli itself; --debug shows where"
    say(Diagnostic(f"internal error: {type(error).__name__}", str(error), hint=hint))
    return FAILED
