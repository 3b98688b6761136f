"""What the table still lacks, a line each in `data/pending.txt`; the list may only shrink.

A line is an entry's name, a tab, and what is missing: `samples`, `recording` (PyTorch could not be
asked), or the way of calling it (`tests.recorded.table.ways`) whose answers differ from PyTorch's.
"""

from __future__ import annotations

from functools import cache

from gradcli.tensor.dtypes import DTYPES
from tests.recorded import store
from tests.recorded.answers import Answer, differences
from tests.recorded.library import LIBRARY
from tests.recorded.table import TOLERANCES, answers, asked, calls_of

FILE = store.FOLDER / "pending.txt"
EXACT = (1e-6, 1e-8)


@cache
def pending() -> dict[str, set[str]]:
    """What is known to be missing, by the entries' names."""
    found: dict[str, set[str]] = {}
    for line in FILE.read_text("utf-8").splitlines() if FILE.exists() else ():
        name, missing = line.split("\t")
        found.setdefault(name, set()).add(missing)
    return found


def faults(name: str) -> dict[str, list[str]]:
    """What is wrong with the entries of a name: what is missing, and the messages that tell it."""
    found: dict[str, list[str]] = {}
    known = store.read().get(name, {})
    for entry in asked()[name]:
        calls = calls_of(entry)
        if not calls:
            why = f"{name}({entry.parameters}) has no samples: write some or say untested='why'"
            found.setdefault("samples", []).append(why)
        for call in calls:
            theirs = known.get(call.key)
            if theirs is None:
                why = f"{call.args} {call.kwargs} is not recorded: run `{store.COMMAND} {name}`"
                found.setdefault("recording", []).append(why)
                continue
            ours = answers(LIBRARY, call, True)
            for way in theirs.keys() | ours.keys():
                if not _has_types(theirs.get(way, {})):
                    continue
                told = differences(
                    ours.get(way, {}), theirs.get(way, {}), *TOLERANCES.get(way, EXACT)
                )
                for difference in told:
                    found.setdefault(way, []).append(
                        f"{way}, {call.args} {call.kwargs}\n    {difference}"
                    )
    return found


def _has_types(answer: Answer) -> bool:
    """Whether all results are of types that NumPy has, unlike `complex32`, which is left out."""
    outputs = answer.get("outputs", ())
    return all(output[0] in DTYPES for output in outputs if isinstance(output, list))


def prune(add: bool = False) -> None:
    """Takes lines off the list that are done; or makes the list anew."""
    lines = []
    for name in sorted(asked()):
        left = sorted(faults(name))
        lines += [f"{name}\t{one}" for one in left if add or one in pending().get(name, ())]
    FILE.write_text("".join(line + "\n" for line in lines), "utf-8")
