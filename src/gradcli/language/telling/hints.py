"""The way out of an error: one table from an error to what helps."""

from __future__ import annotations

import re

HINTS: tuple[tuple[str, str, str], ...] = (
    (
        "RuntimeError",
        r"grad can be implicitly created only for scalar outputs",
        'seed it: --grad-tensors ones or "[1,2,3]", in a program y.backward(torch.ones_like(y))',
    ),
    (
        "RuntimeError",
        r"Trying to backward through the graph a second time",
        "keep the graph for a second pass: --retain-graph, or retain_graph=True in a program",
    ),
    (
        "RuntimeError",
        r"element \d+ of tensors does not require grad",
        "nothing here requires grad: declare a variable with `let`, or call requires_grad_()",
    ),
    (
        "RuntimeError",
        r"appears to not have been used in the graph",
        "the output does not depend on it; allow_unused=True gives None instead",
    ),
    (
        "RuntimeError",
        r"modified by an inplace operation",
        "backward needs the old value: write y = y + 1 instead of y += 1",
    ),
    (
        "RuntimeError",
        r"a leaf Variable that requires grad is being used in an in-place operation",
        "update a leaf inside `with torch.no_grad():`",
    ),
    (
        "RuntimeError",
        r"[Oo]nly Tensors of floating point (and complex )?dtype can require gradients",
        "write the number with a point (1.0), or give dtype=torch.float32",
    ),
    (
        "NotImplementedError",
        r'"bitwise_xor_cpu" not implemented for',
        "powers are written **: x ** 2",
    ),
    ("TypeError", r"unsupported operand type\(s\) for \^", "powers are written **: x ** 2"),
    (
        "RuntimeError",
        r"Can't call numpy\(\) on Tensor that requires grad",
        "detach it first: x.detach().numpy()",
    ),
    (
        "RuntimeError",
        r"mat1 and mat2 shapes cannot be multiplied",
        "the left operand's last size must equal the right operand's first; .T transposes",
    ),
    (
        "RuntimeError",
        r"The size of tensor a \(\d+\) must match the size of tensor b",
        "sizes broadcast from the right: equal, or one of them 1; unsqueeze() adds a 1",
    ),
    (
        "RuntimeError",
        r"a Tensor with \d+ elements cannot be converted to Scalar",
        "reduce it first (sum(), mean()), or use tolist()",
    ),
    (
        "RuntimeError",
        r"Boolean value of Tensor with (more than one|no) value",
        "reduce it first: .any() or .all()",
    ),
    (
        "NameError",
        r"name '(np|numpy)' is not defined",
        "NumPy is not part of the language; torch has the same functions",
    ),
    (
        "ModuleNotFoundError",
        r"No module named",
        "an import only binds what the language has: torch, torch.nn.functional, math",
    ),
    (
        "ValueError",
        r"Exceeds the limit \(\d+ digits\) for integer string conversion",
        "compute in floating point: float(n)",
    ),
    ("RecursionError", r"maximum recursion depth exceeded", "write it as a loop"),
)
"""Type, pattern of the message, hint. The first row that fits wins."""


def hint_for(type: str, message: str) -> str:
    """The hint for an error, or "" where the table has none."""
    for name, pattern, hint in HINTS:
        if name == type and re.search(pattern, message):
            return hint
    return ""
