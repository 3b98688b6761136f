"""Whole matrices of derivatives, and gradients of each sample, against PyTorch.

    python benchmarks/jacobians.py --torch-python PYTHON [--rounds N]

PYTHON is an interpreter that can import torch. The allocator is set as gradcli's command line sets
it, for both. Ours and PyTorch's run in processes of their own, in
turn, with one thread; the best processor time of the rounds counts. A case may have several ways in
PyTorch; the ratio to each is printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Case(NamedTuple):
    """What is computed: `ours` from `gradcli`, and the same in some ways of PyTorch's.

    `points` makes what is given, from the module; each way takes the module and that.
    """

    points: Callable[[Any], tuple[Any, ...]]
    ours: Callable[..., Any]
    ways: dict[str, Callable[..., Any]]


def _matrix(t: Any) -> tuple[Any, ...]:
    t.manual_seed(0)
    return t.randn(200, 200) / 14, t.randn(200)


def _network(t: Any) -> tuple[Any, ...]:
    t.manual_seed(0)
    weights = [t.randn(32, 20) / 4, t.randn(32), t.randn(1, 32) / 6, t.randn(1)]
    return weights, t.randn(256, 20), t.randn(256, 1)


def _energy(t: Any, w: Any) -> Callable[[Any], Any]:
    return lambda x: (t.tanh(w @ x) ** 2).sum()


def _loss(t: Any) -> Callable[..., Any]:
    def loss(weights: Any, x: Any, y: Any) -> Any:
        hidden = t.tanh(weights[0] @ x + weights[1])
        return ((weights[2] @ hidden + weights[3] - y) ** 2).mean()

    return loss


def _functional(name: str) -> Callable[..., Any]:
    def way(t: Any, w: Any, x: Any) -> Any:
        function = _energy(t, w) if name == "hessian" else lambda x: t.tanh(w @ x)
        return getattr(t.autograd.functional, name)(function, x)

    return way


def _jacrev(t: Any, w: Any, x: Any) -> Any:
    return t.func.jacrev(lambda x: t.tanh(w @ x))(x)


def _hessian(t: Any, w: Any, x: Any) -> Any:
    return t.func.hessian(_energy(t, w))(x)


def _per_sample(t: Any, weights: Any, x: Any, y: Any) -> Any:
    return t.vmap(t.func.grad(_loss(t)), in_dims=(None, 0, 0))(weights, x, y)


CASES = {
    "Jacobian of tanh(W @ x), 200 x 200": Case(
        _matrix,
        _functional("jacobian"),
        {"autograd.functional.jacobian": _functional("jacobian"), "func.jacrev": _jacrev},
    ),
    "the same by func.jacrev": Case(_matrix, _jacrev, {"func.jacrev": _jacrev}),
    "Hessian of (tanh(W @ x)**2).sum()": Case(
        _matrix,
        _functional("hessian"),
        {"autograd.functional.hessian": _functional("hessian"), "func.hessian": _hessian},
    ),
    "the same by func.hessian": Case(_matrix, _hessian, {"func.hessian": _hessian}),
    "gradients of 256 samples, 20-32-1": Case(_network, _per_sample, {"vmap(grad)": _per_sample}),
}

SECONDS = 0.5
"""How long each way is repeated in a round."""


def _measure(module: Any, way: Callable[..., Any], points: tuple[Any, ...]) -> float:
    """The best time of a call."""
    way(module, *points)
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.process_time()
        way(module, *points)
        best = min(best, time.process_time() - start)
    return best


def _keep_memory() -> None:
    """Sets the allocator, from our sources but without importing the package."""
    source = Path(__file__).parents[1] / "src" / "gradcli" / "process.py"
    spec = importlib.util.spec_from_file_location("process", source)
    assert spec is not None
    assert spec.loader is not None
    process = importlib.util.module_from_spec(spec)
    sys.modules["process"] = process
    spec.loader.exec_module(process)
    process.allow_memory_kept(True)


def _child(case: Case, ours: bool) -> None:
    _keep_memory()
    if ours:
        import gradcli

        print(json.dumps({"": _measure(gradcli, case.ours, case.points(gradcli))}))
        return
    import torch

    torch.set_num_threads(1)
    points = case.points(torch)
    print(json.dumps({name: _measure(torch, way, points) for name, way in case.ways.items()}))


def _asked(python: str, name: str, side: str) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, str(Path(__file__)), "--child", name, side]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, side = options.child
        _child(CASES[name], side == "ours")
        return
    for name in CASES:
        ours: dict[str, float] = {}
        theirs: dict[str, float] = {}
        for _ in range(options.rounds):
            for best, python, side in (
                (ours, sys.executable, "ours"),
                (theirs, options.torch_python, "theirs"),
            ):
                for way, seconds in _asked(python, name, side).items():
                    best[way] = min(best.get(way, seconds), seconds)
        for way, seconds in theirs.items():
            print(
                f"{name}: {ours[''] * 1e3:.2f} ms, {way} {seconds * 1e3:.2f} ms, "
                f"ratio {ours[''] / seconds:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
