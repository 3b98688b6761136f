"""A training loop, whole process: `gradcli run` against Python with PyTorch on the same file.

    python benchmarks/training.py --torch-python PYTHON [--rounds N]

PYTHON is an interpreter that can import torch. Linear regression of 50 points in 3 variables, 2,000
steps of forward, backward and update; the best of the rounds counts. Exit status 1: the outputs
differ, or ours takes longer than PyTorch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

PROGRAM = """\
import torch

torch.manual_seed(0)
x = torch.randn(50, 3)
target = x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(2000):
    loss = ((x @ w + b - target) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.01 * w.grad
        b -= 0.01 * b.grad
    w.grad.zero_()
    b.grad.zero_()
print(w, b)
"""


def timed(command: list[str]) -> tuple[float, str]:
    """Seconds and output of a command."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return time.perf_counter() - begin, done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--torch-python", metavar="PYTHON", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(PROGRAM)
        file.flush()
        start = "import sys; from gradcli.cli.main import main; sys.exit(main())"
        commands = {
            "gradcli": [sys.executable, "-c", start, "run", file.name],
            "PyTorch": [options.torch_python, file.name],
        }
        best: dict[str, float] = {}
        outputs = set()
        for _ in range(options.rounds):
            for name, command in commands.items():
                seconds, output = timed(command)
                best[name] = min(best.get(name, seconds), seconds)
                outputs.add(output)
    ratio = best["gradcli"] / best["PyTorch"]
    print("| training loop, 2,000 steps | gradcli s | PyTorch s | ratio |")
    print("| --- | --- | --- | --- |")
    print(f"| whole process | {best['gradcli']:.2f} | {best['PyTorch']:.2f} | {ratio:.2f} |")
    if len(outputs) > 1:
        print("the outputs differ:", *sorted(outputs), sep="\n", file=sys.stderr)
    return int(len(outputs) > 1 or ratio > 1)


if __name__ == "__main__":
    sys.exit(main())
