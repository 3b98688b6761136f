"""`gradcli eval`: one expression, its value and its gradients."""

import re
import sys
from typing import TYPE_CHECKING, Annotated

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
from gradcli.cli.questions import check_names, listed, set_defaults, source_of
from gradcli.cli.report import UsageError, note, wants_color
from gradcli.process import Limits, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcli.evaluation import Answer, Bindings, Steps


def command(
    line: Line,
    expression: Annotated[
        str,
        Argument(
            "EXPR",
            "The expression, after declarations if need be; - reads the standard input.",
            takes_negations=True,
        ),
    ],
    const: Const = None,
    let: Let = None,
    dtype: Annotated[str, Option("The dtype of plain numbers.", metavar="DTYPE")] = "float32",
    grad_tensors: Annotated[
        list[str] | None,
        Option(
            "The gradient to start from, a value as a variable's; once per output.",
            short="-g",
            metavar="SEED",
        ),
    ] = None,
    retain_graph: Annotated[bool, Option("Keep the graph for another backward pass.")] = False,
    create_graph: Annotated[bool, Option("Record the backward pass, too.")] = False,
    backward: Annotated[
        int | None, Option("Run backward N times.", metavar="N", parser=whole_number(1))
    ] = None,
    order: Annotated[
        int | None,
        Option(
            "Also the derivatives up to order N of each variable alone.",
            metavar="N",
            parser=whole_number(1),
        ),
    ] = None,
    tangent: Annotated[
        list[str] | None,
        Option(
            "The Jacobian times a vector: how the value moves when a variable moves so.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    wrt: Annotated[
        list[str] | None, Option("The variables that get gradients, as x,y.", metavar="NAMES")
    ] = None,
    no_backward: Annotated[bool, Option("Only evaluate.")] = False,
    json: Annotated[bool, Option("Print one line of JSON.")] = False,
    get: Annotated[
        list[str] | None,
        Option(
            "Print this only: value, grad_fn, dtype, shape, requires_grad, x.grad, d2/dx2,"
            " d3/dx2dy or, with --tangent, jvp; several, as value,x.grad, between tabs.",
            metavar="WHAT",
        ),
    ] = None,
    precision: Annotated[
        int | None, Option("Digits after the point (4).", metavar="N", parser=whole_number(0))
    ] = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Evaluate an expression and print its value, its grad_fn and the gradients of its variables.

    A variable is given by a flag of its own name. Its value is an expression (--x 3, --x=-3,
    --x "[1, 2]", --x "randn(3)"), rows of numbers (--x "1 2 3", --x "$(seq 3)"), or a file of them:
    --x @weights.npy, .npz:NAME, .csv, .tsv, .json, text under any other name, @- for the standard
    input, and @table.csv:NAME for one column.

    What --grad-tensors, --tangent, --wrt and --get are given more than once is collected.
    """
    flags = {
        "--grad-tensors": grad_tensors is not None,
        "--retain-graph": retain_graph,
        "--create-graph": create_graph,
        "--backward": backward is not None,
        "--order": order is not None,
        "--wrt": wrt is not None,
    }
    if no_backward and any(flags.values()):
        asked = next(flag for flag, given in flags.items() if given)
        raise UsageError(f"--no-backward and {asked} contradict each other")
    if tangent and not any(flags.values()):
        no_backward = True
    if json and get is not None:
        raise UsageError("--json and --get contradict each other")
    wanted = listed("--wrt", "no variable", wrt)
    parts = listed("--get", "nothing", get)
    limits = Limits(timeout=timeout, max_memory=max_memory)
    check_enforceable(limits)
    set_defaults(dtype, precision)
    from gradcli.cli.variables import bind, seeds_given, tangents_given, variables_given
    from gradcli.evaluation import Plan, compile_expression, evaluate, mixed_named
    from gradcli.language.running.machine import Machine
    from gradcli.readings import remarks
    from gradcli.views.answers import PARTS, PRODUCT

    with reported(debug, json):
        given = variables_given(line, const, let)
        confine(limits, json)
        text, origin = source_of(expression)
        bindings = bind(compile_expression(text, origin), given, line)
        tangents = tangents_given(tangent or [])
        check_names("--wrt", bindings, wanted)
        check_names("--tangent", bindings, tangents)
        names = [variable.name for variable in bindings.variables] + list(bindings.code.stores)
        mixed = {part: steps for part in parts if len(steps := mixed_named(part, names)) > 1}
        rest = [part for part in parts if not tangents or part != PRODUCT]
        highest = _check_get(rest, mixed, order, no_backward)
        plan = Plan(
            run=_runs(flags, no_backward or (parts != [] and {*parts} <= {*PARTS, PRODUCT})),
            seeds=seeds_given(grad_tensors or []),
            retain_graph=retain_graph or None,
            create_graph=create_graph,
            times=backward or 1,
            order=order or highest,
            wrt=wanted,
            tangents=tangents,
            mixed=mixed,
            notes=True,
        )
        # What the text prints leaves room for a machine-readable answer.
        write = sys.stderr.write if json or parts else write_whole
        machine = Machine(write=write, timeout=timeout)
        answer = evaluate(machine, bindings, plan)
        _check_mixed(mixed, answer)
        shown = _shown(answer, bindings, json, parts)
    write_whole(shown)
    note(answer.notes, (*answer.inner, *remarks()) if debug else ())
    release()


def _runs(flags: dict[str, bool], dispensable: bool) -> bool | None:
    """Whether backward runs; None lets the value decide."""
    if any(flags.values()):
        return True
    return False if dispensable else None


def _check_get(
    parts: list[str], mixed: "Mapping[str, Steps]", order: "int | None", no_backward: bool
) -> int:
    """The highest order that parts ask for, which `--order` need not say."""
    from gradcli.views.answers import PARTS, derivative_named

    highest = 1
    for what in parts:
        if what in PARTS:
            continue
        name, nth = derivative_named(what)
        if not name and what not in mixed:
            message = f"--get: there is no {what}"
            from gradcli.language.telling.hints import hint_for

            if re.match(r"d\d+/d", what):
                raise UsageError(message, "the orders of variables add up to d's, as in d3/dx2dy")
            known = f"it takes {', '.join(PARTS)}, NAME.grad, d2/dNAME2 or d2/dNAMEdNAME"
            raise UsageError(message, hint_for(message) or known)
        if no_backward:
            raise UsageError(f"--no-backward and --get {what} contradict each other")
        if order is not None and nth > order:
            raise UsageError(f"--get {what} needs --order {nth}")
        highest = max(highest, nth)
    return highest


def _check_mixed(mixed: "Mapping[str, Steps]", answer: "Answer") -> None:
    if answer.grads is None:
        return
    for name in [name for steps in mixed.values() for name, _ in steps]:
        if name not in answer.grads:
            raise _no_variable(name, answer)


def _no_variable(name: str, answer: "Answer") -> UsageError:
    from gradcli.cli.variables import nearest_variable

    hint = nearest_variable(name, answer.grads or {})
    return UsageError(f"--get: {name} is no variable that requires grad", hint)


def _shown(answer: "Answer", bindings: "Bindings", json: bool, parts: list[str]) -> str:
    """The answer in the form that was asked for."""
    from gradcli.views.answers import answer_fields, answer_text, parts_text

    if json:
        from gradcli.views.jsonout import dumps

        return dumps({"ok": True, **answer_fields(answer)}) + "\n"
    if not parts:
        label = "\x1b[36m{}\x1b[0m" if wants_color(sys.stdout) else "{}"
        return answer_text(answer, label, shows_none="print" not in bindings.code.read_names)
    try:
        return f"{parts_text(answer, parts)}\n"
    except KeyError as error:
        (name,) = error.args
        raise _no_variable(name, answer) from None
