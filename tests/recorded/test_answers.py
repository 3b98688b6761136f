"""Every entry of the operator table answers its samples as PyTorch did."""

from __future__ import annotations

import pytest

from tests.recorded import store
from tests.recorded.pending import COMMAND, faults, pending
from tests.recorded.table import asked, calls_of


@pytest.mark.parametrize("name", asked())
def test_answers_are_those_of_pytorch(name: str) -> None:
    found = faults(name)
    known = pending().get(name, set())
    new = [message for missing, told in found.items() if missing not in known for message in told]
    assert not new, f"{name}: {len(new)} faults\n" + "\n".join(new[:8])
    assert not known - found.keys(), f"take it off the list: `{COMMAND} --prune`"


def test_no_answers_are_left_over() -> None:
    calls = {name: {c.key for e in found for c in calls_of(e)} for name, found in asked().items()}
    left = [name for name, known in store.read().items() if known.keys() - calls.get(name, set())]
    assert not left, f"forget them with `{COMMAND}`: {left}"
    assert not pending().keys() - asked().keys(), f"forget them with `{COMMAND} --prune`"
