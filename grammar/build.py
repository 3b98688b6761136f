"""Puts the grammar and its parse tables into a wheel; hatch runs this (see pyproject.toml)."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GrammarHook(BuildHookInterface[Any]):
    """Builds the tables before a wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the tables and list what goes into the wheel; for an editable install nothing does,
        the tables are put beside the grammar.
        """
        sys.path.insert(0, str(Path(self.root, "src")))
        from gradcli.language.reading.table_file import grammar_path, tables_path, write_tables

        if version == "editable":
            write_tables(tables_path())
            return
        self.scratch = TemporaryDirectory()
        path = Path(self.scratch.name, "gradcli.tables")
        write_tables(str(path))
        for source in (Path(grammar_path()), path):
            build_data["force_include"][str(source)] = f"gradcli/grammar/{source.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel now holds."""
        if version != "editable":
            self.scratch.cleanup()
