"""The simplest way through a batch: one process, one record after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradcli.batch.worker import UNLIMITED, Limits, Reply, reply


def replies(lines: Iterable[bytes], limits: Limits = UNLIMITED) -> Iterator[tuple[int, Reply]]:
    """Line numbers and replies, in order; a line is read when the reply before it was taken."""
    for number, line in enumerate(lines, 1):
        answered = reply(line, number, limits)
        if answered is not None:
            yield number, answered
