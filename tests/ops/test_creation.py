"""Making tensors and converting them: what shares memory, types, limits."""

from __future__ import annotations

import numpy as np
import pytest

import gradcli
from gradcli.ops.making.construction import array_of
from gradcli.tensor.formats import arranged_copy, channels_last
from gradcli.tensor.tensor import wrap


def test_from_numpy_and_as_tensor_share_memory() -> None:
    array = np.zeros(3)
    shared = [gradcli.from_numpy(array), gradcli.as_tensor(array), gradcli.asarray(array)]
    copied = [gradcli.tensor(array), gradcli.asarray(array, copy=True)]
    array[0] = 5
    assert [tensor[0].item() for tensor in shared] == [5, 5, 5]
    assert [tensor[0].item() for tensor in copied] == [0, 0]


def test_detach_shares_memory_and_version() -> None:
    x = gradcli.ones(2)
    y = x.detach()
    y[0] = 3
    assert x.tolist() == [3, 1]
    assert x._version == y._version == 1


def test_view_as_another_type_shares_memory() -> None:
    x = gradcli.zeros(2)
    x.view(gradcli.int32)[0] = 0x3F800000
    assert x.tolist() == [1, 0]


def test_numbers_within_lists_of_tensors() -> None:
    made = array_of([wrap(np.float32(1)), 2, np.int8(3)])
    assert made.tolist() == [1, 2, 3]
    assert made.dtype == np.float32


def test_deep_lists_are_refused() -> None:
    nested: list[object] = []
    nested.append(nested)
    with pytest.raises(ValueError, match="too many dimensions 'list'"):
        array_of(nested)


def test_default_dtype_decides_what_floats_become() -> None:
    gradcli.set_default_dtype(gradcli.float64)
    try:
        assert gradcli.tensor([1.5]).dtype is gradcli.float64
        assert gradcli.ones(2).dtype is gradcli.float64
        assert gradcli.Tensor([1, 2]).dtype is gradcli.float64
        assert gradcli.tensor(1j).dtype is gradcli.complex128
        assert gradcli.arange(2.0).dtype is gradcli.float64
    finally:
        gradcli.set_default_dtype(gradcli.float32)
    assert gradcli.tensor([1.5]).dtype is gradcli.float32


def test_legacy_constructors_are_types() -> None:
    x = gradcli.ones(2)
    assert isinstance(x, gradcli.FloatTensor)
    assert not isinstance(x, gradcli.LongTensor)
    assert x.type(gradcli.LongTensor).type() == "torch.LongTensor"


def test_channels_last_orders_memory() -> None:
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    arranged = arranged_copy(array, channels_last)
    np.testing.assert_array_equal(arranged, array)
    assert [step // arranged.itemsize for step in arranged.strides] == [60, 1, 15, 3]
    x = wrap(array)
    assert x.contiguous(memory_format=gradcli.channels_last).stride() == (60, 1, 15, 3)
    assert x.contiguous() is x


def test_limits_of_types() -> None:
    single = gradcli.finfo(gradcli.float32)
    assert (single.bits, single.eps, single.dtype) == (32, 2.0**-23, "float32")
    assert gradcli.iinfo(gradcli.int8).min == -128
    with pytest.raises(TypeError, match="requires a floating point input type"):
        gradcli.finfo(gradcli.int64)


def test_as_tensor_takes_its_type_by_keyword() -> None:
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        gradcli.as_tensor([1], gradcli.float64)


def test_asarray_changes_whether_gradients_are_wanted() -> None:
    x = gradcli.ones(2, requires_grad=True)
    assert gradcli.asarray(x, requires_grad=True) is x
    doubled = x * 2
    assert gradcli.asarray(doubled, requires_grad=True) is doubled
    detached = gradcli.asarray(doubled, requires_grad=False)
    assert not detached.requires_grad
    assert doubled.requires_grad
    assert gradcli.asarray(x, requires_grad=False) is x
    assert not x.requires_grad


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("select_copy", (0, 0)), ("slice_copy", ()), ("view_as_complex_copy", ())],
)
def test_copies_without_a_derivative_of_complex_results(
    name: str, arguments: tuple[int, ...]
) -> None:
    copy = getattr(gradcli, name)
    dtype = gradcli.float64 if name == "view_as_complex_copy" else gradcli.complex128
    x = gradcli.ones(2, 2, dtype=dtype)
    assert copy(x, *arguments).is_complex()
    with pytest.raises(RuntimeError, match=f"{name} does not support automatic differentiation"):
        copy(x.requires_grad_(), *arguments)
    with gradcli.no_grad():
        assert copy(x, *arguments).is_complex()
