"""The order in which a row's formulas run."""

from __future__ import annotations

from gradcli.ops.algebra.arithmetic import mul


def test_formulas_run_by_the_name_of_their_argument() -> None:
    assert [mul.differentiable[places] for places, _ in mul.formulas] == [1, 0]
