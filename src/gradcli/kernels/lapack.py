"""LAPACK through SciPy, which the first function that needs it imports, and batches of matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.typing import Array


def adjoint(array: Array) -> Array:
    """The conjugate transpose of the matrices of an array."""
    return np.conj(array.swapaxes(-1, -2))


def by_columns(array: Array) -> Array:
    """The same matrices with their columns one after the other in memory, as LAPACK leaves them."""
    return np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2)


def each(
    function: Callable[..., tuple[Any, ...]], *arrays: Array, ranks: Sequence[int] = (2, 2, 2)
) -> tuple[Array, ...]:
    """Applies a function of matrices to every entry of a batch; returns a tuple of arrays.

    `ranks` says how many dimensions of each array belong to one entry (2: a matrix); the leading
    ones must agree. A batch without entries gets its shapes from a call on zeros.
    """
    lead = arrays[0].shape[: arrays[0].ndim - ranks[0]]
    if not lead:
        return tuple(np.asarray(item) for item in function(*arrays))
    count = int(np.prod(lead))
    cores = [array.shape[len(lead) :] for array in arrays]
    flat = [array.reshape(count, *core) for array, core in zip(arrays, cores, strict=True)]
    if count:
        found = [function(*items) for items in zip(*flat, strict=True)]
    else:
        zeros = [np.zeros(c, a.dtype) for a, c in zip(arrays, cores, strict=True)]
        found = [function(*zeros)]
    stacks = [np.stack([np.asarray(item[k]) for item in found]) for k in range(len(found[0]))]
    return tuple(stack[:count].reshape(*lead, *stack.shape[1:]) for stack in stacks)


def lapack(name: str, array: Array) -> Any:
    """A LAPACK function for the type of an array."""
    from scipy.linalg.lapack import get_lapack_funcs

    return get_lapack_funcs(name, (array,))


def qr_of_one(a: Array, complete: bool) -> tuple[Array, Array]:
    """Q and R of one matrix by LAPACK, in its own precision; a square Q if `complete`."""
    m, n = a.shape
    k = min(m, n)
    columns = m if complete else k
    if not k:
        return np.eye(m, columns, dtype=a.dtype), np.zeros((columns, n), a.dtype)
    compact, tau, _, _ = lapack("geqrf", a)(a)
    room = np.zeros((m, columns), a.dtype)
    room[:, :k] = compact[:, :k]
    q, _, _ = lapack("ungqr" if a.dtype.kind == "c" else "orgqr", a)(room, tau)
    return q, np.triu(compact[:columns])
