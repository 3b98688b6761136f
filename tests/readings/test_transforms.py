"""Transforms of functions, and whole Jacobians."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradcli
import gradcli.wiring
from gradcli.autograd import matrices
from gradcli.batch.worker import start_afresh
from gradcli.language import Machine, compile_text
from gradcli.readings import remarks
from gradcli.readings.transforms import tangents
from gradcli.readings.trees import flatten
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor


@pytest.fixture(autouse=True)
def untold() -> Iterator[None]:
    """Leaves nothing to be told by tests that come later."""
    yield
    tangents.notes.clear()


def printed(text: str) -> str:
    """What a program prints."""
    output = io.StringIO()
    Machine(write=output.write).run(compile_text(text, "program"))
    return output.getvalue()


def test_programs_import_transforms_as_notes_do() -> None:
    text = """\
import torch
from functools import partial, reduce
from torch.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
import torch.autograd.forward_ad as fwAD

def wave(amp, freq, t):
    return amp * torch.sin(freq * t)

tone = partial(wave, torch.tensor(2.0), torch.tensor(3.0))
print(grad(tone)(torch.tensor(0.5)), jacrev(tone)(torch.tensor([0.0, 0.1])))
with fwAD.dual_level():
    d = fwAD.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    print(d, type(fwAD.unpack_dual(d * d)), fwAD.unpack_dual(d * d).tangent)
print(reduce(lambda f, g: g(f), [grad, grad], lambda x: x**3)(torch.tensor(2.0)))
"""
    assert printed(text).splitlines() == [
        "tensor(0.4244) tensor([[6.0000, 0.0000],",
        "        [0.0000, 5.7320]])",
        "tensor(3., tangent=1.0) <class 'torch.autograd.forward_ad.UnpackedDualTensor'> tensor(6.)",
        "tensor(12.)",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("print(p(3), p(3, c=5), p.args, p.keywords)", "7 11 (2,) {}"),
        ("print(partial(p, 3)(), partial(p, c=1)(1, c=2))", "7 4"),
        ("print(partial, type(p), isinstance(p, partial), callable(p))", None),
        ("l = []\nq = partial(sum, l)\nl.append(q)\nprint('[...]' in repr(q))", "True"),
        ("print(reduce(lambda a, b: a - b, [9, 1, 2]), reduce(max, [], 4))", "6 4"),
    ],
)
def test_functools(text: str, shown: str | None) -> None:
    kind = "<class 'functools.partial'>"
    setup = "from functools import partial, reduce\np = partial(lambda a, b, c=1: a * b + c, 2)\n"
    assert printed(setup + text).rstrip() == (shown or f"{kind} {kind} True True")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("partial()", "type 'partial' takes at least one argument"),
        ("partial(3)", "the first argument must be callable"),
        ("reduce(lambda a, b: a, [])", "reduce() of empty iterable with no initial value"),
        ("reduce(3, [1, 2])", "'int' object is not callable"),
        ("torch.func.grad(3)(torch.ones(1))", "'int' object is not callable"),
    ],
)
def test_what_cannot_be_called(text: str, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        printed(f"from functools import partial, reduce\nimport torch\n{text}")
    assert str(caught.value) == message


def test_the_library_takes_functions_of_any_kind() -> None:
    x = gradcli.tensor([1.0, 2.0])
    cube = functools.partial(gradcli.pow, exponent=3)
    found = gradcli.func.grad(lambda a: cube(a).sum())(x)
    assert found.tolist() == [3.0, 12.0]
    assert gradcli.func.jacrev(functools.partial(gradcli.mul, x))(x).tolist() == [[1, 0], [0, 2]]
    with gradcli.autograd.forward_ad.dual_level():
        dual = gradcli.autograd.forward_ad.make_dual(x, x)
        assert gradcli.autograd.forward_ad.unpack_dual(dual * dual).tangent.tolist() == [2, 8]


def test_forward_mode_ends_with_a_record() -> None:
    printed("import torch\ntorch.autograd.forward_ad.enter_dual_level()")
    assert mode.forward is not None
    start_afresh()
    assert mode.forward is None


FORWARD = [
    # Types of tangents are those of their arithmetic, whatever the values have.
    ("jvp(torch.sin, (x,), (x.double(),))[1].dtype", "torch.float64"),
    ("jvp(lambda a: a.sum(), (x.double(),), (x,))[1].dtype", "torch.float32"),
    # Forward mode knows nothing of no_grad, but detached tensors do not move.
    ("jvp(unrecorded, (x,), (x,))", "(tensor(9.), tensor(27.))"),
    ("jvp(lambda a: (a.detach() * a).sum(), (x,), (x,))", "(tensor(5.), tensor(5.))"),
    # Zeros have the sign that columns give them.
    ("jacfwd(lambda a: -a * a)(x)", "tensor([[-2., -0.],\n        [-0., -4.]])"),
    ("hessian(lambda a: -(a**3).sum())(x)", "tensor([[ -6.,  -0.],\n        [ -0., -12.]])"),
    ("jacfwd(lambda a: a > 1)(x)", "tensor([[False, False],\n        [False, False]])"),
    (
        "jacfwd(noisy, randomness='same')(x)",
        "tensor([[0.4963, 0.0000],\n        [0.0000, 0.7682]])",
    ),
    (
        "jacfwd(noisy, randomness='different')(x)",
        "tensor([[0.4963, 0.0000],\n        [0.0000, 0.1320]])",
    ),
    ("jacfwd(lambda a: (noisy(a), a), 0, True, randomness='same')(x)[1]", "tensor([1., 2.])"),
    # A value that is written to is transposed.
    ("jacfwd(written)(x)", "tensor([[0., 2.],\n        [0., 4.]])"),
    # What a backward pass of samples gives was made by no row.
    (
        "vmap(jacfwd(grad(lambda a: (a**3).sum())))(x[None])",
        "tensor([[[ 6.,  0.],\n         [ 0., 12.]]])",
    ),
    # An operand that depends on another one.
    (
        "jvp(lambda a: torch.linalg.solve((a * a).diag(), a.exp()), (x,), (x,))[1]",
        "tensor([-2.7183,  0.0000])",
    ),
]
"""What PyTorch prints."""

SETUP = """\
import torch
import torch.autograd.forward_ad as fwAD
from torch.func import grad, hessian, jacfwd, jvp, vmap
x = torch.tensor([1.0, 2.0])
def unrecorded(a):
    with torch.no_grad():
        return (a**3).sum()
def noisy(a):
    return a * torch.rand(2)
def written(a):
    b = a.clone()
    b[0] = a[1] * 2
    b[1:].mul_(a[1])
    return b
torch.manual_seed(0)
"""


@pytest.mark.parametrize(("text", "shown"), FORWARD)
def test_forward_mode(text: str, shown: str) -> None:
    assert printed(f"{SETUP}print({text})") == f"{shown}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jacfwd(noisy)(x)", "vmap: called random operation while in randomness error mode."),
        (
            "jvp(torch.sin, (x.long(),), (x.long(),))",
            "Expected primal to be floating point or complex, but got: torch.int64",
        ),
        ("nested()", "Nested forward mode AD is not supported at the moment"),
        ("twice()", "Making a dual Tensor based on a Tensor that already has a forward gradient"),
    ],
)
def test_forward_mode_refuses(text: str, message: str) -> None:
    duals = """\
def nested():
    with fwAD.dual_level():
        jvp(torch.sin, (x,), (x,))
def twice():
    with fwAD.dual_level():
        fwAD.make_dual(fwAD.make_dual(x, x), x)
"""
    with pytest.raises((RuntimeError, ValueError)) as caught:
        printed(f"{SETUP}{duals}{text}")
    assert message in str(caught.value)


def test_dual_tensors_show_what_they_carry() -> None:
    text = """\
y = torch.tensor([1.0, 2.0], requires_grad=True)
with fwAD.dual_level():
    a = fwAD.make_dual(x, x)
    print(a.sum(), fwAD.unpack_dual(a.sum()))
    with torch.no_grad():
        print(a * 2, fwAD.unpack_dual(a * 2).primal)
    b = (fwAD.make_dual(y, x) ** 2).sum()
    print(b, fwAD.unpack_dual(b).tangent)
    c = torch.zeros(2)
    c.copy_(a)
    print(c)
print(x)
"""
    assert printed(SETUP + text).splitlines() == [
        "tensor(3., tangent=3.0) UnpackedDualTensor(primal=tensor(3.), tangent=tensor(3.))",
        "tensor([2., 4.], tangent=tensor([2., 4.])) tensor([2., 4.])",
        "tensor(5., grad_fn=<SumBackward0>, tangent=10.0) tensor(10., grad_fn=<SumBackward0>)",
        "tensor([1., 2.], tangent=tensor([1., 2.]))",
        "tensor([1., 2.])",
    ]


SEEN = """\
y = torch.tensor([1.0, 2.0], requires_grad=True)
def seen(t):
    print(t.requires_grad, t.is_leaf, t.grad_fn is None, end=" | ")
def f(t):
    seen(t), seen(t * 2), seen(y)
    return (t * t).sum()
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # What moves along a tangent or is batched has no history, whatever lies outside.
        ("jvp(f, (x,), (x,))", "False True True | False True True | True True True | "),
        ("jacfwd(f)(y)", "False True True | False True True | True True True | "),
        ("vmap(f)(y[None])", "False True True | False True True | True True True | "),
        (
            "grad(lambda t: vmap(f)(t).sum())(x[None])",
            "False True True | " * 2 + "True " * 3 + "| ",
        ),
        ("grad(lambda t: jvp(f, (t,), (x,))[1])(x)", "False True True | " * 2 + "True " * 3 + "| "),
        # An argument whose gradient is taken is a leaf.
        ("grad(f)(x)", "True True True | True False False | True True True | "),
        ("grad(f)(y)", "True True True | True False False | True True True | "),
        ("vmap(grad(f))(y[None])", "True True True | True False False | True True True | "),
        ("hessian(f)(x)", "True True True | True False False | True True True | "),
    ],
)
def test_programs_see_the_history_of_the_outermost_wrapper(text: str, shown: str) -> None:
    assert printed(f"{SETUP}{SEEN}{text}") == shown


def test_what_moved_has_no_history_when_forward_mode_ends() -> None:
    text = """\
with fwAD.dual_level():
    d = fwAD.make_dual(x, x)
    e = fwAD.make_dual(y, x)
    a, b = d * d, d * e
    c = a.clone()
    c.mul_(2)
    c[0] = 1.0
    [seen(t) for t in (d, a, b, c, e)]
print()
[seen(t) for t in (d, a, b, c, e)]
print()
print(a, c, b.requires_grad)
b.sum().backward()
print(y.grad)
"""
    assert printed(SETUP + SEEN + text).splitlines() == [
        "False True True | False True True | True False False | False True True "
        "| True False False | ",
    ] * 2 + ["tensor([1., 4.]) tensor([1., 8.]) True", "tensor([1., 2.])"]


def test_what_cannot_be_pushed_is_told() -> None:
    tangents.notes.clear()
    printed(f"{SETUP}jacfwd(written)(x)")
    assert (
        "forward mode transposed a backward pass, since a tensor is changed in place" in remarks()
    )


def _function(x: Tensor) -> Any:
    return gradcli.stack([x.sum() ** 2, (x[0] * x[-1]).exp(), x.prod()]), (x**2).sum()


def test_rows_and_columns_are_the_same_matrix() -> None:
    x = gradcli.tensor([0.5, -1.0, 2.0], dtype=gradcli.float64, requires_grad=True)
    outputs = list(_function(x))
    by_rows = [matrices.rows(output, [x])[0] for output in outputs]
    by_columns = [line[0] for line in matrices.columns(matrices.Product(outputs, [x]), [x])]
    for row, column in zip(by_rows, by_columns, strict=True):
        assert row is not None
        assert column is not None
        assert row.shape == column.shape
        np.testing.assert_allclose(row.numpy(), column.numpy())


def test_matrices_in_pieces_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = gradcli.tensor([0.5, -1.0, 2.0], requires_grad=True)
    output = (x[:, None] * x).sin()
    (whole,) = matrices.rows(output, [x])
    ((wide,),) = matrices.columns(matrices.Product([output], [x]), [x])
    monkeypatch.setattr(matrices, "BATCH", 20)
    (pieces,) = matrices.rows(output, [x])
    ((narrow,),) = matrices.columns(matrices.Product([output], [x]), [x])
    assert whole is not None
    for other in (wide, pieces, narrow):
        assert other is not None
        np.testing.assert_allclose(whole.numpy(), other.numpy(), rtol=1e-6)


def test_tall_matrices_are_taken_by_columns() -> None:
    x = gradcli.ones(2, requires_grad=True)
    assert matrices.takes_columns([x.repeat(3)], [x])
    assert not matrices.takes_columns([x * 2], [x])


def test_a_matrix_of_what_does_not_depend_is_zeros() -> None:
    x, y = gradcli.ones(2, requires_grad=True), gradcli.ones(3, requires_grad=True)
    ((first, second),) = matrices.blocks_of([x * 2], [x, y])
    assert first is not None
    assert second is None
    assert matrices.zeros_for(x * 2, y).shape == (2, 3)


def test_trees_that_hold_themselves_or_too_much_are_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RecursionError):
        flatten(endless)
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    with pytest.raises(RecursionError):
        flatten(deep)
    bomb: Any = [1]
    for _ in range(40):
        bomb = [bomb, bomb]
    with pytest.raises(OverflowError):
        flatten(bomb)
    leaves, spec = flatten({"a": [1, (2, None)], "b": {}})
    assert leaves == [1, 2, None]
    assert spec.drawn() == "{'a': [*, (*, *)], 'b': {}}"
    assert spec == flatten({"a": [5, (6, 7)], "b": {}})[1]
    assert spec != flatten({"a": [5, [6, 7]], "b": {}})[1]


def test_what_leaves_a_transform_by_another_way_has_no_history() -> None:
    text = """\
kept = []
def f(t):
    kept.append(t * 2)
    return t.sum()
grad(f)(x), jvp(f, (x,), (x,)), grad(f)(y)
for t in kept:
    print(t + 1 if t.requires_grad else t)
"""
    assert printed(SETUP + SEEN + text).splitlines() == [
        "tensor([2., 4.])",
        "tensor([2., 4.])",
        "tensor([3., 5.], grad_fn=<AddBackward0>)",
    ]
