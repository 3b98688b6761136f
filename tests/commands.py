"""Runs a command line inside the tests' own process."""

from __future__ import annotations

import atexit
import io
import os
import shutil
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from gradcli.cli import app
from gradcli.cli.report import show_warnings
from gradcli.tensor import dtypes
from gradcli.tensor.graph import mode
from gradcli.views.printing import set_printoptions

ENTRY = "import sys; from gradcli.cli.main import main; sys.exit(main())"
"""A Python program that is the `gradcli` of the tests' own environment."""


@cache
def shell_environment() -> dict[str, str]:
    """An environment in which `gradcli` is this one, wherever the tests run."""
    directory = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    program = Path(directory, "gradcli")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{ENTRY}" "$@"\n')
    program.chmod(0o755)
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "80"}


class Done(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: str | bytes = b"") -> Done:
    """Runs `gradcli ARGUMENTS`; settings of the process are put back afterwards."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    streams = [io.TextIOWrapper(io.BytesIO(initial), "utf-8") for initial in (data, b"", b"")]
    patches = zip(("stdin", "stdout", "stderr"), streams, strict=True)
    environment = mock.patch.dict("os.environ", {"COLUMNS": "80", "NO_COLOR": "1"})
    with warnings.catch_warnings(), mock.patch.multiple(sys, **dict(patches)), environment:
        show_warnings()
        try:
            code = app.run(list(arguments))
        finally:
            dtypes.set_default_dtype(dtypes.float32)
            set_printoptions(profile="default")
            mode.enabled, mode.inference = True, False
            for stream in streams:
                stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])  # type: ignore[attr-defined]
    return Done(code, out, err)
