"""`gradcli map` from its options to its end: what is read, written and told."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from gradcli.cli.output import Output
from gradcli.cli.progress import Progress
from gradcli.cli.report import FAILED, USAGE, Exit, UsageError, note, say
from gradcli.cli.source import STDIN, check_argument, origin_of, standard_input, unreadable
from gradcli.language.telling.diagnostics import Diagnostic
from gradcli.tables.cells import Reading
from gradcli.tables.errors import MisuseError, TableError
from gradcli.tables.mapping import Map
from gradcli.tables.question import Question, Wanted
from gradcli.tables.tables import (
    CSV,
    INSTALL,
    JSON_LINES,
    KINDS,
    PARQUET,
    TSV,
    Options,
    Table,
    check_installed,
    kind_of,
    read_table,
)

if TYPE_CHECKING:
    from gradcli.evaluation import Variable

ON_ERROR: Final = ("stop", "skip", "null")

SLOW: Final = (
    "rows are taken one by one or a few at a time, which is slow: the formula draws random numbers,"
    " or makes Python's of those in columns, as float(x) does"
)

_NAMED_SEPARATORS: Final = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "space": " "}


class Asked(NamedTuple):
    """The options of the command."""

    table: str
    output: str | None
    source: str | None
    target: str | None
    separator: str | None
    no_header: bool
    decimal: str
    null: Sequence[str]
    on_error: str | None
    quiet: bool
    limited: bool


def options_of(asked: Asked) -> tuple[Options, str]:
    """How the table is read, and as what kind it is written; "" for that which it is.

    Raises:
        UsageError: the options make no sense.
    """
    for option, kind in (("--from", asked.source), ("--to", asked.target)):
        if kind is not None and kind not in KINDS:
            raise UsageError(f"{option} must be one of {', '.join(KINDS)}, not {kind}", None)
    if asked.on_error is not None and asked.on_error not in ON_ERROR:
        raise UsageError(
            f"--on-error must be one of {', '.join(ON_ERROR)}, not {asked.on_error}", None
        )
    separator = _NAMED_SEPARATORS.get(asked.separator or "", asked.separator or "")
    if asked.separator is not None and (
        len(separator) != 1 or not separator.isascii() or separator in '"\r\n\0\x01'
    ):
        raise UsageError(
            f"--sep must be one ASCII character, not {asked.separator!r}", "as ';' or '\\t'"
        )
    if asked.decimal not in (".", ","):
        raise UsageError(f"--decimal must be . or , and not {asked.decimal}", None)
    kind = asked.source or kind_of(asked.table)
    if kind in (JSON_LINES, PARQUET):
        for option, given in (("--sep", asked.separator), ("--no-header", asked.no_header)):
            if given:
                raise UsageError(f"{option} is of CSV and TSV, and the table is {kind}", None)
    reading = Reading(tuple(asked.null), asked.decimal)
    options = Options(kind, separator, not asked.no_header, asked.limited, reading)
    target = asked.target or (kind_of(asked.output) if asked.output else "")
    try:
        if PARQUET in (kind, target):
            check_installed(asked.limited)
    except TableError as error:
        raise UsageError(f"Parquet {error}", error.hint) from None
    return options, target


@contextmanager
def open_table(path: str) -> Iterator[BinaryIO]:
    """A table's file, or the standard input for `-`.

    Raises:
        UsageError: it cannot be read.
    """
    if path == STDIN:
        yield standard_input.open()
        return
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    with file:
        yield file


def sigmas_of(texts: Sequence[str] | None) -> dict[str, str]:
    """What `--sigma` gives, by name.

    Raises:
        UsageError: one is no assignment, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = check_argument(text, "value of --sigma").partition("=")
        name = name.strip().strip("`")
        if not equals or not name or not value.strip():
            raise UsageError(f"--sigma needs NAME=UNCERTAINTY, not {text!r}", "as --sigma L=sL")
        if name in found:
            raise UsageError(f"--sigma: {name} is given more than once", None)
        found[name] = value
    return found


def correlations_of(texts: Sequence[str] | None) -> dict[frozenset[str], float]:
    """What `--corr` gives, by pairs.

    Raises:
        UsageError: one is no correlation of two names, or a pair is given twice.
    """
    found: dict[frozenset[str], float] = {}
    for text in texts or []:
        names, _, value = text.rpartition("=")
        pair = [name.strip().strip("`") for name in names.split(",")]
        try:
            number = float(value)
        except ValueError:
            number = 2.0
        if len(pair) != 2 or pair[0] == pair[1] or "" in pair or not -1 <= number <= 1:
            raise UsageError(
                f"--corr needs NAME,NAME=CORRELATION, not {text!r}",
                "as --corr L,T=0.3; from -1 to 1",
            )
        if frozenset(pair) in found:
            raise UsageError(f"--corr: {','.join(pair)} is given more than once", None)
        found[frozenset(pair)] = number
    return found


def constants_of(given: Sequence[Variable], timeout: float | None) -> dict[str, Any]:
    """The values of variables that are the same in each row.

    Raises:
        Exception: whatever the text of one raised.
    """
    from gradcli.evaluation import bindings_of, define
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.running.machine import Machine

    names = [variable.name for variable in given]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is given more than once", None)
    machine = Machine(write=sys.stderr.write, timeout=timeout)
    define(machine, bindings_of(compile_text("None"), given))
    return {name: machine.globals[name] for name in names}


class Run:
    """A table that is being read, and what is made of it."""

    def __init__(self, asked: Asked, wanted: Wanted, target: str, output: Output) -> None:
        self.asked = asked
        self.wanted = wanted
        self.target = target
        self.output = output
        self.frames: list[Any] = []

    def go(self, file: BinaryIO, options: Options) -> int:
        """Runs to the end; the exit code.

        Raises:
            Exception: what the formula, or the table, has wrong.
        """
        progress = Progress(self.asked.table, "row", self.asked.quiet)
        progress.is_shown = progress.size > 0
        progress.pushed = progress.pushed and self.output.path is None
        with progress:
            try:
                table = read_table(progress.file(file), options)
                question = Question(self.wanted, table.names)
                told = Map(question)
                if not self.asked.quiet:
                    note([*question.notes(_named(self.asked.table)), *_slow(table)])
                self._rows(table, told, progress)
            except TableError as error:
                what = f"{origin_of(self.asked.table)} {error}"
                say(Diagnostic(what, "", hint=error.hint))
                return FAILED
            except OSError as error:
                raise unreadable(self.asked.table, error) from None
        if not told.stopped:
            self.output.finish()
        return self._ended(told)

    def _rows(self, table: Table, told: Map, progress: Progress) -> None:
        writer: Any = None
        target = self.target or table.kind
        if target not in (PARQUET, table.kind):
            from gradcli.tables.convert import TextWriter

            writer = TextWriter(target, table.names, "\t" if target == TSV else ",")
        as_parquet = target == PARQUET
        if target != table.kind and target in (JSON_LINES, PARQUET):
            check_distinct(table.names, target)
        begun, slow, count = False, self.asked.quiet, 0
        for rows in table.chunks():
            cells = rows.read(told.question.used)
            made, keep = told.run(cells, rows.rows, rows.line)
            if not begun:
                begun = True
                self._begin(table, told, writer, as_parquet)
            if as_parquet:
                self.frames.append(_frame(rows, table, made, keep))
            else:
                data = writer.write(rows, made, keep) if writer else rows.write(made, keep)
                progress.around(partial(self.output.write, data))
            if told.slow and not slow:
                slow = True
                note([SLOW])
            count += rows.rows
            progress.tell(count, told.failed.rows)
            if told.stopped:
                break
        if not begun:
            self._begin(table, told, writer, as_parquet)
        if as_parquet and not told.stopped:
            self._parquet(table, told)

    def _begin(self, table: Table, told: Map, writer: Any, as_parquet: bool) -> None:
        titles = told.titles()
        check_free(titles, table.names)
        if not as_parquet:
            self.output.write((writer or table).header(titles))

    def _parquet(self, table: Table, told: Map) -> None:
        import io

        from gradcli.tables.parquet import empty_frame, write_parquet

        out = io.BytesIO()
        frames = self.frames or [empty_frame(table.names, told.titles())]
        write_parquet(frames, out, table.kind in (CSV, TSV))
        self.output.write(out.getvalue())

    def _ended(self, told: Map) -> int:
        """Says what became of rows; the exit code."""
        code = 0
        failed, on_error = told.failed, self.wanted.on_error
        if failed.rows:
            if told.stopped:
                say(Diagnostic(f"line {failed.line}, {failed.what}", ""))
                return FAILED
            rows = f"{failed.rows:,} row{'s' * (failed.rows != 1)}"
            first = f"the first in line {failed.line}, {failed.what}"
            if on_error:
                done = "left out" if on_error == "skip" else "empty"
                if not self.asked.quiet:
                    note([f"{rows} {'is' if failed.rows == 1 else 'are'} {done}, {first}"])
            else:
                say(
                    Diagnostic(
                        f"{rows} ha{'s' if failed.rows == 1 else 've'} no result, {first}", ""
                    )
                )
                code = FAILED
        for text, refuted in told.refuted.items():
            rows = f"{refuted.rows:,} row{'s' * (refuted.rows != 1)}"
            first = f"the first in line {refuted.line}: {refuted.what}"
            say(
                Diagnostic(
                    f"--assert {text} fails in {rows}, {first}",
                    "",
                )
            )
            code = FAILED
        return code


def check_free(titles: Sequence[str], names: Sequence[str]) -> None:
    """Raises:
    UsageError: a new column has a name that is taken.
    """
    for place, title in enumerate(titles):
        if title in names:
            raise UsageError(
                f"{title} is the name of a column already", "name the output differently"
            )
        if title in titles[:place]:
            raise UsageError(
                f"two new columns would be called {title}", "name the outputs differently"
            )


def check_distinct(names: Sequence[str], kind: str) -> None:
    """Raises:
    UsageError: two columns have one name, which a table of this kind cannot hold.
    """
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UsageError(
                f"{name} is the name of columns {names.index(name) + 1} and {place + 1}, and"
                f" {kind} holds each name once",
                "rename one of them",
            )


def _named(table: str) -> str:
    """How a shown command line calls the table."""
    return "t.csv" if table == STDIN else table


def _slow(table: Table) -> Iterator[str]:
    if not getattr(table, "installed", True):
        yield f"without polars tables take longer: {INSTALL}"


def _frame(rows: Any, table: Table, made: Any, keep: Any) -> Any:
    """Rows as polars has them."""
    from gradcli.tables.parquet import frame_of

    return frame_of(rows, table.names, made, keep)


def misuse(error: MisuseError) -> Exception:
    """What a command raises for a formula that does not fit a table."""
    if error.diagnostic is not None:
        say(error.diagnostic)
        return Exit(USAGE)
    return UsageError(str(error), error.hint or None)
