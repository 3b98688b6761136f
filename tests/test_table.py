"""What every row of the operator table must satisfy, with the row's own samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.table.entry import Composite, Entry
from gradcli.table.registry import entries
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from tests.table_checks import as_tensors, check_gradients, outputs_of

ENTRIES = list(entries())
DIFFERENTIABLE = [e for e in ENTRIES if isinstance(e, Composite) or e.differentiable]
# What their documentation says: results are double; only certain memory layouts are accepted.
ALWAYS_DOUBLE = {"float_power", "Tensor.to", "Tensor.double"}
NEEDS_LAYOUT = {
    "Tensor.view",
    "Tensor.view_as",
    "aten._reshape_alias",
    "aten.as_strided",
    "aten.as_strided_scatter",
    "as_strided_scatter",
    "view_as_complex",
}

# PyTorch's gradients of these count both triangles of a factor of which only one is read.
READS_A_TRIANGLE = {"cholesky_solve", "cholesky_inverse"}


def name_of(entry: Entry) -> str:
    return entry.names[0]


def calls_of(entry: Entry) -> list[tuple[list[Any], dict[str, Any]]]:
    assert entry.samples is not None
    calls = []
    for call in entry.samples(Sampler()):
        *args, last = call if call and isinstance(call[-1], dict) else (*call, {})
        calls.append((list(args), last))
    return calls


SAMPLED = [entry for entry in ENTRIES if entry.samples is not None]


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_a_row_has_a_description_and_samples(entry: Entry) -> None:
    assert entry.doc.strip()
    if isinstance(entry, Row) and entry.differentiable:
        assert entry.samples is not None


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_raw_arrays_give_what_tensors_give(entry: Entry) -> None:
    if isinstance(entry, Composite):
        pytest.skip("a composition is a function of tensors")
    for args, kwargs in calls_of(entry):
        raw = entry(*args, **kwargs)
        wrapped = entry(*as_tensors(args), **kwargs)
        raw_list = raw if isinstance(raw, tuple) else (raw,)
        wrapped_list = wrapped if isinstance(wrapped, tuple) else (wrapped,)
        for a, b in zip(raw_list, wrapped_list, strict=True):
            np.testing.assert_array_equal(np.asarray(a), b._array)


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_gradients_are_the_slopes(entry: Entry) -> None:
    if name_of(entry) in READS_A_TRIANGLE:
        pytest.skip("gradients are of the whole factor")
    for args, kwargs in calls_of(entry):
        check_gradients(lambda *a, kwargs=kwargs: entry(*a, **kwargs), args)


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_second_gradients_are_the_slopes_of_the_first(entry: Entry) -> None:
    if name_of(entry) in READS_A_TRIANGLE:
        pytest.skip("gradients are of the whole factor")
    for args, kwargs in calls_of(entry):
        try:
            check_gradients(lambda *a, kwargs=kwargs: entry(*a, **kwargs), args, order=2)
        except (RuntimeError, NotImplementedError) as error:
            if "is not implemented" not in str(error):
                raise
            pytest.skip(f"PyTorch cannot either: {error}")


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_float32_stays_float32(entry: Entry) -> None:
    if name_of(entry) in ALWAYS_DOUBLE:
        pytest.skip("double by definition")
    for args, kwargs in calls_of(entry):
        single = [_single(arg) for arg in args]
        for out in outputs_of(entry(*as_tensors(single), **kwargs)):
            assert out._array.real.dtype == np.float32


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_memory_order_does_not_matter(entry: Entry) -> None:
    if name_of(entry) in NEEDS_LAYOUT:
        pytest.skip("defined for certain layouts only")
    for args, kwargs in calls_of(entry):
        plain = outputs_of(entry(*as_tensors(args, False), **kwargs))
        strided = outputs_of(entry(*[_strided(t) for t in as_tensors(args, False)], **kwargs))
        for a, b in zip(plain, strided, strict=True):
            np.testing.assert_allclose(a._array, b._array, rtol=1e-12, atol=1e-12)


def _single(arg: Any) -> Any:
    if isinstance(arg, list):
        return [_single(item) for item in arg]
    if isinstance(arg, np.ndarray) and arg.dtype == np.float64:
        return arg.astype(np.float32)
    if isinstance(arg, np.ndarray) and arg.dtype == np.complex128:
        return arg.astype(np.complex64)
    return arg


def _strided(arg: Any) -> Any:
    """The same values at every second place of a larger array, in Fortran order."""
    array = getattr(arg, "_array", None)
    if array is None or array.ndim == 0:
        return arg
    room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype, order="F")
    room[..., ::2] = array
    arg._array = room[..., ::2]
    return arg
