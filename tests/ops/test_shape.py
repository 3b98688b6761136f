"""Views, slices, joining and rearrangement: what shares memory, and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.ops.algebra.strided import as_strided_backward, storage_of
from gradcli.tensor.shapes import infer_shape
from gradcli.tensor.tensor import Tensor, wrap

VIEWS: dict[str, Any] = {
    "view": lambda x: x.view(12),
    "expand": lambda x: x.expand(2, 3, 4)[0],
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, 1),
    "transpose": lambda x: x.transpose(0, 1),
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "unsqueeze": lambda x: x.unsqueeze(0),
    "squeeze": lambda x: x.squeeze(),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "select": lambda x: x.select(0, 1),
    "narrow": lambda x: x.narrow(1, 0, 2),
    "diagonal": lambda x: x.diagonal(),
    "unfold": lambda x: x.unfold(0, 2, 1),
    "as_strided": lambda x: x.as_strided((2, 2), (1, 2)),
    "split": lambda x: x.split(2)[0],
    "chunk": lambda x: x.chunk(2, 1)[1],
    "tensor_split": lambda x: x.tensor_split(2)[1],
    "unbind": lambda x: x.unbind()[1],
    "meshgrid": lambda x: gradcli.meshgrid(x[0], x[1], indexing="ij")[0],
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory_and_version(name: str) -> None:
    x = wrap(np.arange(12.0).reshape(3, 4))
    view = VIEWS[name](x)
    assert np.shares_memory(view._array, x._array)
    assert view._base is x
    x.add_(1)
    assert view._version == x._version == 1


COPIES: dict[str, Any] = {
    "clone": lambda x: x.clone(),
    "cat": lambda x: gradcli.cat([x]),
    "stack": lambda x: gradcli.stack([x]),
    "repeat": lambda x: x.repeat(1, 1),
    "flip": lambda x: x.flip(0),
    "rot90": lambda x: x.rot90(0),
    "diag": lambda x: gradcli.diag(x),
    "narrow_copy": lambda x: x.narrow_copy(0, 0, 2),
    "view_copy": lambda x: gradcli.view_copy(x, (12,)),
    "select_scatter": lambda x: x.select_scatter(x[0], 0, 1),
    "pad": lambda x: gradcli.nn.functional.pad(x, (0, 0)),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_do_not_share_memory(name: str) -> None:
    x = wrap(np.arange(12.0).reshape(3, 4))
    copy = COPIES[name](x)
    assert not np.shares_memory(copy._array, x._array)
    assert copy._base is None


def test_reshape_views_where_it_can() -> None:
    x = wrap(np.arange(12.0).reshape(3, 4))
    assert np.shares_memory(x.reshape(4, 3)._array, x._array)
    assert not np.shares_memory(x.t().reshape(12)._array, x._array)
    assert np.shares_memory(x[:, :2].reshape(3, 2, 1)._array, x._array)


@pytest.mark.parametrize(
    ("size", "count", "shape"),
    [
        ((2, -1), 6, (2, 3)),
        ((-1,), 0, (0,)),
        ((), 1, ()),
        ((0, 3), 0, (0, 3)),
        ((-1, 3), 0, (0, 3)),
    ],
)
def test_infer_shape(size: tuple[int, ...], count: int, shape: tuple[int, ...]) -> None:
    assert infer_shape(size, count) == shape


def test_storage_is_the_memory_behind_all_views() -> None:
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)
    assert storage_of(array[1:, :1]).tolist() == list(range(24))
    copied = array.copy(order="K")
    assert storage_of(copied[1:]).tolist() == list(range(24))


def test_as_strided_reads_beyond_a_view() -> None:
    x = wrap(np.arange(12.0).reshape(3, 4))[1:]
    assert x.storage_offset() == 4
    assert x.as_strided((2,), (1,), 0).tolist() == [0, 1]
    assert x.as_strided((2,), (4,)).tolist() == [4, 8]


def test_gradient_of_overlapping_strided_views() -> None:
    grad = np.ones((2, 2))
    source, target = ((2, 2), (1, 1), 0), ((3,), (1,), 0)
    assert as_strided_backward(grad, source, target, target).tolist() == [1, 2, 1]
    spread = ((2, 3), (0, 1), 0)
    assert as_strided_backward(np.ones(3), target, spread, spread).tolist() == [[0.5] * 3] * 2


def test_iteration_unbinds() -> None:
    rows = list(wrap(np.arange(4.0).reshape(2, 2)))
    assert [row.tolist() for row in rows] == [[0, 1], [2, 3]]
    assert all(isinstance(row, Tensor) for row in rows)


def test_delayed_conjugates_are_told_apart() -> None:
    c = gradcli.tensor([1 + 2j])
    assert c.conj().is_conj()
    assert not c.conj().conj().is_conj()
    assert not c.conj().resolve_conj().is_conj()
    assert c.conj()[0].is_conj()
    assert c.conj().imag.is_neg()
    assert c.conj().imag.tolist() == [-2]
    assert not gradcli.ones(1).conj().is_conj()
