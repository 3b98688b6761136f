"""Answers of a batch to records with what PyTorch answered: expressions, and programs that print.

Those known to differ stand in `known_differences.txt` with the reason; one that agrees again must
leave the list.
"""

from __future__ import annotations

import gzip
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from gradcli.batch.worker import reply
from tests.recorded.answers import same_text
from tests.recorded.store import AGREES, known_differences

FOLDER = Path(__file__).parent / "conformance"
RELATIVE, ABSOLUTE = 1e-6, 1e-8
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
PRINTED = (1e-3, 1.01e-4)


@cache
def groups() -> dict[str, list[dict[str, Any]]]:
    """The cases of each file, those of operators by operator."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            case = json.loads(line)
            name = path.name.partition(".")[0]
            found.setdefault(f"{name}.{case['op']}" if "op" in case else name, []).append(case)
    return found


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
    if not same_text(got.get("stdout", ""), case["stdout"], *PRINTED):
        faults.append(f"stdout {got.get('stdout')!r}")
    return faults


def faults(name: str) -> list[str]:
    """The cases of a group whose answers differ from the recorded ones, or no longer do."""
    found = []
    for case in groups()[name]:
        told = operator_faults(case) if "expr" in case else program_faults(case)
        if case["id"] in known_differences():
            told = [] if told else [AGREES]
        if told:
            found.append("\n    ".join([case["id"], case.get("expr") or case["program"], *told]))
    return found
