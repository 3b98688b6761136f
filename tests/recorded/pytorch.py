"""PyTorch as an engine that answers calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.masked

from gradcli.tensor.dtypes import DType, bfloat16
from gradcli.tensor.formats import MemoryFormat
from tests.recorded.answers import Array


class PyTorch:
    """The engine that is asked what is right."""

    torch: Any = torch

    def __init__(self) -> None:
        if not torch.__version__.startswith("2.13.0"):
            raise SystemExit(f"PyTorch 2.13.0 is wanted, not {torch.__version__}")
        torch.set_num_threads(1)

    def leaf(self, array: Array, wants: bool) -> Any:
        if array.dtype == bfloat16.np:  # PyTorch does not know NumPy's
            tensor = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        else:
            tensor = torch.from_numpy(array)
        return tensor.requires_grad_(wants)

    def array(self, tensor: torch.Tensor) -> Array:
        if tensor.dtype == torch.complex32:  # NumPy has no such type
            tensor = tensor.to(torch.complex64)
        tensor = tensor.detach().resolve_conj().resolve_neg()
        if tensor.dtype == torch.bfloat16:
            return tensor.clone().view(torch.int16).numpy(force=True).view(bfloat16.np)
        array: Array = tensor.numpy(force=True)
        return array

    def argument(self, value: Any) -> Any:
        return getattr(torch, value.name) if isinstance(value, (DType, MemoryFormat)) else value

    def shown(self, dtype: str, shape: tuple[int, ...], values: Any = None, **facts: Any) -> str:
        made = getattr(torch, dtype)
        if values is None:
            steps = torch.arange(math.prod(shape), dtype=torch.float64)
            tensor = (steps * facts["step"] + facts["start"]).to(made)
        else:
            numbers = [complex(*pair) for pair in values] if made.is_complex else values
            tensor = torch.tensor(numbers, dtype=made)
        tensor = tensor.reshape(shape).requires_grad_("requires_grad" in facts)
        if "grad_fn" in facts:
            tensor = tensor.requires_grad_().clone()
        torch.set_default_dtype(getattr(torch, facts.get("default", "float32")))
        torch.set_printoptions(**facts.get("options", {}))
        try:
            return repr(tensor)
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_printoptions(profile="default")
