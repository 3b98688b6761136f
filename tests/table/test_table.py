"""What every row of the operator table must satisfy, with the row's own samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcli import manual_seed
from gradcli.table.entry import Composite, Entry
from gradcli.table.registry import entries
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import serves
from gradcli.tensor.tensor import Tensor
from tests.table.checks import as_tensors, check_gradients, outputs_of
from tests.table.linearity import acts_on_elements, linear_groups
from tests.table.linearity import calls_of as row_calls

# PyTorch warns of every tensor that is made from a tensor.
pytestmark = pytest.mark.filterwarnings("ignore:To copy construct from a tensor")

ENTRIES = list(entries())
DIFFERENTIABLE = [e for e in ENTRIES if isinstance(e, Composite) or e.differentiable]
# What their documentation says: results are double; only certain memory layouts are accepted.
ALWAYS_DOUBLE = {"float_power", "Tensor.float_power_", "Tensor.double", "Tensor.cdouble"}
CHOOSES_A_TYPE = {"Tensor.to", "Tensor.half"}
NEEDS_LAYOUT = {
    "Tensor.view",
    "Tensor.view_as",
    "aten._reshape_alias",
    "aten.as_strided",
    "as_strided",
    "aten.as_strided_scatter",
    "as_strided_scatter",
    "view_as_complex",
}

# PyTorch's gradients of these count both triangles of a factor of which only one is read.
READS_A_TRIANGLE = {"cholesky_solve", "cholesky_inverse"}
# Functions of symmetric matrices, of which they read a triangle: PyTorch's gradients are symmetric.
SYMMETRIC = {
    "aten.linalg_cholesky_ex",
    "linalg.cholesky_ex",
    "linalg.cholesky",
    "cholesky",
    "aten._linalg_eigh",
    "linalg.eigh",
    "linalg.eigvalsh",
}
# What is smooth of a result: of complex eigenvectors not the phase, and not the LU factors that
# serve the gradient of a determinant only.
SMOOTH_PART: dict[str, Callable[[Any], Any]] = {
    "aten.linalg_eig": lambda out: (out[0], out[1].abs()),
    "linalg.eig": lambda out: (out[0], out[1].abs()),
    "aten._linalg_det": lambda out: out[0],
    "aten._linalg_slogdet": lambda out: out[:2],
}
# Random numbers come in the order of memory, and their gradients are zeros by convention.
RANDOM = "gradcli.ops.making.sampling"


def name_of(entry: Entry) -> str:
    return entry.names[0]


def calls_of(entry: Entry) -> list[tuple[Callable[..., Any], list[Any]]]:
    """The calls of an entry's samples: functions of positional arguments, and the arguments.

    Random numbers are the same whenever a function is called.
    """
    assert entry.samples is not None
    calls = []
    for call in entry.samples(Sampler()):
        *args, named = call if call and isinstance(call[-1], dict) else (*call, {})
        calls.append((_positional(entry, len(args), list(named)), [*args, *named.values()]))
    return calls


def _positional(entry: Entry, count: int, names: list[str]) -> Callable[..., Any]:
    """An entry as a function whose arguments from the `count`-th on are keyword arguments."""

    def run(*args: Any) -> Any:
        manual_seed(0)
        first, *rest = args[:count] or (None,)
        if name_of(entry).endswith("_") and isinstance(first, Tensor) and first.requires_grad:
            first = first.clone()  # a leaf must not be changed
        given = (first, *rest) if count else ()
        named = dict(zip(names, args[count:], strict=True))
        return entry(*(entry.positional(given, named) if named else given))

    return run


SAMPLED = [entry for entry in ENTRIES if entry.samples is not None]
ROWS = [entry for entry in ENTRIES if isinstance(entry, Row)]
SAMPLED_ROWS = [row for row in ROWS if row.samples is not None]
CHOOSY = [row for row in ROWS if row.kinds and row.samples is not None]
TYPES = ("float16", "float32", "complex64", "int32", "uint8", "bool")


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_a_row_has_a_description_and_samples(entry: Entry) -> None:
    assert entry.doc.strip()
    if isinstance(entry, Row) and entry.differentiable:
        assert entry.samples is not None


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_raw_arrays_give_what_tensors_give(entry: Entry) -> None:
    if isinstance(entry, Composite):
        pytest.skip("a composition is a function of tensors")
    for call, args in calls_of(entry):
        if isinstance(entry, Row) and entry.promote and _integers(args):
            continue  # formulas compute with arrays of the type that operands were promoted to
        raw = call(*args)
        wrapped = call(*as_tensors(args))
        raw_list = raw if isinstance(raw, tuple) else (raw,)
        wrapped_list = wrapped if isinstance(wrapped, tuple) else (wrapped,)
        for a, b in zip(raw_list, wrapped_list, strict=True):
            np.testing.assert_array_equal(np.asarray(a), b._array)


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_gradients_are_the_slopes(entry: Entry) -> None:
    if name_of(entry) in READS_A_TRIANGLE:
        pytest.skip("gradients are of the whole factor")
    _check_gradients(entry, 1)


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_second_gradients_are_the_slopes_of_the_first(entry: Entry) -> None:
    if name_of(entry) in READS_A_TRIANGLE:
        pytest.skip("gradients are of the whole factor")
    _check_gradients(entry, 2)


def _check_gradients(entry: Entry, order: int) -> None:
    """Compares with slopes, unless PyTorch has no derivative either and says so."""
    if entry.module == RANDOM:
        pytest.skip("PyTorch's gradients are zeros")
    for call, args in calls_of(entry):
        try:
            check_gradients(_smooth(entry, call, args), args, order)
        except (RuntimeError, NotImplementedError) as error:
            if "is not implemented" not in str(error):
                raise


def _smooth(entry: Entry, call: Callable[..., Any], args: list[Any]) -> Callable[..., Any]:
    """A call as a function whose gradients are its slopes in every direction."""
    name = name_of(entry)
    symmetric = name in SYMMETRIC or (name == "linalg.pinv" and any(arg is True for arg in args))
    part = SMOOTH_PART.get(name)

    def run(*given: Any) -> Any:
        if symmetric:
            given = ((given[0] + given[0].mH) / 2, *given[1:])
        return part(call(*given)) if part else call(*given)

    return run


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_float32_stays_float32(entry: Entry) -> None:
    if name_of(entry) in ALWAYS_DOUBLE | CHOOSES_A_TYPE:
        pytest.skip("of a certain type by definition")
    for call, args in calls_of(entry):
        single = as_tensors([_single(arg) for arg in args])
        if any(isinstance(arg, DType) for arg in args) or not outputs_of(single):
            continue
        for out in outputs_of(call(*single)):
            assert out._array.real.dtype == np.float32


@pytest.mark.parametrize("entry", SAMPLED, ids=name_of)
def test_memory_order_does_not_matter(entry: Entry) -> None:
    if name_of(entry) in NEEDS_LAYOUT:
        pytest.skip("defined for certain layouts only")
    if entry.module == RANDOM:
        pytest.skip("drawn in the order of memory")
    part = SMOOTH_PART.get(name_of(entry), lambda out: out)
    for call, args in calls_of(entry):
        plain = outputs_of(part(call(*as_tensors(args, False))))
        strided = outputs_of(part(call(*[_strided(t) for t in as_tensors(args, False)])))
        for a, b in zip(plain, strided, strict=True):
            np.testing.assert_allclose(a._array, b._array, rtol=1e-12, atol=1e-12)


def _integers(args: list[Any]) -> bool:
    return any(isinstance(arg, np.ndarray) and arg.dtype.kind not in "fc" for arg in args)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_row_says_in_which_operands_it_is_linear(row: Row) -> None:
    found = linear_groups(row)
    told = ", ".join(" ".join(names) for names in found)
    assert row.linear == found, f'its samples say linear="{told}"'


@pytest.mark.parametrize("row", SAMPLED_ROWS, ids=name_of)
def test_a_row_says_whether_it_acts_element_by_element(row: Row) -> None:
    found = acts_on_elements(row)
    assert found is None or row.elementwise == found, f"its samples say elementwise={found}"


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("row", CHOOSY, ids=name_of)
def test_a_row_takes_the_kinds_of_types_that_it_says(row: Row, dtype: str) -> None:
    for args in row_calls(row):
        cast = [arg.astype(dtype) if isinstance(arg, np.ndarray) else arg for arg in args]
        try:
            row(*cast)
        except RuntimeError as error:
            refused = "not implemented" in str(error) or "complex" in str(error)
        else:
            refused = False
        assert refused != serves(row.kinds, np.dtype(dtype))


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
