"""Entries of the operator table and calls that are written down answer as PyTorch did."""

from __future__ import annotations

import pytest

from tests.recorded import (
    calls,
    conformance,
    drawn_programs,
    drawn_streams,
    drawn_transforms,
    store,
)
from tests.recorded.answers import differences
from tests.recorded.library import LIBRARY
from tests.recorded.table import TYPES, asked, calls_of, faults


@pytest.mark.parametrize("name", asked())
def test_answers_are_those_of_pytorch(name: str) -> None:
    found = faults(name)
    assert not found, f"{name}: {len(found)} faults\n" + "\n".join(found[:8])


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
@pytest.mark.parametrize("name", ["random", "streams", "transforms"])
def test_programs_of_other_seeds_are_answered_as_by_pytorch(name: str) -> None:
    pytest.importorskip("torch")
    from tests.recorded.pytorch import PyTorch

    engine, group = PyTorch(), calls.groups()[f"programs.{name}"]
    if name == "random":
        programs = drawn_programs.programs(range(5000, 5300))
    elif name == "transforms":
        programs = drawn_transforms.programs(range(5000, 5100))
    else:
        programs = drawn_streams.programs(drawn="live ")
    for program in programs:
        theirs = calls.recordable(group, calls.answer(engine, group, program))
        ours = calls.answer(LIBRARY, group, program)
        assert theirs is None or not list(differences(ours, theirs, *group.tolerance)), program


@pytest.mark.oracle
def test_signatures_are_those_of_pytorch() -> None:
    pytest.importorskip("torch")
    from tests.recorded import overloads

    assert overloads.written() == overloads.PATH.read_text(encoding="utf-8")


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


def test_known_differences_are_of_cases_that_there_are() -> None:
    table = {f"{name} {way}" for name in asked() for way in ("as is", *TYPES, "in place")}
    records = {case["id"] for cases in conformance.groups().values() for case in cases}
    asked_calls = {f"{group.name} {c}" for group in calls.groups().values() for c in group.calls}
    assert not store.known_differences() - table - records - asked_calls
