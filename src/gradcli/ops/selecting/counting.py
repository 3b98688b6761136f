"""Counting: non-zero elements, occurrences of integers, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.sums import axes
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.registry import lookup
from gradcli.table.row import Row
from gradcli.table.samples import Samples
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Scalar, Value

row(
    "count_nonzero(Tensor self, int[1]? dim=None)",
    lambda self, dim=None: np.asarray(
        np.count_nonzero(self, axis=axes(dim, self.ndim)), dtype=np.int64
    ),
    samples=lambda r: [
        (r.ints(3, 4, high=2),),
        (r.ints(3, 4, high=2), (1,)),
        (r.mask(2, 3, 2), (0, -1)),
        (np.zeros((2, 0)), (1,)),
        (np.array([0j, 1j]),),
    ],
    doc="How many elements are not zero.",
)


def _bincount(self: Array, weights: Array | None = None, minlength: int = 0) -> Array:
    """How often each non-negative integer occurs, or the sum of its weights."""
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    require_kinds(self.dtype, "iu", "bincount_cpu")
    if self.ndim != 1 or (self.size and self.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return np.bincount(self, minlength=minlength)
    if weights.shape != self.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    kind = np.float32 if weights.dtype == np.float32 else np.float64
    total = np.zeros(max(minlength, int(self.max()) + 1 if self.size else 0), kind)
    np.add.at(total, self, weights.astype(kind))
    return total


row(
    "bincount",
    _bincount,
    halves=False,
    node=NOT_IMPLEMENTED,
    weights=no_derivative("bincount", every=True),
    samples=lambda r: [
        (r.ints(6, high=4),),
        (r.ints(5, high=4), r(5), 6),
        (r.ints(5, high=4), r.ints(5, high=9)),
        (np.zeros(0, np.int64), None, 2),
    ],
)


def _even_edges(low: Any, high: Any, bins: int, kind: Any) -> Array:
    linspace: Any = lookup("linspace")
    return linspace(float(low), float(high), bins + 1, dtype=dtypes.from_numpy(kind))._array


def _outer_edges(columns: Array, limits: Sequence[float] | None) -> tuple[Array, Array]:
    """The outermost bin edges of each column, from the data unless they are given."""
    count = columns.shape[1]
    if limits is None:
        if not len(columns):
            return np.zeros(count, columns.dtype), np.ones(count, columns.dtype)
        low, high = columns.min(0), columns.max(0)
    else:
        if len(limits) != 2 * count:
            raise RuntimeError(
                f"torch.histogramdd: for a {count}-dimensional histogram range should have "
                f"{2 * count} elements, but got {len(limits)}"
            )
        pairs = np.array(limits, columns.dtype).reshape(count, 2)
        low, high = pairs[:, 0], pairs[:, 1]
    for place, (first, last) in enumerate(zip(low, high, strict=True)):
        if not (np.isfinite(first) and np.isfinite(last)):
            raise RuntimeError(
                f"torch.histogramdd: dimension {place}'s range [{first:g}, {last:g}] is not finite"
            )
        if first > last:
            raise RuntimeError(
                "torch.histogramdd: min should not exceed max, but got min "
                f"{first:g} max {last:g} for dimension {place}"
            )
    flat = low == high
    half = columns.dtype.type(0.5)
    return np.where(flat, low - half, low), np.where(flat, high + half, high)


def _tally(
    columns: Array, edges: Sequence[Array], places: Sequence[Array], weight: Array | None
) -> Array:
    """The weights in each cell; the last bin of a column includes its upper edge."""
    shape = tuple(max(len(edge) - 1, 0) for edge in edges)
    inside = np.ones(len(columns), bool)
    index = []
    for number, (edge, place) in enumerate(zip(edges, places, strict=True)):
        values = columns[:, number]
        inside &= (values >= edge[0]) & (values <= edge[-1])
        index.append(np.minimum(place, shape[number] - 1))
    total = np.zeros(shape, columns.dtype)
    amounts = columns.dtype.type(1) if weight is None else weight.reshape(-1)[inside]
    np.add.at(total, tuple(part[inside] for part in index), amounts)
    return total


def _check_columns(columns: Array, bins: Sequence[Any], weight: Array | None, shape: Any) -> None:
    word = dtypes.of(columns).c_name
    for place, edge in enumerate(bins):
        if isinstance(edge, int):
            if edge <= 0:
                raise RuntimeError(
                    f"torch.histogram(): bins must be > 0, but got {edge} for dimension {place}"
                )
            continue
        if edge.ndim != 1:
            raise RuntimeError(
                "torch.histogramdd: bins tensor should have one dimension, but got "
                f"{edge.ndim} dimensions in the bins tensor for dimension {place}"
            )
        if edge.dtype != columns.dtype:
            raise RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but "
                f"got input with dtype {word} and bins for dimension {place} with dtype "
                f"{dtypes.of(edge).c_name}"
            )
    if weight is None:
        return
    if weight.dtype != columns.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor "
            f"should have the same dtype, but got input({word}), and "
            f"weight({dtypes.of(weight).c_name})"
        )
    if weight.shape != tuple(shape[:-1]):
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the "
            "input tensor excluding its innermost dimension, but got input with shape "
            f"{list(shape)} and weight with shape {list(weight.shape)}"
        )


def _histogram_nd(
    columns: Array,
    bins: Sequence[Any],
    limits: Sequence[float] | None,
    weight: Array | None,
    density: bool,
    shape: Sequence[int],
) -> tuple[Array, list[Array]]:
    """Counts and bin edges of points in rows; `bins` holds numbers of bins or edges."""
    _check_columns(columns, bins, weight, shape)
    edges = [edge if isinstance(edge, int) else edge.copy() for edge in bins]
    numbered = any(isinstance(edge, int) for edge in bins)
    kernel = "histogramdd" if numbered and limits is None else "histogram_cpu"
    require_kinds(columns.dtype, "f" if kernel == "histogram_cpu" else "d", kernel)
    if numbered:
        low, high = _outer_edges(columns, limits)
        edges = [
            _even_edges(low[place], high[place], edge, columns.dtype)
            if isinstance(edge, int)
            else edge
            for place, edge in enumerate(edges)
        ]
    places = [
        np.searchsorted(edge, columns[:, place], "right") - 1 for place, edge in enumerate(edges)
    ]
    total = _tally(columns, edges, places, weight)
    if density:
        total = total / total.sum()
        for place, edge in enumerate(edges):
            widths = np.diff(edge)
            total = total / widths.reshape([-1 if k == place else 1 for k in range(total.ndim)])
    return total, edges


def _histogram(
    self: Array,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Array | None = None,
    density: bool = False,
) -> tuple[Array, Array]:
    column = self.reshape(-1, 1)
    flat = None if weight is None else weight.reshape(-1)
    total, edges = _histogram_nd(column, [bins], range, flat, density, column.shape)
    return total, edges[0]


def _histogramdd(
    self: Array,
    bins: Sequence[Any],
    range: Sequence[float] | None = None,
    weight: Array | None = None,
    density: bool = False,
) -> tuple[Array, list[Array]]:
    if self.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    if len(bins) != self.shape[-1]:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    columns = self.reshape(-1, self.shape[-1])
    return _histogram_nd(columns, bins, range, weight, density, self.shape)


def _counts_and_edges(*args: Any) -> tuple[Array, ...]:
    total, edges = _histogramdd(*args)
    return total, *edges


def _counts(*args: Any) -> Array:
    return _histogramdd(*args)[0]


_OPTIONS = "float[]? range=None, Tensor? weight=None, bool density=False"


def _histogram_row(name: str, bins: str, forward: Any, samples: Samples, pytorch: str) -> Row:
    operator = "histogram" if name == "histogram_edges" else name
    fails = no_derivative(operator, every=True)
    edges = {"bins": fails} if "Tensor" in bins else {}
    return row(
        f"aten.{name}(Tensor self, {bins}, {_OPTIONS})",
        forward,
        halves=False,
        node=NOT_IMPLEMENTED,
        self=fails,
        weight=fails,
        samples=samples,
        pytorch=pytorch,
        doc="Counts, and the edges of the bins.",
        **edges,
    )


_by_number = _histogram_row(
    "histogram",
    "int bins",
    _histogram,
    lambda r: [(r(3, 4), 3), (r(6), 4, (-1.5, 1.0), r(6), True)],
    "aten.histogram(self, bins, range=range, weight=weight, density=density)",
)
_by_edges = _histogram_row(
    "histogram_edges",
    "Tensor bins",
    _histogram,
    lambda r: [
        (r(3, 4), np.array([-2.0, -0.5, 0.0, 2.0])),
        (r(6), np.array([-1.0, 0.5, 1.0]), None, r(6), True),
    ],
    "aten.histogram(self, bins, weight=weight, density=density)",
)
_by_numbers = _histogram_row(
    "_histogramdd_from_bin_cts",
    "int[] bins",
    _counts_and_edges,
    lambda r: [(r(5, 2), (3, 2)), (r(5, 2), (2, 3), (-1.5, 1.5, -2.0, 1.0), r(5), True)],
    "torch.histogramdd(self, bins, range, weight, density)",
)
_by_all_edges = _histogram_row(
    "_histogramdd_from_bin_tensors",
    "Tensor[] bins",
    _counts,
    lambda r: [
        (r(5, 2), [np.array([-2.0, -0.5, 2.0]), np.array([-1.0, 0.0, 0.5, 2.0])]),
        (r(5, 1), [np.array([-1.0, 0.5, 1.0])], None, r(5), True),
    ],
    "aten._histogramdd_from_bin_tensors(self, bins, weight=weight, density=density)",
)


@composite(
    "histogram",
    samples=lambda r: [
        (r(3, 4), np.array([-2.0, -0.5, 0.0, 2.0])),
        (r(6), np.array([-1.0, 0.5, 1.0]), {"weight": r(6), "density": True}),
    ],
)
def histogram_edges(
    self: Value, bins: Value, *, weight: Value | None = None, density: bool = False
) -> Any:
    """How many elements lie in each of the bins with the given edges."""
    return return_type("histogram", "hist bin_edges")(_by_edges(self, bins, None, weight, density))


@composite(
    "histogram",
    samples=lambda r: [
        (r(3, 4), 3),
        (r(6), 4, {"range": (-1.5, 1.0), "weight": r(6), "density": True}),
        (np.ones(3), 2),
    ],
)
def histogram(
    self: Value,
    bins: int = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Value | None = None,
    density: bool = False,
) -> Any:
    """How many elements lie in each of a number of equal bins."""
    found = _by_number(self, bins, range, weight, density)
    return return_type("histogram", "hist bin_edges")(found)


def _named_dd(total: Tensor, edges: Any) -> Any:
    return return_type("histogramdd", "hist bin_edges")((total, tuple(edges)))


@composite(
    "histogramdd",
    samples=lambda r: [
        (r(5, 2), (3, 2)),
        (r(5, 2), (2, 3), (-1.5, 1.5, -2.0, 1.0), {"weight": r(5), "density": True}),
    ],
)
def histogramdd(
    self: Value,
    bins: Sequence[int],
    range: Sequence[float] | None = None,
    weight: Value | None = None,
    density: bool = False,
) -> Any:
    """How many points, in rows, lie in each cell of a grid."""
    total, *edges = _by_numbers(self, tuple(bins), range, weight, density)
    return _named_dd(total, edges)


@composite(
    "histogramdd",
    samples=lambda r: [
        (r(5, 2), 3),
        (r(2, 3, 1), 2, (-1.5, 1.0), {"weight": r(2, 3), "density": True}),
    ],
)
def histogramdd_cubes(
    self: Value,
    bins: int,
    range: Sequence[float] | None = None,
    weight: Value | None = None,
    density: bool = False,
) -> Any:
    """How many points, in rows, lie in each cell of a grid."""
    return histogramdd(self, (bins,) * self.shape[-1], range, weight, density)


@composite(
    "histogramdd",
    samples=lambda r: [
        (r(5, 2), [np.array([-2.0, -0.5, 2.0]), np.array([-1.0, 0.0, 0.5, 2.0])]),
        (r(5, 1), [np.array([-1.0, 0.5, 1.0])], None, r(5), True),
    ],
)
def histogramdd_edges(
    self: Value,
    bins: Sequence[Value],
    range: Sequence[float] | None = None,
    weight: Value | None = None,
    density: bool = False,
) -> Any:
    """How many points, in rows, lie in each cell of a grid with the given edges."""
    return _named_dd(_by_all_edges(self, list(bins), range, weight, density), bins)


def _histc(self: Array, bins: int = 100, min: Scalar = 0, max: Scalar = 0) -> Array:
    """How many elements lie in each of a number of equal bins."""
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if min > max:
        raise RuntimeError("torch.histc: max must be larger than min")
    if min == max:
        require_kinds(self.dtype, "iubf", "aminmax_cpu")
    require_kinds(self.dtype, "iufc", "linspace_cpu")
    require_kinds(self.dtype, "f", "histogram_cpu")
    kind = self.dtype.type
    values = self.reshape(-1, 1)
    low, high = kind(min), kind(max)
    if low == high and self.size:
        low, high = self.min(), self.max()
        if np.isnan(low):  # which has a sign where it was found by comparing
            raise RuntimeError("torch.histc: range of [-nan, -nan] is not finite")
    if low == high:
        low, high = low - kind(1), high + kind(1)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    scaled = (values[:, 0] - low) * kind(bins) / (high - low)
    with np.errstate(invalid="ignore"):
        places = scaled.astype(np.int64)
    edges = np.array([low, *([high] * bins)], self.dtype)
    return _tally(values, [edges], [places], None)


row(
    "histc",
    _histc,
    samples=lambda r: [(r(3, 4), 5), (r(3, 4), 4, -1, 1.5), (np.ones(3), 4), (r(0, 2), 3)],
)
