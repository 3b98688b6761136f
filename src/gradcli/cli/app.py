"""The commands, each a module that is imported when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from gradcli.cli.arguments import Command, ExpressionCommand, completion
from gradcli.cli.report import FAILED, USAGE, Stop, UsageError, say_usage

PROGRAM = "gradcli"
COMPLETE = "_GRADCLI_COMPLETE"

#: Name -> (one line of help, whether its argument is an expression). The module of the same name
#: in `commands` holds the function `command`.
COMMANDS: dict[str, tuple[str, bool]] = {
    "eval": ("Evaluate an expression and print its value and gradients.", True),
    "run": ("Run a program file.", False),
    "batch": ("Answer many expressions or programs, one record a line.", False),
    "repl": ("Talk in the language at a prompt.", False),
    "functions": ("List what can be called, with derivative formulas.", False),
}

_SETTINGS = {"help_option_names": ["-h", "--help"]}


def load(name: str) -> Any:
    """The command of that name."""
    help_line, expression = COMMANDS[name]
    module = import_module(f"{__package__}.commands.{name}")
    single = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    single.command(
        name,
        cls=ExpressionCommand if expression else Command,
        context_settings=_SETTINGS,
        short_help=help_line,
    )(module.command)
    return typer.main.get_command(single)


class Commands(TyperGroup):
    """What stands before a command: its own options, help and completion."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return load(cmd_name)
        if ctx.resilient_parsing:
            return None
        raise _unknown(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (line, _) in COMMANDS.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        found = [
            completion(name, line)
            for name, (line, _) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        # Past the group's own answer, which would load every command for its help.
        return found + super(TyperGroup, self).shell_complete(ctx, incomplete)


def _unknown(name: str) -> UsageError:
    from gradcli.language.telling.suggest import did_you_mean

    if not name.replace("-", "").isalnum():
        return UsageError(f"no such command: {name}", f'to evaluate it: {PROGRAM} eval "{name}"')
    return UsageError(f"no such command: {name}", did_you_mean(name, COMMANDS))


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Differentiate tensor expressions, with PyTorch's semantics and without PyTorch."""


def build() -> Any:
    """The command group, with the options that install shell completion."""
    app = typer.Typer(
        cls=Commands,
        context_settings=_SETTINGS,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(root)
    return typer.main.get_command(app)


def run(arguments: list[str]) -> int:
    """Runs a command line; the exit code."""
    if COMPLETE in os.environ:
        build().main(arguments, prog_name=PROGRAM, complete_var=COMPLETE)
    command = PROGRAM
    try:
        if not arguments:
            raise UsageError("there is no command")
        if arguments[0] in COMMANDS:
            # Past the group, whose options would have to be converted first.
            command += f" {arguments[0]}"
            called, arguments = load(arguments[0]), arguments[1:]
        elif arguments[0].startswith("-"):
            called = build()
        else:
            raise _unknown(arguments[0])
        with called.make_context(command, arguments) as context:
            called.invoke(context)
    except Stop as stop:
        return stop.code
    except typer.Exit as done:
        return done.exit_code
    except UsageError as error:
        say_usage(error, command)
        return USAGE
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        say_usage(UsageError(message[:1].lower() + message[1:]), command)
        return error.exit_code
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        return _internal(error, "--debug" in arguments)
    return 0


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
