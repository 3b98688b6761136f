"""Record how PyTorch prints tensors, for `test_printing.py`; run with a Python that has torch.

    python tests/record_printing.py

Each line of `data/printing.jsonl.gz` is one tensor and its text: the dtype, the shape, the values
(or the start and step of a range), the default dtype, the print options that were changed, and
what stands beside the numbers.
"""

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

OUTPUT = Path(__file__).parent / "data" / "printing.jsonl.gz"
FLOATS = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
EDGE_VALUES = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-4, 9.9e-5, 1e5, 1e8, 1.1e8, 999.99999, 0.99999999]
NONFINITE = [math.nan, math.inf, -math.inf]
OPTIONS: dict[str, list[Any]] = {
    "precision": [0, 1, 2, 6, 10],
    "threshold": [0, 5, 20],
    "edgeitems": [0, 1, 2, 5],
    "linewidth": [1, 20, 40, 60, 120],
    "profile": ["default", "short", "full"],
    "sci_mode": [True, False],
}

rng = np.random.default_rng(2024)


def choose(items: Any) -> Any:
    return items[rng.integers(len(items))]


def magnitudes(count: int) -> list[float]:
    """Numbers of one of the kinds whose notation differs."""
    kind = rng.integers(9)
    if kind == 0:
        values = rng.standard_normal(count)
    elif kind == 1:
        values = rng.standard_normal(count) * 10.0 ** rng.integers(-10, 13)
    elif kind == 2:
        values = rng.standard_normal(count) * 10.0 ** rng.uniform(-10, 12, count)
    elif kind == 3:
        values = rng.integers(-500, 500, count)
    elif kind == 4:
        values = rng.integers(0, 10 ** int(rng.integers(1, 12)), count)
    elif kind == 5:
        values = np.exp(rng.uniform(0, 7.2, count))
    elif kind == 6:
        values = rng.choice(EDGE_VALUES, count)
    elif kind == 7:
        values = rng.choice([*NONFINITE, 0.0, -0.0], count)
    else:
        values = rng.standard_normal(count)
        unusual = rng.random(count) < 0.3
        values = np.where(unusual, rng.choice([*NONFINITE, 0.0, 1e-6, 3.0], count), values)
    return [float(f"{value:.6g}") for value in values]


def shapes() -> list[tuple[int, ...]]:
    small = [
        (),
        (1,),
        (3,),
        (7,),
        (2, 3),
        (3, 1),
        (1, 1, 1),
        (2, 2, 2),
        (2, 1, 2, 2),
        (1, 2, 1, 2, 2),
    ]
    empty = [(0,), (2, 0), (0, 3), (1, 0, 2)]
    long = [(30,), (3, 17), (40,)]
    return [*small * 3, *long, choose(empty)]


def case(dtype: str, shape: tuple[int, ...], **more: Any) -> dict[str, Any]:
    count = math.prod(shape)
    record: dict[str, Any] = {"dtype": dtype, "shape": shape}
    if dtype in INTEGERS:
        high = min(10 ** int(rng.integers(1, 12)), int(np.iinfo(dtype).max))
        record["values"] = rng.integers(0 if dtype == "uint8" else -high, high, count).tolist()
    elif dtype == "bool":
        record["values"] = [bool(value > 0) for value in rng.standard_normal(count)]
    elif dtype.startswith("complex"):
        real, imag = magnitudes(count), magnitudes(count)
        record["values"] = [list(pair) for pair in zip(real, imag, strict=True)]
    elif dtype == "bfloat16":
        record["values"] = torch.tensor(magnitudes(count), dtype=torch.bfloat16).double().tolist()
    else:
        record["values"] = magnitudes(count)
    return record | more


def beside(dtype: str) -> dict[str, Any]:
    if dtype not in FLOATS:
        return {}
    return choose([{}, {}, {"requires_grad": True}, {"grad_fn": "CloneBackward0"}])


def cases() -> list[dict[str, Any]]:
    records = []
    dtypes = ["float32"] * 6 + ["float64"] * 2 + [*FLOATS[2:], *INTEGERS, "int64", "bool"]
    for dtype in dtypes:
        for shape in shapes():
            records.append(case(dtype, shape, **beside(dtype)))
    for dtype in dtypes * 3:
        names = [name for name in OPTIONS if rng.random() < 0.4]
        options = {name: choose(OPTIONS[name]) for name in names}
        records.append(
            case(dtype, choose([*shapes(), (7, 9), (4, 4, 9)]), options=options, **beside(dtype))
        )
    for default in ("float64", "float16", "float32"):
        for dtype in ("float32", "float64", "float16", "complex64", "complex128", "int64", "bool"):
            for shape in ((2,), (0,)):
                records.append(case(dtype, shape, default=default, **beside(dtype)))
    # Suffixes that end near the last column.
    for count in range(6, 14):
        for dtype in ("float32", "float64"):
            values = rng.uniform(0, 1, count).round(4).tolist()
            for facts in ({"requires_grad": True}, {"grad_fn": "CloneBackward0"}):
                record = {"dtype": dtype, "shape": (count,), "values": values}
                records.append(record | facts)
    for shape in (
        (1000,),
        (1001,),
        (7, 7, 30),
        (6, 1, 200),
        (40, 30),
        (2000, 1),
        (3, 400),
        (1, 2000),
    ):
        for dtype, start, step in (
            ("int64", -500, 1),
            ("float32", 0, 1),
            ("float64", -1.5, 0.25),
            ("float32", 1e-5, 1e-6),
            ("bool", 0, 1),
        ):
            records.append(
                {"dtype": dtype, "shape": shape, "start": start, "step": step} | beside(dtype)
            )
    return records


def as_tensor(record: dict[str, Any]) -> torch.Tensor:
    dtype = getattr(torch, record["dtype"])
    if "step" in record:
        index = torch.arange(math.prod(record["shape"]), dtype=torch.float64)
        tensor = (index * record["step"] + record["start"]).to(dtype)
    elif dtype.is_complex:
        tensor = torch.tensor([complex(*pair) for pair in record["values"]], dtype=dtype)
    else:
        tensor = torch.tensor(record["values"], dtype=dtype)
    tensor = tensor.reshape(record["shape"])
    if record.get("requires_grad"):
        tensor.requires_grad_()
    if "grad_fn" in record:
        tensor = tensor.requires_grad_().clone()
    return tensor


def main() -> None:
    lines = []
    for record in cases():
        torch.set_default_dtype(getattr(torch, record.get("default", "float32")))
        torch.set_printoptions(profile="default")
        torch.set_printoptions(**record.get("options", {}))
        record["text"] = repr(as_tensor(record))
        lines.append(json.dumps(record, separators=(",", ":")))
    # No time stamp, so that the same cases give the same file.
    OUTPUT.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    print(f"{len(lines)} cases of PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
