"""The cost of a scalar operator, forward and backward, in a long chain; beside PyTorch.

    python benchmarks/eager.py [--length N] [--rounds N] [--torch-python PYTHON]

Every round runs a chain of N alternating products and sums in a process of its own, ours and
PyTorch's in turn; the best of the rounds counts. Exit status 1: ours is above 0.6 of PyTorch's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time


def chain(engine: str, length: int) -> float:
    """Microseconds per operator in this process."""
    if engine == "torch":
        import torch

        torch.set_num_threads(1)
    else:
        import gradcli as torch  # type: ignore[no-redef]

    def step(count: int) -> float:
        x = torch.tensor(1.0, requires_grad=True)
        a = torch.tensor(0.999, requires_grad=True)
        y = x
        begin = time.perf_counter()
        for _ in range(count // 2):
            y = y * a
            y = y + x
        y.backward()
        return time.perf_counter() - begin

    step(1000)
    return 1e6 * step(length) / length


def best(python: str, engine: str, length: int) -> float:
    """The result of one process."""
    command = [python, __file__, "--chain", engine, "--length", str(length)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--length", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--chain", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chain:
        print(chain(options.chain, options.length))
        return 0
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(best(sys.executable, "gradcli", options.length))
        if options.torch_python:
            theirs.append(best(options.torch_python, "torch", options.length))
    print(f"{'gradcli':10} {min(ours):6.2f} µs per operator, forward and backward")
    if not theirs:
        return 0
    ratio = min(ours) / min(theirs)
    print(f"{'PyTorch':10} {min(theirs):6.2f} µs")
    print(f"{'ratio':10} {ratio:6.2f}      at most 0.6")
    return 0 if ratio <= 0.6 else 1


if __name__ == "__main__":
    sys.exit(main())
