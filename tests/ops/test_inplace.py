"""In-place changes, their histories and errors, by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gradcli
from gradcli.ops.inplace.derive import derive, write_back
from gradcli.ops.inplace.history import Window
from gradcli.table.registry import entries
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from gradcli.tensor.graph import Node
from gradcli.tensor.tensor import Tensor, wrap
from tests.table.checks import as_tensors


def test_complex_results_that_only_in_place_operators_record() -> None:
    x = gradcli.tensor([1 + 2j, 3j], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^nan_to_num does not support automatic different"):
        x.nan_to_num()
    assert x.clone().nan_to_num_().grad_fn.name() == "NanToNumBackward0"


def chain(node: Node | None) -> list[str]:
    names = []
    while node is not None:
        names.append(node.label)
        node = node.next_functions[0][0] if node.next_functions else None
    return names


def test_a_change_of_a_view_rewrites_its_base() -> None:
    x = wrap(np.ones(3), True)
    y = x * 2
    view = y[:2]
    view.mul_(3)
    assert chain(y.grad_fn) == ["CopySlices", "MulBackward0", "AccumulateGrad"]
    assert chain(view.grad_fn) == [
        "AsStridedBackward0",
        "CopySlices",
        "MulBackward0",
        "AccumulateGrad",
    ]
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad._array, [72, 72, 8])


def test_a_change_of_the_base_makes_views_stale_until_asked_for() -> None:
    x = wrap(np.ones(3), True)
    y = x * 2
    view = y[1]
    old = view.grad_fn
    y.exp_()
    assert view._grad_fn is old
    assert view.grad_fn is not old
    view.backward()
    np.testing.assert_allclose(x.grad._array, [0, 2 * np.exp(2), 0])


def test_gradients_pass_by_what_was_overwritten() -> None:
    x, w = wrap(np.arange(4.0), True), wrap(np.array(2.0), True)
    y = x.clone()
    y[1:3] = w
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad._array, [0, 0, 0, 6])
    np.testing.assert_allclose(w.grad._array, 8)


def test_second_derivatives_pass_through_changed_views() -> None:
    x = wrap(np.array([2.0, 3.0]), True)
    y = x.clone()
    y[0].pow_(3)
    (slope,) = gradcli.autograd.grad(y.sum(), x, create_graph=True)
    assert slope.grad_fn.label == "CopySlices"
    slope.sum().backward()
    np.testing.assert_allclose(x.grad._array, [12, 0])


def test_a_long_recurrence_in_one_tensor() -> None:
    h = wrap(np.array(1.0), True)
    state = wrap(np.zeros(2000))
    state[0] = h
    for k in range(1999):
        state[k + 1] = state[k] + 0.5
    state[-1].backward()
    assert h.grad.item() == 1.0
    assert state[-1].item() == 1000.5


def test_a_window_lies_in_a_gradient_as_in_its_base() -> None:
    base = np.arange(12.0).reshape(3, 4)
    for view in (base[1:, ::2], base.T[1], np.broadcast_to(base[2], (2, 4)), base[:, :0]):
        whole, part = Window(base, view).blank()
        whole[...] = base
        np.testing.assert_array_equal(part, view)


def test_windows_of_complex_numbers_show_their_parts() -> None:
    base = np.array([1 + 2j, 3 + 4j])
    whole, part = Window(base, base.imag).blank()
    whole[...] = base
    np.testing.assert_array_equal(part, [2, 4])


def test_repeated_elements_of_a_window_add_up() -> None:
    base = np.zeros(3)
    for view, expected in (
        (np.broadcast_to(base, (2, 3)), [2, 2, 2]),
        (np.lib.stride_tricks.sliding_window_view(base, 2), [1, 2, 1]),
    ):
        window = Window(base, view)
        whole, part = window.blank()
        window.add(part, np.ones(view.shape))
        np.testing.assert_array_equal(whole, expected)


def test_write_back_overwrites_and_ends_the_history() -> None:
    x = wrap(np.ones(3, np.float32), True)
    y = x * 2
    assert write_back(y, np.arange(3.0), "UniformBackward0") is y
    assert (y.tolist(), y._version, y.dtype.name) == ([0, 1, 2], 1, "float32")
    assert y.grad_fn.label == "UniformBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        write_back(x, np.zeros(3))
    with gradcli.no_grad():
        write_back(x, np.zeros(3))
    assert (x.tolist(), x.requires_grad, x.is_leaf) == ([0, 0, 0], True, True)


def test_failed_changes_leave_the_tensor_alone() -> None:
    x = wrap(np.ones(2))
    for change in (
        lambda: x.add_(wrap(np.ones((2, 2)))),
        lambda: x.add_(wrap(np.ones(3))),
        lambda: x.add_(1j),
        lambda: x.index_fill_(0, wrap(np.array([7])), 2),
    ):
        with pytest.raises((RuntimeError, IndexError)):
            change()
    assert (x.tolist(), x._version) == ([1, 1], 0)


def test_names_are_those_that_pytorch_has() -> None:
    x = wrap(np.ones(2))
    for name in ("sum_", "matmul_", "clone_", "detach__", "view_"):
        assert not hasattr(x, name)
    assert derive("relu_", False) is not None
    assert derive("mul_", False) is None


def test_updates_of_leaves_are_not_recorded() -> None:
    w = wrap(np.array([1.0, 2.0]), True)
    for _ in range(3):
        (w * w).sum().backward()
        with gradcli.no_grad():
            w -= 0.25 * w.grad
            w.grad.zero_()
    assert (w.tolist(), w.is_leaf, w._version) == ([0.125, 0.25], True, 3)


def test_hooks_stay_with_the_value_and_retain_grad_follows_the_tensor() -> None:
    x = wrap(np.ones(2), True)
    y = x * 2
    seen = []
    y.register_hook(lambda grad: seen.append(grad.tolist()))
    y.retain_grad()
    y.mul_(3)
    (y * wrap(np.array([1.0, 10.0]))).sum().backward()
    assert seen == [[3, 30]]
    assert y.grad.tolist() == [1, 10]


def test_rows_do_not_hand_out_their_operands_memory() -> None:
    """An in-place change of a result must not change the operand, unless it is a view.

    PyTorch's unsafe operators share memory and say so; the end of a history stands for the tensor
    whose history it is.
    """
    shared = set()
    for entry in entries():
        if not isinstance(entry, Row) or entry.view or "unsafe" in entry.names[0]:
            continue
        if not entry.samples or entry.names[0] == "aten.erase":
            continue
        for call in entry.samples(Sampler()):
            *args, last = call if call and isinstance(call[-1], dict) else (*call, {})
            made = as_tensors(args, False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results = entry(*made, **last)
            for result in results if isinstance(results, tuple) else (results,):
                if any(
                    isinstance(operand, Tensor)
                    and result._array.size
                    and np.may_share_memory(operand._array, result._array)
                    for operand in made
                ):
                    shared.add(entry.names[0])
    assert not shared


def test_a_view_keeps_its_place_where_its_base_is_given_other_memory() -> None:
    # PyTorch 2.13 gives these numbers: the window lies where the view began.
    x = gradcli.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    part = y[1:]
    y.data = gradcli.tensor([5.0, 6.0, 7.0])
    part.mul_(2)
    (y.sum() + part.sum()).backward()
    assert part.tolist() == [4.0, 6.0]
    assert x.grad.tolist() == [1.0, 4.0, 4.0]
