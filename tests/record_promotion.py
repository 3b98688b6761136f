"""Records what PyTorch's operators answer to every pair of types; run with torch installed."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import torch

from tests.promotion_calls import OPERATORS, answer, pairs

TARGET = Path(__file__).parent / "data" / "promotion.json.gz"


def operand(spec: Any) -> Any:
    if isinstance(spec, tuple):
        return torch.tensor(spec[1]).to(getattr(torch, spec[0]))
    return spec


def main() -> None:
    warnings.simplefilter("ignore")
    distinct: dict[str, int] = {}
    tables: dict[str, list[int]] = {}
    for name, function in OPERATORS.items():
        tables[name] = [
            distinct.setdefault(
                json.dumps(answer(lambda f=function, a=a, b=b: f(operand(a), operand(b)))),
                len(distinct),
            )
            for a, b in pairs()
        ]
    record = {"answers": [json.loads(text) for text in distinct], "tables": tables}
    with TARGET.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.write(json.dumps(record, separators=(",", ":")).encode())


if __name__ == "__main__":
    main()
