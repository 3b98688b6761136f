"""Wrong arguments are refused in PyTorch's words before Python or NumPy finds them."""

from __future__ import annotations

import pytest

import gradcli.wiring  # noqa: F401 - the operators of tensors, printing
from gradcli.language import Machine, compile_text
from gradcli.language.telling.diagnostics import diagnose
from gradcli.tensor.accidents import is_accident

SETUP = """
x = torch.tensor([[1., 2., 3.], [-4., 0.5, 6.]], requires_grad=True)
y = torch.tensor([0.5, -1., 2.], dtype=torch.float64, requires_grad=True)
z = x.sum(0)
w = torch.tensor(2.5, requires_grad=True)
b = torch.tensor([[True, False, True], [False, True, False]])
i = torch.tensor([0, 2, 1])
u = torch.ones(2, 3)
"""
REFUSED = [
    ("torch.autograd.backward(3)", "TypeError: 'int' object is not iterable"),
    ("torch.autograd.backward(None)", "TypeError: 'NoneType' object is not iterable"),
    ("torch.autograd.backward(int)", "TypeError: 'type' object is not iterable"),
    ("torch.autograd.backward('ab')", "AssertionError: Expected output to be a torch.Tensor"),
    ("torch.autograd.backward([w, 3])", "AssertionError: Expected output to be a torch.Tensor"),
    ("torch.autograd.backward(w, 3)", "TypeError: 'int' object is not iterable"),
    (
        "torch.autograd.backward(w, ['a'])",
        "TypeError: gradients can be either Tensors or None, but got str",
    ),
    ("torch.autograd.backward(w, inputs=3)", "TypeError: 'int' object is not iterable"),
    (
        "torch.autograd.backward(w, inputs=[w, 3])",
        "RuntimeError: all inputs have to be Tensors or GradientEdges, but got int",
    ),
    (
        "torch.autograd.backward(w, inputs='a')",
        "RuntimeError: all inputs have to be Tensors or GradientEdges, but got str",
    ),
    (
        "torch.autograd.backward(w, inputs=range(10**10))",
        "RuntimeError: all inputs have to be Tensors or GradientEdges, but got int",
    ),
    (
        "torch.autograd.backward(w, inputs=[])",
        "RuntimeError: `inputs` argument to `backward()` cannot be empty.",
    ),
    ("w.backward(int)", "TypeError: 'type' object is not iterable"),
    ("w.backward(inputs=3)", "TypeError: 'int' object is not iterable"),
    ("torch.autograd.grad(3, x)", "TypeError: 'int' object is not iterable"),
    ("torch.autograd.grad('a', x)", "AssertionError: Expected output to be a torch.Tensor"),
    ("torch.autograd.grad(w, None)", "TypeError: 'NoneType' object is not iterable"),
    (
        "torch.autograd.grad(w, [x, None])",
        "RuntimeError: all inputs have to be Tensors or GradientEdges, but got NoneType",
    ),
    ("torch.autograd.grad(w, [])", "RuntimeError: `inputs` argument to `grad()` cannot be empty."),
    ("torch.autograd.grad(w, w, 3)", "TypeError: 'int' object is not iterable"),
    (
        "torch.autograd.grad(w, w, is_grads_batched=True)",
        "ValueError: vmap(vjp, in_dims=0, ...)(<inputs>): Got in_dim=0 for some input, but "
        "that input is a Tensor of dimensionality 0 so expected in_dim to satisfy 0 <= "
        "in_dim < 0.",
    ),
    (
        "torch.autograd.grad(w, w, w.detach(), is_grads_batched=True)",
        "IndexError: invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
        "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number",
    ),
    (
        "torch.autograd.grad(w, w, torch.ones(0), is_grads_batched=True)",
        "IndexError: index 0 is out of bounds for dimension 0 with size 0",
    ),
    (
        "torch.set_grad_enabled(3)",
        "TypeError: set_grad_enabled(): argument 'enabled' (position 1) must be bool, not int",
    ),
    (
        "torch.set_grad_enabled(None)",
        "TypeError: set_grad_enabled(): argument 'enabled' (position 1) must be bool, not NoneType",
    ),
    (
        "torch.linalg.vector_norm(z, 1j)",
        "RuntimeError: linalg.vector_norm: Expected a non-complex scalar as the order of norm.",
    ),
    (
        "torch.norm(z, 1j)",
        "RuntimeError: linalg.vector_norm: Expected a non-complex scalar as the order of norm.",
    ),
    (
        "torch.dist(z, z, 1j)",
        "RuntimeError: linalg.vector_norm: Expected a non-complex scalar as the order of norm.",
    ),
    ("torch.renorm(u, 1j, 0, 1)", "RuntimeError: renorm: p must be real-valued"),
    ("torch.renorm(u, 2, 0, 1j)", "RuntimeError: renorm: maxnorm must be real-valued"),
    (
        "torch.var(u, correction=1j)",
        "RuntimeError: value cannot be converted to type double without overflow",
    ),
    (
        "torch.std_mean(u, correction=1j)",
        "RuntimeError: value cannot be converted to type double without overflow",
    ),
    (
        "torch.nn.functional.softshrink(u, 1j)",
        "RuntimeError: value cannot be converted to type double without overflow",
    ),
    (
        "torch.nn.functional.softplus(u, 3, 1j)",
        "RuntimeError: value cannot be converted to type float without overflow",
    ),
    (
        "torch.nn.functional.softplus(u, 1e300)",
        "RuntimeError: value cannot be converted to type float without overflow",
    ),
    (
        "torch.nn.functional.hardshrink(u, 1e300)",
        "RuntimeError: value cannot be converted to type float without overflow",
    ),
    (
        "torch.nn.functional.hardshrink(y, 1j)",
        "RuntimeError: value cannot be converted to type double without overflow",
    ),
    (
        "torch.constant_pad_nd(i, (0, 1), 1j)",
        "RuntimeError: value cannot be converted to type int64_t without overflow",
    ),
    (
        "torch.constant_pad_nd(u, (0, 1), 1e300)",
        "RuntimeError: value cannot be converted to type float without overflow",
    ),
    (
        "torch.constant_pad_nd(i.byte(), (0, 1), 300)",
        "RuntimeError: value cannot be converted to type uint8_t without overflow",
    ),
    (
        "torch.atan2(b[0], y).sum().backward()",
        "RuntimeError: Negation, the `-` operator, on a bool tensor is not supported. If "
        "you are trying to invert a mask, use the `~` or `logical_not()` operator instead.",
    ),
    (
        "torch.cumulative_trapezoid(w, u)",
        "IndexError: slice() cannot be applied to a 0-dim tensor.",
    ),
    (
        "x.scatter_reduce(0, torch.empty(0), u, 'amax', include_self=False).sum().backward()",
        "RuntimeError: The size of tensor a (3) must match the size of tensor b (0) at "
        "non-singleton dimension 1",
    ),
    (
        "torch.linalg.householder_product(torch.eye(5), torch.tensor(2.))",
        "IndexError: Dimension specified as -1 but tensor has no dimensions",
    ),
    (
        "torch.ormqr(torch.eye(5), torch.tensor(2.), torch.eye(5))",
        "IndexError: Dimension specified as -1 but tensor has no dimensions",
    ),
    (
        "torch.lu_solve(torch.ones(3, 2), torch.eye(3), torch.tensor(1, dtype=torch.int32))",
        "IndexError: Dimension specified as -1 but tensor has no dimensions",
    ),
    (
        "torch.lu_unpack(torch.ones(3, 3), torch.tensor(9, dtype=torch.int32))",
        "RuntimeError: pivots passed to lu_unpack must be between 1 and LU.size(-2) "
        "inclusive.Did you properly pass the result of lu_factor?",
    ),
    (
        "torch.fft.hfftn(torch.tensor(2), dim=-1)",
        "IndexError: Dimension specified as -1 but tensor has no dimensions",
    ),
    (
        "torch.fft.ihfftn(w, dim=-1)",
        "IndexError: Dimension specified as -1 but tensor has no dimensions",
    ),
    (
        "torch.fft.fftn(w, dim=-1)",
        "IndexError: Dimension specified as -1 but tensor has no dimensions",
    ),
    (
        "torch.split(u, ([1, 2], 3, 1))",
        "TypeError: split_with_sizes(): argument 'split_sizes' (position 2) must be tuple "
        "of ints, but found element of type list at pos 0",
    ),
    (
        "torch.split(u, ['a'])",
        "TypeError: split_with_sizes(): argument 'split_sizes' (position 2) must be tuple "
        "of ints, but found element of type str at pos 0",
    ),
    (
        "torch.split(u, [True, True])",
        "TypeError: split_with_sizes(): argument 'split_sizes' (position 2) must be tuple "
        "of ints, but found element of type bool at pos 0",
    ),
    (
        "torch.split(u, (1, 1.5))",
        "TypeError: split_with_sizes(): argument 'split_sizes' failed to unpack the object "
        'at pos 2 with error "type must be tuple of ints,but got float"',
    ),
    (
        "torch.split(u, torch.float32)",
        "TypeError: split_with_sizes(): argument 'split_sizes' (position 2) must be tuple "
        "of ints, not torch.dtype",
    ),
    ("torch.split(u, 2**63)", "ValueError: Overflow when unpacking long long"),
    (
        "u.split([1.5])",
        "TypeError: split_with_sizes(): argument 'split_sizes' (position 2) must be tuple "
        "of ints, but found element of type float at pos 0",
    ),
    ("torch.unravel_index(i, [2**63])", "ValueError: Overflow when unpacking long long"),
    ("torch.unravel_index(i, [0, 3])", "RuntimeError: ZeroDivisionError"),
    (
        "torch.unravel_index(i, ['a'])",
        "TypeError: expected 'shape' sequence to only contain ints, but got <class 'str'>",
    ),
    (
        "torch.unravel_index(i, int)",
        "TypeError: expected 'shape' to be int or sequence of ints, but got <class 'type'>",
    ),
    ("torch.combinations(i, 64)", "RuntimeError: numel: integer multiplication overflow"),
    ("torch.combinations(i, 10**10)", "RuntimeError: numel: integer multiplication overflow"),
    (
        "torch.quantile(y, 1j)",
        "TypeError: quantile() received an invalid combination of arguments - got (Tensor, "
        "complex)",
    ),
    (
        "torch.xlogy(3, 4)",
        "TypeError: xlogy() received an invalid combination of arguments - got (int, int)",
    ),
    (
        "torch.special.xlog1py(2, 3)",
        "TypeError: special_xlog1py() received an invalid combination of arguments - got "
        "(int, int)",
    ),
    ("torch.floor_divide(1, 0)", "RuntimeError: ZeroDivisionError"),
    ("float([])", "TypeError: float() argument must be a string or a real number, not 'list'"),
    ("float('ortho')", "ValueError: could not convert string to float: 'ortho'"),
    ("int('x', 3)", "ValueError: invalid literal for int() with base 3: 'x'"),
    ("complex([])", "TypeError: complex() first argument must be a string or a number, not 'list'"),
    ("range('a')", "TypeError: 'str' object cannot be interpreted as an integer"),
]
"""Calls and how the error begins that PyTorch has for them."""

ANSWERED = [
    ("torch.true_divide(-10, 0)", "tensor(-inf)"),
    ("torch.divide(3, 1j)", "tensor(0.-3.j)"),
    ("torch.add(2, 2.5)", "tensor(4.5000)"),
    ("torch.sub(2, 2, alpha=3)", "tensor(-4)"),
    ("torch.mul(True, True)", "tensor(True)"),
    ("torch.floor_divide(7, 2)", "tensor(3)"),
    ("torch.div(7, 2, rounding_mode='floor')", "tensor(3)"),
    ("torch.var(u, correction=1+0j)", "tensor(0.)"),
    (
        "torch.nn.functional.softshrink(u, 0.5+0j)",
        "tensor([[0.5000, 0.5000, 0.5000],\n        [0.5000, 0.5000, 0.5000]])",
    ),
    (
        "torch.round(y, decimals=400)",
        "tensor([nan, nan, nan], dtype=torch.float64, grad_fn=<RoundBackward1>)",
    ),
    ("torch.round(u, decimals=-400)", "tensor([[nan, nan, nan],\n        [nan, nan, nan]])"),
    ("torch.polygamma(200, u)", "tensor([[-inf, -inf, -inf],\n        [-inf, -inf, -inf]])"),
    (
        "torch.polygamma(171, y)",
        "tensor([inf, inf, inf], dtype=torch.float64, grad_fn=<PolygammaBackward0>)",
    ),
    (
        "torch.special.xlog1py(y, -1)",
        "tensor([-inf, inf, -inf], dtype=torch.float64,\n       grad_fn=<SpecialXlog1PyBackward2>)",
    ),
    (
        "torch.autograd.grad(torch.special.xlog1py(y, -2).sum(), y)",
        "(tensor([nan, nan, nan], dtype=torch.float64),)",
    ),
    (
        "torch.autograd.grad(torch.special.xlog1py(y, 2).sum(), y)",
        "(tensor([1.0986, 1.0986, 1.0986], dtype=torch.float64),)",
    ),
    (
        "torch.autograd.grad(torch.mvlgamma(y + 9, 4).sum(), y)",
        "(tensor([8.4341, 7.6281, 9.1042], dtype=torch.float64),)",
    ),
    ("torch.unravel_index(i.byte(), [300])", "(tensor([0, 2, 1]),)"),
    ("torch.unravel_index(i.int(), [2**40, 2])", "(tensor([0, 1, 0]), tensor([0, 0, 1]))"),
    ("torch.split(u, torch.tensor(1))", "(tensor([[1., 1., 1.]]), tensor([[1., 1., 1.]]))"),
    ("torch.autograd.grad((t for t in [w * 2]), {w})", "(tensor(2.),)"),
]
"""Calls at the border of what is refused, and what PyTorch prints."""


def run(text: str) -> str:
    printed: list[str] = []
    machine = Machine(write=printed.append)
    machine.run(compile_text(SETUP + text))
    return "".join(printed)


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_wrong_arguments_are_refused_in_pytorchs_words(call: str, message: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is compared
        run(call)
    found = diagnose(caught.value)
    assert not is_accident(caught.value.__cause__ or caught.value)
    assert f"{found.type}: {found.message}".startswith(message)


@pytest.mark.parametrize(("call", "answer"), ANSWERED)
def test_arguments_at_the_border_are_answered(call: str, answer: str) -> None:
    assert run(f"print({call})") == f"{answer}\n"
