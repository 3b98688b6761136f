"""Tables written as another kind, and tables of Parquet."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gradcli.tables import tables
from tests.commands import ENTRY
from tests.tables.test_rows import fine, mapped


@pytest.fixture
def pl(engine: str) -> Any:
    """polars, where a test runs with it."""
    if engine != "polars":
        pytest.skip("Parquet needs polars")
    return pytest.importorskip("polars")


def test_decimal_commas_become_points() -> None:
    table = "x;y\n1,5;a,b\n+2,5e1;3\n"
    options = ["--decimal", ",", "--no-grad"]
    assert fine("x*2", *options, "--to", "jsonl", stdin=table) == (
        '{"x": 1.5, "y": "a,b", "value": 3.0}\n{"x": "+2.5e1", "y": 3, "value": 50.0}\n'
    )
    assert fine("x*2", *options, "--to", "tsv", stdin=table) == (
        "x\ty\tvalue\n1.5\ta,b\t3.0\n+2.5e1\t3\t50.0\n"
    )


def test_names_that_are_there_twice() -> None:
    done = mapped("x", "--to", "jsonl", stdin="x,y,y\n1,2,3\n")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: y is the name of columns 2 and 3, and jsonl holds each name once\n"
        "hint: rename one of them\n"
    )


def test_objects_after_a_mark_of_their_encoding() -> None:
    assert fine("x", "--no-grad", stdin='\ufeff{"x": 2}\n') == '\ufeff{"x": 2, "value": 2.0}\n'


def test_members_that_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_SMALL", 4)
    done = mapped("x", "--to", "csv", "--no-grad", stdin='{"x": 1}\n{"x": 2, "y": 3}\n')
    assert (done.code, done.out) == (1, "x,value\n1,1.0\n")
    assert "has a member y first in line 2, after its columns were written\n" in done.err
    done = mapped("g = x", "--no-grad", stdin='{"x": 1}\n{"x": 2, "g": 3}\n')
    assert (done.code, done.out) == (1, '{"x": 1, "g": 1.0}\n')
    assert "has a member g already in line 2\n" in done.err


def test_other_columns_of_parquet_are_untouched(pl: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "x": [1.5, None],
            "id": ["1", "2"],
            "on": [datetime.date(2024, 1, 2)] * 2,
            "price": [Decimal("1.50"), None],
            "list": [[1, 2], []],
        }
    )
    source, target = tmp_path / "t.parquet", tmp_path / "o.parquet"
    frame.write_parquet(source)
    fine("x*2", str(source), "-o", str(target))
    assert pl.read_parquet(target).select(frame.columns).equals(frame)
    assert fine("x*2", str(source), "--to", "csv", "--no-grad") == (
        'x,id,on,price,list,value\n1.5,1,2024-01-02,1.50,"[1, 2]",3.0\n,2,2024-01-02,,[],\n'
    )


@pytest.mark.parametrize(
    ("column", "shown"), [("on", "2024-01-02"), ("list", "[1, 2]"), ("text", "one")]
)
def test_cells_of_parquet_that_are_no_numbers(
    pl: Any, tmp_path: Path, column: str, shown: str
) -> None:
    path = tmp_path / "t.parquet"
    frame = {"on": [datetime.date(2024, 1, 2)], "list": [[1, 2]], "text": ["one"]}
    pl.DataFrame(frame).write_parquet(path)
    done = mapped(column, str(path), "--to", "csv")
    assert done.code == 1
    what = f"the first in line 1, column {column}: {shown!r} is no number"
    assert done.err == f"error: 1 row has no result, {what}\n"


def test_texts_in_parquet_are_read_as_cells_are(pl: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": [" 1 ", "NA", "", None, "2e1"]}).write_parquet(path)
    out = fine("x", str(path), "--null", "NA", "--no-grad", "--to", "tsv")
    assert out == "x\tvalue\n 1 \t1.0\nNA\t\n\t\n\t\n2e1\t20.0\n"


def test_a_table_without_rows_as_parquet(pl: Any, tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    fine("x*y", "-o", str(path), stdin="x,y\n")
    found = pl.read_parquet(path)
    assert (found.columns, found.height) == (["x", "y", "value", "d_dx", "d_dy"], 0)


def test_what_cells_of_text_become_in_parquet(pl: Any, tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    table = "x,zip,long,blank,part\n1,01234,12345678901234567890123,,1\n2,99999,1,,2.5\n"
    fine("x", "-o", str(path), "--no-grad", stdin=table)
    assert pl.read_parquet(path).rows() == [
        (1, "01234", "12345678901234567890123", None, 1.0, 1.0),
        (2, "99999", "1", None, 2.5, 2.0),
    ]
    lines = '{"x": 1, "id": "7", "k": [1]}\n{"x": 2, "id": "8", "k": {"a": 1}}\n'
    fine("x", "-o", str(path), "--no-grad", stdin=lines)
    assert pl.read_parquet(path).rows() == [(1, "7", "[1]", 1.0), (2, "8", '{"a": 1}', 2.0)]


def test_texts_of_typed_columns_stay_texts(pl: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = {"x": [1.0, 2.0], "zip": ["12345", ""], "l": [[math.nan], []]}
    single = pl.Series("f", [0.1, 1e13], dtype=pl.Float32)
    pl.DataFrame(frame).with_columns(single).write_parquet(path)
    assert fine("g = x*2", str(path), "--to", "jsonl", "--no-grad") == (
        '{"x": 1.0, "zip": "12345", "l": ["NaN"], "f": 0.1, "g": 2.0}\n'
        '{"x": 2.0, "zip": "", "l": [], "f": 10000000000000.0, "g": 4.0}\n'
    )
    out = tmp_path / "o.parquet"
    fine("x*2", "-o", str(out), "--from", "jsonl", stdin='{"x": 1, "s": ""}\n')
    assert pl.read_parquet(out)["s"].to_list() == [""]


def test_parquet_on_the_standard_input(pl: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": [1.0]}).write_parquet(path)
    line = [sys.executable, "-c", ENTRY, "map", "x*2", "--to", "csv", "--quiet"]
    with path.open("rb") as file:
        done = subprocess.run(line, stdin=file, capture_output=True, text=True, check=True)
    assert done.stdout == "x,value,d_dx\n1.0,2.0,2.0\n"


def test_halves_of_characters() -> None:
    table = '{"x": 1, "s": "\\ud83d", "t": "\\ud83d\\ude00"}\n'
    assert fine("x*2", "--from", "jsonl", "--to", "csv", stdin=table) == (
        "x,s,t,value,d_dx\n1,\ufffd,\U0001f600,2.0,2.0\n"
    )


def test_an_array_is_no_table() -> None:
    done = mapped("x*2", "--from", "jsonl", stdin='[{"x": 1}]\n')
    assert (done.code, done.out) == (1, "")
    assert "line 1 holds no object" in done.err
    assert "jq -c '.[]'" in done.err
