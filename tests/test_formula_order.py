"""Second derivatives in single precision that only PyTorch's order of sums gives exactly."""

from __future__ import annotations

from gradcli.ops.algebra.arithmetic import mul
from tests.recorded.conformance import cases, operator_faults


def test_sums_of_second_derivatives_are_in_the_recorded_order() -> None:
    (case,) = (case for case in cases("operators.jsonl.gz") if case["id"] == "cov#15")
    assert not operator_faults(case)


def test_formulas_run_by_the_name_of_their_argument() -> None:
    assert [mul.differentiable[places] for places, _ in mul.formulas] == [1, 0]
