"""What a program can reach is registered, whatever way it takes."""

from __future__ import annotations

import subprocess
import sys


def test_every_type_within_two_steps_is_registered() -> None:
    # In a process of its own: the walk calls what changes print options and random streams.
    command = [sys.executable, "-m", "tests.language.walk", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
