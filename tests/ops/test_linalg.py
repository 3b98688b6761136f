"""Factorisations, linear systems, norms and functions of matrices, against their laws."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import gradcli as torch
from gradcli.kernels.bidiagonal import singular_values
from gradcli.kernels.tridiagonal import LARGEST, NotConverged, eigen_of_small, rotation
from gradcli.ops.linalg.lu import permutation
from gradcli.tensor.errors import _LinAlgError
from gradcli.tensor.tensor import wrap


@pytest.mark.parametrize("kind", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("n", [1, 2, 3, 7, LARGEST])
@pytest.mark.parametrize("lower", [True, False])
def test_small_symmetric_matrices_are_diagonalised(kind: str, n: int, lower: bool) -> None:
    random = np.random.default_rng(n)
    a = (random.normal(size=(n, n)) + 1j * random.normal(size=(n, n))).astype("complex128")
    a = (a if kind.startswith("c") else a.real).astype(kind)
    a = a + a.conj().T
    values, vectors = eigen_of_small(a, lower)
    tolerance = 1e-12 if a.real.dtype == np.float64 else 1e-4
    assert vectors.dtype == a.dtype
    assert np.all(np.diff(values) >= 0)
    np.testing.assert_allclose(vectors.conj().T @ vectors, np.eye(n), atol=tolerance)
    np.testing.assert_allclose(a @ vectors, vectors * values, atol=10 * tolerance)


def test_a_matrix_that_falls_apart_is_diagonalised_block_by_block() -> None:
    a = np.zeros((6, 6))
    a[:2, :2], a[2:5, 2:5], a[5, 5] = [[2, 1], [1, 2]], [[4, 1, 0], [1, 3, 1], [0, 1, 2]], 1
    values, vectors = eigen_of_small(a, True)
    np.testing.assert_allclose(vectors * values @ vectors.T, a, atol=1e-14)


def test_infinite_matrices_are_given_up() -> None:
    with pytest.raises(NotConverged):
        eigen_of_small(np.full((4, 4), np.inf), True)


@pytest.mark.parametrize("f", [-2.0, -0.5, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("g", [-1.0, 0.0, 1.0])
def test_rotations_make_the_second_number_zero(f: float, g: float) -> None:
    c, s, r = rotation(f, g)
    np.testing.assert_allclose([c * f + s * g, c * g - s * f], [r, 0], atol=1e-15)


@pytest.mark.parametrize("shape", [(1, 4), (2, 3), (4, 6), (6, 4), (7, 2), (5, 5), (2, 3, 5)])
@pytest.mark.parametrize("full", [True, False])
def test_singular_values_rebuild_the_matrix(shape: tuple[int, ...], full: bool) -> None:
    a = np.random.default_rng(sum(shape)).normal(size=shape)
    u, values, vh = singular_values(a, full)
    k = values.shape[-1]
    assert u.shape[-1] == (shape[-2] if full else k)
    assert vh.shape[-2] == (shape[-1] if full else k)
    np.testing.assert_allclose(u[..., :k] * values[..., None, :] @ vh[..., :k, :], a, atol=1e-12)
    np.testing.assert_allclose(vh @ vh.swapaxes(-1, -2), _units(vh), atol=1e-12)


def _units(matrices: Any) -> Any:
    n = matrices.shape[-2]
    return np.broadcast_to(np.eye(n), (*matrices.shape[:-2], n, n))


def test_wide_matrices_with_zeros_have_singular_values() -> None:
    a = np.array([[2.0, 0, 0, 0], [0, -3, 0, 0], [0, 0, 0, 0]])
    u, values, vh = singular_values(a, False)
    assert values.tolist() == [3.0, 2.0, 0.0]
    np.testing.assert_allclose(u * values @ vh, a)


def test_pivots_are_swaps_one_after_the_other() -> None:
    p = permutation(np.array([[3, 3, 3], [1, 2, 3]]), 3, np.float64)
    assert p[0].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert p[1].tolist() == np.eye(3).tolist()


def test_errors_have_pytorchs_type() -> None:
    with pytest.raises(_LinAlgError) as failure:
        torch.linalg.inv(torch.zeros(2, 2))
    assert type(failure.value).__name__ == "_LinAlgError"
    assert isinstance(failure.value, RuntimeError)


@pytest.mark.parametrize("size", [3, 4])
def test_the_gradient_of_a_singular_determinant_is_the_adjugate(size: int) -> None:
    random = np.random.default_rng(size)
    rank = random.normal(size=(size, size - 1)) @ random.normal(size=(size - 1, size))
    a = wrap(rank, True)
    (found,) = torch.autograd.grad(torch.linalg.det(a), [a], create_graph=True)
    minors = [
        [
            (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(rank, i, 0), j, 1))
            for j in range(size)
        ]
        for i in range(size)
    ]
    np.testing.assert_allclose(found._array, minors, atol=1e-9)


def test_phases_of_complex_vectors_have_no_gradient() -> None:
    a = wrap(np.array([[2.0, 1 + 1j], [1 - 1j, 3.0]]), True)
    with pytest.raises(RuntimeError, match="linalg_eigh_backward: The eigenvectors in the complex"):
        torch.linalg.eigh(a)[1].sum().backward(torch.tensor(1 + 1j, dtype=torch.complex128))
    with pytest.raises(RuntimeError, match="svd_backward: The singular vectors in the complex"):
        torch.linalg.svd(a)[0].sum().backward(torch.tensor(1 + 1j, dtype=torch.complex128))


def test_factors_without_a_derivative_say_so() -> None:
    a = torch.eye(3, requires_grad=True)
    with pytest.raises(NotImplementedError, match="the derivative for 'geqrf' is not implemented"):
        torch.geqrf(a)[0].sum().backward()
    with pytest.raises(RuntimeError, match="aten::linalg_ldl_factor_ex is not implemented"):
        torch.linalg.ldl_factor(a)[0].sum().backward()
    with pytest.raises(RuntimeError, match="does not support automatic differentiation"):
        torch.geqrf(wrap(np.eye(2) + 0j, True))


@pytest.mark.parametrize("name", ["inv", "cholesky", "eigh", "svd", "qr", "det"])
def test_a_batch_is_its_entries_one_by_one(name: str) -> None:
    random = np.random.default_rng(0)
    a = random.normal(size=(2, 3, 4, 4))
    a = a @ a.swapaxes(-1, -2) + np.eye(4)
    function = getattr(torch.linalg, name)
    whole = function(wrap(a))
    for i in range(2):
        for j in range(3):
            one = function(wrap(a[i, j]))
            pairs = zip(whole, one, strict=True) if isinstance(one, tuple) else [(whole, one)]
            for many, single in pairs:
                np.testing.assert_allclose(many._array[i, j], single._array, atol=1e-12)


def test_products_do_not_import_scipy() -> None:
    code = (
        "import sys, gradcli as t; t.ones(2, 2) @ t.ones(2, 2); t.einsum('ij->', t.ones(2, 2)); "
        "t.linalg.norm(t.ones(2)); print([m for m in sys.modules if m.startswith('scipy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
