"""The files that transcripts and tests of commands find in their working directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

TEXTS = {
    "row.csv": "1,2,3\n",
    "column.csv": "1\n2\n\n3\n",
    "table.csv": "time,speed\n0,1.5\n1,-2e3\n",
    "ragged.csv": "1,2\n3\n",
    "words.csv": "1,2\n3,four\n",
    "empty.csv": "",
    "matrix.json": '[[1, 2.5], ["NaN", "-Infinity"]]',
    "broken.json": "[1, 2",
    "object.json": '{"a": 1}',
    "text.npy": "1 2 3\n",
    "text.npz": "1 2 3\n",
    "numbers.txt": "# as a program prints them\n 1  2\t3\n-1 -2 -3\n",
    "log.txt": "time speed\n0 1.5\n1 -2\n",
    "headed.txt": "my speed\ttime\n1\t2\n",
    "commas.txt": "1,5 2,5\n",
    "ragged.txt": "1 2\n\n3\n",
    "table.tsv": "time\tspeed\n0\t1.5\n1\t-2\n",
    "days.csv": "day,speed,speed\nMon,1,2\nTue,3,n/a\n",
    "week.csv": "day,speed\nMon,1.5\nTue,2\nWed,n/a\n",
    "square.py": "let x = 3\ny = x * x\ny.backward()\nprint(y, x.grad)\n",
    "given.py": "y = (x * x).sum()\ny.backward()\nprint(y.item(), x.grad)\n",
    "model.py": "def model(t):\n    return rate * t\nrate = rate ** 2\nprint(model(10))\n",
    "fails.py": "x = torch.ones(2, requires_grad=True)\nprint(x)\ny = x * 2\ny.backward()\n",
    "unbalanced.py": "print(1)\nx = (1 + 2\nprint(x)\n",
    "endless.py": "n = 0\nwhile True:\n    n += 1\n",
    "claims.txt": "# of x**2 * y\n\nx: 2*x*y\ny: x**2\nd2/dxdy: 2\n",
    "unfinished.txt": "x: 2*x*y\n  y: x**(2\n",
    "no_claims.txt": "# none yet\n",
    "claims.jsonl": (
        '{"id": "right", "expr": "x**2 * y", "claims": ["x: 2*x*y", "y: x**2"]}\n'
        '{"id": "wrong", "expr": "(x**2 + 1)**2", "claims": {"x": "2*(x**2 + 1)"}}\n'
        '{"id": "at", "expr": "x**0.5", "vars": {"x": 0.1}, "claims": ["x: 0.5/sqrt(x)"],'
        ' "points": 3}\n'
        '{"id": "unparsed", "expr": "x", "claims": ["x: 1)"]}\n'
        '{"id": "unknown", "expr": "x", "claims": ["x: y"]}\n'
        '{"id": "order", "expr": "x", "claims": ["x: 1"], "order": 3}\n'
        '{"id": "points", "expr": "x", "points": 3}\n'
        '{"id": "text", "expr": "x", "claims": "x: 1"}\n'
        '{"id": "seed", "expr": "x**2", "vars": {"x": [1, 2]}, "claims": ["x: 2*x"],'
        ' "gradient": [1, 1]}\n'
    ),
    "records.jsonl": (
        '{"id": "a", "expr": "x * y", "vars": {"x": 2, "y": 5}}\n# a comment\n\nlet x = 3; x**2\n'
    ),
    "mixed.jsonl": (
        '{"id": "good", "expr": "x**2", "vars": {"x": 3}}\n'
        "1 +\n"
        '{"id": "key", "expr": "1", "exprs": 2}\n'
        '{"id": "none", "vars": {}}\n'
        '{"expr": "x"\n'
        '{"id": "last", "program": "print(6 * 7)"}\n'
    ),
}


class Opener:
    """Something that would run code if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("unpickled", "w")


def fill(directory: Path) -> None:
    """Writes the files."""
    for name, text in TEXTS.items():
        (directory / name).write_text(text, "utf-8")
    (directory / "latin1.py").write_bytes(b"print(1)\n# caf\xe9\n")
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.save(directory / "matrix.npy", matrix)
    np.save(directory / "fortran.npy", np.asfortranarray(matrix.astype(">f4")))
    np.save(directory / "counts.npy", np.array([1, 2, 3]))
    np.save(directory / "names.npy", np.array(["a", "b"]))
    np.savez(directory / "pair.npz", weights=matrix, bias=np.float32([1, -1]))
    np.savez_compressed(directory / "single.npz", only=np.float64(2.5))
    objects = np.array([Opener(), None])
    np.save(directory / "objects.npy", objects, allow_pickle=True)
    np.savez(directory / "objects.npz", allow_pickle=True, it=objects)
