"""The parse tables: kept in the user's own directory, rebuilt when in doubt, found without lark."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gradcli.language.reading import tables
from gradcli.language.reading.tables import cache_directory, load_tables


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "gradcli"


def cached(home: Path) -> list[Path]:
    return list(home.iterdir())


def test_the_directory_is_the_users_own(home: Path) -> None:
    load_tables()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    (file,) = cached(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_kept_is_what_was_built(home: Path) -> None:
    built, kept = load_tables(), load_tables()
    assert kept == built


def test_without_xdg_it_is_below_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory() == str(tmp_path / ".cache" / "gradcli")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/path")  # to be ignored, says the specification
    assert cache_directory() == str(tmp_path / ".cache" / "gradcli")


def test_a_cached_start_needs_no_lark(home: Path) -> None:
    program = (
        "import sys; from gradcli.language import compile_text; compile_text('1 + 1');"
        "print('lark' in sys.modules, 'numpy' in sys.modules)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert answers == ["True False\n", "False False\n"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\x00" * 10,
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + b"\xff" + data[101:],
        lambda data: data[:4] + b"c__builtin__\neval\n",
    ],
)
def test_a_damaged_file_is_rebuilt(home: Path, damage: object) -> None:
    built = load_tables()
    (file,) = cached(home)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))  # type: ignore[operator]
    grammar = Path(tables.grammar_path()).read_text(encoding="utf-8")
    assert tables.read_cache(str(file), grammar) is None
    assert load_tables().rules == built.rules  # lark numbers the states as they come
    assert tables.read_cache(str(file), grammar) is not None


def test_another_grammar_has_another_file(home: Path) -> None:
    grammar = Path(tables.grammar_path()).read_text(encoding="utf-8")
    load_tables()
    (file,) = cached(home)
    assert tables.read_cache(str(file), grammar) is not None
    assert tables.read_cache(str(file), grammar + "\n// changed\n") is None


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_directory_that_others_reach_is_not_used(home: Path, mode: int) -> None:
    home.mkdir()
    home.chmod(mode)
    assert cache_directory() is None
    load_tables()
    assert cached(home) == []


def test_a_directory_of_somebody_else_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert cache_directory() is None


def test_a_link_is_not_followed(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    home.symlink_to(elsewhere)
    assert cache_directory() is None


def test_a_disk_that_refuses_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert load_tables().rules


def test_no_unfinished_file_is_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", refuse)
    assert load_tables().rules
    assert cached(home) == []


def test_the_grammar_of_a_checkout_is_found() -> None:
    assert Path(tables.grammar_path()).name == "gradcli.lark"
    assert Path(tables.grammar_path()).exists()
