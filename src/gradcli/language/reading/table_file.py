"""Where the grammar and its tables lie: side by side.

An installed package has both in `gradcli/grammar`, put there by the build (`grammar/build.py`). In
a checkout they are in `grammar`, where an editable install puts the tables; without them, or with
a grammar that has changed since, each process builds its own.
"""

from __future__ import annotations

import os

from gradcli.language.reading.tables import Tables, format_tables, read_tables


def grammar_path() -> str:
    """Path of the grammar: beside the package where it is installed, at the repository's top in a
    checkout.
    """
    package = os.path.abspath(__file__)
    for _ in __name__.split(".")[1:]:
        package = os.path.dirname(package)
    installed = os.path.join(package, "grammar", "gradcli.lark")
    if os.path.exists(installed):
        return installed
    return os.path.join(os.path.dirname(os.path.dirname(package)), "grammar", "gradcli.lark")


def tables_path() -> str:
    """Path of the tables, whether they are there or not."""
    return os.path.splitext(grammar_path())[0] + ".tables"


def read_grammar() -> str:
    """The text of the grammar."""
    with open(grammar_path(), encoding="utf-8") as file:
        return file.read()


def load_tables() -> Tables:
    """The tables of the grammar, read or else built."""
    grammar = read_grammar()
    try:
        with open(tables_path(), "rb") as file:
            tables = read_tables(file.read(), grammar)
    except OSError:
        tables = None
    if tables is None:
        from gradcli.language.reading.table_builder import build_tables

        tables = build_tables(grammar)
    return tables


def write_tables(path: str) -> None:
    """Build the tables into a file; who reads it meanwhile sees the old one or the new one."""
    from gradcli.language.reading.table_builder import build_tables

    grammar = read_grammar()
    content = format_tables(build_tables(grammar), grammar)
    unfinished = f"{path}.{os.getpid()}"
    with open(unfinished, "wb") as file:
        file.write(content)
    os.replace(unfinished, path)
