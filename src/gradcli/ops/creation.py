"""Operators that make tensors, and conversion between element types."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.table import Row, row
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import Tensor

to_row: Row = row(
    "aten._to_copy(Tensor self, dtype dtype)",
    lambda self, dtype: self.astype(dtype.np),
    self=lambda grad: grad,
    samples=lambda r: [],
    node="ToCopyBackward0",
    doc="A copy in another element type.",
)


def to_dtype(self: Any, dtype: DType) -> Any:
    """The tensor in another element type; itself where it has that type already."""
    array = self._array if type(self) is Tensor else np.asarray(self)
    return self if array.dtype == dtype.np else to_row(self, dtype)
