"""`torch.testing.assert_close` in PyTorch's words."""

from __future__ import annotations

from typing import Any

import pytest

from gradcli.ops.making.testing import assert_close
from gradcli.table.registry import lookup
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor


def tensor(values: Any, dtype: Any = None) -> Tensor:
    made: Tensor = lookup("tensor")(values, dtype=dtype)  # type: ignore[misc]
    return made


CASES: list[tuple[Any, Any, dict[str, Any], str]] = [
    (
        [1.0, 2.0, 3.0],
        [1.0, 2.0, 4.0],
        {},
        "Tensor-likes are not close!\n\n"
        "Mismatched elements: 1 / 3 (33.3%)\n"
        "Greatest absolute difference: 1.0 at index (2,) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.25 at index (2,) (up to 1.3e-06 allowed)",
    ),
    (
        1.0,
        2.0,
        {},
        "Scalars are not close!\n\n"
        "Expected 2.0 but got 1.0.\n"
        "Absolute difference: 1.0 (up to 1e-05 allowed)\n"
        "Relative difference: 0.5 (up to 1.3e-06 allowed)",
    ),
    (
        [1, 2],
        [1, 3],
        {},
        "Tensor-likes are not equal!\n\n"
        "Mismatched elements: 1 / 2 (50.0%)\n"
        "Greatest absolute difference: 1 at index (1,)\n"
        "Greatest relative difference: 0.3333333432674408 at index (1,)",
    ),
    (
        [1.0, 2.0],
        [1.0, 2.0, 3.0],
        {},
        "The values for attribute 'shape' do not match: torch.Size([2]) != torch.Size([3]).",
    ),
    ([1.0], [2.0], {"msg": "boo"}, "boo"),
]


@pytest.mark.parametrize(("actual", "expected", "options", "message"), CASES)
def test_messages(actual: Any, expected: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_close(tensor(actual), tensor(expected), **options)
    assert str(caught.value) == message


def test_types_must_agree_unless_told_otherwise() -> None:
    single, double = tensor([1.0]), tensor([1.0], dtypes.float64)
    with pytest.raises(AssertionError, match=r"torch\.float32 != torch\.float64"):
        assert_close(single, double)
    assert_close(single, double, check_dtype=False)


def test_nan_is_close_to_nan_only_when_asked() -> None:
    with pytest.raises(AssertionError):
        assert_close(tensor([float("nan")]), tensor([float("nan")]))
    assert_close(tensor([float("nan")]), tensor([float("nan")]), equal_nan=True)


def test_a_list_names_the_item() -> None:
    with pytest.raises(AssertionError, match=r"The failure occurred for item \[1\]"):
        assert_close([tensor(1.0), tensor(2.0)], [tensor(1.0), tensor(3.0)])


def test_one_tolerance_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="but got no atol"):
        assert_close(tensor(1.0), tensor(1.0), rtol=0.1)


def test_a_tensor_and_a_number_do_not_compare() -> None:
    with pytest.raises(TypeError, match=r"<class 'torch.Tensor'> and <class 'float'>"):
        assert_close(tensor([1.0]), 1.0)
