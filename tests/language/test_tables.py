"""The parse tables: made by the build, found without lark, built anew where they do not fit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcli.language.reading import table_file
from gradcli.language.reading.table_builder import build_tables
from gradcli.language.reading.table_file import load_tables, read_grammar, write_tables
from gradcli.language.reading.tables import LINE_BREAK, Tables, format_tables, read_tables

WRITE = "from gradcli.language.reading.table_file import write_tables; write_tables"

SOURCES = Path(table_file.__file__).parents[3]


@pytest.fixture(scope="module")
def built() -> Tables:
    return build_tables(read_grammar())


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the grammar; the file of its tables, not there yet."""
    grammar = tmp_path / "gradcli.lark"
    grammar.write_text(read_grammar(), encoding="utf-8")
    monkeypatch.setattr(table_file, "grammar_path", lambda: str(grammar))
    return tmp_path / "gradcli.tables"


def python(program: str, **variables: str) -> str:
    """What a program prints in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_file_holds_what_the_grammar_gives(built: Tables) -> None:
    content = Path(table_file.tables_path()).read_bytes()
    assert content == format_tables(built, read_grammar())


def test_what_is_read_is_what_was_built(built: Tables) -> None:
    read = read_tables(format_tables(built, read_grammar()), read_grammar())
    assert read is not None
    for name in ("actions", "gotos", "rules"):
        rows = getattr(read, name)
        assert {number: rows[number] for number in getattr(built, name)} == getattr(built, name)
    assert read == built


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_every_process_builds_the_same_tables(built: Tables, seed: str, tmp_path: Path) -> None:
    path = tmp_path / "tables"
    python(f"{WRITE}({str(path)!r})", PYTHONHASHSEED=seed)
    assert path.read_bytes() == format_tables(built, read_grammar())
    assert list(tmp_path.iterdir()) == [path]


def test_a_start_that_finds_its_tables_needs_no_lark() -> None:
    program = (
        "import sys; from gradcli.language import compile_text; compile_text('1 + 1');"
        "print('lark' in sys.modules, 'numpy' in sys.modules)"
    )
    assert python(program) == "False False\n"


def test_building_needs_nothing_but_lark(tmp_path: Path) -> None:
    """Nothing else is there while the package is built."""
    path = tmp_path / "tables"
    others = ("numpy", "prompt_toolkit", "rich", "scipy", "typer")
    python(f"import sys; sys.modules.update(dict.fromkeys({others})); {WRITE}({str(path)!r})")
    assert path.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\x00" * 10,
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data[:1000] + b"\xff" + data[1001:],
        lambda data: data.replace(b"tables 1 ", b"tables 0 ", 1),
    ],
)
def test_a_damaged_file_is_not_used(
    beside: Path, built: Tables, damage: Callable[[bytes], bytes]
) -> None:
    write_tables(str(beside))
    data = beside.read_bytes()
    assert read_tables(data, read_grammar()) is not None
    damaged = damage(data)
    assert damaged != data
    assert read_tables(damaged, read_grammar()) is None
    beside.write_bytes(damaged)
    assert load_tables() == built
    assert beside.read_bytes() == damaged


def test_the_tables_of_another_grammar_are_not_used(beside: Path) -> None:
    write_tables(str(beside))
    grammar = beside.with_suffix(".lark")
    changed = grammar.read_text(encoding="utf-8").replace('"while"', '"whilst"')
    grammar.write_text(changed, encoding="utf-8")
    words = load_tables().words
    assert "whilst" in words
    assert "while" not in words


def test_a_bare_checkout_works_and_leaves_nothing_behind(tmp_path: Path) -> None:
    shutil.copytree(
        SOURCES / "gradcli",
        tmp_path / "src" / "gradcli",
        ignore=shutil.ignore_patterns("__pycache__", "grammar"),
    )
    (tmp_path / "grammar").mkdir()
    (tmp_path / "grammar" / "gradcli.lark").write_text(read_grammar(), encoding="utf-8")
    (tmp_path / "home").mkdir()
    before = set(tmp_path.rglob("*"))
    program = (
        "import sys, gradcli; from gradcli.language import Machine, compile_text;"
        "print(gradcli.__file__, Machine().run(compile_text('1 + 1')), 'lark' in sys.modules)"
    )
    home = str(tmp_path / "home")
    answer = python(
        program,
        PYTHONPATH=str(tmp_path / "src"),
        PYTHONDONTWRITEBYTECODE="1",
        HOME=home,
        XDG_CACHE_HOME=home,
    )
    assert answer == f"{tmp_path / 'src' / 'gradcli' / '__init__.py'} 2 True\n"
    assert set(tmp_path.rglob("*")) == before


def test_a_line_break_has_a_sign_of_its_own(built: Tables) -> None:
    with pytest.raises(ValueError, match=f"must do without {LINE_BREAK}"):
        format_tables(built._replace(ignored=[LINE_BREAK]), "")
