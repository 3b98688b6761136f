"""How long whole processes take: short evaluations beside bare imports and beside PyTorch.

    python benchmarks/startup.py [--rounds N] [--torch-python PYTHON]

The interpreter that runs this script must have gradcli installed; PYTHON is one that can import
torch. The processes take turns, and the median of each one's time on the processor counts. Exit
status 1: a ratio is above what its line says.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ENTRY = "import sys; from gradcli.cli.main import main; sys.exit(main())"
SUM = ["eval", "x+y", "--x", "3", "--y", "7"]
PROGRAM = "let x = 3\nlet y = 7\nz = x + y\nz.backward()\nprint(z, x.grad, y.grad)\n"
LIBRARY = """
import gradcli as torch
"""
TORCH = """
import torch
"""
SAME = """
x = torch.tensor(3.0, requires_grad=True)
y = torch.tensor(7.0, requires_grad=True)
z = x + y
z.backward()
print(z, x.grad, y.grad)
"""

GOALS = [
    ("eval", "import numpy", 1.3),
    ("run", "eval", 1.2),
    ("batch", "eval", 1.5),
    ("--help", "import typer", 1.1),
    ("from Python", "import numpy", 1.5),
    ("eval", "PyTorch", 0.15),
]
"""What is compared with what, and the ratio that it may have."""


def commands(directory: Path, torch_python: str | None) -> dict[str, list[str]]:
    """What is measured, by name."""
    (directory / "program").write_text(PROGRAM)
    (directory / "records").write_text("let x = 3; let y = 7; x + y\n")
    python = [sys.executable, "-c"]
    found = {
        "import numpy": [*python, "import numpy"],
        "import typer": [*python, "import typer"],
        "eval": [*python, ENTRY, *SUM],
        "run": [*python, ENTRY, "run", str(directory / "program")],
        "batch": [*python, ENTRY, "batch", str(directory / "records")],
        "--help": [*python, ENTRY, "--help"],
        "from Python": [*python, LIBRARY + SAME],
    }
    if torch_python:
        found["PyTorch"] = [torch_python, "-c", TORCH + SAME]
    return found


def seconds(command: list[str]) -> float:
    """The time on the processor that one process takes."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--torch-python", metavar="PYTHON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        processes = commands(Path(directory), options.torch_python)
        for command in processes.values():
            seconds(command)  # fills the caches
        times: dict[str, list[float]] = {name: [] for name in processes}
        for _ in range(options.rounds):
            for name, command in processes.items():
                times[name].append(seconds(command))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    bases = [name for name in ("import numpy", "import typer", "PyTorch") if name in medians]
    print(f"{'':14}{'ms':>6}", *(f"{'to ' + base:>16}" for base in bases))
    for name, median in medians.items():
        ratios = (f"{median / medians[base]:16.2f}" for base in bases)
        print(f"{name:14}{1000 * median:6.0f}", *ratios)
    good = True
    for name, base, most in GOALS:
        if base in medians:
            ratio = medians[name] / medians[base]
            good = good and ratio <= most
            print(f"{name} to {base}: {ratio:.2f}, at most {most}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
