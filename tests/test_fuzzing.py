"""A short run of `tests.fuzzing`; `python -m tests.fuzzing SEED COUNT` is a long one."""

from __future__ import annotations

import os
import sys
import warnings

import pytest

from tests.fuzzing import LIMITS, findings, wrong

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform != "linux", reason="needs a worker process with limits"
)


def test_every_input_is_answered_as_foreseen() -> None:
    patient = LIMITS._replace(timeout=60)  # a slow machine is no finding
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert list(findings(8, range(1500), patient)) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"id": 1, "ok": true}\n{}', "no JSON"),
        ('{"id": 1, "ok": false}', "no answer"),
        ('{"id": 2, "ok": true}', "another's id"),
        ('{"id": 1, "ok": false, "error": {"type": "CrashError", "message": "x"}}', "ended"),
        (
            '{"id": 1, "ok": false, "error": {"type": "LimitError", "message": "stopped"}}',
            "ended",
        ),
        (
            '{"id": 1, "ok": false, "error": {"type": "TypeError", "message": "f() does not take '
            '(int)"}}',
            "accident",
        ),
    ],
)
def test_what_is_wrong_is_found(text: str, kind: str) -> None:
    found = wrong(text, 1, True)
    assert found is not None
    assert found[0] == kind
