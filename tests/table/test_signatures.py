"""The head of a function as the signature of an operator."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import CO_VARARGS
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from gradcli.table.entry import Composite, Entry
from gradcli.table.registry import entries
from gradcli.table.schema import by_position, kind_of, parameters_of
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Operand, Pair, Scalar, Value, VarTensors


def _everything(
    self: Value,
    other: Operand,
    size: Sequence[int],
    stride: Pair = (1, 2),
    mode: str = "mean",
    *,
    alpha: Scalar = 1,
    limit: float = float("inf"),
    dtype: DType | None = None,
) -> Any:
    """What all of it
    means."""
    return self, other, size, stride, mode, alpha, limit, dtype


def _tensor() -> Tensor:
    return wrap(np.zeros(2))


def _required(self: Array, *, size: int, fill_value: int = -1) -> Any:
    return self, size, fill_value


def _keyword_after_default(self: Array, dim: int = 0, *, size: int) -> Any:
    return self, dim, size


def _making(size: Sequence[int], *options: Any, generator: Any = None) -> Any:
    return size, generator, options


def test_a_head_is_told_in_the_words_of_a_signature() -> None:
    assert parameters_of(_everything) == (
        "Tensor self, Operand other, int[] size, int[2] stride=(1, 2), str mode='mean', *, "
        "Scalar alpha=1, float limit=inf, dtype? dtype=None"
    )
    assert parameters_of(_required) == "Tensor self, *, int size, int fill_value=-1"
    assert parameters_of(_making) == "int[] size, *, any generator=None, $factory"


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("Tensor", "Tensor"),
        ("Array | None", "Tensor?"),
        ("Sequence[Value]", "Tensor[]"),
        ("Sequence[float] | None", "float[]?"),
        ("Single | None", "int[1]?"),
        ("VarTensors", "Tensor[*]"),
        ("MemoryFormat | None", "memory_format?"),
        ("Generator | None", "generator?"),
        ("Layout", "layout"),
        ("Library | None", "any?"),
    ],
)
def test_an_annotation_means_a_type(annotation: str, kind: str) -> None:
    assert kind_of(annotation) == kind


def test_keyword_only_arguments_are_taken_by_position() -> None:
    assert by_position(_everything)(1, 2, 3, 4, 5, 6, 7, 8) == (1, 2, 3, 4, 5, 6, 7, 8)
    assert by_position(_everything)(1, 2, 3) == (1, 2, 3, (1, 2), "mean", 1, float("inf"), None)
    assert by_position(_required)(1, 2) == (1, 2, -1)
    assert by_position(_making)((2,), "stream", 1, 2) == ((2,), "stream", (1, 2))
    with pytest.raises(TypeError, match="size"):
        by_position(_keyword_after_default)(1)


def test_an_entry_takes_its_signature_module_and_words_from_its_function() -> None:
    entry = Composite("nn.functional.everything|everything", _everything, "", "", None)
    assert entry.names == ["nn.functional.everything", "everything"]
    assert entry.module == __name__
    assert entry.doc == "What all of it means."
    assert entry.is_method
    signature = entry.signature
    assert signature.positional == 5
    assert signature.bind((_tensor(), 2.0, [3]), {}, False)[3:] == [
        (1, 2),
        "mean",
        1,
        float("inf"),
        None,
    ]


def test_tensors_without_brackets_are_one_argument() -> None:
    def joined(tensors: VarTensors) -> Any:
        return tensors

    entry = Composite("joined", joined, "", "", None)
    assert entry.signature.parameters[0].variadic


def _functions() -> dict[int, list[tuple[Entry, FunctionType]]]:
    """The entries that call each function."""
    found: dict[int, list[tuple[Entry, FunctionType]]] = {}
    for entry in entries():
        function = getattr(entry, "forward", None) or getattr(entry, "body", None)
        if isinstance(function, FunctionType):
            found.setdefault(id(function.__code__), []).append((entry, function))
    return found


def test_no_signature_is_written_out_that_a_function_of_its_own_has() -> None:
    repeated = []
    for (entry, function), *others in _functions().values():
        code = function.__code__
        heads = list(code.co_varnames[: code.co_argcount])
        written = [parameter.name for parameter in entry.signature.parameters]
        shared = others or code.co_flags & CO_VARARGS or not function.__annotations__
        if entry._definition is None and not shared and written and heads == written:
            repeated.append(f"{function.__module__}.{function.__qualname__}")
    assert repeated == []
