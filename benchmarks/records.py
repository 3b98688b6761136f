"""Streams of small work: records of a batch, and long programs; beside PyTorch.

    python benchmarks/records.py [--records N] [--lines N] [--rounds N] [--torch-python PYTHON]

Ours is the CPU time of a whole process, `gradcli batch` or `gradcli run`, with its start. PyTorch's
is that of a loop over the same formulas with the same numbers, or of the same program, without its
import. Every round runs both in turn; the best of the rounds counts. Exit status 1: records of
different formulas take more than 1.5 times what PyTorch takes for them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

FUNCTIONS = ("sin", "cos", "exp", "tanh", "sqrt", "log1p")


class Question(NamedTuple):
    """A formula of x and y, and their values."""

    text: str
    x: float
    y: float


def questions(count: int, different: bool) -> list[Question]:
    """The same ones in every process."""
    draw = random.Random(1)
    made = []
    for _ in range(count):
        f, (a, b, c) = draw.choice(FUNCTIONS), draw.choices("+-*", k=3)
        number = round(draw.uniform(0.1, 2), 3)
        text = draw.choice(
            [
                f"{f}(x) {a} y {b} {number} * x",
                f"{f}(x {a} y) {b} {number} * y",
                f"x {a} {f}(y) {b} x {c} {number}",
                f"{number} * {f}(x) {a} y {b} x",
            ]
        )
        values = (round(draw.uniform(0.1, 2), 4) for _ in range(2))
        made.append(Question(text if different else "sin(x) + y * 0.5 * x", *values))
    return made


def program(lines: int) -> str:
    """Straight-line code, forward and backward."""
    draw = random.Random(2)
    written = [
        "import torch",
        "x = torch.tensor(0.5, requires_grad=True)",
        "a = x * 1.0; b = x + 1",
    ]
    for _ in range(lines):
        v, w = draw.sample("ab", 2)
        number = round(draw.uniform(0.1, 1), 3)
        written.append(
            draw.choice(
                [
                    f"{v} = {v} * {number} + {w}",
                    f"{v} = torch.{draw.choice(['sin', 'tanh'])}({w})",
                    f"{w} = {w} - {number} * {v}",
                    f"{v} = ({v} + x) / {number + 2}",
                ]
            )
        )
    return "\n".join([*written, "(a + b).backward()", "print(x.grad)", ""])


def record(question: Question) -> str:
    return json.dumps({"expr": question.text, "vars": {"x": question.x, "y": question.y}})


def plain(question: Question) -> str:
    return f"let x = {question.x}; let y = {question.y}; {question.text}"


CASES = {
    "different formulas": (True, record),
    "  as plain lines": (True, plain),
    "  all of them failing": (True, lambda question: record(question).replace("y", "z")),
    "the same formula": (False, record),
}
PROGRAM = "a long program"


def ours(case: str, records: int, lines: int) -> float:
    """Seconds of a gradcli process."""
    if case == PROGRAM:
        text, command = program(lines), "run"
    else:
        different, form = CASES[case]
        text = "".join(form(question) + "\n" for question in questions(records, different))
        command = "batch"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "gradcli", command, file.name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=False,
        )
        after = os.times()
    spent = after.children_user - before.children_user
    return spent + after.children_system - before.children_system


def pytorch(case: str, records: int, lines: int) -> float:
    """Seconds of a loop in this process."""
    import torch

    torch.set_num_threads(1)
    if case == PROGRAM:
        text = program(lines)
        begin = time.process_time()
        exec(text, {})
        return time.process_time() - begin
    names = {name: getattr(torch, name) for name in FUNCTIONS}
    asked = questions(records, CASES[case][0])
    begin = time.process_time()
    for question in asked:
        x = torch.tensor(question.x, requires_grad=True)
        y = torch.tensor(question.y, requires_grad=True)
        value = eval(question.text, {"x": x, "y": y, **names})
        value.backward()
        value.item(), *(leaf.grad.item() for leaf in (x, y) if leaf.grad is not None)
    return time.process_time() - begin


def theirs(python: str, case: str, options: argparse.Namespace) -> float:
    """Seconds of PyTorch in a process of its own."""
    sizes = ["--records", str(options.records), "--lines", str(options.lines)]
    command = [python, __file__, "--case", case, *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--torch-python", metavar="PYTHON")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(pytorch(options.case, options.records, options.lines))
        return 0
    status = 0
    for case in [*CASES, PROGRAM]:
        our, their = [], []
        for _ in range(options.rounds):
            our.append(ours(case, options.records, options.lines))
            if options.torch_python:
                their.append(theirs(options.torch_python, case, options))
        scale = 1e6 / (options.lines if case == PROGRAM else options.records)
        row = f"{case:24} {min(our) * scale:7.1f} µs"
        if their:
            ratio = min(our) / min(their)
            row += f"   PyTorch {min(their) * scale:7.1f} µs   ratio {ratio:5.2f}"
            status |= case == "different formulas" and ratio > 1.5
        print(row, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
