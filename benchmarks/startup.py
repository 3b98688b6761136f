"""How long a whole `gradcli eval "x+y"` process takes, beside bare imports and beside PyTorch.

    python benchmarks/startup.py [--rounds N] [--torch-python PYTHON]

The interpreter that runs this script must have gradcli installed; PYTHON is one that can import
torch. The processes take turns, and the median of each counts. Exit status 1: the ratio to
`import numpy, typer, lark` is above 1.25, or PyTorch is less than 6 times slower.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

OURS = [
    sys.executable,
    "-c",
    "import sys; from gradcli.cli.main import main; sys.exit(main())",
    *["eval", "x+y", "--x", "3", "--y", "7"],
]
IMPORTS = [sys.executable, "-c", "import numpy, typer, lark"]
TORCH = """
import torch
x = torch.tensor(3.0, requires_grad=True)
y = torch.tensor(7.0, requires_grad=True)
z = x + y
z.backward()
print(z, x.grad, y.grad)
"""


def seconds(command: list[str]) -> float:
    """The time of one process."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--torch-python", metavar="PYTHON")
    options = parser.parse_args()
    commands = {"gradcli eval": OURS, "import numpy, typer, lark": IMPORTS}
    if options.torch_python:
        commands["the same sum in PyTorch"] = [options.torch_python, "-c", TORCH]
    for command in commands.values():
        seconds(command)  # fills the caches
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        print(f"{name:28} {1000 * median:7.0f} ms   best {1000 * min(times[name]):7.0f} ms")
    ratio = medians["gradcli eval"] / medians["import numpy, typer, lark"]
    print(f"{'ratio to the imports':28} {ratio:7.2f}      at most 1.25")
    good = ratio <= 1.25
    if options.torch_python:
        times_faster = medians["the same sum in PyTorch"] / medians["gradcli eval"]
        print(f"{'times faster than PyTorch':28} {times_faster:7.1f}      at least 6")
        good = good and times_faster >= 6
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
