"""Formulas as programs: each checks itself."""

from __future__ import annotations

import ast
import importlib.util
import shlex
import shutil
import subprocess
from pathlib import Path

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
    "clash": "'np*x**2 + math*special*sigmoid(x)' --all",
    "keyword": "'is_*x**2 + lambda1*x' --wrt x",
    "bounds": "'clamp(pi*x, min=0.2) + 3*relu(x) + frac(x)*x'",
    "numbers": "'maximum(2, x)*logaddexp(2, x) + tanhshrink(x)*where(x > -2, pi, 3)'",
    "logarithms": "'xlogy(x, x) + special.entr(x) + logit(x) + logsigmoid(x)*x'",
    "dimensions": "'(x*A).sum()' --all --x '1 2' --A [[1,2],[3,4]]",
    "parts": "'x[1:].pow(2).sum() + x.std() + x[0]*x[1]' --x '1 2 4'",
    "orders": "'flip(x, [0]) @ y + cumsum(x, 0) @ y' --all --x '1 2 3' --y '1 2 4'",
    "linear": "'relu(F.linear(x, W, b)).sum()' --all --W [[1,2],[3,4]] --x '1 2' --b '3 -20'",
    "outer": "'outer(x, x).sum() + x.mean()' --x '1 2 3'",
    "rows": "'softmax(A, 1)[0, 1]' --A [[1,2],[3,4]]",
    "robust": "'F.huber_loss(x, y) + F.smooth_l1_loss(x, y, beta=0.2)' --all --x '1 2' --y '1 5'",
    "mixed": "'x @ A @ x*y' --all --order 2 --x '1 2' --A [[1,2],[3,4]] --y 2",
    "third": "'x.norm() + (x**3).sum()' --order 3 --x '1 2'",
    "repeated": "'x*y' --all --order 2 --x '1 2' --y 3",
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


@pytest.mark.parametrize("language", ["python", "torch"])
def test_a_text_cannot_end_the_heading_of_its_program(language: str) -> None:
    heading = 'x**2 # """; raise SystemExit(1) # \\""" \\n'
    done = run("diff", heading, "--format", language)
    assert done.code == 0, done.err
    program = ast.parse(done.out)
    assert (ast.get_docstring(program) or "").startswith(f"Derivatives of {heading}\n")
    assert isinstance(program.body[1], ast.Import)


def test_a_function_that_numpy_lacks_is_named() -> None:
    done = run("diff", "gelu(x)*x", "--format", "python")
    assert done.code == 1
    assert "gelu in a program with numpy has no formula" in done.err


def test_a_program_with_another_formula_fails() -> None:
    done = run("diff", "x**2*sin(x)", "--format", "python")
    wrong = done.out.replace("np.cos(x)", "np.sin(x)")
    assert wrong != done.out
    with pytest.raises(AssertionError):
        exec(compile(wrong, "wrong", "exec"), {"__name__": "__main__"})


IN_C = {
    **{name: QUESTIONS[name] for name in ("chain", "constants", "several", "gradient", "shared")},
    **{name: QUESTIONS[name] for name in ("branch", "where", "numbers", "constant")},
    "special": "'erf(x) + sigmoid(x)*softplus(x) + lgamma(x) + digamma(x)*0 + x*sinc(x)'",
    "names": "'asin(x/2) + acosh(x + 2) + expm1(x) + log1p(x) + hypot(x, 2)*atan2(x, 3)'",
    "entropy": "'xlogy(x, x) + special.entr(x) + logsigmoid(x)*x + deg2rad(x)**2'",
    "whole numbers": "'x**(1/3)/7 + 2/3*x**2' --order 2",
    "clash": "'int*x**2 + double*main*sin(printf)*found + derivative' --all",
    "decided": "'where((x > 1) & (x < 3), x**2*pi, e*x) + relu(x)*x'",
    "logarithmic gamma": "'lgamma(x)*x' --x -0.4",
    "many": "'x*sin(x)*exp(x)' --order 4",
    "reserved": "'x**2*_Bool + _Complex*restrict*_Imaginary' --all",
}


def answer_of_c(program: str, folder: Path) -> str:
    """What a program in C prints, which compiles without a warning."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no compiler")
    source, built = folder / "derivative.c", folder / "derivative"
    source.write_text(program)
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
    command = [compiler, *strict, "-o", str(built), str(source), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return subprocess.run([built], capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", IN_C)
def test_programs_in_c_check_themselves(name: str, tmp_path: Path) -> None:
    done = run("diff", *shlex.split(IN_C[name]), "--format", "c")
    assert done.code == 0, done.err
    assert "gradcli" not in done.out
    assert answer_of_c(done.out, tmp_path) == "3 points are right\n"


def test_a_program_in_c_with_another_formula_fails(tmp_path: Path) -> None:
    program = run("diff", "x**2*sin(x)", "--format", "c").out
    assert "cos(x)" in program
    answer = answer_of_c(program.replace("cos(x)", "sin(x)"), tmp_path)
    assert answer.startswith("point 0, derivative 0: ")


def test_a_text_cannot_end_the_comment_of_its_program() -> None:
    heading = "x**2 # */ int main(void) { return 1; } /* ??/"
    done = run("diff", heading, "--format", "c")
    assert done.code == 0, done.err
    first = done.out.splitlines()[0]
    assert first == "/* Derivatives of x**2 # * / int main(void) { return 1; } / * ? ?/"


def test_what_c_lacks_is_named() -> None:
    done = run("diff", "gelu(x)*i0(x)", "--format", "c")
    assert done.code == 1
    assert "i0 in a program in C has no formula" in done.err
    done = run("diff", "x.norm()*y", "--wrt", "y", "--x", "1 2", "--format", "c")
    assert done.code == 2
    assert "--format c is for formulas of numbers, and x has elements" in done.err
    assert "hint: --format python and --format torch have tensors" in done.err
