"""The examples of PyTorch's documentation, run as programs."""

from __future__ import annotations

import pytest

from tests.recorded.conformance import cases, program_faults

pytestmark = pytest.mark.filterwarnings("ignore")

EXAMPLES = {case["id"]: case for case in cases("notes.jsonl.gz")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str) -> None:
    faults = program_faults(EXAMPLES[name])
    assert not faults, EXAMPLES[name]["program"] + "\n".join(faults)
