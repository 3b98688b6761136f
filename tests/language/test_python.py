"""Programs without tensors print and fail exactly as in Python."""

from __future__ import annotations

import io
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from gradcli.language import Machine, compile_text, diagnose

HERE = Path(__file__).parent


def programs(name: str) -> list[str]:
    """The programs of a file, which a line of dashes separates."""
    return (HERE / name).read_text(encoding="utf-8").split("\n---\n")


def in_python(text: str) -> tuple[str, BaseException | None]:
    """What a program prints in Python, and how it fails."""
    output = io.StringIO()
    try:
        with redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(text, "program", "exec"), {"__name__": "__main__"})
    except Exception as error:
        return output.getvalue(), error
    return output.getvalue(), None


def in_gradcli(text: str) -> tuple[str, BaseException | None]:
    """What a program prints here, and how it fails."""
    output = io.StringIO()
    try:
        Machine(write=output.write).run(compile_text(text, "program"))
    except Exception as error:
        return output.getvalue(), error
    return output.getvalue(), None


@pytest.mark.parametrize("text", programs("python_programs.txt"))
def test_prints_what_python_prints(text: str) -> None:
    want, failure = in_python(text)
    assert failure is None
    got, error = in_gradcli(text)
    assert error is None, diagnose(error).message
    assert got == want


@pytest.mark.parametrize("text", programs("python_errors.txt"))
def test_fails_as_python_fails(text: str) -> None:
    want, failure = in_python(text)
    got, error = in_gradcli(text)
    assert failure is not None
    assert error is not None
    assert got == want
    assert type(error).__name__ == type(failure).__name__
    if sys.version_info[:2] == (3, 11):  # words change between versions
        assert str(error) == str(failure)
    assert diagnose(error).line > 0
