"""Forward plus backward of whole operators against PyTorch, with peak memory.

    python benchmarks/operators.py --torch-python PYTHON [--threads N] [--rounds N] [--only WORD]

PYTHON is an interpreter that can import torch. The allocator is set as gradcli's
command line sets it, for both. Every case runs in a process of its own, ours and
PyTorch's in turn within one run; the best processor time of the rounds counts, so that other work
on the machine matters little. Memory is the growth of the process's peak over what it was before
the case.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Case(NamedTuple):
    """Something of `torch`, leaves and an index, whose sum is differentiated."""

    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    """Of the leaves."""
    picks: tuple[tuple[int, ...], int] | None = None
    """The shape of the index, if any, and how many places there are."""


def _chain(size: int) -> Case:
    return Case(
        lambda t, x, a: (t.sin(x) * a + t.exp(-x * x)).tanh() * 2,
        ((size,), (size,)),
    )


SQUARE = (1000, 1000)

CASES = {
    "elementwise chain, 10^3": _chain(1_000),
    "elementwise chain, 10^5": _chain(100_000),
    "elementwise chain, 10^7": _chain(10_000_000),
    "gelu 1000 x 1000": Case(lambda t, x: t.nn.functional.gelu(x), (SQUARE,)),
    "sigmoid 1000 x 1000": Case(lambda t, x: t.sigmoid(x), (SQUARE,)),
    "erf 1000 x 1000": Case(lambda t, x: t.erf(x), (SQUARE,)),
    "gather 1000 x 1000": Case(lambda t, x, i: x.gather(1, i) ** 2, (SQUARE,), (SQUARE, 1000)),
    "scatter_add 1000 x 1000": Case(
        lambda t, x, i: t.zeros(SQUARE).scatter_add(1, i, x) ** 2, (SQUARE,), (SQUARE, 1000)
    ),
    "embedding 8,192 of 10,000 x 64": Case(
        lambda t, w, i: t.nn.functional.embedding(i, w) ** 2, ((10_000, 64),), ((64, 128), 10_000)
    ),
    "index 200,000 of 100,000 x 16": Case(
        lambda t, x, i: x[i] ** 2, ((100_000, 16),), ((200_000,), 100_000)
    ),
    "layer_norm 512 x 1000": Case(
        lambda t, x, w, b: t.nn.functional.layer_norm(x, (1000,), w, b) ** 2,
        ((512, 1000), (1000,), (1000,)),
    ),
    "batch_norm 32x64x16x16": Case(
        lambda t, x: t.nn.functional.batch_norm(x, None, None, training=True) ** 2,
        ((32, 64, 16, 16),),
    ),
    "cross_entropy 4096 x 1000": Case(
        lambda t, x, i: t.nn.functional.cross_entropy(x, i), ((4096, 1000),), ((4096,), 1000)
    ),
    "softmax 1000 x 1000": Case(lambda t, x: x.softmax(-1) * x, (SQUARE,)),
    "cumsum(0) 1000 x 1000": Case(lambda t, x: x.cumsum(0) ** 2, (SQUARE,)),
    "conv2d 8x16x32x32, 32 filters 3x3": Case(
        lambda t, x, w: t.nn.functional.conv2d(x, w, padding=1) ** 2,
        ((8, 16, 32, 32), (32, 16, 3, 3)),
    ),
    "conv2d 8x16x64x64, 32 filters 3x3": Case(
        lambda t, x, w: t.nn.functional.conv2d(x, w, padding=1),
        ((8, 16, 64, 64), (32, 16, 3, 3)),
    ),
    "max_pool2d 8x16x64x64": Case(
        lambda t, x: t.nn.functional.max_pool2d(x, 2) ** 2, ((8, 16, 64, 64),)
    ),
    "matmul 1024 x 1024": Case(lambda t, x, y: x @ y, ((1024, 1024), (1024, 1024))),
    "two layers, 256 x 784": Case(
        lambda t, x, v, w, i: t.nn.functional.cross_entropy((x @ v).relu() @ w, i),
        ((256, 784), (784, 256), (256, 10)),
        ((256,), 10),
    ),
    "attention 4x8x128x64": Case(
        lambda t, q, k, v: t.nn.functional.scaled_dot_product_attention(q, k, v) ** 2,
        ((4, 8, 128, 64),) * 3,
    ),
    "einsum bij,bjk->bik 16x64x128": Case(
        lambda t, x, y: t.einsum("bij,bjk->bik", x, y) ** 2, ((16, 64, 128), (16, 128, 64))
    ),
    "inverse 200 x 200": Case(lambda t, x: t.linalg.inv(x), ((200, 200),)),
    "sort 10^6": Case(lambda t, x: x.sort()[0] * 2, ((1_000_000,),)),
    "sum 5 x 10^6": Case(lambda t, x: x, ((5_000_000,),)),
    "sum over axes of 200 x 200 x 200": Case(lambda t, x: x.sum((0, 2)) ** 2, ((200, 200, 200),)),
}


def worker(engine: str, label: str) -> None:
    """Times one case in this process and prints the result as JSON."""
    import importlib.util
    import resource
    import time

    source = Path(__file__).parent.parent / "src/gradcli/process.py"
    spec = importlib.util.spec_from_file_location("process", source)
    assert spec is not None
    assert spec.loader is not None
    process = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(process)
    process.allow_memory_kept(True)
    if engine == "torch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    else:
        import gradcli as torch  # type: ignore[no-redef]
    torch.manual_seed(0)
    case = CASES[label]
    leaves = [torch.randn(shape).requires_grad_() for shape in case.shapes]
    operands = list(leaves)
    if case.picks is not None:
        shape, places = case.picks
        operands.append(torch.randint(0, places, shape))

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        case.function(torch, *operands).sum().backward()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    times: list[float] = []
    until = time.perf_counter() + 0.5
    while time.perf_counter() < until or len(times) < 3:
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": min(times), "megabytes": (peak - before) / 1024}))


def measure(python: str, engine: str, label: str, threads: int) -> dict[str, float]:
    environment = os.environ | {
        name: str(threads)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    }
    done = subprocess.run(
        [python, __file__, "--worker", engine, label],
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
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose name has it")
    options = parser.parse_args()
    print("| case | gradcli ms | PyTorch ms | ratio | gradcli MB | PyTorch MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for label in CASES:
        if options.only not in label:
            continue
        best: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds):
            for engine, python in (("gradcli", sys.executable), ("torch", options.torch_python)):
                found = measure(python, engine, label, options.threads)
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
        worker(sys.argv[2], sys.argv[3])
    else:
        main()
