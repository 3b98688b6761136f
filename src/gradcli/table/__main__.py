"""Writes the index of names: `python -m gradcli.table`."""

from __future__ import annotations

from pathlib import Path

from gradcli.table import index
from gradcli.table.registry import declared

if __name__ == "__main__":
    Path(index.PATH).write_text(index.written(*declared()), encoding="utf-8")
