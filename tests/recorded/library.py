"""This project as an engine that answers calls."""

from __future__ import annotations

from typing import Any

import gradcli
from gradcli.tensor.tensor import Tensor, wrap
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
