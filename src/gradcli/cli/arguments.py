"""Reading a command line that may hold variables: `--x 3` for whatever `x` the expression has.

Typer knows a command's own options; what it does not know is sorted out here before it looks.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any, ClassVar, NamedTuple

from typer.core import TyperCommand

from gradcli.cli.report import UsageError

# A flag for a variable; `--x==3` is a comparison of the doubly negated x.
_VARIABLE = re.compile(r"--([^\W\d]\w*)(?:=(?!=)(.*))?", re.DOTALL)
_OPTION = re.compile(r"--([^\W\d][\w-]*)(?:=(?!=).*)?", re.DOTALL)
_META = "gradcli.variables"


def whole_number(option: str, text: str | None, least: int) -> int | None:
    """The integer that an option was given, None where it was not.

    Raises:
        UsageError: it is no integer, or less than `least`.
    """
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise UsageError(f"{option} must be an integer of at least {least}, not {text}")
    return number


class Line(NamedTuple):
    """A command line, sorted: options with their values, positional arguments, variables."""

    options: list[str]
    positional: list[str]
    variables: list[tuple[str, str]]


class _Scanner:
    """Sorts the arguments of one command."""

    def __init__(
        self, arguments: list[str], flags: set[str], valued: set[str], expression: bool
    ) -> None:
        self.arguments = arguments
        self.flags = flags
        self.valued = valued
        self.expression = expression
        self.line = Line([], [], [])
        #: Options that are none, or lack a value: (argument, complaint, hint).
        self.doubtful: list[tuple[str, str, str]] = []
        self.position = 0

    def scan(self) -> Line:
        """Sorts all arguments.

        Raises:
            UsageError: an option is unknown or lacks its value.
        """
        while self.position < len(self.arguments):
            argument = self.arguments[self.position]
            self.position += 1
            if argument == "--":
                self.line.positional.extend(self.arguments[self.position :])
                break
            self.take(argument)
        if self.expression and not self.line.positional and self.doubtful:
            # An expression may begin with minus signs.
            self.line.positional.append(self.doubtful.pop(0)[0])
        if self.doubtful:
            _, complaint, hint = self.doubtful[0]
            raise UsageError(complaint, hint)
        return self.line

    def take(self, argument: str) -> None:
        """Sorts one argument and, where it has one, its value."""
        name, equals, value = argument.partition("=")
        if not argument.startswith("-") or argument == "-" or self.is_negated(argument):
            self.line.positional.append(argument)
        elif argument in self.flags:
            self.line.options.append(argument)
        elif argument in self.valued:
            following = self.following()
            if following is None:
                self.doubtful.append((argument, f"{argument} needs a value", ""))
            else:
                self.line.options.extend((argument, following))
        elif equals and name in self.valued and name.startswith("--"):
            self.line.options.extend((name, value))
        elif equals and name in self.flags:
            self.doubtful.append((argument, f"{name} takes no value", ""))
        elif self.expression and (match := _VARIABLE.fullmatch(argument)):
            self.take_variable(argument, match[1], match[2])
        elif _OPTION.fullmatch(argument) or not self.expression:
            self.doubtful.append((argument, f"no such option: {name}", self.nearest(name)))
        else:
            self.line.positional.append(argument)

    def take_variable(self, argument: str, name: str, value: str | None) -> None:
        if value is None:
            following = self.peek()
            if following is None or self.is_option(following):
                complaint, hint = f"{argument} needs a value", self.nearest(argument)
                if hint:
                    complaint = f"no such option: {argument}"
                elif following is not None:
                    hint = f"write {argument}={following} if that is its value"
                self.doubtful.append((argument, complaint, hint))
                return
            self.position += 1
            value = following
        self.line.variables.append((name, value))

    def is_negated(self, argument: str) -> bool:
        """Whether what looks like a short option is minus a variable: `-g`, with a `--g`."""
        if not self.expression or self.line.positional or len(argument) != 2:
            return False
        flag = "-" + argument
        rest = self.arguments[self.position :]
        return any(other == flag or other.startswith(flag + "=") for other in rest)

    def is_option(self, argument: str) -> bool:
        return (
            argument in self.flags
            or argument in self.valued
            or _OPTION.fullmatch(argument) is not None
        )

    def peek(self) -> str | None:
        more = self.position < len(self.arguments)
        return self.arguments[self.position] if more else None

    def following(self) -> str | None:
        """The next argument, used up."""
        found = self.peek()
        self.position += 1
        return found

    def nearest(self, option: str) -> str:
        """A hint that names the options that are spelled much like this one."""
        return suggest_option(option, {*self.flags, *self.valued})


def suggest_option(option: str, candidates: set[str]) -> str:
    """A hint such as "did you mean --json?", or ""."""
    from gradcli.language.telling.suggest import suggestions

    names = sorted(name.removeprefix("--") for name in candidates if name.startswith("--"))
    near = [f"--{name}" for name in suggestions(option.removeprefix("--"), names)]
    return f"did you mean {' or '.join(near)}?" if near else ""


def completion(word: str, help: str) -> Any:
    """A word that a shell may offer."""
    from typer.core import CompletionItem  # type: ignore[attr-defined]

    return CompletionItem(word, help=help)


class Command(TyperCommand):
    """A command whose mistakes are reported in gradcli's words."""

    #: Whether the argument is an expression, which may begin with `-` and have variables.
    expression: ClassVar[bool] = False

    def known_options(self) -> tuple[set[str], set[str]]:
        """The names of the options without a value and of those with one."""
        flags = {"-h", "--help"}
        valued: set[str] = set()
        for parameter in self.params:
            if parameter.param_type_name == "option":
                names = {*parameter.opts, *parameter.secondary_opts}
                (flags if getattr(parameter, "is_flag", False) else valued).update(names)
        return flags, valued

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments into `ctx.params`.

        Options are flags and texts here, which need none of Typer's conversions; those import
        pydantic, which takes longer than everything else.
        """
        flags, valued = self.known_options()
        arguments: list[Any] = [p for p in self.params if p.param_type_name == "argument"]
        try:
            line = _Scanner(list(args), flags, valued, self.expression).scan()
            if "-h" in line.options or "--help" in line.options:
                print(ctx.get_help())
                ctx.exit()
            if len(line.positional) > len(arguments):
                raise self.too_many(line, len(arguments))
            required = [argument for argument in arguments if argument.required]
            if len(line.positional) < len(required):
                raise self.missing(line, required[len(line.positional)].metavar)
        except UsageError:
            if not ctx.resilient_parsing:
                raise
            line = Line([], [], [])
        ctx.params.update(self.values(line))
        for argument, text in zip_longest(arguments, line.positional):
            ctx.params[argument.name] = text
        ctx.meta[_META] = line.variables
        return []

    def values(self, line: Line) -> dict[str, Any]:
        """The options' values by their parameters' names."""
        named: dict[str, Any] = {}
        by_flag: dict[str, Any] = {}
        for parameter in self.params:
            if parameter.param_type_name == "option":
                named[parameter.name] = parameter.default
                by_flag.update(dict.fromkeys(parameter.opts, parameter))
        words = iter(line.options)
        for word in words:
            option = by_flag[word]
            if option.is_flag:
                named[option.name] = True
            elif option.multiple:
                named[option.name] = [*(named[option.name] or []), next(words)]
            else:
                named[option.name] = next(words)
        return named

    def missing(self, line: Line, what: str | None) -> UsageError:
        """The complaint about an argument that is not there."""
        flags, _ = self.known_options()
        for name, value in line.variables:
            # `--jsn "x*2"`: the expression was taken for a value.
            hint = suggest_option(f"--{name}", flags)
            if hint:
                return UsageError(f"no such option: --{name}", hint)
            if len(line.variables) == 1:
                hint = f"{value!r} was taken for the value of --{name}"
                return UsageError(f"there is no {what}", hint)
        return UsageError(f"there is no {what}")

    def too_many(self, line: Line, allowed: int) -> UsageError:
        """The complaint about arguments that nobody asked for."""
        if self.expression:
            whole = " ".join(line.positional)
            return UsageError(
                f"one expression is expected, not {len(line.positional)}", f'quote it: "{whole}"'
            )
        surplus = " ".join(line.positional[allowed:])
        return UsageError(f"unexpected argument: {surplus}")

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        arguments = [p.metavar for p in self.params if p.param_type_name == "argument"]
        pieces = ["[OPTIONS]", *arguments, "[--NAME VALUE]..." if self.expression else None]
        formatter.write_usage(ctx.command_path, " ".join(filter(None, pieces)))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments, options = [], []
        parameters: list[Any] = self.get_params(ctx)
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                arguments.append((parameter.metavar, parameter.help or ""))
            else:
                names = ", ".join(sorted(parameter.opts, key=len))
                if not getattr(parameter, "is_flag", False):
                    names += f" {parameter.metavar}"
                options.append((names, parameter.help or ""))
        for title, rows in (("Arguments", arguments), ("Options", options)):
            with formatter.section(title):
                formatter.write_dl(rows)


class ExpressionCommand(Command):
    """A command on an expression with variables."""

    expression = True

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Options, and a flag for each variable that has no value yet."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            found += [
                completion(f"--{name}", "variable")
                for name in _open_variables(ctx)
                if f"--{name}".startswith(incomplete)
            ]
        return found


def variables_of(ctx: Any) -> list[tuple[str, str]]:
    """The variables on the command line of a context: names and texts, in order."""
    found: list[tuple[str, str]] = ctx.meta.get(_META, [])
    return found


def _open_variables(ctx: Any) -> list[str]:
    text = ctx.params.get("expression")
    if not isinstance(text, str) or text == "-":
        return []
    from gradcli.evaluation import free_names
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.telling.diagnostics import ParseError

    given = {name for name, _ in variables_of(ctx)}
    try:
        return free_names(compile_text(text), given)
    except ParseError:
        return []
