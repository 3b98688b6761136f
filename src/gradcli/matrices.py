"""Whole matrices of derivatives of an expression: its Jacobian, and its Hessian.

Both are made of blocks, one for each output (or variable) and variable, each in the shape of the
one followed by that of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from gradcli.autograd.matrices import blocks_of, zeros_for
from gradcli.autograd.passes import grad
from gradcli.evaluation import Bindings, check_operands, define, leaves_of, located, restricted
from gradcli.language.running.machine import Machine
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.tensor.clock import limited
from gradcli.tensor.memory import budget
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array

NUMBER: Final = 8
"""Bytes that an element takes while a matrix is looked at as a whole."""


class Matrix(NamedTuple):
    """Derivatives of all outputs (or of a gradient) with respect to all variables.

    Attributes:
        outputs: the values of the expression.
        several: whether that is a tuple.
        rows: what is differentiated: the outputs, or for a Hessian the gradients of the variables.
        points: the variables by name.
        blocks: for each row and variable.
    """

    outputs: list[Tensor]
    several: bool
    rows: list[Tensor]
    points: dict[str, Tensor]
    blocks: list[list[Tensor]]

    def size(self) -> tuple[int, int]:
        """How many rows and columns the whole has."""
        return size_of(self.rows, self.points)

    def whole(self) -> Array:
        """All blocks as one matrix, in double precision.

        Raises:
            RuntimeError: an element is not finite, so that nothing can be said of the whole.
        """
        lines = []
        for row, blocks in zip(self.rows, self.blocks, strict=True):
            pairs = zip(blocks, self.points.values(), strict=True)
            flat = [block._array.reshape(row.numel(), point.numel()) for block, point in pairs]
            lines.append(np.hstack([part.astype(np.float64) for part in flat]))
        found = np.vstack(lines)
        if not np.isfinite(found).all():
            raise RuntimeError("the matrix has elements that are not finite")
        return found

    def epsilon(self) -> float:
        """The relative precision of the blocks."""
        kinds = [block._array.dtype for line in self.blocks for block in line]
        return max(float(np.finfo(kind).eps) if kind.kind == "f" else 0.0078125 for kind in kinds)

    def rank(self) -> int:
        """The rank of the whole: how many singular values are not negligible."""
        whole = self.whole()
        if not whole.size:
            return 0
        values = np.linalg.svd(whole, compute_uv=False)
        return int((values > values.max() * max(whole.shape) * self.epsilon()).sum())

    def eigenvalues(self) -> Array:
        """The eigenvalues of the whole, which is symmetric, in ascending order."""
        whole = self.whole()
        return np.linalg.eigvalsh((whole + whole.T) / 2)

    def definiteness(self, eigenvalues: Array) -> str:
        """What the eigenvalues say, in words."""
        if not eigenvalues.size:
            return "empty"
        limit = np.abs(eigenvalues).max() * eigenvalues.size * self.epsilon()
        positive, negative = bool((eigenvalues > limit).any()), bool((eigenvalues < -limit).any())
        singular = bool((np.abs(eigenvalues) <= limit).any())
        if positive and negative:
            return "indefinite, and singular" if singular else "indefinite"
        if not (positive or negative):
            return "singular, zero"
        sign = "positive" if positive else "negative"
        return f"singular, {sign} semidefinite" if singular else f"{sign} definite"


def jacobian(machine: Machine, bindings: Bindings, wrt: Sequence[str] = ()) -> Matrix:
    """The Jacobian of an expression with respect to its variables, or to those of some names.

    Raises:
        Exception: whatever a text or PyTorch's rules raise.
        RuntimeError: nothing requires grad, values are complex, or the matrix is too large.
    """
    with limited(machine.timeout):
        outputs, several, leaves = _evaluated(machine, bindings, wrt)
        try:
            _check_size("Jacobian", outputs, leaves)
            points = list(leaves.values())
            blocks = _filled(blocks_of(outputs, points), outputs, points)
        except Exception as error:
            placed = located(error, bindings.code, outputs)
            raise placed from placed.__cause__
        return Matrix(outputs, several, outputs, leaves, blocks)


def hessian(machine: Machine, bindings: Bindings, wrt: Sequence[str] = ()) -> Matrix:
    """The second derivatives of an expression that has one element.

    Raises:
        Exception: whatever a text or PyTorch's rules raise.
        RuntimeError: it has more elements; or as `jacobian`.
    """
    with limited(machine.timeout):
        outputs, several, leaves = _evaluated(machine, bindings, wrt)
        points = list(leaves.values())
        try:
            if len(outputs) != 1 or outputs[0].numel() != 1:
                raise RuntimeError(
                    "the Hessian needs an expression of one element, not "
                    f"{_told([output.shape for output in outputs])}"
                )
            _check_size("Hessian", points, leaves)
            slopes: Sequence[Tensor | None] = [None] * len(points)
            if outputs[0].requires_grad:
                ones = zeros_like(outputs[0]) + 1
                slopes = grad(outputs, points, [ones], create_graph=True, allow_unused=True)
            rows = [
                zeros_like(point) if slope is None else slope
                for slope, point in zip(slopes, points, strict=True)
            ]
            blocks = _filled(blocks_of(rows, points), rows, points)
        except Exception as error:
            placed = located(error, bindings.code, outputs)
            raise placed from placed.__cause__
        return Matrix(outputs, several, rows, leaves, blocks)


def _evaluated(
    machine: Machine, bindings: Bindings, wrt: Sequence[str]
) -> tuple[list[Tensor], bool, dict[str, Tensor]]:
    """The outputs, whether they are several, and the variables."""
    define(machine, bindings)
    check_operands(machine, bindings)
    value = machine.run(bindings.code)
    several = isinstance(value, tuple | list)
    outputs = list(value) if isinstance(value, tuple | list) else [value]
    leaves = restricted(machine, leaves_of(machine), wrt)
    if not outputs or not all(isinstance(output, Tensor) for output in outputs) or not leaves:
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    for what, tensors in (("values", outputs), ("variables", list(leaves.values()))):
        if any(tensor.is_complex() for tensor in tensors):
            raise RuntimeError(f"derivatives of complex {what} have no matrix of one number each")
    return outputs, several, leaves


def _check_size(what: str, rows: Sequence[Tensor], leaves: dict[str, Tensor]) -> None:
    """Refuses a matrix that there is no memory for.

    Raises:
        RuntimeError: this is one.
    """
    height, width = size_of(rows, leaves)
    if height * width * NUMBER > budget.left():
        raise RuntimeError(
            f"the {what} has {height} x {width} elements, {_size(height * width * NUMBER)}: more "
            "than fit into memory; choose variables with --wrt"
        )


def size_of(rows: Sequence[Tensor], leaves: dict[str, Tensor]) -> tuple[int, int]:
    """How many rows and columns a matrix has."""
    return sum(row.numel() for row in rows), sum(leaf.numel() for leaf in leaves.values())


def _size(count: int) -> str:
    """Bytes as people say them."""
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.3g} {_UNITS[power]}"


_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def _told(shapes: Sequence[Sequence[int]]) -> str:
    if len(shapes) == 1:
        return f"one of shape {list(shapes[0])}"
    return f"{len(shapes)} outputs"


def _filled(
    blocks: list[list[Tensor | None]], rows: Sequence[Tensor], points: Sequence[Tensor]
) -> list[list[Tensor]]:
    """Zeros where an output does not depend on a variable."""
    return [
        [
            zeros_for(row, point) if block is None else block
            for block, point in zip(line, points, strict=True)
        ]
        for line, row in zip(blocks, rows, strict=True)
    ]
