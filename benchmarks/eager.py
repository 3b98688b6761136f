"""The cost of a scalar operator, forward and backward, in long chains; beside PyTorch.

    python benchmarks/eager.py [--length N] [--rounds N] [--torch-python PYTHON]

Every round runs chains of N operators in a process of its own, ours and PyTorch's in turn; the best
of the rounds counts. The garbage collector is set as gradcli's command line sets it, for both.
Exit status 1: over all chains, ours is above 0.6 of PyTorch's.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time

CHAINS = ("y * 1.0001", "y * a, y + x", "sin(y)")


def chains(engine: str, length: int) -> list[float]:
    """Microseconds per operator in this process, by chain."""
    gc.set_threshold(200_000, 20, 100)
    if engine == "torch":
        import torch

        torch.set_num_threads(1)
    else:
        import gradcli as torch  # type: ignore[no-redef]

    def step(kind: str, count: int) -> float:
        x = torch.tensor(1.0, requires_grad=True)
        a = torch.tensor(0.999, requires_grad=True)
        y = x
        begin = time.perf_counter()
        if kind == "y * 1.0001":
            for _ in range(count):
                y = y * 1.0001
        elif kind == "sin(y)":
            for _ in range(count):
                y = torch.sin(y)
        else:
            for _ in range(count // 2):
                y = y * a
                y = y + x
        y.backward()
        return time.perf_counter() - begin

    found = []
    for kind in CHAINS:
        step(kind, 1000)
        found.append(1e6 * step(kind, length) / length)
    return found


def measured(python: str, engine: str, length: int) -> list[float]:
    """The results of one process."""
    command = [python, __file__, "--engine", engine, "--length", str(length)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(word) for word in done.stdout.split()]


def best(rounds: list[list[float]]) -> list[float]:
    """The best of the rounds, by chain."""
    return [min(times) for times in zip(*rounds, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--length", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        print(*chains(options.engine, options.length))
        return 0
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(measured(sys.executable, "gradcli", options.length))
        if options.torch_python:
            theirs.append(measured(options.torch_python, "torch", options.length))
    if not theirs:
        for kind, time_ in zip(CHAINS, best(ours), strict=True):
            print(f"{kind:14} {time_:6.2f} µs")
        return 0
    for kind, our, their in zip(CHAINS, best(ours), best(theirs), strict=True):
        print(f"{kind:14} {our:6.2f} µs   PyTorch {their:6.2f} µs   ratio {our / their:5.2f}")
    ratio = sum(best(ours)) / sum(best(theirs))
    print(f"{'all':14} ratio {ratio:5.2f}, at most 0.6")
    return 0 if ratio <= 0.6 else 1


if __name__ == "__main__":
    sys.exit(main())
