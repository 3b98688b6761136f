"""`gradcli eval`: one expression, its value and its gradients."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gradcli.cli.arguments import suggest_option, variables_of, whole_number
from gradcli.cli.report import PASSED, UsageError, fail, wants_color

if TYPE_CHECKING:
    from gradcli.evaluation import Answer, Variable
    from gradcli.language.running.code import Code
    from gradcli.language.running.machine import Machine


def command(
    context: typer.Context,
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPR",
            help="The expression, after declarations if need be; - reads the standard input.",
        ),
    ],
    const: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable that needs no gradient."),
    ] = None,
    let: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable whose name is also that of an option."),
    ] = None,
    dtype: Annotated[
        str, typer.Option(metavar="DTYPE", help="The dtype of plain numbers.")
    ] = "float32",
    grad_tensors: Annotated[
        list[str] | None,
        typer.Option(
            "--grad-tensors",
            "-g",
            metavar="SEED",
            help="The gradient to start from, an expression; once per output.",
        ),
    ] = None,
    retain_graph: Annotated[
        bool, typer.Option("--retain-graph", help="Keep the graph for another backward pass.")
    ] = False,
    create_graph: Annotated[
        bool, typer.Option("--create-graph", help="Record the backward pass, too.")
    ] = False,
    backward: Annotated[
        int | None,
        typer.Option(parser=whole_number(1), metavar="N", help="Run backward N times."),
    ] = None,
    order: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1),
            metavar="N",
            help="Also the derivatives up to order N of each variable alone.",
        ),
    ] = None,
    wrt: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="The variables that get gradients, as x,y."),
    ] = None,
    no_backward: Annotated[bool, typer.Option("--no-backward", help="Only evaluate.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    get: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Print one thing only: value, grad_fn, dtype, shape, x.grad or d2/dx2.",
        ),
    ] = None,
    precision: Annotated[
        int | None,
        typer.Option(parser=whole_number(0), metavar="N", help="Digits after the point (4)."),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show Python's traceback of an error.")
    ] = False,
) -> None:
    """Evaluate an expression and print its value, its grad_fn and the gradients of its variables.

    A variable is given by a flag of its own name: --x 3, --x=-3, --x "[1, 2]", --x "randn(3)",
    --x @weights.npy (also .npz:NAME, .csv, .json).
    """
    from gradcli.cli.variables import pairs

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
    if json and get is not None:
        raise UsageError("--json and --get contradict each other")
    bindings = [
        *(_Binding(*pair, "const", "--const") for pair in pairs("--const", const or [])),
        *(_Binding(*pair, "let", f"--{pair[0]}") for pair in variables_of(context)),
        *(_Binding(*pair, "let", "--let") for pair in pairs("--let", let or [])),
    ]
    wanted = [name.strip() for names in wrt or [] for name in names.split(",") if name.strip()]
    if wrt is not None and not wanted:
        raise UsageError("--wrt names no variable")
    _set_defaults(dtype, precision)
    try:
        code = _compile(expression)
        _check_bindings(code, bindings, context)
        _check_wrt(code, wanted, bindings)
        _check_get(code, get, order or 1, no_backward)
        from gradcli.evaluation import Plan, evaluate

        machine = _machine(_variables(bindings), to_stderr=json or get is not None)
        plan = Plan(
            run=_runs(flags, no_backward or get in _PARTS),
            seeds=_seeds(machine, grad_tensors or []),
            retain_graph=retain_graph or None,
            create_graph=create_graph,
            times=backward or 1,
            order=order or 1,
            wrt=wanted,
        )
        answer = evaluate(machine, code, plan)
        if json:
            text = _json(answer)
        elif get is not None:
            text = _single(answer, get)
        else:
            text = _text(answer, code, wants_color(sys.stdout))
    except PASSED:
        raise
    except Exception as error:
        raise fail(error, debug) from None
    sys.stdout.write(text)
    sys.stdout.flush()


def _runs(flags: dict[str, bool], dispensable: bool) -> bool | None:
    """Whether backward runs; None lets the value decide."""
    if any(flags.values()):
        return True
    return False if dispensable else None


class _Binding(NamedTuple):
    """A variable as the command line gives it."""

    name: str
    text: str
    kind: str
    option: str


def _set_defaults(dtype: str, precision: int | None) -> None:
    from gradcli.tensor import dtypes
    from gradcli.views.printing import set_printoptions

    chosen = dtypes.DTYPES.get(dtype.removeprefix("torch."))
    if chosen is None or not chosen.is_floating_point:
        raise UsageError(
            f"--dtype must be a floating point type, not {dtype}", "float16, float32 or float64"
        )
    if chosen is not dtypes.default.dtype:
        dtypes.set_default_dtype(chosen)
    if precision is not None:
        set_printoptions(precision=precision)


def _compile(expression: str) -> Code:
    from gradcli.cli.source import check_argument, read_text
    from gradcli.evaluation import compile_expression

    if expression == "-":
        return compile_expression(read_text("-"), "standard input")
    return compile_expression(check_argument(expression, "expression"))


def _check_bindings(code: Code, bindings: list[_Binding], context: typer.Context) -> None:
    """That every variable given is used, once, and every variable used is given."""
    from gradcli.evaluation import free_names, place_of, unbound_variables
    from gradcli.language.telling.suggest import did_you_mean

    names = [binding.name for binding in bindings]
    for binding in bindings:
        if names.count(binding.name) > 1:
            raise UsageError(f"{binding.name} is given more than once")
    used = {*code.read_names, *(name for b in bindings for name in _names_in(b, names))}
    missing = unbound_variables(code, names)
    for binding in bindings:
        if binding.name in used:
            continue
        option = binding.option if binding.option.startswith(f"--{binding.name}") else ""
        if binding.name in code.stores:
            raise UsageError(f"{binding.name} is given and declared in the expression, too")
        if not option:
            known = [*(name for name in names if name in used), *missing]
            hint = did_you_mean(binding.name, known) or _its_variables(known)
            raise UsageError(f"{binding.name} is no variable of the expression", hint)
        others = {f"--{name}" for name in [*missing, *free_names(code, ())]}
        options = {name for p in context.command.params for name in p.opts}
        hint = suggest_option(option, others) or suggest_option(option, {*options, *others})
        if not hint:
            hint = _its_variables([*(name for name in names if name in used), *missing])
        raise UsageError(f"{option} names no variable of the expression", hint)
    if missing:
        from gradcli.cli.report import USAGE, say
        from gradcli.language.telling.diagnostics import locate

        flags = " ".join(f"--{name} VALUE" for name in missing)
        start, end = place_of(code, missing[0]) or (0, 0)
        say(
            locate(
                f"the variable {missing[0]} has no value"
                if len(missing) == 1
                else f"the variables {', '.join(missing)} have no value",
                "",
                code.text,
                code.origin,
                start,
                end,
                hint=f"add {flags}",
            )
        )
        raise typer.Exit(USAGE)


def _its_variables(names: list[str]) -> str:
    return f"its variables: {', '.join(names)}" if names else "it has no variables"


def _names_in(binding: _Binding, names: list[str]) -> list[str]:
    """The names that the value of a variable uses; other variables may be among them."""
    if len(names) < 2 or binding.text.startswith("@") or not any(n in binding.text for n in names):
        return []
    from gradcli.evaluation import compile_expression

    return compile_expression(binding.text, binding.option).read_names


def _check_wrt(code: Code, wanted: list[str], bindings: list[_Binding]) -> None:
    from gradcli.language.telling.suggest import did_you_mean

    known = [binding.name for binding in bindings] + list(code.stores)
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known) or _its_variables(known)
            raise UsageError(f"--wrt: {name} is no variable of the expression", hint)


_PARTS = ("value", "grad_fn", "dtype", "shape", "requires_grad")


def _check_get(code: Code, get: str | None, order: int, no_backward: bool) -> None:
    if get is None or get in _PARTS:
        return
    name, nth = _derivative(get)
    if not name:
        raise UsageError(
            f"--get: there is no {get}", f"it takes {', '.join(_PARTS)}, NAME.grad or d2/dNAME2"
        )
    if no_backward:
        raise UsageError(f"--no-backward and --get {get} contradict each other")
    if nth > order:
        raise UsageError(f"--get {get} needs --order {nth}")


def _derivative(what: str) -> tuple[str, int]:
    """The variable and the order of `x.grad` (0) or `d2/dx2` (2); ("", 0) where it is neither."""
    import re

    match = re.fullmatch(r"([^\W\d]\w*)\.grad", what)
    if match:
        return match[1], 0
    match = re.fullmatch(r"d([1-9]\d*)/d([^\W\d]\w*?)\1", what)
    return (match[2], int(match[1])) if match else ("", 0)


def _variables(bindings: list[_Binding]) -> list[Variable]:
    if not bindings:
        return []
    from gradcli.cli.variables import variable

    return [variable(b.name, b.text, b.kind, b.option) for b in bindings]


def _machine(variables: list[Variable], to_stderr: bool) -> Machine:
    """A machine with the variables; what it prints leaves room for a machine-readable answer."""
    from gradcli.evaluation import define
    from gradcli.language.running.machine import Machine

    machine = Machine(write=sys.stderr.write if to_stderr else None)
    define(machine, variables)
    return machine


def _seeds(machine: Machine, texts: list[str]) -> list[Any]:
    if not texts:
        return []
    from gradcli.cli.source import check_argument
    from gradcli.evaluation import seed_from_text

    return [
        seed_from_text(machine, check_argument(text, "value of --grad-tensors"), "--grad-tensors")
        for text in texts
    ]


def _text(answer: Answer, code: Code, color: bool) -> str:
    """The answer as lines: each output, each gradient, each derivative."""
    cyan, plain = ("\x1b[36m", "\x1b[0m") if color else ("", "")
    lines = [repr(out) if answer.several else str(out) for out in answer.outputs]
    if answer.value is None and "print" in code.read_names:
        lines = []
    labelled: list[tuple[str, Any]] = []
    for name, gradient in (answer.grads or {}).items():
        labelled.append((f"{name}.grad", gradient))
        for nth, derivative in enumerate(answer.derivatives.get(name, []), 1):
            if nth > 1:
                labelled.append((f"d{nth}/d{name}{nth}", derivative))
    lines += [f"{cyan}{label}{plain} = {value!r}" for label, value in labelled]
    return "".join(f"{line}\n" for line in lines)


def _json(answer: Answer) -> str:
    from gradcli.batch.records import answer_fields
    from gradcli.views.jsonout import dumps

    return dumps({"ok": True, **answer_fields(answer)}) + "\n"


def _single(answer: Answer, what: str) -> str:
    """One thing alone: numbers bare, tensors as nested lists."""
    from gradcli.views.tensors import plain, tensor_fields

    if what in _PARTS:
        found = [tensor_fields(out)[what] for out in answer.outputs]
        value = found if answer.several else found[0]
    else:
        name, nth = _derivative(what)
        grads = answer.grads
        if grads is None:
            raise RuntimeError(
                "element 0 of tensors does not require grad and does not have a grad_fn"
            )
        if name not in grads:
            from gradcli.language.telling.suggest import did_you_mean

            hint = did_you_mean(name, grads) or _its_variables(list(grads))
            raise UsageError(f"--get: {name} is no variable that requires grad", hint)
        orders = answer.derivatives.get(name, [])
        value = orders[nth - 1] if 0 < nth <= len(orders) else grads[name]
    return f"{bare(plain(value))}\n"


def bare(value: Any) -> str:
    """JSON, but for text without quotes and None for nothing."""
    from gradcli.views.jsonout import dumps

    if value is None or isinstance(value, str):
        return str(value)
    text = dumps(value)
    return text[1:-1] if text.startswith('"') else text
