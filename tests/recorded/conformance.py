"""Reads recorded PyTorch answers and compares ours with them."""

from __future__ import annotations

import gzip
import json
import math
import re
from pathlib import Path
from typing import Any

from gradcli.batch.worker import reply

DATA = Path(__file__).parents[1] / "data"
RELATIVE, ABSOLUTE = 1e-6, 1e-8
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|inf|nan)")


def cases(name: str) -> list[dict[str, Any]]:
    """The recorded cases of a data file."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What a batch answers to one record."""
    found = reply(json.dumps(request).encode(), 1)
    assert found is not None
    parsed: dict[str, Any] = json.loads(found.text)
    return parsed


def close(got: Any, want: Any) -> bool:
    """Whether two values as JSON has them agree within the tolerance."""
    if isinstance(want, list):
        return (
            isinstance(got, list)
            and len(got) == len(want)
            and all(close(a, b) for a, b in zip(got, want, strict=True))
        )
    got, want = (_WORDS.get(v, v) if isinstance(v, str) else v for v in (got, want))
    if not isinstance(got, (int, float)) or not isinstance(want, (int, float)):
        return bool(got == want)
    if isinstance(got, bool) or isinstance(want, bool):
        return got is want
    if math.isnan(want) or math.isinf(want):
        return got == want or (math.isnan(want) and math.isnan(got))
    return abs(got - want) <= ABSOLUTE + RELATIVE * abs(want)


def operator_faults(case: dict[str, Any]) -> list[str]:
    """Where the answer to an operator case differs from the recorded one."""
    got = answer({key: case[key] for key in ("id", "expr", "vars", "grad_tensors", "order")})
    if not got["ok"]:
        return [f"{got['error']['type']}: {got['error']['message']}"]
    faults = []
    outputs = got.get("outputs") or [got]
    wanted = case["expect"]["outputs"]
    if len(outputs) != len(wanted):
        return [f"{len(outputs)} outputs, not {len(wanted)}"]
    for number, (one, want) in enumerate(zip(outputs, wanted, strict=True)):
        for key in ("dtype", "shape", "grad_fn", "requires_grad"):
            if one.get(key) != want[key]:
                faults.append(f"output {number} {key}: {one.get(key)!r}, not {want[key]!r}")
        if not close(one.get("value"), want["value"]):
            faults.append(f"output {number} value")
    for name, want in case["expect"]["grads"].items():
        if not close(got["grads"].get(name), want):
            faults.append(f"grad of {name}")
    for name, want in (case["expect"]["second"] or {}).items():
        orders = got.get("derivatives", {}).get(name) or []
        if want is not None and (len(orders) < 2 or not close(orders[1], want)):
            faults.append(f"second derivative of {name}")
    return faults


def same_text(got: str, want: str) -> bool:
    """Whether texts agree, numbers to a thousandth (the last digits of a print may differ)."""
    got, want = got.rstrip(), want.rstrip()
    if got == want:
        return True
    if _NUMBER.sub("#", got).split() != _NUMBER.sub("#", want).split():
        return False
    pairs = zip(_NUMBER.findall(got), _NUMBER.findall(want), strict=True)
    return all(
        a == b or abs(float(a) - float(b)) <= 1.01e-4 + 1e-3 * abs(float(b)) for a, b in pairs
    )


def program_faults(case: dict[str, Any]) -> list[str]:
    """Where the output or the error of a program differs from the recorded one."""
    got = answer({"id": case["id"], "program": case["program"]})
    error, want = got.get("error"), case["error"]
    faults = []
    if want is None and error is not None:
        faults.append(f"{error['type']}: {error['message']}")
    elif want is not None:
        first = want["message"].split("\n")[0]
        if error is None or error["type"] != want["type"]:
            faults.append(f"error {error}, not {want['type']}")
        elif error["message"].split("\n")[0] != first:
            faults.append(f"message {error['message']!r}, not {first!r}")
    if not same_text(got.get("stdout", ""), case["stdout"]):
        faults.append(f"stdout {got.get('stdout')!r}")
    return faults
