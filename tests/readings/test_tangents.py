"""Tangents pushed along rows against the transpose of what a backward pass gives, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.autograd.matrices import Product
from gradcli.readings.trace import Recorder
from gradcli.readings.transforms.tangents import Tangents
from gradcli.readings.trees import flatten
from gradcli.table.entry import Entry
from gradcli.table.registry import entries
from gradcli.table.samples import Kinked
from gradcli.tensor.tensor import Tensor, wrap
from tests.table.checks import as_tensors
from tests.table.test_table import calls_of, name_of

pytestmark = pytest.mark.filterwarnings("ignore")

ENTRIES = [entry for entry in entries() if entry.samples is not None]


ONCE = ("aten.hardsigmoid", "nn.functional.hardsigmoid")
"""Entries whose gradients have no derivative, so that nothing can be transposed."""


def ignored(tensor: Tensor) -> None:
    """A leaf that nobody asks about."""


def pushed(trace: Any, points: list[Tensor], vector: list[Tensor], ends: list[Tensor]) -> Any:
    tangents = Tangents(trace, ignored)
    for point, tangent in zip(points, vector, strict=True):
        tangents.give(point, tangent)
    tangents.advance()
    return [tangents.of(end) for end in ends]


def drawn_like(points: list[Tensor]) -> list[Tensor]:
    random = np.random.default_rng(5)
    found = []
    for point in points:
        array = random.standard_normal(point.shape)
        if point.is_complex():
            array = array + 1j * random.standard_normal(point.shape)
        found.append(wrap(np.asarray(array).astype(point._array.dtype)))
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_tangents_are_the_transpose_of_gradients(entry: Entry) -> None:
    if name_of(entry) in ONCE:
        pytest.skip("its gradient has no derivative")
    for run, args in calls_of(entry):
        if name_of(entry).endswith("_") or any(isinstance(arg, Kinked) for arg in args):
            continue
        given = as_tensors(args)
        points = [value for value in flatten(given)[0] if isinstance(value, Tensor)]
        points = [point for point in points if point.requires_grad]
        recorder = Recorder(points)
        try:
            with recorder:
                value = run(*given)
        except RuntimeError:
            continue
        ends = [end for end in flatten(value)[0] if isinstance(end, Tensor) and end.requires_grad]
        if not points or not ends or recorder.trace.flaw:
            continue
        vector = drawn_like(points)
        try:
            expected = Product(ends, points).with_vector(dict(enumerate(vector)), True)
        except (NotImplementedError, RuntimeError):
            continue  # there is none
        for own, other, end in zip(
            pushed(recorder.trace, points, vector, ends), expected, ends, strict=True
        ):
            if own is None or other is None:
                moves = other if own is None else own
                assert moves is None or not np.any(moves._array)
                continue
            assert own.shape == end.shape
            assert own.dtype == end.dtype
            rough = end._array.dtype.itemsize <= 4 or end._array.dtype == np.complex64
            tolerance = 1e-4 if rough else 1e-8
            np.testing.assert_allclose(own._array, other._array, tolerance, tolerance)
