"""`torch.vmap`: what it takes and gives, and what it refuses in PyTorch's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcli as torch
from gradcli import vmap
from gradcli.readings.batched import samples
from tests.commands import run

CONTROL = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We "
    "don't support that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
)
ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, please try to rewrite what you're doing with other operations. If error "
    "is occurring somewhere inside PyTorch internals, please file a bug report."
)
RANDOM = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
)
STORAGE = "Cannot access data pointer of Tensor that doesn't have storage"
SAME = "Vmap does not currently support same randomness with a batched tensor input."
NOT_SEVERAL = "Cannot ask for different inplace randomness on an unbatched tensor."


def matrix() -> Any:
    return torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])


def sign(x: Any) -> Any:
    return x if x.sum() > 0 else -x


REFUSED: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda x: vmap(sign)(x), RuntimeError, CONTROL),
    (lambda x: vmap(lambda a: bool(a.sum()))(x), RuntimeError, CONTROL),
    (lambda x: vmap(lambda a: a.sum().item())(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: int(a.sum()))(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: float(a.sum()))(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: f"{a.sum()}")(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: range(a.long()[1]))(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: torch.full((2,), a[0]))(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: a.add(a, alpha=a[0]))(x), RuntimeError, ITEM),
    (lambda x: vmap(lambda a: a.tolist())(x), RuntimeError, STORAGE),
    (lambda x: vmap(lambda a: a.numpy())(x), RuntimeError, STORAGE),
    (lambda x: vmap(np.asarray)(x), RuntimeError, STORAGE),
    (
        lambda x: vmap(lambda a: a.data)(x),
        RuntimeError,
        "accessing `data` under vmap transform is not allowed",
    ),
    (
        lambda x: vmap(lambda a: a.requires_grad_())(x),
        RuntimeError,
        "You are attempting to call Tensor.requires_grad_()",
    ),
    (
        lambda x: vmap(lambda a: a.sum().backward())(x.requires_grad_()),
        RuntimeError,
        "backward() called inside a functorch transform.",
    ),
    (lambda x: vmap(lambda a: torch.rand(3))(x), RuntimeError, RANDOM),
    (lambda x: vmap(lambda a: torch.rand_like(a))(x), RuntimeError, RANDOM),
    (lambda x: vmap(lambda a: torch.dropout(a, 0.5, True))(x), RuntimeError, RANDOM),
    (lambda x: vmap(lambda a: torch.bernoulli(a / 6))(x), RuntimeError, RANDOM),
    (lambda x: vmap(lambda a: a.clone().normal_())(x), RuntimeError, RANDOM),
    (lambda x: vmap(lambda a: torch.zeros(3).normal_())(x), RuntimeError, RANDOM),
    (lambda x: vmap(lambda a: torch.randperm(3))(x), RuntimeError, RANDOM),
    (lambda x: vmap(torch.bernoulli, randomness="same")(x / 6), RuntimeError, SAME),
    (
        lambda x: vmap(lambda a: torch.multinomial(a + 1, 2), randomness="same")(x),
        RuntimeError,
        SAME,
    ),
    (
        lambda x: vmap(lambda a: torch.zeros(3).uniform_(), randomness="different")(x),
        RuntimeError,
        NOT_SEVERAL,
    ),
    (
        lambda x: vmap(sign, randomness="often"),
        RuntimeError,
        "Only allowed values for randomness are 'error', 'different', or 'same'. Got often",
    ),
    (
        lambda x: vmap(sign, chunk_size=0),
        ValueError,
        "vmap: chunk_size should be None or greater than 0. (got 0)",
    ),
    (
        lambda x: vmap(sign, 2)(x),
        ValueError,
        "vmap(sign, in_dims=2, ...)(<inputs>): Got in_dim=2 for some input, but that input is a "
        "Tensor of dimensionality 2 so expected in_dim to satisfy -2 <= in_dim < 2.",
    ),
    (
        lambda x: vmap(sign, 1.0)(x),
        ValueError,
        "vmap(sign, in_dims=1.0, ...)(<inputs>): expected `in_dims` to be int or a (potentially "
        "nested) tuple matching the structure of inputs, got: <class 'float'>.",
    ),
    (lambda x: vmap(sign, None)(x), ValueError, "got: <class 'NoneType'>."),
    (
        lambda x: vmap(sign, (None,))(x),
        ValueError,
        "vmap: Expected at least one Tensor to vmap over",
    ),
    (
        lambda x: vmap(sign, (0, 0))(x),
        ValueError,
        "vmap(sign, in_dims=(0, 0), ...)(<inputs>): in_dims is not compatible with the structure "
        "of `inputs`. in_dims has structure TreeSpec(tuple, None, [*,\n  *]) but inputs has "
        "structure TreeSpec(tuple, None, [*]).",
    ),
    (
        lambda x: vmap(sign, (1.0,))(x),
        ValueError,
        "Got in_dim=1.0 for an input but in_dim must be either an integer dimension or None.",
    ),
    (lambda x: vmap(sign)(), ValueError, "vmap(sign)(<inputs>): got no inputs."),
    (
        lambda x: vmap(sign)(3.0),
        ValueError,
        "Got in_dim=0 for an input but the input is of type <class 'float'>. We cannot vmap over "
        "non-Tensor arguments, please use None as the respective in_dim",
    ),
    (
        lambda x: vmap(torch.add)(x, torch.ones(3)),
        ValueError,
        "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
        "[2, 3] for the mapped dimension",
    ),
    (
        lambda x: vmap(torch.sin, out_dims=2)(x),
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    ),
    (
        lambda x: vmap(torch.sin, out_dims=None)(x),
        ValueError,
        "vmap(sin, ...): `sin` can not return a BatchedTensor when out_dim is None",
    ),
    (
        lambda x: vmap(torch.sin, out_dims=(0, 1))(x),
        ValueError,
        "vmap(sin, ..., out_dims=(0, 1))(<inputs>): out_dims is not compatible with the structure "
        "of `outputs`. out_dims has structure TreeSpec(tuple, None, [*,\n  *]) but outputs has "
        "structure *.",
    ),
    (
        lambda x: vmap(torch.sin, out_dims=1.0)(x),
        ValueError,
        "`out_dims` must be an int, None or a python collection of ints",
    ),
    (
        lambda x: vmap(lambda a: (a, 2))(x),
        ValueError,
        "`<lambda>` must only return Tensors, got type <class 'int'>. Did you mean to set "
        "out_dims= to None for output?",
    ),
    (
        lambda x: vmap(lambda a: torch.zeros(3).mul_(a))(x),
        RuntimeError,
        "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a "
        "Tensor `other` in extra_args that has more elements than `self`.",
    ),
    (
        lambda x: vmap(lambda a: torch.zeros(3).fill_(a[0]))(x),
        RuntimeError,
        "vmap: fill_(self, *extra_args) is not possible",
    ),
    (
        lambda x: vmap(torch.nonzero)(x),
        RuntimeError,
        "vmap: We do not support batching operators that can output dynamic shape. Attempted to "
        "vmap over aten::nonzero.",
    ),
    (
        lambda x: vmap(lambda a: a[a > 0])(x),
        RuntimeError,
        "Attempting to batch over indexing with a boolean mask.",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED)
def test_what_cannot_be_mapped_is_refused_in_pytorchs_words(
    call: Callable[[Any], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        call(matrix())
    assert message in str(caught.value)
    assert type(caught.value).__name__ == kind.__name__


def test_a_captured_tensor_stays_as_it_is_where_a_sample_is_written_to_it() -> None:
    captured = torch.zeros(3)
    for change in ("mul_", "copy_", "index_put_"):
        args = ([torch.tensor([0, 1, 2])],) if change == "index_put_" else ()
        with pytest.raises(RuntimeError, match="being vmapped over but `self` not"):
            vmap(lambda a, change=change, args=args: getattr(captured, change)(*args, a))(matrix())
    assert captured.tolist() == [0, 0, 0]


def test_trees_are_mapped_over_as_their_dimensions_say() -> None:
    x = matrix()
    found = vmap(
        lambda tree, factor: {"sum": tree["u"] + tree["v"][0], "both": [tree["u"], factor * 2]},
        in_dims=({"u": 0, "v": [1]}, None),
        out_dims={"sum": 1, "both": [0, None]},
    )({"u": x, "v": [x.T]}, 3)
    assert found["sum"].tolist() == (x + x).T.tolist()
    assert found["both"][0].tolist() == x.tolist()
    assert found["both"][1] == 6


def test_mappings_are_nested() -> None:
    x, y = torch.randn(2, 3), torch.randn(4, 3)
    found = vmap(lambda a: vmap(lambda b: (a * b).sin().sum())(y), out_dims=1)(x)
    expected = torch.stack([torch.stack([(a * b).sin().sum() for a in x]) for b in y])
    assert torch.allclose(found, expected)
    assert vmap(vmap(torch.exp), in_dims=1, out_dims=1)(x).tolist() == x.exp().tolist()


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks_are_put_together(chunk_size: int) -> None:
    x = torch.randn(5, 3)
    mapped = vmap(lambda a: (a.cumsum(0), a.sum()), out_dims=(1, 0), chunk_size=chunk_size)
    sums, totals = mapped(x)
    assert torch.allclose(sums, x.cumsum(1).T)
    assert torch.allclose(totals, x.sum(1))


def test_an_empty_batch_gives_an_empty_batch() -> None:
    assert vmap(lambda a: a.sort()[0] * 2)(torch.zeros(0, 3)).shape == (0, 3)


def test_samples_print_as_batches() -> None:
    texts: list[str] = []
    vmap(lambda a: texts.append(str(a)) or a, in_dims=1)(matrix())
    vmap(vmap(lambda a: texts.append(str(a)) or a))(torch.tensor([[1.0]]))
    assert texts[0] == (
        "BatchedTensor(lvl=1, bdim=1, value=\n"
        "    tensor([[0., 1., 2.],\n"
        "            [3., 4., 5.]])\n"
        ")"
    )
    assert texts[1] == (
        "BatchedTensor(lvl=2, bdim=0, value=\n"
        "    BatchedTensor(lvl=1, bdim=0, value=\n"
        "        tensor([[1.]])\n"
        "    )\n"
        ")"
    )


def test_a_tensor_that_escaped_is_told_so() -> None:
    kept: list[Any] = []
    vmap(lambda a: kept.append(a) or a)(matrix())
    with pytest.raises(RuntimeError, match="may have escaped from inside a function being vmapped"):
        kept[0] + 1


UNIFORMS = [[0.4963, 0.7682, 0.0885], [0.1320, 0.3074, 0.6341]]

DRAWN: list[tuple[Callable[[Any], Any], str, list[Any]]] = [
    (lambda a: torch.rand(3), "same", [[0.4963, 0.7682, 0.0885]] * 2),
    (lambda a: torch.rand_like(a), "same", [[0.4963, 0.7682, 0.0885]] * 2),
    (lambda a: torch.dropout(a + 1, 0.5, True), "same", [[0, 0, 6], [0, 0, 12]]),
    (lambda a: a.clone().normal_(), "same", [[1.5410, -0.2934, -2.1788]] * 2),
    (lambda a: torch.zeros(3).bernoulli_(0.5), "same", [[0, 0, 1]] * 2),
    (lambda a: torch.randperm(3), "same", [[2, 0, 1]] * 2),
    (lambda a: torch.rand(3), "different", UNIFORMS),
    (
        lambda a: vmap(lambda b: torch.rand(2), randomness="same")(a),
        "different",
        [[[0.4963, 0.7682]] * 3, [[0.0885, 0.1320]] * 3],
    ),
    (
        lambda a: vmap(lambda b: torch.rand(1), randomness="different")(a),
        "same",
        [[[0.4963], [0.7682], [0.0885]]] * 2,
    ),
    (
        lambda a: torch.rand_like(a),
        "different",
        [[0.4963, 0.7682, 0.0885], [0.1320, 0.3074, 0.6341]],
    ),
    (lambda a: torch.dropout(a + 1, 0.5, True), "different", [[0, 0, 6], [0, 0, 0]]),
    (lambda a: torch.bernoulli(a / 6), "different", [[0, 0, 1], [1, 1, 1]]),
    (
        lambda a: a.clone().normal_(),
        "different",
        [[1.5410, -0.2934, -2.1788], [0.5684, -1.0845, -1.3986]],
    ),
    (lambda a: torch.randperm(3), "different", [[2, 0, 1], [2, 1, 0]]),
    (lambda a: torch.multinomial(a + 1, 2), "different", [[2, 1], [1, 2]]),
    (lambda a: torch.randint(9, (3,)), "different", [[8, 0, 2], [6, 7, 6]]),
    (
        lambda a: torch.normal(a, 1.0),
        "different",
        [[1.5410, 0.7066, -0.1788], [3.5684, 2.9155, 3.6014]],
    ),
]
"""What PyTorch draws after `manual_seed(0)`."""


@pytest.mark.parametrize(("function", "randomness", "expected"), DRAWN)
def test_random_numbers_are_pytorchs(
    function: Callable[[Any], Any], randomness: str, expected: list[Any]
) -> None:
    torch.manual_seed(0)
    found = vmap(function, randomness=randomness)(matrix())
    np.testing.assert_allclose(found.tolist(), expected, atol=5e-5)


def test_an_index_may_differ_from_sample_to_sample() -> None:
    x, places = matrix(), torch.tensor([0, 2])
    assert vmap(lambda a, k: a[k])(x, places).tolist() == [0, 5]
    assert vmap(lambda k: x[:, k])(places).tolist() == [[0, 3], [2, 5]]
    assert vmap(lambda a, k: a[k, None])(x.unsqueeze(2), places).shape == (2, 1, 1)


def test_a_number_may_differ_from_sample_to_sample() -> None:
    x = matrix()
    assert vmap(lambda a: a.clamp(min=a.mean()))(x).tolist() == [[1, 1, 2], [4, 4, 5]]


def test_new_tensors_may_be_written_to_for_each_sample() -> None:
    x = matrix()
    assert vmap(lambda a: a.new_zeros(3).add_(a))(x).tolist() == x.tolist()
    assert vmap(lambda a: torch.zeros_like(a).add_(a))(x).tolist() == x.tolist()


def test_views_of_a_sample_are_views() -> None:
    def change(a: Any) -> Any:
        copy = a.clone()
        copy[1:].mul_(2)
        copy.unsqueeze(0)[0, 0] = a.sum()
        copy.t_()
        return copy

    assert vmap(change)(matrix()).tolist() == [[3, 2, 4], [12, 8, 10]]


def test_samples_have_gradients_of_their_own() -> None:
    x, w = torch.randn(5, 3), torch.randn(3)

    def slope(a: Any) -> Any:
        point = a.detach()
        point.requires_grad = True
        (found,) = torch.autograd.grad(torch.tanh(point @ w) ** 2, point)
        return found

    inner = (x @ w).tanh()
    expected = (2 * inner * (1 - inner**2)).unsqueeze(1) * w
    assert torch.allclose(vmap(slope)(x), expected)


def test_programs_map_their_own_functions() -> None:
    program = (
        "from torch import vmap\n"
        "def f(a, b):\n    return (a * b).sum()\n"
        "x = torch.arange(6.0).reshape(2, 3)\n"
        "print(vmap(f)(x, x), torch.vmap(lambda a: a + 1, in_dims=1)(x).shape)\n"
    )
    assert run("run", "-", stdin=program).out == "tensor([ 5., 50.]) torch.Size([3, 2])\n"


def test_a_branch_on_a_sample_is_told_where_it_stands() -> None:
    program = "def f(a):\n    if a > 0:\n        return a\nprint(torch.vmap(f)(torch.ones(2)))\n"
    done = run("run", "-", stdin=program)
    assert "data-dependent control flow" in done.err
    assert "line 2, column 8" in done.err


def test_hooks_see_gradients_of_samples() -> None:
    x, shapes = torch.ones(2, 3, requires_grad=True), []

    def doubled(a: Any) -> Any:
        b = a * 2
        b.register_hook(lambda slope: shapes.append(slope.shape) or slope * 10)
        return b.sum()

    vmap(doubled)(x).sum().backward()
    assert shapes == [(3,)]
    assert x.grad.tolist() == [[20, 20, 20]] * 2
    assert vmap(lambda a: a.grad * 2)(x).tolist() == [[40, 40, 40]] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.clone().set_(torch.ones(3)),
        lambda a: a.clone().resize_(2),
        lambda a: torch.sin(a, out=torch.zeros(3)),
        lambda a: setattr(a.clone(), "data", torch.ones(3)),
    ],
)
def test_the_memory_of_a_sample_is_not_replaced(change: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"storage|accessing `data`"):
        vmap(change)(matrix())


def test_forward_mode_goes_through_a_mapping() -> None:
    x, v, w = torch.randn(4, 3), torch.randn(4, 3), torch.randn(3)
    value, slope = torch.autograd.functional.jvp(vmap(lambda a: torch.tanh(a @ w).sum()), x, v)
    inner = torch.tanh(x @ w)
    assert torch.allclose(value, inner)
    assert torch.allclose(slope, (1 - inner**2) * (v @ w))


def test_what_takes_samples_one_by_one_is_told_on_request() -> None:
    program = "print(torch.vmap(lambda a: torch.histc(a, 2))(torch.ones(2, 3)).shape)\n"
    samples.notes.clear()
    remark = "note: vmap took one sample after another in histc\n"
    assert run("run", "-", "--debug", stdin=program).err == remark
    assert run("run", "-", stdin=program).err == ""


@pytest.mark.parametrize(
    "pick",
    [
        lambda a, k: a[k],
        lambda a, k: a[:, k],
        lambda a, k: a[:, :, k, :],
        lambda a, k: a[k, :, k],
        lambda a, k: a[:, k, :, k],
        lambda a, k: a[:, k, k.unsqueeze(1)],
        lambda a, k: a[1, k],
        lambda a, k: a[..., k],
        lambda a, k: a[k, None, 1:],
    ],
)
@pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0), (-1, 0)])
def test_subscripts_pick_from_each_sample(pick: Callable[..., Any], in_dims: Any) -> None:
    x, k = torch.randn(3, 3, 3, 3, 3), torch.tensor([[0, 2], [1, 1], [2, 0]])
    index = k if in_dims[1] == 0 else k[0]
    found = vmap(pick, in_dims=in_dims)(x, index)
    singles = [
        pick(
            x if in_dims[0] is None else x.select(in_dims[0], n),
            index if in_dims[1] is None else index[n],
        )
        for n in range(3)
    ]
    assert found.tolist() == torch.stack(singles).tolist()


ARITHMETIC = "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists"
AT_LEVEL = "over but `self` not being vmapped over at level 1. Please try to use out-of-place"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda y, a: y.mul_(a), ARITHMETIC),
        (lambda y, a: y.copy_(a), ARITHMETIC),
        (lambda y, a: y.masked_fill_(a > 0, 1.0), ARITHMETIC),
        (lambda y, a: y.add_(a), r"output with shape [3] doesn't match the broadcast shape [2, 3]"),
        (lambda y, a: y[:1].atan2_(a), "shape [1] doesn't match the broadcast shape [2, 3]"),
        (lambda y, a: y.index_fill_(0, a.long() // 3, 1.0), "vmap: index_fill_(self, *extra_args)"),
        (lambda y, a: y.fill_(a[0]), "vmap: fill_(self, *extra_args)"),
        (
            lambda y, a: y.__setitem__(torch.tensor([0]), a[0]),
            "vmap: index_put_(self, *extra_args)",
        ),
        (lambda y, a: y.pow_(a), "vmap: aten::pow_(self, *extra_args)"),
        (lambda y, a: y.eq_(a), "vmap: aten::eq_(self, *extra_args)"),
        (lambda y, a: y.lerp_(y, a), AT_LEVEL),
        (lambda y, a: y.masked_fill_(a > 0, a[0]), AT_LEVEL),
    ],
)
def test_what_all_samples_share_is_not_written_to(
    write: Callable[[Any, Any], Any], message: str
) -> None:
    with pytest.raises(RuntimeError) as caught:
        vmap(lambda a: write(torch.ones(3), a))(matrix())
    assert message in str(caught.value)
