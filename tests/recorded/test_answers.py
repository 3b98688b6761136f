"""Entries of the operator table and calls that are written down answer as PyTorch did."""

from __future__ import annotations

import pytest

from tests.recorded import calls, conformance, drawn_programs, drawn_streams, store
from tests.recorded.answers import differences
from tests.recorded.library import LIBRARY
from tests.recorded.pending import faults, pending
from tests.recorded.table import asked, calls_of


@pytest.mark.parametrize("name", asked())
def test_answers_are_those_of_pytorch(name: str) -> None:
    found = faults(name)
    known = pending().get(name, set())
    new = [message for missing, told in found.items() if missing not in known for message in told]
    assert not new, f"{name}: {len(new)} faults\n" + "\n".join(new[:8])
    assert not known - found.keys(), f"take it off the list: `{store.COMMAND} --prune`"


@pytest.mark.parametrize("name", calls.groups())
def test_calls_are_answered_as_by_pytorch(name: str) -> None:
    group = calls.groups()[name]
    found = calls.faults(group)
    assert not found, f"{len(found)} of {len(group.calls)}:\n" + "\n".join(found[:8])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", conformance.groups())
def test_records_are_answered_as_by_pytorch(name: str) -> None:
    found = conformance.faults(name)
    assert not found, "\n".join(found)


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["random", "streams"])
def test_programs_of_other_seeds_are_answered_as_by_pytorch(name: str) -> None:
    pytest.importorskip("torch")
    from tests.recorded.pytorch import PyTorch

    engine, group = PyTorch(), calls.groups()[f"programs.{name}"]
    if name == "random":
        programs = drawn_programs.programs(range(5000, 5300))
    else:
        programs = drawn_streams.programs(drawn="live ")
    for program in programs:
        theirs = calls.recordable(group, calls.answer(engine, group, program))
        ours = calls.answer(LIBRARY, group, program)
        assert theirs is None or not list(differences(ours, theirs, *group.tolerance)), program


def test_no_answers_are_left_over() -> None:
    samples = {name: {c.key for e in found for c in calls_of(e)} for name, found in asked().items()}
    written = {name: set(group.calls) for name, group in calls.groups().items()}
    left = [
        name
        for known, current in ((store.read(), samples), (store.read(store.CALLS), written))
        for name, answers in known.items()
        if answers.keys() - current.get(name, set())
    ]
    assert not left, f"forget them with `{store.COMMAND}`: {left}"
    assert not pending().keys() - asked().keys(), f"forget them with `{store.COMMAND} --prune`"
