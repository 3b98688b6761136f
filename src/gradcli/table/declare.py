"""How operators enter the table: as rows, compositions, attributes or free functions.

The signature of an operator is the head of its function, and its documentation the docstring::

    @composite("ldexp", samples=...)
    def ldexp(self: Value, other: Value) -> Value:
        '''self * 2 ** other.'''

The text given with it has the names only. A signature is written out, as
`row("tanh(Tensor self)", np.tanh, ...)`, only where no `def` has it for a head: over functions of
NumPy, lambdas, functions made by others or shared by operators of different signatures, and
functions that sort their arguments themselves. `gradcli.table.schema` says what both forms mean.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from gradcli.table.entry import NEITHER, Composite, InPlace
from gradcli.table.functions import Attribute, Free
from gradcli.table.node import Formula
from gradcli.table.registry import place, register
from gradcli.table.row import NONE, Row


def row(
    signature: str,
    forward: Callable[..., Any],
    *,
    promote: int = NONE,
    check: Callable[[Sequence[Any]], None] | None = None,
    kinds: str = "",
    kernel: str = "",
    refusal: Exception | None = None,
    halves: bool = True,
    plain: Callable[..., Any] | None = None,
    half_numbers: str = "",
    wide_numbers: bool = False,
    view: bool = False,
    several: bool = False,
    node: str | None = None,
    number_nodes: dict[str, str] | None = None,
    linear: str = "",
    elementwise: bool | None = None,
    joint: tuple[str, Formula] | None = None,
    constant_outputs: tuple[int, ...] = (),
    complex_gradient: bool = True,
    doc: str = "",
    kink: str = "",
    samples: Any = None,
    inplace: InPlace | None = None,
    slopes: Row | None = None,
    pytorch: str = "",
    untested: str = "",
    **vjps: Formula,
) -> Row:
    """Enters an operator into the table.

    `signature` has its names, and its parameters unless `forward` is a `def` that has them.
    `forward` computes on arrays; `promote` says how operands get a common type, `check` refuses
    some of them before; `kinds` lists the kinds of types (see `serves`) that PyTorch's kernel takes
    in the first operand, `kernel` is what its message calls that if it is not "NAME_cpu", `refusal`
    what complex numbers are told instead; not `halves`: `forward` is given operands of half
    precision as they are, not in single precision, as it must where it refuses them, moves them or
    looks at their type; `plain` computes the same of single and double numbers (NumPy's) where
    other arguments have their defaults, and is needed for a short way (see `gradcli.table.short`)
    where operands are not brought to one type; `half_numbers` names numbers that are rounded to
    half precision too, and `wide_numbers` says that operands that are numbers are not; `view` says
    that the result shares the first operand's memory; `node` replaces the name derived from the
    signature and `number_nodes` says what the node is called when an operand is a number; `linear`
    names the operands in which the row is linear over the real numbers: "self other" if in both
    together, as a sum is, "self, other" if in either while the other stays as it is, as a product
    is; `elementwise` says whether each element of the result is made of the operands' elements in
    its place alone, as it is, unless the row says otherwise, where operands are brought to one
    type. `vjps` holds a formula per differentiable argument (`ITSELF` for the first one of a row
    that is its own adjoint) and `joint` one formula for several arguments at once ("input weight",
    function). `constant_outputs` are the numbers of floating outputs that no gradient flows
    through, and `complex_gradient` is False where PyTorch refuses to record a complex output. `doc`
    says in a sentence what is computed, where no docstring of `forward` does; `kink` which gradient
    is used at points where there is none or several, `samples` feeds the generic tests. `inplace`
    says which in-place operators are derived (see `InPlace`): a method where operands are brought
    to one type, a function too where there is only one operand, and neither elsewhere, unless the
    row says otherwise. `slopes` is the row of the n-th derivative, which takes n before the
    operand, where PyTorch has no gradient but mathematics has. `pytorch` and `untested` are told at
    `Entry`.
    """
    facts: dict[str, Any] = {
        "promote": promote,
        "check": check,
        "kinds": kinds,
        "kernel": kernel,
        "refusal": refusal,
        "halves": halves,
        "half_numbers": half_numbers,
        "wide_numbers": wide_numbers,
        "view": view,
        "several": several,
        "linear": linear,
        "elementwise": elementwise,
        "constant_outputs": constant_outputs,
        "complex_gradient": complex_gradient,
        "joint": joint,
        "module": sys._getframe(1).f_globals["__name__"],
        "doc": doc,
        "kink": kink,
        "plain": plain,
    }
    made = Row(signature, forward, node=node, vjps=vjps, samples=samples, inplace=inplace, **facts)
    for name, label in (number_nodes or {}).items():
        rest = {argument: formula for argument, formula in vjps.items() if argument != name}
        twin = Row(
            signature, forward, node=label, vjps=rest, samples=None, inplace=made.inplace, **facts
        )
        made.numbered[made.signature.index[name]] = twin
    made.slopes = slopes
    made.pytorch, made.untested = pytorch, untested
    register(made)
    return made


def composite(
    signature: str,
    *,
    doc: str = "",
    kink: str = "",
    samples: Any = None,
    inplace: InPlace = NEITHER,
    pytorch: str = "",
    untested: str = "",
) -> Callable[[Callable[..., Any]], Composite]:
    """Enters a composition of rows; decorates the function that composes.

    `doc` is for words that are computed; others are the function's docstring.
    """

    def enter(body: Callable[..., Any]) -> Composite:
        made = Composite(signature, body, doc, kink, samples, inplace)
        made.pytorch, made.untested = pytorch, untested
        register(made)
        return made

    return enter


def attribute(
    signature: str, *, doc: str = "", samples: Any = None, untested: str = ""
) -> Callable[[Callable[..., Any]], Composite]:
    """Enters a composition that is read like a field, `x.T`; its names begin with `Tensor.`."""

    def enter(body: Callable[..., Any]) -> Composite:
        made = Composite(signature, body, doc, "", samples)
        made.untested = untested
        for name in made.names:
            name = name.removeprefix("Tensor.")
            reader = Attribute(name)
            reader.entries.append(made)
            place(reader, method=True)
        return made

    return enter


def free(
    signature: str,
    *,
    doc: str = "",
    kind: type[Free] = Free,
    samples: Any = None,
    untested: str = "",
) -> Callable[[Callable[..., Any]], Free]:
    """Enters a function of `torch` whose arguments no signature can describe."""

    def enter(body: Callable[..., Any]) -> Free:
        made = Composite(signature, body, doc, "", samples)
        made.untested = untested
        name = made.names[0]
        function = kind(name.removeprefix("Tensor."))
        function.entries.append(made)
        place(function, method=name.startswith("Tensor."))
        return function

    return enter
