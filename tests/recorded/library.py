"""This project as an engine that answers calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import gradcli
from gradcli.tensor.dtypes import DTYPES, FLOATS
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.views.printing import PrintOptions, format_tensor
from tests.recorded.answers import Array


class Library:
    """The engine under test."""

    torch: Any = gradcli

    def leaf(self, array: Array, wants: bool) -> Any:
        return wrap(array, wants)

    def array(self, tensor: Tensor) -> Array:
        return tensor._array

    def argument(self, value: Any) -> Any:
        return value

    def shown(self, dtype: str, shape: tuple[int, ...], values: Any = None, **facts: Any) -> str:
        held = DTYPES[dtype].np
        if values is None:
            values = np.arange(math.prod(shape)) * float(facts["step"]) + facts["start"]
        elif held.kind == "c":
            values = [complex(*pair) for pair in values]
        elif held.kind not in FLOATS:
            values = np.array(values, held)
        options = PrintOptions()
        options.update(**facts.get("options", {}))
        return format_tensor(
            np.asarray(values).astype(held).reshape(shape),
            dtype_name=dtype,
            default_dtype_name=facts.get("default", "float32"),
            grad_fn_name=facts.get("grad_fn"),
            requires_grad=facts.get("requires_grad", False),
            options=options,
        )


LIBRARY = Library()
