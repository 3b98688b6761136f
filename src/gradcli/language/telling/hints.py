"""The way out of an error: one table from an error to what helps."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

_Search = Callable[[str], "re.Match[str] | None"]

_FUNCTION: Final = (
    r"\b((?:a|arc)?(?:sin|cos|tan)h?|cot|sec|csc|exp2?|log(?:2|10|1p)?|ln|sqrt|cbrt|abs|erfc?|gamma"
    r"|sigmoid|relu|softplus)"
)
"""What is written without brackets, or with its power before them."""
_NUMPY: Final = "variable (np|numpy) has no value|name '(np|numpy)' is not defined"
_DERIVATIVE: Final = "name '(grad|deriv|derivative|differentiate)' is not defined"


class Hint(NamedTuple):
    r"""A row of the table.

    Attributes:
        error: a pattern of `TYPE: MESSAGE`, or of the words of a usage error.
        hint: what helps; `\1` is the first group of `text`, or of `error` where there is no text.
        text: a pattern of the line that the error is about. Such a row goes before what whoever
            raised the error has to say, because it knows more.
    """

    error: str
    hint: str
    text: str = ""


HINTS: Final = (
    # What a line says that the grammar reads in another way, or not at all.
    Hint(
        "", r"a power of a function's value: \1(...)**\2", _FUNCTION + r" ?(?:\^|\*\*) ?(\d+) ?\("
    ),
    Hint(
        "expected an operator",
        r"a function's argument stands in brackets: \1(\2)",
        _FUNCTION + r" +([\w.]+)",
    ),
    Hint(
        "SyntaxError",
        "lambda begins a function here: call the variable lam",
        r"\blambda\s*(?:[-+*/^)]|$)",
    ),
    Hint(
        "cannot assign to function call|unexpected ':='",
        r'its value is asked for as "\3"; a program defines it: def \1(\2): return \3',
        r"^\s*(\w+)\(([\w, ]*)\)\s*:?=\s*([^=].*)$",
    ),
    Hint(
        "invalid character '!'",
        "the factorial is factorial(n), of real numbers gamma(x + 1)",
        r"[\w)]\s*!(?!=)",
    ),
    Hint(r"unexpected '\|'", r"the absolute value is abs(\1)", r"\|([^|]+)\|"),
    Hint(
        "unexpected '='|expected an operator",
        r"each variable has its own declaration: ...; \1 \2 = ...",
        r"\b(let|const)\b[^;=]*=[^;]*[,\s]\s*(\w+)\s*=(?!=)",
    ),
    Hint("unexpected '='", r"that is written \1=", "=([<>])"),
    Hint("unexpected '='", "equality is written ==", "==="),
    Hint("unexpected '>'", "unequal is written !=", "<>"),
    Hint(
        "expected ':'",
        "a choice is written a if condition else b; of each element where(condition, a, b)",
        r"\bif\s*\(",
    ),
    Hint("line continuation", r"without the backslash: \1", r"\\([a-z]{2,})"),
    Hint("unexpected '=', expected 'else'", "equality is written =="),
    Hint(
        r"'(int|float|complex|Tensor)' object is not callable",
        "multiplication is written *, as in 2*(x + 1)",
    ),
    # Names of other languages.
    Hint("'tg' is not defined", "the tangent is tan(x)"),
    Hint("'co?tg' is not defined", "the cotangent is cot(x)"),
    Hint("'cosec' is not defined", "the cosecant is csc(x)"),
    Hint("'arc?tg' is not defined", "the arc tangent is atan(x)"),
    Hint("'lg' is not defined", "the logarithm to the base 10 is log10(x)"),
    Hint("'ld' is not defined", "the logarithm to the base 2 is log2(x)"),
    Hint("'sqr' is not defined", "the square is x**2"),
    Hint("variables? .* ha(s|ve) no value", "π is written pi", "π"),
    Hint(
        _NUMPY,
        "NumPy is not part of the language; numbers in brackets are an array: [1, 2]",
        r"\b(?:np|numpy)\.(?:as)?array\b",
    ),
    Hint(
        _NUMPY,
        r"NumPy is not part of the language; without the prefix: \1",
        r"\b(?:np|numpy)\.(?:\w+\.)*(\w+)",
    ),
    Hint(
        _NUMPY,
        "NumPy is not part of the language; torch has the same functions",
    ),
    Hint(
        _DERIVATIVE,
        r'eval prints gradients by itself: gradcli eval "\1" --x 3; a program calls '
        "torch.autograd.grad(y, x)",
        r"\b(?:grad|deriv|derivative|differentiate)\(([^,()]+)[,)]",
    ),
    Hint(_DERIVATIVE, "in a program: torch.autograd.grad(y, x)"),
    Hint(
        "name '(jacobian|hessian)' is not defined",
        r"write torch.autograd.functional.\1(lambda x: ..., x)",
    ),
    Hint(
        "No module named",
        "an import only binds what the language has: see `gradcli help language`",
    ),
    Hint(
        "deriving a class from '(\\w+)' is not part of the language",
        r"let objects hold \1 values: self.values = \1(...)",
    ),
    Hint(
        "NameError: 'open' is not part",
        "a program reads and writes no files; numbers come from the command line: "
        "gradcli run FILE --x @numbers.csv",
    ),
    Hint(
        "NameError: 'input' is not part",
        "a program asks nobody; what it reads and does not set is an option: "
        "gradcli run FILE --x 3",
    ),
    Hint(
        "NameError: '(eval|exec|compile)' is not part",
        "a program runs no texts; def and lambda make functions",
    ),
    # The command line.
    Hint("an assertion is one expression", "two sides are compared by ==", r"[^=<>!]=[^=]"),
    Hint("one expression is expected", r"the seed is its own word: -g \1", r" -g(\w+)"),
    Hint(
        "one expression is expected",
        r"a variable is given as --\1 \2",
        r" -?([^\W\d]\w*)(?: ?= ?| )([-+.\d\[]\S*)$",
    ),
    Hint(r"--get: there is no (?:d\w*/?)?d(\w+)$", r"the gradient of \1 is \1.grad"),
    # PyTorch's errors.
    Hint(
        "RuntimeError: .*grad can be implicitly created only for scalar outputs",
        'seed it: --grad-tensors ones or "[1,2,3]", in a program y.backward(torch.ones_like(y)); '
        "or ask for `gradcli jacobian`",
    ),
    Hint(
        "RuntimeError: .*the Hessian needs an expression of one element",
        "make it one number, as by .sum() or an index; or ask for `gradcli jacobian`",
    ),
    Hint(
        "RuntimeError: .*derivatives of complex (?:values|variables) have no matrix",
        "take real numbers of it: .real, .imag or torch.view_as_real()",
    ),
    Hint(
        "RuntimeError: .*Trying to backward through the graph a second time",
        "keep the graph for a second pass: --retain-graph, or retain_graph=True in a program",
    ),
    Hint(
        r"RuntimeError: .*element \d+ of tensors does not require grad",
        "nothing here requires grad: declare a variable with `let`, or call requires_grad_()",
    ),
    Hint(
        "RuntimeError: .*appears to not have been used in the graph",
        "the output does not depend on it; allow_unused=True gives None instead",
    ),
    Hint(
        "RuntimeError: .*modified by an inplace operation",
        "backward needs the old value: write y = y + 1 instead of y += 1",
    ),
    Hint(
        "RuntimeError: .*a leaf Variable that requires grad is being used in an in-place operation",
        "update a leaf inside `with torch.no_grad():`",
    ),
    Hint(
        "RuntimeError: .*[Oo]nly Tensors of floating point (and complex )?dtype can require",
        "write the number with a point (1.0), or give dtype=torch.float32",
    ),
    Hint(
        r'"bitwise_xor_cpu" not implemented for|unsupported operand type\(s\) for \^',
        "powers are written **: x ** 2",
    ),
    Hint(
        r"unsupported operand type\(s\) for \S+ ('list' and 'Tensor'|'Tensor' and 'list')",
        "a list of tensors becomes one tensor by stack([...])",
    ),
    Hint(
        "dtype, but (found|got) |expected scalar type|expected m1 and m2 to have the same dtype",
        "bring both to one type: x.float() or x.double(); --dtype float64 makes all variables that",
    ),
    Hint(
        r"RuntimeError: .*Can't call numpy\(\) on Tensor that requires grad",
        "detach it first: x.detach().numpy()",
    ),
    Hint(
        "RuntimeError: .*mat1 and mat2 shapes cannot be multiplied",
        "the left operand's last size must equal the right operand's first; .T transposes",
    ),
    Hint(
        r"RuntimeError: .*The size of tensor a \(\d+\) must match the size of tensor b",
        "sizes broadcast from the right: equal, or one of them 1; unsqueeze() adds a 1",
    ),
    Hint(
        r"a Tensor with \d+ elements cannot be converted to Scalar|only one element tensors can be",
        "reduce it first (sum(), mean()), or use tolist()",
    ),
    Hint(
        "RuntimeError: .*Boolean value of Tensor with (more than one|no) value",
        "reduce it first: .any() or .all()",
    ),
    Hint(
        r"Exceeds the limit \(\d+ digits\) for integer string conversion",
        "compute in floating point: float(n)",
    ),
    # A letter that is no function's.
    Hint(
        r"NameError: name '([^\Wfgh])' is not defined", r"it has no value: let \1 = 3 gives it one"
    ),
    Hint("maximum recursion depth exceeded", "write it as a loop"),
    Hint(r"LimitError: stopped after [\d.]+ s$", "give it more time: --timeout SECONDS"),
    Hint(r"LimitError: stopped after \d+ steps", "let it take more: --max-steps N"),
    Hint("MemoryError: there is no more memory", "let it take more: --max-memory SIZE"),
)
"""The first row that fits wins."""


def hint_for(error: str, text: str = "", otherwise: str = "") -> str:
    """The hint for an error, or "" where nobody has one.

    Args:
        error: `TYPE: MESSAGE`, or the words of a usage error.
        text: the line that it is about.
        otherwise: what whoever raised it has to say.
    """
    for searched, searched_text, hint in _searches():
        if otherwise and searched_text is None:
            continue
        found = searched(error)
        if found and searched_text is not None:
            found = searched_text(text)
        if found:
            return found.expand(hint) if "\\" in hint else hint
    return otherwise


@cache
def _searches() -> list[tuple[_Search, _Search | None, str]]:
    """The table, its patterns compiled; most commands have no error."""
    return [
        (re.compile(row.error).search, re.compile(row.text).search if row.text else None, row.hint)
        for row in HINTS
    ]
