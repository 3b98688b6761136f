"""Distances and norms of differences."""

from __future__ import annotations

import pytest

import gradcli as torch


@pytest.mark.parametrize("p", ["inf", "-inf"])
def test_no_coordinates_have_no_largest(p: str) -> None:
    message = f"cannot compute the {p} norm on the dimension 1because this dimension is empty"
    with pytest.raises(RuntimeError, match=message):
        torch.nn.functional.pairwise_distance(torch.ones(2, 0), torch.ones(2, 0), p=float(p))
