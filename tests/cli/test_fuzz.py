"""Whatever a command is given, it answers or complains; it never fails by itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.commands import run

WORDS = st.sampled_from(
    [
        *["--x", "--x=3", "--x=", "--y", "-x", "-", "--", "-g", "-h", "-1", "--json", "--get"],
        *["value", "x.grad", "d2/dx2", "--order", "2", "--backward", "--wrt", "x", "x*y", "x**2"],
        *["[1,2]", "ones", "--let", "--const", "x=3", "y=", "@", "@none.npy", "--dtype", "float64"],
        *["--retain-graph", "--create-graph", "--no-backward", "--precision", "(", "1/0", ""],
    ]
)
OTHERS = st.text(max_size=8).filter(lambda text: "\0" not in text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(WORDS, OTHERS), max_size=7))
def test_command_line(words: list[str]) -> None:
    done = run("eval", *words, stdin="x")
    assert done.code in (0, 1, 2, 3)
    assert "internal error" not in done.err
    assert "Traceback" not in done.err
    assert ("error: " in done.err) == bool(done.code)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ["id", "vars", "grad_tensors", "gradient", "order", "wrt", "retain_graph", "backward"]
RECORDS = st.fixed_dictionaries(
    {"expr": st.sampled_from(["x*2", "x, x", "1", "y"])},
    optional=dict.fromkeys(KEYS, JSON)
    | {"vars": st.dictionaries(st.sampled_from("xy"), JSON, max_size=2)},
)


def check(line: bytes) -> None:
    """That one line has one answer or is skipped."""
    done = run("batch", "-", stdin=line)
    assert done.code in (0, 1)
    answers = [json.loads(one, parse_constant=pytest.fail) for one in done.out.splitlines()]
    assert len(answers) == bool(line.strip() and not line.lstrip().startswith(b"#"))
    assert all(answer["ok"] or answer["error"]["type"] for answer in answers)


@settings(max_examples=150, deadline=None)
@given(RECORDS)
def test_record(record: dict[str, object]) -> None:
    check(json.dumps(record).encode())


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=20), st.text(max_size=20).map(lambda text: text.encode())))
def test_line(line: bytes) -> None:
    check(line.replace(b"\n", b" "))
