"""Formulas as programs: each checks itself."""

from __future__ import annotations

import importlib.util
import shlex

import pytest

from tests.commands import run

QUESTIONS = {
    "chain": "'sin(x**2)*exp(-x)'",
    "constants": "'exp(-x**2/2)/sqrt(2*pi) + log(10)*x'",
    "several": "'x**2*y + y**3' --all --order 2",
    "gradient": "'atan2(y, x)*hypot(x, y)' --gradient",
    "shared": "'2*h*x**3/c**2/(exp(h*x/(k*T)) - 1)' --wrt x",
    "branch": "'x**3 if x > 1 else -x' --x 2",
    "where": "'where(x > 0, x**2, -x)*relu(x) + abs(x)'",
    "special": "'erf(x) + lgamma(x) + sigmoid(x)*softplus(x) + gelu(x) + i0(x)'",
    "names": "'asin(x/2) + acosh(x + 2) + expm1(x) + log1p(x) + sinc(x)'",
    "layer": "'(tanh(W @ x + b)**2).sum()' --all --W [[1,2],[3,4]] --x '0.1 0.2' --b '0.3 0.1'",
    "squares": "'((X @ w - y)**2).mean()' --wrt w --X [[1,2],[3,4],[5,6]] --w '1 2' --y '1 2 3'",
    "softmax": "'log_softmax(x, 0)[1] + softmax(x, 0) @ y' --all --x '1 2 3' --y '3 1 2'",
    "matrices": "'linalg.det(A) + trace(A @ A)' --A [[2,1],[0.5,3]]",
    "norm": "'x.norm() + x.sum()/x.mean()' --x '1 2 4'",
    "seeded": "'W @ x' --all --W [[1,2],[3,4]] --x '1 2'",
    "constant": "'k*x**2' --wrt x --x 3 --const k=2",
}


@pytest.mark.parametrize("language", ["python", "torch"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_programs_check_themselves(
    name: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if language == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    done = run("diff", *shlex.split(QUESTIONS[name]), "--format", language)
    assert done.code == 0, done.err
    assert "gradcli" not in done.out
    exec(compile(done.out, name, "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "3 points are right\n"


def test_a_program_with_another_formula_fails() -> None:
    done = run("diff", "x**2*sin(x)", "--format", "python")
    wrong = done.out.replace("np.cos(x)", "np.sin(x)")
    assert wrong != done.out
    with pytest.raises(AssertionError):
        exec(compile(wrong, "wrong", "exec"), {"__name__": "__main__"})
