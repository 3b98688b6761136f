"""What gradcli's command lines have beyond Typer's: variables, and conversions without pydantic.

Typer reads the options and arguments that a command declares, writes the help pages and completes
words. `VariablesCommand` adds the flags of variables, `--NAME VALUE`; no other place does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import CompletionItem, TyperCommand  # type: ignore[attr-defined]

from gradcli.cli.report import UsageError
from gradcli.language.telling.hints import hint_for

# A flag for a variable; `--x==3` is a comparison of the doubly negated x.
_VARIABLE: Final = re.compile(r"--([^\W\d]\w*)(?:=(?!=)(.*))?", re.DOTALL)
_OPTION: Final = re.compile(r"--([^\W\d][\w-]*)(?:=(?!=).*)?", re.DOTALL)
_META: Final = "gradcli.variables"


def whole_number(least: int) -> Callable[[str], int]:
    """A parser of integers that are at least `least`, for `typer.Option(parser=...)`."""

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
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A variable that needs no gradient."),
]
Let = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A variable whose name is also that of an option."),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        parser=positive_seconds, metavar="SECONDS", help="Stop an evaluation after this time."
    ),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        parser=memory_size,
        metavar="SIZE",
        help="Stop an evaluation that takes more memory, as 500M or 2G.",
    ),
]


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
                (text,) = (p.metavar for p in parameters if _is_argument(p))
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


def suggest_option(option: str, candidates: Iterable[str]) -> str:
    """A hint such as "did you mean --json?", or ""."""
    from gradcli.language.telling.suggest import suggestions

    names = sorted(name.removeprefix("--") for name in candidates if name.startswith("--"))
    near = [f"--{name}" for name in suggestions(option.removeprefix("--"), names)]
    return f"did you mean {' or '.join(near)}?" if near else ""


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


class Words(NamedTuple):
    """The words of a command line: options with their values, positional ones, variables.

    `doubtful` holds words that look like options and are none, or lack a value, with what is to be
    said about each.
    """

    options: list[str]
    positional: list[str]
    variables: list[tuple[str, str]]
    doubtful: list[tuple[str, UsageError]]


def sort_words(words: Sequence[str], takes_value: dict[str, bool], takes_negations: bool) -> Words:
    """Sorts the words of a command on a text.

    Args:
        takes_value: the options of the command, each with whether a value follows it.
        takes_negations: whether what begins with `-` and is no option is positional.
    """
    found = Words([], [], [], [])
    position = 0
    while position < len(words):
        word, following = words[position], words[position + 1 : position + 2]
        position += 1
        name, equals, _ = word.partition("=")
        variable = _VARIABLE.fullmatch(word)
        if word == "--":
            found.positional.extend(words[position:])
            break
        negates = takes_negations and _is_negation(word, words, position, found)
        if word in ("", "-") or word[0] != "-" or negates:
            found.positional.append(word)
        elif takes_value.get(word):
            if following:
                found.options.extend((word, *following))
                position += 1
            else:
                found.doubtful.append((word, UsageError(f"{word} needs a value")))
        elif word in takes_value or (equals and name.startswith("--") and name in takes_value):
            found.options.append(word)
        elif variable and variable[2] is not None:
            found.variables.append((variable[1], variable[2]))
        elif variable and following and not _is_flag(following[0], takes_value):
            found.variables.append((variable[1], following[0]))
            position += 1
        elif variable:
            found.doubtful.append((word, _without_value(word, following, takes_value)))
        elif _OPTION.fullmatch(word):
            hint = suggest_option(name, takes_value) or _underscored(name)
            found.doubtful.append((word, UsageError(f"no such option: {name}", hint)))
        elif takes_negations:
            found.positional.append(word)
        else:
            found.options.append(word)  # Typer says that it is none
    if found.doubtful and not found.positional and takes_negations:
        # An expression may begin with minus signs.
        found.positional.append(found.doubtful.pop(0)[0])
    return found


def _is_flag(word: str, options: Iterable[str]) -> bool:
    return word in options or _OPTION.fullmatch(word) is not None


def _is_negation(word: str, words: Sequence[str], position: int, found: Words) -> bool:
    """Whether what looks like a short option is minus a variable: `-g`, with a `--g` after it."""
    if len(word) != 2 or found.positional:
        return False
    return any(f"{other}=".startswith(f"-{word}=") for other in words[position:])


def _underscored(option: str) -> str:
    """A hint for a variable's name that was written with hyphens, as options are."""
    name = option[2:].replace("-", "_")
    return f"a variable is written as in the expression: --{name}" if name.isidentifier() else ""


def _without_value(word: str, following: Sequence[str], options: Iterable[str]) -> UsageError:
    hint = suggest_option(word, options)
    if hint:
        return UsageError(f"no such option: {word}", hint)
    hint = f"write {word}={following[0]} if that is its value" if following else ""
    return UsageError(f"{word} needs a value", hint)
