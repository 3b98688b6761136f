"""Records PyTorch's answers to programs: ``python -m tests.record_programs``."""

from __future__ import annotations

import gzip
import json
import os

import torch

from tests.in_place_programs import method_programs, random_program
from tests.index_programs import call_programs, subscript_programs
from tests.programs import RECORDED, run

NOTES = RECORDED.parent / "in_place_notes.txt"


def groups() -> dict[str, list[str]]:
    return {
        "random": [random_program(seed) for seed in range(400)],
        "methods": method_programs(),
        "notes": NOTES.read_text(encoding="utf-8").rstrip().split("\n---\n"),
        "subscripts": subscript_programs(),
        "calls": call_programs(),
    }


def answers(programs: list[str]) -> list[tuple[str, str | None] | None]:
    """PyTorch's answers; None where it crashed the process."""
    found: list[tuple[str, str | None] | None] = []
    while len(found) < len(programs):
        source, sink = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(sink, "w") as out:
                for program in programs[len(found) :]:
                    out.write(json.dumps(run(program, torch)) + "\n")
                    out.flush()
            os._exit(0)
        os.close(sink)
        with os.fdopen(source) as lines:
            found += [tuple(json.loads(line)) for line in lines]
        os.waitpid(child, 0)
        if len(found) < len(programs):
            found.append(None)
    return found


def main() -> None:
    torch.set_num_threads(1)
    recorded = {
        group: {
            program: answer
            for program, answer in zip(programs, answers(programs), strict=True)
            # Tiny numbers are rounding errors, and differ.
            if answer is not None and "e-1" not in answer[0] and "INTERNAL" not in str(answer[1])
        }
        for group, programs in groups().items()
    }
    text = json.dumps(recorded, separators=(",", ":"))
    RECORDED.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
