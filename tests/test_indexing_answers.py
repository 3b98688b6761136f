"""Calls at the edges of the indexing operators, against PyTorch's recorded answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recorded.conformance import cases, operator_faults

CASES = cases("indexing.jsonl.gz")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_agrees_with_the_recorded_answer(case: dict[str, Any]) -> None:
    assert not operator_faults(case), case["expr"]
