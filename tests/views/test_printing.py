"""How tensors print: one of each kind, indents, options."""

import math
from typing import Any

import numpy as np
import pytest

from gradcli.views.printing import (
    PrintOptions,
    format_named_tuple,
    format_tensor,
    get_printoptions,
    set_printoptions,
)


def show(array: Any, dtype_name: str = "float32", **facts: Any) -> str:
    array = np.asarray(array, dtype_name)
    return format_tensor(array, dtype_name=dtype_name, **facts)


@pytest.mark.parametrize(
    ("text", "values", "dtype_name", "facts"),
    [
        ("tensor(10., grad_fn=<AddBackward0>)", 10, "float32", {"grad_fn_name": "AddBackward0"}),
        ("tensor([ True, False])", [True, False], "bool", {}),
        ("tensor([], size=(2, 0))", np.zeros((2, 0)), "float32", {}),
        ("tensor([1.0000e-05, 1.0000e+00])", [1e-5, 1.0], "float32", {}),
        ("tensor([-0.0000, 1.0001])", [-0.0, 1.0001], "float32", {}),
        ("tensor([nan, inf, -1.])", [math.nan, math.inf, -1.0], "float32", {}),
        ("tensor(1.5000+0.j)", 1.5, "complex64", {}),
        ("tensor([1], dtype=torch.uint8)", [1], "uint8", {}),
        (
            "tensor([   0,    1,    2,  ...,  998,  999, 1000])",
            np.arange(1001),
            "int64",
            {"requires_grad": False},
        ),
    ],
)
def test_one_of_each_kind(text: str, values: Any, dtype_name: str, facts: dict[str, Any]) -> None:
    assert show(values, dtype_name, **facts) == text


def test_grad_fn_hides_requires_grad() -> None:
    text = show(1.0, requires_grad=True, grad_fn_name="MulBackward0")
    assert text == "tensor(1., grad_fn=<MulBackward0>)"


def test_indent_moves_further_lines() -> None:
    label = "x.grad = "
    text = label + show(np.arange(40.0).reshape(2, 20), indent=len(label))
    assert text == (
        "x.grad = tensor([[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.,\n"
        "                  12., 13., 14., 15., 16., 17., 18., 19.],\n"
        "                 [20., 21., 22., 23., 24., 25., 26., 27., 28., 29., 30., 31.,\n"
        "                  32., 33., 34., 35., 36., 37., 38., 39.]])"
    )


def test_indent_counts_when_a_suffix_is_placed() -> None:
    plain = show([0.5] * 5, grad_fn_name="CloneBackward0")
    assert "\n" not in plain
    indented = show([0.5] * 5, grad_fn_name="CloneBackward0", indent=20)
    assert indented.endswith("],\n" + " " * 27 + "grad_fn=<CloneBackward0>)")


def test_arrays_that_are_not_contiguous() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T[::-1]
    text = format_tensor(array, dtype_name="float32")
    assert text == "tensor([[2., 5.],\n        [1., 4.],\n        [0., 3.]])"


def test_named_tuple_does_not_indent_its_fields() -> None:
    fields = [("values", show([[1.0, 3.0], [2.0, 4.0]])), ("indices", show([1, 0], "int64"))]
    assert format_named_tuple("torch.return_types.sort", fields) == (
        "torch.return_types.sort(\n"
        "values=tensor([[1., 3.],\n"
        "        [2., 4.]]),\n"
        "indices=tensor([1, 0]))"
    )


DEFAULTS = {
    "precision": 4,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 80,
    "sci_mode": None,
}


def test_options_of_the_process() -> None:
    assert get_printoptions() == DEFAULTS
    try:
        set_printoptions(precision=2, sci_mode=True)
        assert show([1.23456]) == "tensor([1.23e+00])"
        # Every call sets sci_mode; the rest stays.
        set_printoptions(threshold=3)
        assert show([1.23456]) == "tensor([1.23])"
        assert get_printoptions() == DEFAULTS | {"precision": 2, "threshold": 3}
        set_printoptions(profile="full")
        assert get_printoptions() == DEFAULTS | {"threshold": math.inf}
    finally:
        set_printoptions(profile="default")
    assert get_printoptions() == DEFAULTS


def test_a_negative_precision_is_an_error() -> None:
    options = PrintOptions(precision=-1)
    with pytest.raises(ValueError, match="Format specifier missing precision"):
        show(math.pi, options=options)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_torch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    for _ in range(100):
        shape = tuple(rng.integers(1, 9, rng.integers(0, 5)).tolist())
        dtype_name = rng.choice(["float32", "float64", "float16", "int32", "complex64"]).item()
        values = rng.standard_normal(shape) * 10.0 ** rng.integers(-9, 9)
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.asarray(values * 10.0 ** rng.uniform(-1, 1, shape)).astype(dtype_name)
        text = format_tensor(array, dtype_name=dtype_name)
        assert text == repr(torch.from_numpy(array))
