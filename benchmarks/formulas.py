"""How long formulas of derivatives are, beside those of SymPy.

    python benchmarks/formulas.py [--only TEXT] [--seconds N]

The length of a formula is how many names, numbers and operators it is written with. For each
formula in `formulas.txt`, and each of its variables x and y, `gradcli diff --no-let` stands beside
`sympy.diff`, and beside `sympy.simplify` of that, which may take N seconds; what takes longer
counts as not done. Values are compared at points where all are finite. Exit status 1: a value
differs, or fewer formulas are as short than 90 % and half.
"""

from __future__ import annotations

import argparse
import math
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).with_suffix(".txt")
POINTS = (0.37, 0.81, 1.43, -0.64, 2.9, 7.1)
TOKENS = re.compile(r"(?:torch\.\w+\.)?[^\W\d]\w*|\d+\.?\d*(?:e[+-]?\d+)?|\*\*|[-+*/@]|[<>=!]=?")
TOLERANCE = 1e-8
# PyTorch takes softplus for linear above 20, which is off by 2e-9.


def length(text: str) -> int:
    """The names, numbers and operators of a formula."""
    return len(TOKENS.findall(text))


def sources() -> Iterator[tuple[str, str]]:
    """Names and texts of formulas."""
    for line in SOURCES.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, colon, text = line.partition(": ")
            yield (name, text) if colon else ("random", line)


def language() -> dict[str, Any]:
    """What the names of the formulas mean to SymPy."""
    import sympy
    from sympy.codegen.cfunctions import expm1, log1p

    class sigmoid(sympy.Function):
        def fdiff(self, argindex: int = 1) -> Any:
            return self * (1 - self)

    class softplus(sympy.Function):
        def fdiff(self, argindex: int = 1) -> Any:
            return sigmoid(self.args[0])

    functions = {
        name: getattr(sympy, name)
        for name in re.findall(
            r"\w+", "sin cos tan exp log sqrt asin acos atan sinh cosh tanh asinh erf"
        )
    }
    functions |= {"expm1": expm1, "log1p": log1p, "sigmoid": sigmoid, "softplus": softplus}
    functions |= {
        "abs": sympy.Abs,
        "square": lambda x: x**2,
        "neg": lambda x: -x,
        "reciprocal": lambda x: 1 / x,
        "rsqrt": lambda x: 1 / sympy.sqrt(x),
        "relu": lambda x: sympy.Max(0, x),
        "pi": sympy.pi,
    }
    return functions


METHOD = re.compile(r"\.(\w+)\(\)")


def for_sympy(text: str) -> str:
    """A formula with functions for methods, without modules."""
    text = text.replace("torch.nn.functional.", "").replace("torch.", "")
    while (found := METHOD.search(text)) is not None:
        end = found.start()
        depth, start = 0, end
        while True:
            start -= 1
            depth += {")": 1, "(": -1}.get(text[start], 0)
            if not depth:
                break
        text = f"{text[:start]}{found[1]}({text[start:end]}){text[found.end() :]}"
    return text


class TooLong(Exception):
    """An alarm."""


def simplified(expression: Any, seconds: int) -> Any:
    """SymPy's simplify, or None if it takes too long."""
    import sympy

    def ring(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        return sympy.simplify(expression)
    except TooLong:
        return None
    finally:
        signal.alarm(0)


def numbers(texts: list[str], names: list[str]) -> list[list[float]]:
    """The values of formulas at points, in double precision."""
    import gradcli
    from gradcli.evaluation import Plan, Variable, bindings_of, compile_expression, evaluate
    from gradcli.language.running.machine import Machine

    found = []
    for text in texts:
        code = compile_expression(text)
        row = []
        for shift, point in enumerate(POINTS):
            given = [
                Variable(name, gradcli.tensor(point + 0.1 * k * (shift + 1), dtype=gradcli.float64))
                for k, name in enumerate(names)
                if name in code.read_names
            ]
            answer = evaluate(Machine(), bindings_of(code, given), Plan(run=False))
            row.append(float(answer.value))
        found.append(row)
    return found


def slopes(text: str, names: list[str], wrt: str) -> list[float]:
    """The engine's own derivatives at the points."""
    import gradcli
    from gradcli.evaluation import Plan, Variable, bindings_of, compile_expression, evaluate
    from gradcli.language.running.machine import Machine

    code = compile_expression(text)
    row = []
    for shift, point in enumerate(POINTS):
        given = [
            Variable(
                name,
                gradcli.tensor(
                    point + 0.1 * k * (shift + 1), dtype=gradcli.float64, requires_grad=True
                ),
            )
            for k, name in enumerate(names)
        ]
        answer = evaluate(Machine(), bindings_of(code, given), Plan())
        slope = (answer.grads or {}).get(wrt)
        row.append(0.0 if slope is None else float(slope))
    return row


def agree(mine: list[float], theirs: list[float]) -> bool:
    """Whether values are equal where they are finite, in at least one point."""
    pairs = [(a, b) for a, b in zip(mine, theirs, strict=True) if math.isfinite(b)]
    return bool(pairs) and all(abs(a - b) <= TOLERANCE * max(1.0, abs(b)) for a, b in pairs)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="formulas that hold this text")
    parser.add_argument("--seconds", type=int, default=60, help="for simplify")
    options = parser.parse_args()
    import sympy

    import gradcli.wiring  # noqa: F401
    from gradcli.formulas import formula

    meanings = language()
    shorter = {"diff": [0, 0], "simplify": [0, 0]}
    wrong = undone = 0
    print(f"{'diff':>5} {'simpl':>5} {'ours':>5}  formula")
    for label, text in sources():
        if options.only not in label + ": " + text:
            continue
        plain = for_sympy(text)
        names = sorted({name for name in re.findall(r"[^\W\d]\w*", plain) if name not in meanings})
        symbols = {name: sympy.Symbol(name, real=True) for name in names}
        whole = eval(plain, {"__builtins__": {}}, {**meanings, **symbols})
        for wrt in [name for name in ("x", "y") if name in names]:
            if wrt == "y" and label != "random":
                continue
            theirs = sympy.diff(whole, symbols[wrt])
            best = simplified(theirs, options.seconds)
            mine = formula(text, wrt).text
            (values,) = numbers([mine], names)
            good = agree(values, slopes(text, names, wrt))
            wrong += not good
            counts = [length(str(theirs)), -1 if best is None else length(str(best)), length(mine)]
            for name, count in zip(shorter, counts, strict=False):
                if count >= 0:
                    shorter[name][0] += counts[2] <= count
                    shorter[name][1] += 1
            undone += best is None
            mark = "" if good else "  VALUES DIFFER"
            sign = " <!"[(counts[2] > counts[0]) * 2 or (0 <= counts[1] < counts[2])]
            print(f"{counts[0]:5} {counts[1]:5} {counts[2]:5} {sign} d/d{wrt} {text}{mark}")
            print(f"{'':20} {mine}", flush=True)
    print()
    failed = wrong > 0
    for name, least in (("diff", 0.9), ("simplify", 0.5)):
        short, count = shorter[name]
        failed |= short < least * count
        print(f"no longer than sympy.{name}: {short} of {count} ({short / max(count, 1):.0%})")
    print(f"simplify not done: {undone}; values that differ: {wrong}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
