"""What gradcli's command lines have beyond Typer's: variables, and conversions without pydantic.

Typer reads the options and arguments that a command declares, writes the help pages and completes
words. `VariablesCommand` adds the flags of variables, `--NAME VALUE`.
"""

from __future__ import annotations

import os
import re
from typing import Any, Final

from typer.core import CompletionItem, TyperCommand  # type: ignore[attr-defined]

from gradcli.cli.report import UsageError
from gradcli.cli.words import sort_words, suggest_option

_META: Final = "gradcli.variables"


class _Conversion:
    """Converts a word of the command line by the parser that its option declares.

    It stands in for Typer's own, which asks pydantic about every parameter, a text or one that was
    not given included: importing that takes longer than a whole `gradcli eval`.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        parser = param.type_descriptor.parameter_info.parser
        if parser is None or not isinstance(value, str):
            return value
        try:
            return parser(value)
        except ValueError as error:
            raise UsageError(f"{param.opts[0]} {error}, not {value}") from None


_CONVERSION: Final = _Conversion()


def converted(parameters: list[Any]) -> list[Any]:
    """The same parameters; their values do not need pydantic."""
    for parameter in parameters:
        parameter._runtime_param = _CONVERSION
    return parameters


class Command(TyperCommand):
    """A command of gradcli: Typer's, but for what its methods say."""

    allow_extra_args = True  # so that the complaint about them is ours

    def get_params(self, ctx: Any) -> list[Any]:
        return converted(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuses a second value where Typer would take the last one, and words too many."""
        if not ctx.resilient_parsing:
            given: list[Any] = list(self.make_parser(ctx).parse_args(list(args))[2])
            for option in dict.fromkeys(given):
                if given.count(option) > 1 and not (option.multiple or option.is_flag):
                    raise UsageError(f"{option.opts[0]} is given more than once")
        surplus = super().parse_args(ctx, args)
        if surplus and not ctx.resilient_parsing:
            raise self.too_many(ctx, surplus)
        return surplus

    def too_many(self, ctx: Any, surplus: list[str]) -> UsageError:
        """The complaint about arguments that nobody asked for."""
        return UsageError(f"unexpected argument: {' '.join(surplus)}")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Calls arguments by their bare names, where Typer writes `{FILE}`."""
        return ["[OPTIONS]", *(p.metavar for p in self.get_params(ctx) if _is_argument(p))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Calls arguments by their bare names, where Typer writes `FILE <str> ... [required]`."""
        parameters = self.get_params(ctx)
        arguments = [(p.metavar, p.help) for p in parameters if _is_argument(p)]
        options = [p.get_help_record(ctx) for p in parameters if not _is_argument(p)]
        for title, rows in (("Arguments", arguments), ("Options", options)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class VariablesCommand(Command):
    """A command on a text, with a flag for each variable of the text: `--x 3`, `--x=-3`.

    The names of these flags are whatever names the text has, so they cannot be declared. Typer's
    way to take unknown options, the setting `ignore_unknown_options`, does not help: it loses where
    a value belongs, and reads `-x*g` as a row of short options. So the words are sorted before
    Typer reads them: variables are taken out, and the rest is Typer's.
    """

    takes_negations = False
    """Whether the text stands on the command line, where it may begin with `-`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        parameters = self.get_params(ctx)
        options = [p for p in parameters if not _is_argument(p)]
        takes_value = {name: not p.is_flag for p in options for name in p.opts}
        words = sort_words(args, takes_value, self.takes_negations)
        ctx.meta[_META] = words.variables
        if not ctx.resilient_parsing:
            if words.doubtful:
                raise words.doubtful[0][1]
            if not words.positional and not {*words.options} & {*ctx.help_option_names}:
                flags = {name for p in options if p.is_flag for name in p.opts}
                text = next(p.metavar for p in parameters if _is_argument(p))
                self.check_values(words.variables, flags, text)
        return super().parse_args(ctx, [*words.options, "--", *words.positional])

    def check_values(self, variables: list[tuple[str, str]], flags: set[str], text: str) -> None:
        """Where the text is missing: it may have been taken for the value of a variable.

        Raises:
            UsageError: so it seems.
        """
        for name, value in variables:
            hint = suggest_option(f"--{name}", flags)
            if hint:  # as in `--jsn "x*2"`
                raise UsageError(f"no such option: --{name}", hint)
            if len(variables) == 1:
                hint = f"{value!r} was taken for the value of --{name}"
                raise UsageError(f"missing argument '{text}'", hint)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[--NAME VALUE]..."]


class ExpressionCommand(VariablesCommand):
    """A command on an expression, which may itself begin with `-`.

    What looks like an option, and is none, is an expression.
    """

    takes_negations = True

    def too_many(self, ctx: Any, surplus: list[str]) -> UsageError:
        words = [ctx.params["expression"], *surplus]
        text = " ".join(words)
        message = f"one expression is expected, not {len(words)}"
        if any(os.path.exists(word) for word in surplus):
            hint = "the shell put names of files in the place of *: quote the expression"
        else:
            from gradcli.language.telling.hints import hint_for

            hint = self._named_like_an_option(ctx, words[0])
            hint = hint or hint_for(message, text, f'quote it: "{text}"')
        return UsageError(message, hint)

    def _named_like_an_option(self, ctx: Any, expression: str) -> str:
        """A hint about a variable that has the name of an option without a value, as `json`."""
        for parameter in self.params:
            if not (getattr(parameter, "is_flag", False) and ctx.params.get(parameter.name)):
                continue
            for option in parameter.opts:
                name = option.removeprefix("--")
                if re.search(rf"\b{re.escape(name)}\b", expression):
                    return f"{option} is an option: the variable is given as --let {name}=VALUE"
        return ""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[CompletionItem]:
        """Options, and a flag for each variable that has no value yet."""
        found: list[CompletionItem] = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            names = [f"--{name}" for name in _open_variables(ctx)]
            found += [CompletionItem(n, help="variable") for n in names if n.startswith(incomplete)]
        return found


def variables_of(ctx: Any) -> list[tuple[str, str]]:
    """The variables on the command line of a context: names and texts, in order."""
    found: list[tuple[str, str]] = ctx.meta.get(_META, [])
    return found


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _open_variables(ctx: Any) -> list[str]:
    text = ctx.params.get("expression")
    if not isinstance(text, str) or text == "-":
        return []
    from gradcli.evaluation import Bindings, Variable
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.telling.diagnostics import ParseError

    given = tuple(Variable(*pair) for pair in variables_of(ctx))
    try:
        return Bindings(compile_text(text, mathematics=True), given).free_names()
    except ParseError:
        return []
