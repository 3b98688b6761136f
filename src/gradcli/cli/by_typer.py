"""The program as Typer sees it: for help, completion, and command lines with something wrong.

The commands declare their options in `gradcli.cli.declarations`; here Typer is told of them.
"""

from __future__ import annotations

import inspect
import os
from functools import wraps
from types import FunctionType
from typing import Annotated, Any, Final

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from gradcli.cli.arguments import (
    Command,
    ExpressionCommand,
    VariablesCommand,
    converted,
    variables_of,
)
from gradcli.cli.declarations import (
    COMMANDS,
    COMPLETES,
    HELP_OPTIONS,
    PROGRAM,
    Argument,
    Declarations,
    Line,
    Parameter,
    command_named,
)
from gradcli.cli.report import Exit, UsageError
from gradcli.cli.words import suggest_option

_SETTINGS: Final = {"help_option_names": [*HELP_OPTIONS]}


def load(name: str) -> Any:
    """The command of that name, its module imported."""
    command = command_named(name)
    declared = Declarations(command)
    kind = Command
    if declared.line:
        kind = ExpressionCommand if declared.takes_negations else VariablesCommand
    single = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    told = _as_typer_wants_it(command, declared)
    single.command(name, cls=kind, context_settings=_SETTINGS, short_help=COMMANDS[name])(told)
    return typer.main.get_command(single)


def _as_typer_wants_it(command: FunctionType, declared: Declarations) -> Any:
    """The same function with annotations of Typer's."""
    hints: dict[str, Any] = {
        parameter.name: Annotated[parameter.type, _as_typer_has_it(parameter)]
        for parameter in (*declared.arguments, *declared.options.values())
    }
    if declared.line:
        hints[declared.line] = typer.Context

    @wraps(command)
    def call(**values: Any) -> None:
        if declared.line:
            values[declared.line] = Line(variables_of(values[declared.line]), {*declared.options})
        command(**values)

    signature = inspect.signature(command)
    parameters = [p.replace(annotation=hints[p.name]) for p in signature.parameters.values()]
    call.__annotations__ = hints
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return call


def _as_typer_has_it(parameter: Parameter) -> Any:
    declared = parameter.declared
    if isinstance(declared, Argument):
        return typer.Argument(metavar=declared.metavar, help=declared.help)
    return typer.Option(
        *declared.spellings(parameter.name),
        parser=declared.parser,
        metavar=declared.metavar,
        help=declared.help,
    )


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
    for name, help_line in COMMANDS.items():
        app.command(name, cls=Unloaded, short_help=help_line)(lambda: None)
    return typer.main.get_command(app)


def run_by_typer(arguments: list[str]) -> None:
    """Runs a command line.

    Raises:
        UsageError: there is something wrong with it.
        Exit: it is done early, as after a page of help.
    """
    program = build()
    if COMPLETES in os.environ:
        try:
            program.main(arguments, prog_name=PROGRAM)  # answers the shell and exits
        except SystemExit as done:
            raise Exit(int(done.code or 0)) from None
    try:
        with program.make_context(PROGRAM, list(arguments)) as context:
            program.invoke(context)
    except typer.Exit as done:
        raise Exit(done.exit_code) from None
    except typer.TyperException as error:
        raise _in_our_words(error) from None


def _in_our_words(error: Any) -> UsageError:
    """Typer's complaint as a sentence without capital and stop, the nearest option as a hint."""
    message, hint = error.format_message(), ""
    if hasattr(error, "possibilities"):  # an unknown option
        parameters = error.ctx.command.get_params(error.ctx)
        hint = suggest_option(error.option_name, [name for p in parameters for name in p.opts])
        message = error.message
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint)
