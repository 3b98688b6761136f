"""Transcripts of terminal sessions that are run again and compared.

A transcript is a text with blocks such as::

    $ gradcli eval "x*2" --x 3
    tensor(6., grad_fn=<MulBackward0>)
    x.grad = tensor(2.)

A command is `gradcli` with arguments, or whatever a shell can run. What follows it up to the next
command is what a terminal shows: the standard output, then the standard error stream, then
`[exit N]` where N is not 0. In a Markdown file the blocks stand between fences marked `console`.

`python -m tests.transcripts FILE...` writes what the commands print now into the files.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.commands import run, shell_environment
from tests.workdir import fill

_FENCE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_STEP = re.compile(r"^\$ (.*(?:\n> .*)*)\n?((?:^(?!\$ ).*\n?)*)", re.MULTILINE)
_SHELL = re.compile(r"[|<>;&$`]|^(?!gradcli )")


class Step(NamedTuple):
    """One command and what it prints; `start` and `end` say where the output stands."""

    command: str
    output: str
    start: int
    end: int


def steps(text: str) -> Iterator[Step]:
    """The steps of a transcript. Lines before the first command, and blank lines and comments
    before a command, belong to none."""
    for found in _STEP.finditer(text):
        command = found[1].replace("\n> ", "\n")
        output = re.sub(r"(\n*(^#.*)?)*\Z", "", found[2], flags=re.MULTILINE)
        yield Step(command, output, found.start(2), found.start(2) + len(output))


def blocks(path: Path) -> list[str]:
    """The transcripts in a file."""
    text = path.read_text("utf-8")
    return _FENCE.findall(text) if path.suffix == ".md" else [text]


def perform(command: str) -> str:
    """What a command prints, as a transcript has it."""
    plain = not _SHELL.search(re.sub(r"\"[^\"$`]*\"|'[^']*'", "", command))
    if plain:
        done = run(*shlex.split(command)[1:])
        code, text = done.code, done.out + done.err
    else:
        shell = subprocess.run(
            ["bash", "-c", command],
            env=shell_environment(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        code, text = shell.returncode, (shell.stdout + shell.stderr).decode()
    if text and not text.endswith("\n"):
        text += "\n"
    return (text + (f"[exit {code}]" if code else "")).strip("\n")


def renew(path: Path) -> None:
    """Writes what the commands print now into a file."""
    text = path.read_text("utf-8")
    for block in blocks(path):
        renewed = block
        for step in reversed(list(steps(block))):
            output = perform(step.command)
            after = renewed[step.end :]
            if output and not step.output:
                output += "\n"
            renewed = renewed[: step.start] + output + after
        text = text.replace(block, renewed, 1)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    paths = [Path(argument).resolve() for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as directory:
        fill(Path(directory))
        for path in paths:
            os.chdir(path.parent if path.suffix == ".md" else directory)
            renew(path)
