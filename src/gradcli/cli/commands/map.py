"""`gradcli map`: one formula over the rows of a table."""

from typing import Annotated

from gradcli.cli.confinement import check_enforceable, confine, release, reported
from gradcli.cli.declarations import (
    Argument,
    Const,
    Debug,
    Let,
    Line,
    MaxMemory,
    Option,
    Timeout,
    whole_number,
)
from gradcli.cli.questions import listed, set_defaults, source_of
from gradcli.cli.report import Exit, UsageError
from gradcli.process import Limits


def command(
    line: Line,
    expression: Annotated[
        str,
        Argument(
            "EXPR",
            'The formula of the columns, as "g = 4*pi**2*L/T**2"; several are separated by ;',
            takes_negations=True,
        ),
    ],
    table: Annotated[
        str, Argument("[TABLE]", "The table; - or nothing reads the standard input.")
    ] = "-",
    output: Annotated[
        str | None, Option("Write to this file when all is done.", short="-o", metavar="FILE")
    ] = None,
    wrt: Annotated[
        list[str] | None, Option("Differentiate to these only, as L,T.", metavar="NAMES")
    ] = None,
    order: Annotated[
        int | None,
        Option("2: also all second derivatives.", metavar="N", parser=whole_number(1)),
    ] = None,
    no_grad: Annotated[bool, Option("No derivatives, only values.")] = False,
    sigma: Annotated[
        list[str] | None,
        Option(
            "The standard uncertainty of an input, a number, a column or an expression:"
            " appends that of each output.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    corr: Annotated[
        list[str] | None,
        Option("The correlation of two inputs.", metavar="NAME,NAME=R"),
    ] = None,
    shares: Annotated[bool, Option("Each input's share of the variance.")] = False,
    second: Annotated[
        bool,
        Option("The second-order correction of the mean, and 1 where that order matters."),
    ] = False,
    where: Annotated[
        list[str] | None, Option("Only rows for which this holds.", metavar="EXPR")
    ] = None,
    assert_: Annotated[
        list[str] | None, Option("Exit 1 if this fails for a row.", metavar="EXPR")
    ] = None,
    on_error: Annotated[
        str | None,
        Option(
            "What to do with a row that has no result: stop, or go on and exit 0, with skip"
            " (leave it out) or null (leave it empty).",
            metavar="WHAT",
        ),
    ] = None,
    null: Annotated[
        list[str] | None,
        Option("What stands for an empty cell, as NA,nan.", metavar="TEXTS"),
    ] = None,
    from_: Annotated[
        str | None,
        Option("What the table is: csv, tsv, jsonl or parquet.", metavar="KIND"),
    ] = None,
    to: Annotated[str | None, Option("What is written.", metavar="KIND")] = None,
    sep: Annotated[
        str | None, Option("What separates cells, as ';' or '\\t'.", metavar="CHARACTER")
    ] = None,
    decimal: Annotated[str, Option("What stands before decimals.", metavar="MARK")] = ".",
    no_header: Annotated[bool, Option("The columns are $1, $2 and so on.")] = False,
    const: Const = None,
    let: Let = None,
    dtype: Annotated[str, Option("float64, or float32.", metavar="DTYPE")] = "float64",
    quiet: Annotated[bool, Option("No notes and no progress.")] = False,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Evaluate a formula for each row of a table: columns are variables.

    The table comes back with the output and its derivatives to the columns that it uses: g, dg_dL,
    dg_dT. Lines stay as they are, and what is computed is appended. An output without a name is
    called value, and its derivatives d_dL. Names with spaces stand between back quotes; --NAME
    VALUE is a constant. CSV, TSV, JSON Lines and Parquet are told by the names of files.

    An empty cell gives an empty result. A cell that is no number does, too, and the exit code is 1.
    """
    limits = Limits(timeout=timeout, max_memory=max_memory)
    check_enforceable(limits)
    if order is not None and order > 2:
        raise UsageError(f"--order must be 1 or 2, not {order}", None)
    if no_grad and (order or wrt):
        raise UsageError(f"--no-grad and --{'order' if order else 'wrt'} contradict each other")
    for flag, given in (("--corr", corr), ("--shares", shares), ("--second", second)):
        if given and not sigma:
            raise UsageError(f"{flag} needs uncertainties", "give them: --sigma NAME=VALUE")
    if dtype.removeprefix("torch.") not in ("float64", "float32"):
        raise UsageError(f"--dtype must be float64 or float32, not {dtype}", None)
    set_defaults(dtype, None)
    from gradcli.cli import tables
    from gradcli.cli.output import Output
    from gradcli.cli.variables import variables_given
    from gradcli.tables.errors import MisuseError
    from gradcli.tables.question import Wanted
    from gradcli.tensor import dtypes
    from gradcli.tensor.clock import limited

    nulls = [text.strip() for texts in null or [] for text in texts.split(",")]
    asked = tables.Asked(
        *(table, output, from_, to, sep, no_header, decimal, nulls, on_error, quiet),
        limited=max_memory is not None,
    )
    options, target = tables.options_of(asked)
    with Output(output) as written, reported(debug):
        try:
            constants = variables_given(line, const, let)
            confine(limits)
            with limited(timeout):
                wanted = Wanted(
                    text=source_of(expression)[0],
                    constants=tables.constants_of(constants, timeout),
                    wrt=[name.strip("`") for name in listed("--wrt", "no column", wrt)],
                    order=0 if no_grad else order or 1,
                    sigmas=tables.sigmas_of(sigma),
                    correlations=tables.correlations_of(corr),
                    shares=shares,
                    second=second,
                    where=where or [],
                    claims=assert_ or [],
                    on_error=on_error or "",
                    dtype=dtypes.default.dtype.np,
                    timeout=timeout,
                )
                with tables.open_table(table) as file:
                    code = tables.Run(asked, wanted, target, written).go(file, options)
        except MisuseError as error:
            raise tables.misuse(error) from None
    release()
    if code:
        raise Exit(code)
