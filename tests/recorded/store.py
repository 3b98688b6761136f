"""The files of recorded answers to the operator table's calls, one per module of the table."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.recorded.answers import Answer

FOLDER = Path(__file__).parent / "data"
#: By an entry's name, a call's key, and the way in which the call was made.
Answers = dict[str, dict[str, dict[str, Answer]]]


@cache
def read() -> Answers:
    """All recorded answers. Which file holds them does not matter."""
    found: Answers = {}
    for path in sorted(FOLDER.glob("*.json.gz")):
        found |= json.loads(gzip.decompress(path.read_bytes()))
    return found


def write(modules: dict[str, Answers]) -> int:
    """Replaces all files by one per module; gives their size."""
    FOLDER.mkdir(exist_ok=True)
    kept = set()
    for module, answers in modules.items():
        path = FOLDER / f"{module}.json.gz"
        kept.add(path)
        text: Any = json.dumps(answers, separators=(",", ":"), sort_keys=True)
        made = gzip.compress(text.encode(), mtime=0)
        if not path.exists() or gzip.decompress(path.read_bytes()) != text.encode():
            path.write_bytes(made)
    for path in set(FOLDER.glob("*.json.gz")) - kept:
        path.unlink()
    return sum(path.stat().st_size for path in kept)
