"""The ranges and precisions of element types, `torch.finfo` and `torch.iinfo`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.tensor.dtypes import BOOL, FLOATING, INTEGRAL, DType
from gradcli.tensor.public import public


def float_limits(dtype: np.dtype[Any]) -> Any:
    """`np.finfo` of any floating type."""
    if dtype.kind == "V":
        import ml_dtypes

        return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return np.finfo(dtype)


@public(
    "bits dtype eps max min resolution smallest_normal tiny",
    name="torch.finfo",
)
class FloatInfo:
    """What a floating type holds; of a complex type, what its parts hold."""

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, dtype: DType) -> None:
        if dtype.category < FLOATING:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                "'torch.finfo'"
            )
        real = dtype.to_real()
        info = float_limits(real.np)
        self.bits = real.itemsize * 8
        self.eps = float(info.eps)
        self.max = float(info.max)
        self.min = float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = float(f"1e-{info.precision}")
        self.dtype = real.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:.6g}, min={self.min:.6g}, max={self.max:.6g}, "
            f"eps={self.eps:.6g}, smallest_normal={self.smallest_normal:.6g}, "
            f"tiny={self.tiny:.6g}, dtype={self.dtype})"
        )


@public("bits dtype max min", name="torch.iinfo")
class IntInfo:
    """What an integer type holds."""

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, dtype: DType) -> None:
        if dtype.category == BOOL:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if dtype.category != INTEGRAL:
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                "'torch.iinfo'"
            )
        info = np.iinfo(dtype.np)
        self.bits = info.bits
        self.max = int(info.max)
        self.min = int(info.min)
        self.dtype = dtype.name

    def __repr__(self) -> str:
        low, high = float(self.min), float(self.max)
        return f"iinfo(min={low:.6g}, max={high:.6g}, dtype={self.dtype})"
