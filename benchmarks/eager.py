"""The cost of a scalar operator, forward and backward, in long chains; beside PyTorch and autograd.

    python benchmarks/eager.py [--length N] [--rounds N] [--torch-python PYTHON]
        [--autograd-python PYTHON]

`PYTHON` is an interpreter that has the package. Every round runs chains of N operators, one engine
after the other, each in a process and a thread of its own; CPU time, and the best of the rounds
counts. The garbage collector is set as gradcli's command line sets it, for all.
Exit status 1: over all chains, ours is above 0.45 of PyTorch's, or above 0.8 in one.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Step = Callable[[Any, Any, Any, Any], Any]


def _mixed(m: Any, y: Any, x: Any, a: Any) -> Any:
    return m.sin(y * 1.0001 * a + x)


def _eight(m: Any, y: Any, x: Any, a: Any) -> Any:
    return (-m.exp((m.sin(y * a + x) - 0.5) / a)) ** 2


CHAINS: dict[str, tuple[int, Step]] = {
    "y * 1.0001": (1, lambda m, y, x, a: y * 1.0001),
    "y * a": (1, lambda m, y, x, a: y * a),
    "y + x": (1, lambda m, y, x, a: y + x),
    "sin(y)": (1, lambda m, y, x, a: m.sin(y)),
    "four of these": (4, _mixed),
    "eight operators": (8, _eight),
}
"""How many operators a step has, and the step."""


def gradients(engine: str) -> Callable[[Step, int], float]:
    """What takes a step's function and a count, and measures a chain: seconds."""
    if engine == "autograd":
        import autograd
        import autograd.numpy as module

        def by_function(step: Step, count: int) -> float:
            def chain(x: Any, a: Any) -> Any:
                y = x
                for _ in range(count):
                    y = step(module, y, x, a)
                return y

            begin = time.process_time()
            autograd.grad(chain, (0, 1))(1.0, 0.999)
            return time.process_time() - begin

        return by_function
    if engine == "torch":
        import torch

        torch.set_num_threads(1)
    else:
        import gradcli as torch  # type: ignore[no-redef]

    def by_tape(step: Step, count: int) -> float:
        x = torch.tensor(1.0, requires_grad=True)
        a = torch.tensor(0.999, requires_grad=True)
        y = x
        begin = time.process_time()
        for _ in range(count):
            y = step(torch, y, x, a)
        y.backward()
        return time.process_time() - begin

    return by_tape


def chains(engine: str, length: int) -> list[float]:
    """Microseconds per operator in this process, by chain."""
    gc.set_threshold(200_000, 20, 100)
    sys.setrecursionlimit(10_000)
    measure = gradients(engine)
    found = []
    for operators, step in CHAINS.values():
        measure(step, 100)
        found.append(1e6 * measure(step, length // operators) / length)
    return found


def measured(python: str, engine: str, length: int) -> list[float]:
    """The results of one process."""
    command = [python, __file__, "--engine", engine, "--length", str(length)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(word) for word in done.stdout.split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--length", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--autograd-python", metavar="PYTHON")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        print(*chains(options.engine, options.length))
        return 0
    engines = {
        "gradcli": sys.executable,
        "torch": options.torch_python,
        "autograd": options.autograd_python,
    }
    rounds: dict[str, list[list[float]]] = {}
    for _ in range(options.rounds):
        for name, python in engines.items():
            if python:
                rounds.setdefault(name, []).append(measured(python, name, options.length))
    best = {n: [min(times) for times in zip(*rs, strict=True)] for n, rs in rounds.items()}
    for times in best.values():
        times.append(sum(times) / len(times))
    ratios = []
    for place, chain in enumerate([*CHAINS, "all"]):
        ours = best["gradcli"][place]
        line = f"{chain:16} {ours:6.2f} µs"
        for name in list(best)[1:]:
            line += f"   {name} {best[name][place]:6.2f} µs, ratio {ours / best[name][place]:5.2f}"
        print(line)
        ratios.append(ours / best["torch"][place] if "torch" in best else 0.0)
    return 0 if ratios[-1] <= 0.45 and max(ratios) <= 0.8 else 1


if __name__ == "__main__":
    sys.exit(main())
