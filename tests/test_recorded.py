"""Every recorded PyTorch answer: values, names, gradients, printed text, errors.

Cases known to differ are listed in `data/known_differences.txt` with the reason; one that agrees
again must leave the list.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from tests.recorded.conformance import DATA, cases, operator_faults, program_faults

# Some recorded calls make PyTorch, and so us, warn.
pytestmark = pytest.mark.filterwarnings("ignore")

KNOWN = {
    line.split("\t")[0]
    for line in (DATA / "known_differences.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
}

OPERATORS: dict[str, list[dict[str, Any]]] = defaultdict(list)
for _case in cases("operators.jsonl.gz"):
    OPERATORS[_case["op"]].append(_case)
PROGRAMS = {case["id"]: case for case in cases("programs.jsonl.gz")}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    for case in OPERATORS[name]:
        check(case["id"], operator_faults(case), case["expr"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    check(name, program_faults(PROGRAMS[name]), PROGRAMS[name]["program"])


def check(name: str, faults: list[str], text: str) -> None:
    if name in KNOWN:
        assert faults, f"{name} agrees now: take it off the list"
    else:
        assert not faults, f"{name}: {text}\n" + "\n".join(faults)
