"""`gradcheck` and `gradgradcheck` entry by entry: nothing right fails, nothing wrong passes."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from gradcli.tensor.errors import GradcheckError
from tests.checking.ask import ask

PROGRAMS = Path(__file__).parents[1] / "recorded/conformance/programs.jsonl.gz"


def formulas() -> list[str]:
    """The distinct elementwise formulas among drawn programs."""
    with gzip.open(PROGRAMS, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    drawn = [record["program"] for record in records if record["id"].startswith("fuzz/")]
    found = [line[4:] for text in drawn for line in text.splitlines() if line.startswith("z = ")]
    return [text for text in dict.fromkeys(found) if "(" in text]


FORMULAS = formulas()[::4]


def test_there_are_formulas() -> None:
    assert len(FORMULAS) > 10


@pytest.mark.parametrize("text", FORMULAS)
def test_a_right_gradient_passes(text: str) -> None:
    report = ask(text, points=20)
    assert report.failure() is None
    assert {entry.verdict for entry in report.entries} == {"right"}


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("wrong", ["g + 0.01*(g - g.detach())", "2*g.detach() - g"])
def test_a_gradient_with_a_wrong_factor_fails(text: str, wrong: str) -> None:
    report = ask(f"g = {text}; {wrong}", points=20, order=1)
    if all(entry.analytic == 0 for entry in report.entries):
        pytest.skip("its derivative vanishes")
    assert isinstance(report.failure(), GradcheckError)


def test_a_gradient_without_a_term_fails() -> None:
    report = ask("x**2 * y + sin(x.detach())", points=5)
    assert report.wrong is not None
    assert report.wrong.name == "d/dx"
    assert re.match(r"d/dx at x = .*: analytic .*, numeric ", str(report.failure()))


@pytest.mark.parametrize(
    ("text", "slopes"),
    [
        ("abs(x)", (-1, 1)),
        ("relu(x)", (0, 1)),
        ("max(x, 0)", (0, 1)),
        ("3*leaky_relu(x)", (0.03, 3)),
        ("x + x.abs()", (0, 2)),
    ],
)
def test_a_subgradient_at_a_kink_is_said_to_be_one(text: str, slopes: tuple[float, float]) -> None:
    report = ask(text, given={"x": "0"})
    (entry,) = [entry for entry in report.entries if entry.name == "d/dx"]
    assert entry.verdict == "kink"
    assert entry.slopes == pytest.approx(slopes, abs=1e-2)
    assert "has a kink here" in entry.remark
    assert report.failure() is None


def test_ties_are_kinks() -> None:
    report = ask("max(x, y)", given={"x": "2", "y": "2"}, order=1)
    assert [entry.verdict for entry in report.entries] == ["kink", "kink"]


def test_a_second_derivative_that_is_none_at_a_kink_is_no_mistake() -> None:
    report = ask("x.norm()", given={"x": "[0, 0]"})
    mixed = [entry for entry in report.entries if entry.name == "d2/dx[1]dx[0]"]
    assert [(str(entry.analytic), entry.verdict) for entry in mixed] == [("nan", "kink")]
    assert report.failure() is None


def test_a_gradient_at_a_kink_that_is_no_subgradient_fails() -> None:
    report = ask("abs(x) + 5*(x - x.detach())", given={"x": "0"}, order=1)
    assert report.wrong is not None
    assert (report.wrong.analytic, report.wrong.slopes) == (5.0, (-1.0, 1.0))


def test_entries_are_named_by_output_and_element() -> None:
    report = ask("(A @ x, x.sum())", given={"A": "ones(2, 2)", "x": "[1, 2]"}, order=1, wrt=["x"])
    names = [entry.name for entry in report.entries]
    assert names == [
        *("d[0][0]/dx[0]", "d[0][1]/dx[0]", "d[1]/dx[0]"),
        *("d[0][0]/dx[1]", "d[0][1]/dx[1]", "d[1]/dx[1]"),
    ]
    assert [entry.analytic for entry in report.entries] == [1.0] * 6


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("z**2*w", {"z": "1+2j", "w": "3"}),
        ("abs(z)", {"z": "[1+2j, 3j]"}),
        ("log(z)*z.conj()", {"z": "-1+0.5j"}),
        ("torch.view_as_real(z @ z.mH).sum()", {"z": "[[1j, 2], [3-1j, 1]]"}),
        ("torch.complex(x, x**2).exp()", {"x": "0.5"}),
        ("torch.linalg.eigvals(z).abs().sum()", {"z": "[[1j, 2], [3-1j, 1]]"}),
    ],
)
def test_complex_numbers_are_two_real_ones(text: str, given: dict[str, str]) -> None:
    report = ask(text, given=given, points=2)
    assert {entry.verdict for entry in report.entries} == {"right"}
    wrong = ask(f"r = {text}; 2*r - r.detach()", given=given, order=1)
    assert "wrong" in {entry.verdict for entry in wrong.entries}


def test_entries_of_complex_numbers_are_named_by_part() -> None:
    report = ask("z*w", given={"z": "1+2j", "w": "3"}, order=1)
    assert {entry.name: entry.analytic for entry in report.entries} == {
        "d.real/dz.real": 3.0,
        "d.imag/dz.real": 0.0,
        "d.real/dz.imag": 0.0,
        "d.imag/dz.imag": 3.0,
        "d.real/dw": 1.0,
        "d.imag/dw": 2.0,
    }
    cut = ask("z.real*z.imag.detach()", given={"z": "1+2j"}, order=1)
    assert cut.wrong is not None
    assert (cut.wrong.name, cut.wrong.analytic, cut.wrong.numeric) == ("d/dz.imag", 0.0, 1.0)


def test_second_derivatives_are_checked_too() -> None:
    report = ask("x**2*y + x[0].detach()*x.sum()", given={"x": "[1, 2]", "y": "3"}, seeds=())
    assert report.wrong is not None
    right = ask("(x**2*y).sum()", given={"x": "[1, 2]", "y": "3"})
    names = {entry.name for entry in right.entries}
    assert {"d2/dx[0]dx[0]", "d2/dx[1]dx[0]", "d2/dx[0]dy", "d2/dydx[1]", "d2/dy2"} <= names
    assert right.failure() is None


def test_variables_that_the_text_declares_are_moved_too() -> None:
    report = ask("let x = 3; let y: float32 = [1, 2]; (x*y**2).sum()", points=3)
    assert report.failure() is None
    assert {entry.name for entry in report.entries} >= {"d/dx", "d/dy[0]", "d2/dxdy[1]"}
    broken = ask("let x = 3; x*x.detach()")
    assert broken.wrong is not None


def test_what_saturates_is_not_called_wrong() -> None:
    report = ask("(y + relu(x*x)).tanh()", given={"y": "2.986", "x": "3.096"})
    assert report.failure() is None


def test_constants_of_nature_do_no_harm() -> None:
    planck = "2*6.626e-34*9e16/x**5 / (exp(6.626e-34*3e8/(x*1.38e-23*t)) - 1)"
    for points in (0, 3):
        report = ask(planck, given={"x": "5e-7", "t": "5778"}, points=points)
        assert {entry.verdict for entry in report.entries} == {"right"}
    wrong = ask(f"g = {planck}; 2*g.detach() - g", given={"x": "5e-7", "t": "5778"})
    assert {entry.verdict for entry in wrong.entries[:2]} == {"wrong"}


def test_a_derivative_that_is_not_finite_where_values_have_one_is_wrong() -> None:
    spoiled = "g = x**2 + 3*x; h = g.register_hook(lambda d: d + (x - x).sqrt()*0); g"
    report = ask(spoiled, given={"x": "0"})
    assert report.wrong is not None
    assert report.wrong.name == "d2/dx2"
    assert report.wrong.numeric == pytest.approx(2)
