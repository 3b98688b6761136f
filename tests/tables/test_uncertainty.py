"""Uncertainties: to first order, their shares, and what the second order says."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from tests.commands import run
from tests.tables.test_rows import fine


def rows(text: str, *options: str, table: str) -> list[dict[str, str]]:
    """The rows that come out, by the names of columns."""
    done = run("map", text, "--quiet", *options, stdin=table)
    assert (done.code, done.err) == (0, "")
    return list(csv.DictReader(io.StringIO(done.out)))


def test_numbers_columns_and_expressions() -> None:
    table = "L,T,sL\n1.0,2.0,0.01\n2.0,2.8,0.02\n"
    text = "g = 4*pi**2*L/T**2"
    found = rows(text, "--sigma", "L=sL", "--sigma", "T=0.02", table=table)
    for row in found:
        slopes = float(row["dg_dL"]) * float(row["sL"]), float(row["dg_dT"]) * 0.02
        assert float(row["g_sigma"]) == pytest.approx(math.hypot(*slopes), rel=1e-15)
    relative = rows(text, "--sigma", "L=L/100", "--no-grad", table=table)
    assert [*relative[0]] == ["L", "T", "sL", "g", "g_sigma"]
    assert float(relative[1]["g_sigma"]) == pytest.approx(float(found[1]["g"]) / 100, rel=1e-15)


def test_names_of_an_output_without_a_name() -> None:
    options = ("--sigma", "x=0.1", "--shares", "--second")
    (row,) = rows("x**2", *options, table="x\n1\n")
    assert [*row] == [
        *("x", "value", "d_dx", "value_sigma", "value_share_x"),
        *("value_correction", "value_nonlinear"),
    ]


def test_correlations_and_shares() -> None:
    options = ("--sigma", "x=0.1", "--sigma", "y=0.2", "--shares", "--corr", "y,x=-0.5")
    (row,) = rows("g = 3*x + 2*y", *options, table="x,y\n1,1\n")
    variance = 0.3**2 + 0.4**2 - 0.3 * 0.4
    assert float(row["g_sigma"]) == pytest.approx(math.sqrt(variance), rel=1e-14)
    assert float(row["g_share_x"]) == pytest.approx((0.09 - 0.06) / variance, rel=1e-13)
    assert float(row["g_share_x"]) + float(row["g_share_y"]) == pytest.approx(1, rel=1e-14)
    (row,) = rows(
        "g = x - y", "--sigma", "x=0.1", "--sigma", "y=0.1", "--corr", "x,y=1", table="x,y\n1,1\n"
    )
    assert float(row["g_sigma"]) == 0


@pytest.mark.parametrize(
    ("text", "sigmas", "correlation"),
    [
        ("exp(x)*y", (0.1, 0.2), 0.0),
        ("x*y", (0.3, 0.4), 0.5),
        ("sin(x + y**2)", (0.05, 0.1), -0.4),
        ("x**2/y", (0.1, 0.05), 0.2),
    ],
)
def test_correction_is_that_of_a_monte_carlo(
    text: str, sigmas: tuple[float, float], correlation: float
) -> None:
    means = np.array([0.7, 1.3])
    covariance = np.outer(sigmas, sigmas) * [[1, correlation], [correlation, 1]]
    x, y = np.random.default_rng(1).multivariate_normal(means, covariance, 400_000).T
    drawn = eval(text, {"exp": np.exp, "sin": np.sin, "x": x, "y": y})
    options = ["--sigma", f"x={sigmas[0]}", "--sigma", f"y={sigmas[1]}", "--second"]
    options += ["--corr", f"x,y={correlation}"] if correlation else []
    (row,) = rows(text, *options, table="x,y\n0.7,1.3\n")
    shift = drawn.mean() - float(row["value"])
    error = drawn.std() / math.sqrt(len(drawn))
    third = 0.2 * abs(shift)  # what higher orders bring
    assert abs(shift - float(row["value_correction"])) < 4 * error + third


def test_where_the_second_order_matters() -> None:
    table = "x,s\n1,0.3\n1,0.1\n0,0.1\n100,1\n"
    found = rows("g = x**2", "--sigma", "x=s", "--second", table=table)
    # The quadratic term is s**2, the linear one 2*x*s.
    assert [row["g_nonlinear"] for row in found] == ["1", "0", "1", "0"]
    assert [float(row["g_correction"]) for row in found] == pytest.approx([0.09, 0.01, 0.01, 1])
    (row,) = rows(
        *("g = x*y", "--sigma", "x=0.1", "--sigma", "y=0.1", "--second"), table="x,y\n0.1,0.1\n"
    )
    assert (float(row["g_correction"]), row["g_nonlinear"]) == (0, "1")  # a saddle has no mean
    (row,) = rows("g = 3*x", "--sigma", "x=10", "--second", table="x\n1\n")
    assert (row["g_correction"], row["g_nonlinear"]) == ("0.0", "0")


@pytest.mark.parametrize(
    ("text", "table", "row"),
    [
        ("a = x; b = y", "x,y\n1,2\n", "1,2,1.0,0.1,0.0,0,2.0,0.0,0.0,0\n"),
        ("a = x**2", "x,y\n,2\n", ",2,,,,\n"),
        ("a = x*y", "x,y\n,\n", ",,,,,\n"),
    ],
)
def test_there_may_be_no_second_order_at_all(text: str, table: str, row: str) -> None:
    out = fine(text, "--sigma", "x=0.1", "--second", "--no-grad", stdin=table)
    assert out.partition("\n")[2] == row


def test_where_may_leave_nothing_for_the_second_order() -> None:
    out = fine("a = x**2", "--sigma", "x=0.1", "--second", "--where", "x > 9", stdin="x\n1\n")
    assert out == "x,a,da_dx,a_sigma,a_correction,a_nonlinear\n"


def test_later_outputs_know_what_earlier_ones_depend_on() -> None:
    (row,) = rows(
        "a = 2*x; b = a - 2*x + y", "--sigma", "x=1", "--sigma", "y=0.5", table="x,y\n1,1\n"
    )
    assert (row["a_sigma"], row["b_sigma"]) == ("2.0", "0.5")


def test_constants_may_be_uncertain() -> None:
    (row,) = rows("g = k*x", "--k", "3", "--sigma", "k=0.1", table="x\n2\n")
    assert [*row] == ["x", "g", "dg_dk", "dg_dx", "g_sigma"]
    assert float(row["g_sigma"]) == pytest.approx(0.2, rel=1e-15)


def test_cells_of_uncertainties() -> None:
    table = "x,s\n1,\n2,0.5\n"
    assert [row["g_sigma"] for row in rows("g = x", "--sigma", "x=s", table=table)] == ["", "0.5"]
    done = run("map", "g = x", "--no-grad", "--quiet", "--sigma", "x=s", stdin="x,s\n1,-2\n3,1\n")
    assert done == (
        1,
        "x,s,g,g_sigma\n1,-2,,\n3,1,3.0,1.0\n",
        "error: 1 row has no result, the first in line 2, the uncertainty of x is -2.0\n",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--corr", "x,y=2"], "--corr needs NAME,NAME=CORRELATION, not 'x,y=2'"),
        (["--corr", "x,x=1"], "--corr needs NAME,NAME=CORRELATION, not 'x,x=1'"),
        (["--corr", "x,z=0.5"], "--corr: z has no uncertainty\nhint: add --sigma z=VALUE"),
        (["--corr", "x,y=0", "--corr", "y,x=0.5"], "--corr: y,x is given more than once"),
        (["--sigma", "x=2"], "--sigma: x is given more than once"),
        (
            ["--sigma", "z=1", "--corr", "x,y=1", "--corr", "y,z=1", "--corr", "x,z=-1"],
            "--corr: no inputs have all these correlations at once",
        ),
    ],
)
def test_misuse(options: list[str], message: str) -> None:
    given = ("--sigma", "x=1", "--sigma", "y=1", *options)
    done = run("map", "x + y + z", "--quiet", *given, stdin="x,y,z\n1,2,3\n")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message}")
