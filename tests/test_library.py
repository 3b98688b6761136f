"""`import gradcli`: PyTorch's names from Python."""

from __future__ import annotations

import gc
import warnings
import weakref

import pytest

import gradcli
from gradcli.tensor.dtypes import float64
from gradcli.tensor.tensor import Tensor


def test_gradients() -> None:
    x = gradcli.tensor([1.0, 2.0], requires_grad=True)
    y = gradcli.sin(x).sum()
    y.backward()
    assert repr(x.grad) == "tensor([ 0.5403, -0.4161])"
    (slope,) = gradcli.grad(gradcli.exp(x), x, gradcli.ones(2))
    assert repr(slope) == "tensor([2.7183, 7.3891])"
    gradcli.backward([x * 2], [gradcli.ones(2)])
    assert repr(x.grad) == "tensor([2.5403, 1.5839])"


def test_names_are_pytorchs() -> None:
    assert gradcli.float64 is float64
    assert gradcli.Tensor is Tensor
    assert gradcli.autograd.grad is gradcli.grad
    with gradcli.no_grad():
        assert not gradcli.is_grad_enabled()
    assert repr(gradcli.nn.functional.relu(gradcli.tensor(-1.0))) == "tensor(0.)"
    assert repr(gradcli.linalg) == "<gradcli.linalg>"


def test_functional() -> None:
    x = gradcli.tensor([1.0, 2.0])
    assert repr(gradcli.jacobian(lambda t: t * t, x)) == "tensor([[2., 0.],\n        [0., 4.]])"
    assert gradcli.autograd.functional.hessian is gradcli.hessian


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="module 'gradcli' has no attribute 'sinn'"):
        _ = gradcli.sinn
    with pytest.raises(AttributeError, match=r"module 'gradcli\.autograd' has no attribute"):
        _ = gradcli.autograd.nothing
    with pytest.raises(AttributeError, match=r"module 'torch\.linalg' has no attribute 'invv'"):
        _ = gradcli.linalg.invv


def test_names_are_listed() -> None:
    listed = dir(gradcli)
    assert {"tensor", "sin", "linalg", "no_grad", "float32", "jacobian", "grad"} <= set(listed)
    assert all(hasattr(gradcli, name) for name in listed)


def test_version() -> None:
    assert gradcli.__version__.count(".") == 2


def test_old_variables_share_memory() -> None:
    data = gradcli.tensor([1.0])
    leaf = gradcli.autograd.Variable(data, requires_grad=True)
    assert (leaf.requires_grad, data.requires_grad) == (True, False)
    assert leaf._array is data._array
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got list"):
        gradcli.autograd.Variable([1.0])
    message = "Only Tensors of floating point and complex dtype can require gradients"
    with pytest.raises(RuntimeError, match=message):
        gradcli.autograd.Variable(gradcli.tensor([1]), requires_grad=True)


def test_no_warnings_about_infinities() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(1 / gradcli.tensor([0.0])) == "tensor([inf])"


def test_print_options() -> None:
    gradcli.set_printoptions(precision=2)
    try:
        assert repr(gradcli.tensor(0.125)) == "tensor(0.12)"
    finally:
        gradcli.set_printoptions(profile="default")


def test_a_leaf_with_rare_facts_is_freed() -> None:
    leaf = gradcli.ones(2, requires_grad=True)
    leaf.grad_dtype = gradcli.float64
    leaf.register_hook(lambda grad: None)
    seen: list[object] = []
    leaf.register_post_accumulate_grad_hook(lambda changed: seen.append(changed.grad.dtype))
    leaf.sum().backward()
    assert seen == [gradcli.float64]
    left = weakref.ref(leaf)
    del leaf
    gc.collect()
    assert left() is None


def test_backward_of_the_package_is_a_function_in_any_case() -> None:
    x = gradcli.tensor(2.0, requires_grad=True)
    (x * x).backward()
    gradcli.autograd.backward(x * x)
    assert x.grad.item() == 8.0
