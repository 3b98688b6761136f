"""Products of vectors, matrices and tensors, against NumPy and by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import gradcli as torch
from gradcli.ops.contracting.einsum import contracted
from gradcli.tensor.tensor import wrap


@pytest.mark.parametrize("seed", range(20))
def test_einsum_is_numpys(seed: int) -> None:
    random = np.random.default_rng(seed)
    letters = "abcd"
    lengths = dict(zip(letters, random.integers(1, 4, 4).tolist(), strict=True))
    terms = ["".join(random.permutation(list(letters))[: random.integers(1, 4)]) for _ in range(3)]
    used = sorted(set("".join(terms)))
    kept = "".join(random.permutation(used)[: random.integers(0, len(used) + 1)])
    arrays = [random.normal(size=[lengths[letter] for letter in term]) for term in terms]
    equation = ",".join(terms) + "->" + kept
    found = torch.einsum(equation, *[wrap(array) for array in arrays])
    np.testing.assert_allclose(found._array, np.einsum(equation, *arrays), atol=1e-12)


def test_contraction_keeps_summed_dimensions() -> None:
    a, b = wrap(np.ones((2, 3, 1))), wrap(np.ones((1, 3, 4)))
    found = contracted(a, b, [1])
    assert tuple(found.shape) == (2, 1, 4)
    assert found._array.tolist() == [[[3.0] * 4], [[3.0] * 4]]


@pytest.mark.parametrize("lengths", [(2, 9, 1, 9, 2), (9, 1, 9, 1, 9), (3, 3, 3, 3, 3, 3)])
def test_chains_are_products_from_left_to_right(lengths: tuple[int, ...]) -> None:
    random = np.random.default_rng(len(lengths))
    chain = [random.normal(size=pair) for pair in pairwise(lengths)]
    expected = chain[0]
    for matrix in chain[1:]:
        expected = expected @ matrix
    found = torch.linalg.multi_dot([wrap(matrix) for matrix in chain])
    np.testing.assert_allclose(found._array, expected, atol=1e-10)


@pytest.mark.parametrize("other", [3, 2.5, [[1.0, 2.0], [3.0, 4.0]], None])
def test_at_takes_tensors_only(other: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        torch.ones(2, 2) @ other
    with pytest.raises(TypeError, match="unsupported operand"):
        other @ torch.ones(2, 2)


def test_half_precision_is_summed_in_single() -> None:
    terms = torch.full((1, 4096), 1.0).half() @ torch.full((4096, 1), 1.0).half()
    assert terms.item() == 4096.0


def test_a_product_keeps_only_the_other_factor() -> None:
    a, b = torch.ones(2, 3, requires_grad=True), torch.ones(3, 2)
    node = (a @ b).grad_fn
    assert node._saved_mat2 is b
    assert node._saved_self is None
    assert node._saved_self_sym_sizes == (2, 3)
    assert node._saved_self_sym_strides == (3, 1)
