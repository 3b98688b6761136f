"""The files of recorded answers, one per module of the operator table or file of calls."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.recorded.answers import Answer

FOLDER = Path(__file__).parent / "data"
CALLS = FOLDER / "calls"
COMMAND = "python -m tests.recorded"
AGREES = "agrees now: take it off the list of known differences"
"""What is said of a case that is known to differ and does not."""
Answers = dict[str, dict[str, dict[str, Answer]]]
"""By an entry's name, a call's key, and the way in which the call was made."""


@cache
def read(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """All recorded answers of a folder. Which file holds them does not matter.

    In `FOLDER` they are `Answers`; in `CALLS` there is one for each call of a group.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json.gz")):
        found |= json.loads(gzip.decompress(path.read_bytes()))
    return found


@cache
def known_differences() -> set[str]:
    """The cases that are known to differ, which `known_differences.txt` gives reasons for."""
    lines = (FOLDER.parent / "known_differences.txt").read_text("utf-8").splitlines()
    return {line.partition("\t")[0] for line in lines if not line.startswith("#")}


def write(modules: dict[str, dict[str, dict[str, Any]]], folder: Path = FOLDER) -> int:
    """Replaces all files of a folder by one per module; gives their size."""
    folder.mkdir(exist_ok=True)
    kept = set()
    for module, answers in modules.items():
        path = folder / f"{module}.json.gz"
        kept.add(path)
        text: Any = json.dumps(answers, separators=(",", ":"), sort_keys=True)
        made = gzip.compress(text.encode(), mtime=0)
        if not path.exists() or gzip.decompress(path.read_bytes()) != text.encode():
            path.write_bytes(made)
    for path in set(folder.glob("*.json.gz")) - kept:
        path.unlink()
    return sum(path.stat().st_size for path in kept)
