"""Derivatives of high order by series, beside nested backward passes in PyTorch.

    python benchmarks/orders.py [--torch-python PYTHON] [--rounds N]

PYTHON is an interpreter that can import torch. What is measured is the way from an expression that
has been evaluated to its N derivatives, in CPU time, in a process and one thread of its own for
each engine, which take turns; the best of the rounds counts, and in a process the best of many
calls, each at a point of its own. The first call in a process, which also loads modules and finds
the recurrences, is shown beside it. Exit status 1: a ratio is above what the last column allows.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

EVAL = [sys.executable, "-m", "gradcli", "eval", "exp(sin(x))", "--x", "0.5"]


def exp_sin(torch: Any) -> tuple[Callable[[Any], Any], Any]:
    """exp(sin x) and the type of its point."""
    return lambda x: torch.exp(torch.sin(x)), torch.float64


def network(torch: Any) -> tuple[Callable[[Any], Any], Any]:
    """A network of 10 inputs, 32 hidden units and one output, along its first input."""
    torch.manual_seed(0)
    first, bias = 0.3 * torch.randn(32, 10), 0.3 * torch.randn(32)
    second, start = 0.3 * torch.randn(32), torch.randn(10)
    axis = torch.zeros(10)
    axis[0] = 1.0
    return lambda t: second @ torch.tanh(first @ (start + t * axis) + bias), torch.float32


CASES = {
    "exp_sin_12": (exp_sin, 12),
    "exp_sin_20": (exp_sin, 20),
    "exp_sin_40": (exp_sin, 40),
    "network_6": (network, 6),
}


def series(function: Any, x: Any, order: int) -> tuple[float, list[float]]:
    """Seconds, and the derivatives."""
    import numpy as np

    from gradcli.readings.series.derivatives import Derivatives
    from gradcli.readings.trace import record

    trace = record(function, x)
    end = trace.values[trace.outputs]
    begin = time.process_time()
    found = Derivatives(trace, x, [end], [np.ones(())]).up_to(order)
    return time.process_time() - begin, [float(part) for part in found]


def nested(function: Any, x: Any, order: int) -> tuple[float, list[float]]:
    """Seconds, and the derivatives."""
    import torch

    torch.set_num_threads(1)
    current = function(x)
    found = []
    begin = time.process_time()
    for k in range(order):
        (current,) = torch.autograd.grad(current, x, create_graph=k + 1 < order)
        found.append(current)
    return time.process_time() - begin, [part.item() for part in found]


def measure(engine: str, name: str, calls: int) -> None:
    """Prints microseconds of the first call and of the best other one, and the derivatives."""
    case, order = CASES[name]
    run = series if engine == "gradcli" else nested
    torch = import_module(engine)
    function, kind = case(torch)
    points = [torch.tensor(0.5 + k / 1000, dtype=kind, requires_grad=True) for k in range(calls)]
    first, derivatives = run(function, points[0], order)
    later = [run(function, point, order)[0] for point in points[1:]]
    print(1e6 * first, 1e6 * min([*later, *([first] if not later else [])]), *derivatives)


def measured(python: str, engine: str, name: str, calls: int) -> list[float]:
    """What a process printed."""
    command = [python, __file__, "--engine", engine, "--case", name, "--calls", str(calls)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(word) for word in done.stdout.split()]


def process(command: list[str]) -> float:
    """CPU seconds of a process."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def rounds(options: argparse.Namespace) -> Iterator[tuple[str, str, list[float]]]:
    """What was measured: engine, case, and numbers."""
    for _ in range(options.rounds):
        for name in CASES:
            yield "gradcli", name, measured(sys.executable, "gradcli", name, 400)
            if options.torch_python and name in ("exp_sin_12", "network_6"):
                calls = 400 if name == "network_6" else 1
                yield "torch", name, measured(options.torch_python, "torch", name, calls)
    for _ in range(10 * options.rounds):
        yield "eval", "plain", [process(EVAL)] * 2
        yield "eval", "order", [process([*EVAL, "--order", "12"])] * 2


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        measure(options.engine, options.case, options.calls)
        return 0
    best: dict[tuple[str, str], tuple[float, float]] = {}
    answers: dict[str, list[list[float]]] = {}
    for engine, name, (first, later, *derivatives) in rounds(options):
        known = best.get((engine, name), (first, later))
        best[engine, name] = min(known[0], first), min(known[1], later)
        answers.setdefault(name, []).append(derivatives)
    failed = _differ(answers)
    for what, ours, theirs, most in (
        ("exp(sin x) to order 12", "exp_sin_12", ("torch", "exp_sin_12"), 1 / 5000),
        ("exp(sin x): order 40 to order 20", "exp_sin_40", ("gradcli", "exp_sin_20"), 4.0),
        ("10-32-1 tanh network to order 6", "network_6", ("torch", "network_6"), 1 / 20),
    ):
        first, later = best["gradcli", ours]
        line = f"{what:34} {later:9.0f} µs (first call {first:6.0f} µs)"
        if theirs in best:
            ratio = later / best[theirs][1]
            failed |= ratio > most
            shown = f"{ratio:.2f}" if ratio > 0.5 else f"1/{1 / ratio:.0f}"
            limit = f"{most:.2f}" if most > 0.5 else f"1/{1 / most:.0f}"
            line += f"   beside {best[theirs][1]:9.0f} µs: {shown} (at most {limit})"
        print(line)
    ratio = best["eval", "order"][0] / best["eval", "plain"][0]
    print(f"{'eval --order 12 to eval, processes':34} {ratio:.2f} (at most 1.15)")
    return int(failed or ratio > 1.15)


def _differ(answers: dict[str, list[list[float]]]) -> bool:
    """Whether engines give other derivatives, of which it tells."""
    for name, found in answers.items():
        tolerance = 1e-9 if name != "network_6" else 1e-3
        for others in found[1:]:
            for a, b in zip(found[0], others, strict=True):
                if name.startswith("exp") and abs(a - b) > tolerance * abs(a):
                    print(f"{name}: {a} and {b} differ", file=sys.stderr)
                    return True
    return False


if __name__ == "__main__":
    sys.exit(main())
