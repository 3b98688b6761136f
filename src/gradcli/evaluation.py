"""One evaluation: a text with its variables, the backward pass, higher derivatives.

`eval` and `batch` differ in where their questions come from and in how they show the answers; what
happens in between is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import accumulate
from gradcli.language.allowed.namespace import knows
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.running.code import GLOBAL, Code
from gradcli.language.running.flow import needs
from gradcli.language.running.machine import Machine
from gradcli.language.telling.accidents import in_words
from gradcli.language.telling.diagnostics import Diagnostic, ParseError, Place, locate
from gradcli.tensor.accidents import is_accident
from gradcli.tensor.clock import limited
from gradcli.tensor.tensor import Tensor, wrap

if TYPE_CHECKING:
    from gradcli.readings.trace import Recorder

SEVERAL: Final = 'several numbers are written [1, 2], or in rows: "1 2"'
"""What is said to a value that is more than one expression."""

Grads = dict[str, Tensor | None]

Steps = tuple[tuple[str, int], ...]
"""How often is differentiated with respect to which variable, in turn."""


class Variable(NamedTuple):
    """A variable that comes from outside.

    Attributes:
        value: a text to evaluate, a function that fetches the value when its turn comes, or the
            value itself.
        kind: "let" for a leaf that requires grad, "const" for one that does not.
        origin: what messages call the place where a text was given, such as `--x`.
    """

    name: str
    value: Any
    kind: str = "let"
    origin: str = ""


class Bindings(NamedTuple):
    """A text and what its variables are bound to, in order: a value may use those before it.

    Texts among the values are compiled. What is wrong with the bindings is for whoever asks: a
    command line wants all of it, a batch leaves it to the evaluation.
    """

    code: Code
    variables: tuple[Variable, ...] = ()

    def repeated(self) -> list[str]:
        """The names that are given more than once."""
        names = [variable.name for variable in self.variables]
        return [name for name in dict.fromkeys(names) if names.count(name) > 1]

    def free_names(self) -> list[str]:
        """The names that the text reads, never binds, are not given, and mean nothing to it."""
        given = {variable.name for variable in self.variables}
        # What is given need not be asked for: to know all names is to load the operator table.
        asked = [name for name in self.code.read_names if name not in given]
        return [name for name in asked if not knows(name, name in self.code.operands)]

    def unbound(self) -> list[str]:
        """The variables that the text needs and nobody gave; unknown functions are none."""
        return [name for name in self.free_names() if not self._is_called(name)]

    def unused(self) -> list[Variable]:
        """The variables that neither the text, before it sets them, nor another's value reads."""
        codes = self.codes()
        return [v for v in self.variables if not any(needs(code, v.name) for code in codes)]

    def codes(self) -> list[Code]:
        """The code of the text, and of the variables whose values are texts."""
        values = [variable.value for variable in self.variables]
        return [self.code, *[value for value in values if isinstance(value, Code)]]

    def place(self, name: str) -> tuple[int, int] | None:
        """Where the text first reads a global name: two offsets in it."""
        code = self.code
        for index, (operation, argument) in enumerate(code.instructions):
            if operation == GLOBAL and argument == name:
                return code.span(index)
        return None

    def _is_called(self, name: str) -> bool:
        """Whether the first use of a name is a call: then it was meant to be a function."""
        place = self.place(name)
        return place is not None and self.code.text[place[1] :].lstrip(" \t").startswith("(")


class Plan(NamedTuple):
    """What happens to a value once it is there.

    Attributes:
        run: whether backward runs; None lets the value decide (it does where that requires grad).
        seeds: one for every output that requires grad: a tensor, None, a function of the output, or
            the code of a text such as `ones`, `[1, 2, 3]` or `ones_like(x)`.
        retain_graph, create_graph: as in `torch.autograd.backward`; None retains what
            `create_graph` asks for.
        times: how often backward runs.
        order: derivatives up to this order are wanted, each of one variable alone.
        wrt: names of the leaves that get gradients; all where it is empty.
        tangents: for leaves by name, in which direction they move, as seeds are given: the answer
            then has the Jacobian-vector product.
        mixed: derivatives with respect to several variables, by whatever they are called.
        notes: whether the answer tells what is to be known about derivatives.
    """

    run: bool | None = None
    seeds: Sequence[Any] = ()
    retain_graph: bool | None = None
    create_graph: bool = False
    times: int = 1
    order: int = 1
    wrt: Sequence[str] = ()
    tangents: Mapping[str, Any] = {}
    mixed: Mapping[str, Steps] = {}
    notes: bool = False


class Answer(NamedTuple):
    """What an evaluation gave.

    Attributes:
        value: of the last expression.
        outputs: the value itself, or the elements of a tuple.
        several: whether the value is a tuple.
        leaves: the variables that require grad.
        grads: their gradients; None where no backward ran.
        derivatives: of each leaf, the first to the Nth; empty unless N > 1.
        products: of the Jacobian of each tensor among the outputs with the tangents; empty without.
        mixed: those of them all of whose variables require grad.
        notes: what is to be known about these, and `inner` on request, how they came about.
    """

    value: Any
    outputs: Sequence[Any]
    several: bool
    leaves: dict[str, Tensor]
    grads: Grads | None
    derivatives: dict[str, list[Tensor]]
    products: Sequence[Tensor] = ()
    mixed: Mapping[str, Tensor] = {}
    notes: Sequence[str] = ()
    inner: Sequence[str] = ()


def compile_expression(
    text: str, origin: str = "expression", compile: Callable[..., Code] = compile_text
) -> Code:
    """The code of a text that ends in an expression, as `compile` makes it.

    Raises:
        ParseError: it is not in the language, or it has no value.
    """
    code = compile(text, origin, mathematics=True)
    if not code.ends_in_expression:
        if not text.strip():
            raise ParseError(
                Diagnostic(
                    "SyntaxError",
                    "the expression is empty",
                    origin=origin,
                    hint='write one, as in `gradcli eval "x**2" --x 3`',
                )
            )
        end = len(text.rstrip())
        raise ParseError(
            locate(
                "SyntaxError",
                "there is nothing to show: the text does not end in an expression",
                text,
                origin,
                end,
                end,
                hint="end it with what you want to see, as in `let x = 3; x*x`",
            )
        )
    return code


def compile_value(
    text: str, origin: str, word: str = "value", hint: str = SEVERAL, mathematics: bool = False
) -> Code:
    """The code of a text that is one expression, as a variable's value is.

    `word` is what messages call it, `hint` what they say where there are several expressions.

    Raises:
        ParseError: it is not in the language, or not one expression.
    """
    code = compile_text(text, origin, mathematics)
    if code.statements == 1 and code.ends_in_expression:
        return code
    start, end = code.span(-1)
    article = "an" if word[0] in "aeiou" else "a"
    what, hint = f"{article} {word} is one expression", hint if code.statements > 1 else ""
    if not code.statements:
        what, hint = f"the {word} is empty", "write a number or an expression, as 3 or [1, 2]"
    raise ParseError(locate("SyntaxError", what, code.text, origin, start, end, hint=hint))


def bindings_of(code: Code, given: Iterable[Variable]) -> Bindings:
    """The code of a text with the variables that are given for it.

    Raises:
        ParseError: the text of a variable is not in the language, or not one expression.
    """
    return Bindings(
        code,
        tuple(
            variable._replace(value=compile_value(variable.value, variable.origin))
            if isinstance(variable.value, str)
            else variable
            for variable in given
        ),
    )


def define(machine: Machine, bindings: Bindings) -> None:
    """Gives variables their values, in order.

    Raises:
        Exception: whatever the text of a variable raised, or the function that fetches its value.
    """
    for name, value, kind, _ in bindings.variables:
        if isinstance(value, Code):
            code = value
            value = machine.run(code)
            try:
                value = machine.namespace.declare(kind, value, None)
            except Exception as error:
                placed = located(error, code, ())
                raise placed from placed.__cause__
        elif callable(value):
            value = value()
        machine.globals[name] = machine.declared[name] = value


def mixed_named(what: str, names: Collection[str]) -> Steps:
    """What `d3/dx2dy` differentiates by, of these variables; nothing where it is no derivative."""
    match = re.fullmatch(r"d([1-9]\d{0,8})/(d.+)", what)
    if match is None:
        return ()
    order = int(match[1])
    waiting: list[tuple[str, Steps]] = [(match[2], ())]
    while waiting:
        text, steps = waiting.pop()
        if not text and sum(times for _, times in steps) == order:
            return steps
        for name in names:
            if text.startswith(f"d{name}"):
                digits = re.match(r"[1-9]\d{0,8}", text[1 + len(name) :])
                rest = text[1 + len(name) + len(digits[0] if digits else "") :]
                waiting.append((rest, (*steps, (name, int(digits[0]) if digits else 1))))
    return ()


def seed_for(machine: Machine, seed: Any, output: Tensor) -> Any:
    """The seed of an output: code is run, and a function is called.

    A function that a text names, such as `ones`, is called with the output's shape and dtype;
    numbers in a text take the output's dtype.
    """
    if not isinstance(seed, Code):
        return seed(output) if callable(seed) else seed
    value = machine.run(seed)
    if callable(value):
        value = machine.call(value, tuple(output.shape), dtype=output.dtype)
    if value is None or isinstance(value, Tensor):
        return value
    return machine.namespace.declare("const", value, output.dtype)


def check_operands(machine: Machine, bindings: Bindings) -> None:
    """Refuses an operand that is no variable and no number: `t * x` asks for a t.

    Raises:
        NameError: there is one.
    """
    code = bindings.code
    for name in code.operands - machine.globals.keys() - code.stores.keys():
        if knows(name) and not knows(name, operand=True):
            error = NameError(f"name '{name}' is not defined", name=name)
            start, end = bindings.place(name) or (0, 0)
            error.place = Place(code.text, code.origin, start, end, "")  # type: ignore[attr-defined]
            raise error


def evaluate(machine: Machine, bindings: Bindings, plan: Plan) -> Answer:
    """Sets the variables, runs the text, and does what the plan asks for.

    Raises:
        Exception: whatever a text or PyTorch's rules raise.
    """
    with limited(machine.timeout):
        return _evaluated(machine, bindings, plan)


def _evaluated(machine: Machine, bindings: Bindings, plan: Plan) -> Answer:
    define(machine, bindings)
    code = bindings.code
    check_operands(machine, bindings)
    # Derivatives that are to be differentiated again are recorded by nested passes.
    recorder = recorder_of(machine, plan)
    with recorder or nullcontext():
        value = machine.run(code)
    several = isinstance(value, tuple | list) and any(isinstance(part, Tensor) for part in value)
    outputs = list(value) if several else [value]
    leaves = leaves_of(machine)
    products = pushed(recorder, machine, outputs, leaves, plan) if plan.tangents else ()
    ends = [out for out in outputs if isinstance(out, Tensor) and out.requires_grad]
    run = bool(ends) if plan.run is None else plan.run
    if not run:
        return Answer(value, outputs, several, leaves, None, {}, products)
    wanted = restricted(machine, leaves, plan.wrt)
    if not ends:
        # PyTorch's error says what is missing.
        ends = [out if isinstance(out, Tensor) else wrap(np.zeros(())) for out in outputs][:1]
    given = list(plan.seeds)
    if len(given) == len(ends):
        given = [seed_for(machine, seed, end) for seed, end in zip(given, ends, strict=True)]
    else:
        given = [None] * len(given)  # PyTorch's error says how many there are
    seeds = given or None
    derivatives: dict[str, list[Tensor]] = {}
    notes: Sequence[str] = ()
    inner: Sequence[str] = ()
    inputs = list(wanted.values()) if plan.wrt else None
    try:
        if seeds is not None and len(seeds) != len(ends):
            raise RuntimeError(f"got {len(ends)} tensors and {len(seeds)} gradients")
        if plan.order > 1:
            derivatives, notes, inner = higher_orders(recorder, ends, seeds, wanted, plan)
        mixed = {
            name: _mixed(ends, seeds, wanted, steps)
            for name, steps in plan.mixed.items()
            if all(variable in wanted for variable, _ in steps)
        }
        if plan.notes:
            notes = [*notes, *_sums(mixed, wanted, plan)]
        for _ in range(plan.times):
            accumulate(ends, seeds, plan.retain_graph, plan.create_graph, inputs)
    except Exception as error:
        placed = located(error, code, ends)
        raise placed from placed.__cause__
    grads = {name: leaf._grad for name, leaf in wanted.items()}
    return Answer(
        value, outputs, several, leaves, grads, derivatives, products, mixed, notes, inner
    )


def located(error: Exception, code: Code, ends: Sequence[Tensor]) -> Exception:
    """The same error of a backward pass, with the place of the expression that it started from."""
    if getattr(error, "place", None) is None:
        if is_accident(error):
            error = in_words(error, "backward()", ends)
        shapes = [f"shape {list(end.shape)}" for end in ends if end.ndim]
        place = Place(code.text, code.origin, *code.span(-1), ", ".join(shapes[:3]))
        error.place = place  # type: ignore[attr-defined]
    return error


def leaves_of(machine: Machine) -> dict[str, Tensor]:
    """The leaves that require grad: declared ones first, then those the text made itself."""
    leaves: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, value in [*machine.declared.items(), *machine.globals.items()]:
        if type(value) is Tensor and value._requires_grad and value._grad_fn is None:
            if id(value) in seen:
                continue
            seen.add(id(value))
            leaves[name] = value
    return leaves


def restricted(
    machine: Machine, leaves: dict[str, Tensor], names: Sequence[str]
) -> dict[str, Tensor]:
    """The leaves of the given names, or all; others that are tensors are left to PyTorch's error.

    Raises:
        NameError: there is no such variable.
    """
    if not names:
        return leaves
    found: dict[str, Tensor] = {}
    for name in names:
        value = leaves.get(name, machine.globals.get(name))
        if not isinstance(value, Tensor):
            raise NameError(f"wrt: there is no variable {name}")
        found[name] = value
    return found


def recorder_of(machine: Machine, plan: Plan) -> Recorder | None:
    """What notes the rows that a text calls on the variables, where a reading needs them."""
    if not plan.tangents and (plan.order == 1 or plan.create_graph):
        return None
    from gradcli.readings.trace import Recorder

    return Recorder([value for value in machine.declared.values() if isinstance(value, Tensor)])


def higher_orders(
    recorder: Recorder | None,
    ends: Sequence[Tensor],
    seeds: Sequence[Any] | None,
    leaves: dict[str, Tensor],
    plan: Plan,
) -> tuple[dict[str, list[Tensor]], Sequence[str], Sequence[str]]:
    """The derivatives of each leaf alone, and what is to be said about them."""
    from gradcli.readings.series.orders import Notes, differentiate

    notes = Notes() if plan.notes else None
    trace = None if recorder is None else recorder.ended(ends)
    found = differentiate(trace, ends, seeds, leaves, plan.order, notes)
    return (found, (), ()) if notes is None else (found, notes, notes.inner)


def _sums(mixed: Collection[str], leaves: Mapping[str, Tensor], plan: Plan) -> Iterator[str]:
    """Which mixed derivatives are sums: each has the shape of the variable that came last."""
    for what in mixed:
        *before, (last, times) = plan.mixed[what]
        names = [name for name, _ in before] + [last] * (times > 1)
        summed = [name for name in dict.fromkeys(names) if leaves[name].numel() > 1]
        if summed:
            whole = ": see gradcli hessian" if len(before) == times == before[0][1] == 1 else ""
            yield f"{what} is a sum over the elements of {' and '.join(summed)}{whole}"


def _mixed(
    ends: Sequence[Tensor], seeds: Sequence[Any] | None, leaves: dict[str, Tensor], steps: Steps
) -> Tensor:
    from gradcli.readings.series.orders import mixed

    return mixed(ends, seeds, [(leaves[name], times) for name, times in steps])


def pushed(
    recorder: Recorder | None,
    machine: Machine,
    outputs: Sequence[Any],
    leaves: dict[str, Tensor],
    plan: Plan,
) -> Sequence[Tensor]:
    """The product of the Jacobian of each tensor with the tangents.

    Raises:
        NameError: a tangent is of no variable.
        RuntimeError: a tangent does not have its leaf's shape, or that requires no grad.
    """
    from gradcli.autograd.functional import transposed
    from gradcli.readings.series.products import products

    assert recorder is not None
    inputs = restricted(machine, leaves, list(plan.tangents))
    vector = []
    for (name, leaf), given in zip(inputs.items(), plan.tangents.values(), strict=True):
        if not leaf.requires_grad:
            raise RuntimeError(f"the tangent of {name}: {name} does not require grad")
        tangent = seed_for(machine, given, leaf)
        if tangent._array.shape != leaf._array.shape:
            raise RuntimeError(
                f"the tangent of {name} has invalid size: should be {leaf.shape!r} but got "
                f"{tangent.shape!r}."
            )
        vector.append(tangent)
    ends = [out for out in outputs if isinstance(out, Tensor)]
    points = list(inputs.values())
    found = products(recorder.ended(ends), points, vector, ends)
    if found is None:
        found = transposed(tuple(ends), tuple(points), tuple(vector), False, False)
    return found
