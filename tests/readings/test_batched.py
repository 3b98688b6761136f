"""The batched reading against a loop over samples, entry by entry, and `torch.vmap` as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcli.autograd.passes import grad
from gradcli.readings.batched import vmap
from gradcli.readings.trees import flatten
from gradcli.table.entry import Entry
from gradcli.table.registry import entries
from gradcli.table.samples import Kinked
from gradcli.tensor.tensor import Tensor, wrap
from tests.table.checks import as_tensors, seeds_for
from tests.table.test_table import calls_of, name_of

pytestmark = pytest.mark.filterwarnings("ignore")

SIZE = 3
FEW = 4
"""Calls of an entry that are tried with the batch in each place."""
Place = tuple[int, int | None]
"""Where a tensor stands among the arguments: its number, and that in a list."""

ENTRIES = [entry for entry in entries() if entry.samples is not None]

MEMORY = {
    "aten.as_strided": "looks at memory, which differs from that of a sample",
    "as_strided": "looks at memory, which differs from that of a sample",
    "aten.keep_strided": "looks at memory, which differs from that of a sample",
    "aten.as_strided_scatter": "looks at memory, which differs from that of a sample",
    "as_strided_scatter": "looks at memory, which differs from that of a sample",
    "Tensor.resize_": "shows more memory than a sample has",
    "Tensor.resize_as_": "shows more memory than a sample has",
    "Tensor.view_as": "takes elements as they lie in memory",
    "Tensor.storage_offset": "tells where a sample lies in memory",
}

DYNAMIC = "We do not support batching operators that can"
CONTROL = "data-dependent control flow"
ITEM = "calling .item() on a Tensor"
RANDOM = "called random operation while in randomness error mode"
STORAGE = "Cannot access data pointer of Tensor that doesn't have storage"
IN_PLACE = "being vmapped over but `self` not being vmapped over"
NO_RULE = "We could not generate a fallback"

REFUSED = {
    "equal": NO_RULE,
    "allclose": "vmap over torch.allclose isn't supported yet",
    "narrow": ITEM,
    "linspace": ITEM,
    "logspace": ITEM,
    "is_nonzero": CONTROL,
    "nn.functional.gaussian_nll_loss": CONTROL,
    "nn.functional.one_hot": "please provide an explicit positive num_classes argument",
    "tensor_split": STORAGE,
    "asarray": "You are attempting to call Tensor.requires_grad_()",
    "aten.index": DYNAMIC,
    "index_put": DYNAMIC,
    "masked_select": "We cannot support this because for each batch",
    "aten._unique2": DYNAMIC,
    "unique": DYNAMIC,
    "where": DYNAMIC,
    "nonzero": (DYNAMIC, CONTROL),
    "nonzero_static": DYNAMIC,
    "argwhere": DYNAMIC,
    "index_put_": (DYNAMIC, IN_PLACE),
}
"""What PyTorch does not batch either, and a part of what it says."""


SINGULAR = {"linalg.solve_ex": "a recorded pass refuses the sample's singular matrix"}


class Call(NamedTuple):
    """A call of an entry, the places of what is batched, and their samples."""

    run: Callable[..., Any]
    args: list[Any]
    places: list[Place]
    samples: list[np.ndarray[Any, Any]]

    def with_values(self, values: Sequence[Any]) -> Any:
        """The entry's results where these stand in the places."""
        given = tensors(self.args, False)
        for (place, inner), value in zip(self.places, values, strict=True):
            if inner is None:
                given[place] = value
            else:
                given[place] = [*given[place]]
                given[place][inner] = value
        return self.run(*given)


def tensors(args: Sequence[Any], requires_grad: bool = True) -> list[Any]:
    """Arrays as tensors, also in lists and tuples."""
    listed = [
        [*arg] if isinstance(arg, tuple) and any(isinstance(i, np.ndarray) for i in arg) else arg
        for arg in args
    ]
    return as_tensors(listed, requires_grad)


def places_of(args: Sequence[Any]) -> list[Place]:
    """Where arrays stand among arguments and in lists of them."""
    found: list[Place] = []
    for place, arg in enumerate(args):
        if isinstance(arg, np.ndarray):
            found.append((place, None))
        elif isinstance(arg, (list, tuple)):
            found += [(place, k) for k, item in enumerate(arg) if isinstance(item, np.ndarray)]
    return found


def samples_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Arrays like one, of other values where that cannot change what they mean."""
    if array.dtype.kind in "fc":
        return np.stack([np.array(array) * (1 + 0.05 * k) for k in range(SIZE)])
    return np.stack([np.roll(np.array(array), k) for k in range(SIZE)])


def batched_calls(entry: Entry) -> Iterator[Call]:
    """The entry's samples with each tensor batched, and with all of them."""
    for run, args in calls_of(entry):
        places = places_of(args)
        for chosen in [[place] for place in places] + ([places] if len(places) > 1 else []):
            arrays = [args[k] if inner is None else args[k][inner] for k, inner in chosen]
            yield Call(run, args, chosen, [samples_of(array) for array in arrays])


def leaf(array: Any) -> Tensor:
    made = wrap(np.array(array))
    return made.requires_grad_() if made._array.dtype.kind in "fc" else made


def looped(call: Call) -> tuple[list[list[Tensor]], list[Any]] | None:
    """The leaves and the results of each sample; None where there are none, or no tensors."""
    leaves, results = [], []
    for k in range(SIZE):
        own = [leaf(samples[k]) for samples in call.samples]
        try:
            found = call.with_values(own)
        except Exception:
            return None
        leaves.append(own)
        results.append(flatten(found)[0])
    if any(type(part) is not Tensor for part in results[0]):
        return None
    return leaves, results


def is_close(own: Any, other: Any) -> bool:
    rough = own.dtype.itemsize <= 4 or own.dtype == np.complex64
    tolerance = 1e-5 if rough else 1e-9
    return (own.shape, own.dtype) == (other.shape, other.dtype) and bool(
        np.allclose(own, other, rtol=tolerance, atol=1e-7, equal_nan=True)
    )


def is_refusal(entry: Entry, error: Exception) -> bool:
    """Whether PyTorch refuses the batch, too."""
    expected = REFUSED.get(name_of(entry), ())
    parts = (expected,) if isinstance(expected, str) else expected
    if name_of(entry).endswith("_"):
        parts = (*parts, IN_PLACE)
    return any(part in str(error) for part in (*parts, RANDOM))


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_batches_give_what_samples_give(entry: Entry) -> None:
    if name_of(entry) in MEMORY:
        pytest.skip(MEMORY[name_of(entry)])
    for number, call in enumerate(batched_calls(entry)):
        single = looped(call)
        if single is None:
            continue
        # A call has its batch in three places as long as there are few.
        for first in range(3) if number < FEW else (number % 3,):
            check_batch(entry, call, first, *single)


def check_batch(
    entry: Entry, call: Call, first: int, singles: list[list[Tensor]], expected: list[Any]
) -> None:
    """Compares a call with the batch in places from the `first` on with those of samples."""
    where = [
        (0, -1, 1)[(first + k) % 3] if part.ndim > 1 else 0 for k, part in enumerate(call.samples)
    ]
    leaves = [
        leaf(np.moveaxis(part, 0, dim)) for part, dim in zip(call.samples, where, strict=True)
    ]
    try:
        found = vmap(lambda *values: call.with_values(values), tuple(where))(*leaves)
    except RuntimeError as error:
        if not is_refusal(entry, error):
            raise
        return
    results = flatten(found)[0]
    for place, result in enumerate(results):
        assert is_close(result._array, np.stack([parts[place]._array for parts in expected]))
    # The gradient of nan is whatever the formula makes of it.
    if not any(isinstance(arg, Kinked) for arg in call.args):
        check_slopes(leaves, where, results, singles, expected)


def check_slopes(
    leaves: list[Tensor],
    where: list[int],
    results: list[Tensor],
    singles: list[list[Tensor]],
    expected: list[list[Tensor]],
) -> None:
    """Compares the gradients of a batch with those of its samples."""
    places = [place for place, result in enumerate(results) if result.requires_grad]
    assert all(expected[0][place].requires_grad for place in places)
    if not places:
        return
    seeds = seeds_for([results[place] for place in places])
    wanted = [k for k, point in enumerate(leaves) if point.requires_grad]
    rows = []
    for k in range(SIZE):
        try:
            rows.append(
                grad(
                    [expected[k][place] for place in places],
                    [singles[k][point] for point in wanted],
                    [wrap(np.array(seed._array[k])) for seed in seeds],
                    allow_unused=True,
                )
            )
        except (NotImplementedError, RuntimeError):
            return  # there is none
    slopes = grad(
        [results[place] for place in places],
        [leaves[point] for point in wanted],
        seeds,
        allow_unused=True,
    )
    for slope, point, column in zip(slopes, wanted, zip(*rows, strict=True), strict=True):
        assert (slope is None) == (column[0] is None)
        if slope is not None:
            own = np.moveaxis(slope._array, where[point], 0)
            assert is_close(own, np.stack([part._array for part in column]))


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_batches_of_gradients_give_what_each_gives(entry: Entry) -> None:
    reason = (MEMORY | SINGULAR).get(name_of(entry))
    if reason is not None:
        pytest.skip(reason)
    for run, args in calls_of(entry):
        given = tensors(args)
        points = [value for value in given if isinstance(value, Tensor) and value.requires_grad]
        if name_of(entry).endswith("_") or not points:
            continue
        try:
            found = flatten(run(*given))[0]
        except RuntimeError:
            continue
        ends = [part for part in found if isinstance(part, Tensor) and part.requires_grad]
        if not ends:
            continue
        seeds = [samples_of(seed._array) for seed in seeds_for(ends)]
        try:
            rows = [
                grad(
                    ends,
                    points,
                    [wrap(np.array(seed[k])) for seed in seeds],
                    True,
                    allow_unused=True,
                )
                for k in range(SIZE)
            ]
        except (NotImplementedError, RuntimeError):
            continue  # there is none
        slopes = grad(ends, points, [*map(wrap, seeds)], allow_unused=True, is_grads_batched=True)
        for slope, column in zip(slopes, zip(*rows, strict=True), strict=True):
            assert (slope is None) == (column[0] is None)
            if slope is not None:
                assert is_close(slope._array, np.stack([part._array for part in column]))


IN_PLACE_ENTRIES = [
    entry
    for entry in ENTRIES
    if entry.is_method and entry.inplace.method and not entry.names[0].startswith("aten.")
]


def changed(entry: Entry, call: Call, values: Sequence[Any]) -> Tensor:
    """A copy of the first argument that the entry's method has changed in place."""
    given = tensors(call.args, False)
    for (place, _), value in zip(call.places, values, strict=True):
        given[place] = value
    copy = given[0].clone()
    getattr(copy, entry.names[0].rpartition(".")[2] + "_")(*given[1:])
    return copy


@pytest.mark.parametrize("entry", IN_PLACE_ENTRIES, ids=name_of)
def test_batches_are_changed_in_place_as_samples_are(entry: Entry) -> None:
    for _, args in calls_of(entry):
        places = [place for place in places_of(args) if place[1] is None]
        if not places or places[0][0] or len(args) > len(entry.signature.parameters):
            continue
        for chosen in (places[:1], places):
            arrays = [args[k] for k, _ in chosen]
            call = Call(entry, args, chosen, [samples_of(array) for array in arrays])
            leaves = [[leaf(samples[k]) for samples in call.samples] for k in range(SIZE)]
            try:
                expected = [changed(entry, call, own) for own in leaves]
            except Exception:
                continue
            wholes = [leaf(samples) for samples in call.samples]
            found = vmap(lambda *values, call=call: changed(entry, call, values))(*wholes)
            assert is_close(found._array, np.stack([part._array for part in expected]))
            check_slopes(wholes, [0] * len(wholes), [found], leaves, [[part] for part in expected])
