"""The named tuples of tensors: a tuple in every respect, with names and PyTorch's layout."""

from __future__ import annotations

import copy
import pickle

import pytest

from gradcli.tensor.namedtuples import return_type


def test_prints_one_field_a_line() -> None:
    made = return_type("max", "values indices")((1.5, 2))
    text = "torch.return_types.max(\nvalues=1.5,\nindices=2)"
    assert repr(made) == str(made) == f"{made}" == text


def test_is_a_tuple_with_names() -> None:
    made = return_type("aminmax", "min max")([1, 2])
    low, high = made
    assert (low, high) == (made.min, made.max) == made == (1, 2)
    assert made.n_fields == len(made) == 2
    assert type(made[:1]) is tuple
    with pytest.raises(AttributeError):
        made.values  # noqa: B018
    with pytest.raises(AttributeError):
        made.min = 3


def test_equal_requests_share_one_type() -> None:
    assert return_type("sort", "values indices") is return_type("sort", "values indices")
    assert return_type("sort", "values indices") is not return_type("topk", "values indices")


def test_survives_copies() -> None:
    made = return_type("mode", "values indices")((1, 2))
    for twin in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(twin) is type(made)
        assert twin == made
