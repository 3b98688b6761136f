"""Tensors as users see them: the text that PyTorch prints, and their part of a JSON answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.tensor import dtypes
from gradcli.tensor.arrays import Numbers
from gradcli.tensor.dtypes import DType
from gradcli.tensor.graph import Node
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.leaf import is_parameter
from gradcli.tensor.nesting import check_unfolded, length_of, parts_of
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor
from gradcli.views.printing import format_tensor


def represent(tensor: Tensor) -> str:
    """The `repr` of a tensor, by the process's print options."""
    text = format_tensor(
        tensor._array,
        dtype_name=tensor.dtype.name,
        default_dtype_name=dtypes.default.dtype.name,
        grad_fn_name=_printed_grad_fn(tensor),
        requires_grad=tensor.requires_grad,
    )
    return f"Parameter containing:\n{text}" if is_parameter(tensor) else text


def _printed_grad_fn(tensor: Tensor) -> str | None:
    try:
        node = tensor.grad_fn
    except RuntimeError:
        # PyTorch, too, prints a view that lost its history.
        return "Invalid"
    return None if node is None else node.label


def grad_fn_name(tensor: Tensor) -> str | None:
    """The name of the node that made a tensor, such as `AddBackward0`."""
    node = tensor.grad_fn
    return None if node is None else node.name()


def tensor_fields(value: Any) -> dict[str, Any]:
    """What JSON tells about one output: value, dtype, shape, grad_fn, requires_grad.

    A plain number has neither a dtype nor a shape.
    """
    if isinstance(value, Tensor):
        return {
            "value": value._array,
            "dtype": value.dtype.name,
            "shape": list(value._array.shape),
            "grad_fn": grad_fn_name(value),
            "requires_grad": value.requires_grad,
        }
    return {
        "value": plain(value),
        "dtype": None,
        "shape": None,
        "grad_fn": None,
        "requires_grad": False,
    }


def check_writable(value: Any) -> None:
    """Refuses to write a collection whose JSON would be a giant.

    Raises:
        OverflowError: it would.
    """
    if parts_of(value):
        check_unfolded(value, "the JSON of a collection", _length)


def _length(value: Any) -> int:
    return value._array.size if isinstance(value, (Tensor, Numbers)) else length_of(value)


def plain(value: Any) -> Any:
    """A value of the language in the types that JSON has; what it has no form for becomes text."""
    if isinstance(value, (Tensor, Numbers)):
        return value._array
    if value is None or isinstance(value, bool | int | float | complex | str | np.ndarray):
        return value
    if isinstance(value, Size):
        return list(value)
    if isinstance(value, DType):
        return value.name
    if isinstance(value, Node):
        return value.name()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return without_addresses(str(value))
