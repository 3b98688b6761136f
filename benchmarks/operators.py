"""Forward plus backward of whole operators against PyTorch, with peak memory.

    python benchmarks/operators.py --torch-python PYTHON [--threads N] [--rounds N]

PYTHON is an interpreter that can import torch. The allocator is set as gradcli's
command line sets it, for both. Every case runs in a process of its own, ours and
PyTorch's in turn within one run; the best time of the rounds counts. Memory is the growth of the
process's peak over what it was before the case.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

CASES = {
    "elementwise chain, 10^3": ("chain", 1_000),
    "elementwise chain, 10^5": ("chain", 100_000),
    "elementwise chain, 10^7": ("chain", 10_000_000),
    "matmul 1024 x 1024": ("matmul", 1024),
    "softmax 1000 x 1000": ("softmax", 1000),
    "conv2d 8x16x64x64, 32 filters 3x3": ("conv2d", 64),
    "sum over axes of 200 x 200 x 200": ("sum", 200),
}


def worker(engine: str, kind: str, size: int) -> None:
    """Times one case in this process and prints the result as JSON."""
    import importlib.util
    import resource
    import time

    source = Path(__file__).parent.parent / "src/gradcli/cli/main.py"
    spec = importlib.util.spec_from_file_location("command_line", source)
    assert spec is not None
    assert spec.loader is not None
    command_line = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(command_line)
    command_line.keep_memory()
    if engine == "torch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        functional = torch.nn.functional
    else:
        import gradcli as torch  # type: ignore[no-redef]

        functional = torch.nn.functional
    torch.manual_seed(0)
    shapes = {
        "chain": [(size,)],
        "matmul": [(size, size), (size, size)],
        "softmax": [(size, size)],
        "conv2d": [(8, 16, size, size), (32, 16, 3, 3)],
        "sum": [(size, size, size)],
    }[kind]
    leaves = [torch.rand(shape).requires_grad_() for shape in shapes]

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        x = leaves[0]
        if kind == "chain":
            y = ((x * 2.0 + 1.0).sin() * x).exp().sum()
        elif kind == "matmul":
            y = (x @ leaves[1]).sum()
        elif kind == "softmax":
            y = (torch.softmax(x, 1) * x).sum()
        elif kind == "conv2d":
            y = functional.conv2d(x, leaves[1], padding=1).sum()
        else:
            y = (x.sum((0, 2)) ** 2).sum()
        y.backward()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    times = []
    until = time.perf_counter() + 1.0
    while time.perf_counter() < until or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": min(times), "megabytes": (peak - before) / 1024}))


def measure(python: str, engine: str, kind: str, size: int, threads: int) -> dict[str, float]:
    environment = os.environ | {
        name: str(threads)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    }
    done = subprocess.run(
        [python, __file__, "--worker", engine, kind, str(size)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| case | gradcli ms | PyTorch ms | ratio | gradcli MB | PyTorch MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for label, (kind, size) in CASES.items():
        best: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds):
            for engine, python in (("gradcli", sys.executable), ("torch", options.torch_python)):
                found = measure(python, engine, kind, size, options.threads)
                kept = best.setdefault(engine, found)
                for key in kept:
                    kept[key] = min(kept[key], found[key])
        ours, theirs = best["gradcli"], best["torch"]
        print(
            f"| {label} | {ours['seconds'] * 1e3:.3g} | {theirs['seconds'] * 1e3:.3g} "
            f"| {ours['seconds'] / theirs['seconds']:.2f} "
            f"| {ours['megabytes']:.0f} | {theirs['megabytes']:.0f} |"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--worker":
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
