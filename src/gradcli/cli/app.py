"""The commands, each a module that is imported when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from gradcli.cli.arguments import (
    Command,
    ExpressionCommand,
    VariablesCommand,
    converted,
    suggest_option,
)
from gradcli.cli.report import FAILED, USAGE, UsageError, say_usage

PROGRAM: Final = "gradcli"

COMMANDS: Final[dict[str, tuple[str, type[Command]]]] = {
    "eval": ("Evaluate an expression and print its value and gradients.", ExpressionCommand),
    "run": ("Run a program file.", VariablesCommand),
    "batch": ("Answer many expressions or programs, one record a line.", Command),
    "repl": ("Talk in the language at a prompt.", Command),
    "functions": ("List what can be called, with derivative formulas.", Command),
    "help": ("Read about the language.", Command),
}
"""Name -> (one line of help, class); the module of that name in `commands` holds the function."""

_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


def load(name: str) -> Any:
    """The command of that name, its module imported."""
    help_line, kind = COMMANDS[name]
    module = import_module(f"gradcli.cli.commands.{name}")
    single = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    single.command(name, cls=kind, context_settings=_SETTINGS, short_help=help_line)(module.command)
    return typer.main.get_command(single)


class Unloaded(TyperCommand):
    """A name and a line of help, until the command is called."""

    def make_context(
        self, info_name: Any, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        return load(str(self.name)).make_context(info_name, args, parent, **extra)


class Commands(TyperGroup):
    """The group of all commands: Typer's, but for what its methods say."""

    def get_params(self, ctx: Any) -> list[Any]:
        return converted(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Says what to do with an expression that stands where a command is expected."""
        name = args[0]
        if name in COMMANDS or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        hint = ""
        if name.replace("-", "").isalnum():
            from gradcli.language.telling.suggest import did_you_mean

            hint = did_you_mean(name, COMMANDS)
        hint = hint or f'to evaluate it: {PROGRAM} eval "{name}"'
        raise UsageError(f"no such command: {name}", hint)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Differentiate tensor expressions, with PyTorch's semantics and without PyTorch."""


def build() -> Any:
    """The program as Typer sees it: a group of commands that are not loaded yet."""
    app = typer.Typer(
        cls=Commands,
        context_settings=_SETTINGS,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(root)
    for name, (help_line, _) in COMMANDS.items():
        app.command(name, cls=Unloaded, short_help=help_line)(lambda: None)
    return typer.main.get_command(app)


def run(arguments: list[str]) -> int:
    """Runs a command line; the exit code."""
    program = build()
    if f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        try:
            program.main(arguments, prog_name=PROGRAM)  # answers the shell and exits
        except SystemExit as done:
            return int(done.code or 0)
    command = " ".join([PROGRAM, *(name for name in arguments[:1] if name in COMMANDS)])
    try:
        with program.make_context(PROGRAM, list(arguments)) as context:
            program.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except UsageError as error:
        say_usage(error, command)
        return USAGE
    except typer.TyperException as error:
        say_usage(_in_our_words(error), command)
        return error.exit_code
    except Exception as error:
        return _internal(error, "--debug" in arguments)
    return 0


def _in_our_words(error: Any) -> UsageError:
    """Typer's complaint as a sentence without capital and stop, the nearest option as a hint."""
    message, hint = error.format_message(), ""
    if hasattr(error, "possibilities"):  # an unknown option
        parameters = error.ctx.command.get_params(error.ctx)
        hint = suggest_option(error.option_name, [name for p in parameters for name in p.opts])
        message = error.message
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint)


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
