"""Shared set-up of the tests."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from gradcli.language.reading.table_file import grammar_path, tables_path, write_tables


def pytest_configure() -> None:
    """A checkout gets the tables of its grammar as it is now, or each process would build its own;
    an installed package is tested as it is.
    """
    if Path(grammar_path()) == Path(__file__).parents[1] / "grammar" / "gradcli.lark":
        with suppress(OSError):  # read-only: the tests are slower
            write_tables(tables_path())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background so; tests interrupt their children.
        signal.signal(signal.SIGINT, signal.default_int_handler)
