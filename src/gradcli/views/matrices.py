"""Jacobians and Hessians: blocks as text, as JSON, or one of them alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from gradcli.matrices import Matrix
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.views.tensors import plain


class Shown(NamedTuple):
    """A matrix with what is said about it.

    Attributes:
        matrix: the blocks.
        second: whether they are second derivatives.
        facts: what else was asked for, by name: values as JSON has them, and the sentence.
    """

    matrix: Matrix
    second: bool
    facts: dict[str, tuple[Any, str]]

    def labels(self) -> list[list[str]]:
        """What the blocks are called: `d/dx`, `d[1]/dx` of several outputs, `d2/dxdy`."""
        matrix, names = self.matrix, list(self.matrix.points)
        if self.second:
            return [[second_label(first, second) for second in names] for first in names]
        heads = [f"d[{k}]" if matrix.several else "d" for k in range(len(matrix.rows))]
        return [[f"{head}/d{name}" for name in names] for head in heads]

    def named(self) -> dict[str, Tensor]:
        """The blocks by their labels."""
        pairs = zip(self.labels(), self.matrix.blocks, strict=True)
        return {
            label: block
            for labels, blocks in pairs
            for label, block in zip(labels, blocks, strict=True)
        }


def second_label(first: str, second: str) -> str:
    """`d2/dx2`, or `d2/dxdy`."""
    return f"d2/d{first}2" if first == second else f"d2/d{first}d{second}"


def facts_of(matrix: Matrix, rank: bool, eigenvalues: bool) -> dict[str, tuple[Any, str]]:
    """What a matrix is asked beside its blocks."""
    facts: dict[str, tuple[Any, str]] = {}
    if rank:
        found, (height, width) = matrix.rank(), matrix.size()
        words = "full rank" if found == min(height, width) else "rank deficient"
        facts["rank"] = found, f"rank = {found} of {height} x {width}: {words}"
    if eigenvalues:
        values = matrix.eigenvalues()
        words = matrix.definiteness(values)
        rounded = wrap(values.astype(matrix.blocks[0][0]._array.dtype))
        facts["eigenvalues"] = plain(rounded), f"eigenvalues = {rounded!r}"
        facts["definiteness"] = words, words
    return facts


def matrix_text(shown: Shown, label: str = "{}") -> str:
    """The blocks as lines, each after its name and shape, then what else was asked for.

    Args:
        label: how the name of a block is written, a format with `{}` for the name.
    """
    lines = []
    for name, block in shown.named().items():
        lines += [f"{label.format(name)}, shape {list(block.shape)}:", repr(block)]
    lines += [sentence for _, sentence in shown.facts.values()]
    return "".join(f"{line}\n" for line in lines)


def matrix_fields(shown: Shown) -> dict[str, Any]:
    """The same as JSON has it."""
    blocks = {
        name: {"shape": list(block.shape), "value": plain(block)}
        for name, block in shown.named().items()
    }
    kind = "hessian" if shown.second else "jacobian"
    facts = {name: value for name, (value, _) in shown.facts.items()}
    matrix = shown.matrix
    outputs = [plain(output) for output in matrix.outputs]
    value = {"outputs": outputs} if matrix.several else {"value": outputs[0]}
    return {**value, kind: blocks, **facts}


def matrix_parts(shown: Shown) -> dict[str, Callable[[], Any]]:
    """What may be asked for alone, by name: functions that give it as JSON has it."""
    found: dict[str, Callable[[], Any]] = {}
    for name, block in shown.named().items():
        found[name] = partial(plain, block)
    outputs = [plain(output) for output in shown.matrix.outputs]
    found["value"] = lambda: outputs if shown.matrix.several else outputs[0]
    for name, (value, _) in shown.facts.items():
        found[name] = partial(plain, value)
    return found
