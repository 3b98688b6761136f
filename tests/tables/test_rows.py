"""`gradcli map`: rows as they stood, with what is computed after them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradcli.random.generator import manual_seed
from gradcli.tables import blocks, tables
from tests.commands import Done, run

TABLE = "x,y\n1,2\n3,4\n"


def mapped(text: str, *options: str, stdin: str | bytes = TABLE) -> Done:
    """What a formula makes of a table, without notes."""
    return run("map", text, "--quiet", *options, stdin=stdin)


def fine(text: str, *options: str, stdin: str | bytes = TABLE) -> str:
    """The same where all is well."""
    done = mapped(text, *options, stdin=stdin)
    assert (done.code, done.err) == (0, "")
    return done.out


def test_outputs_and_derivatives() -> None:
    assert fine("g = x*y**2") == "x,y,g,dg_dx,dg_dy\n1,2,4.0,4.0,4.0\n3,4,48.0,16.0,24.0\n"
    assert fine("x*y") == "x,y,value,d_dx,d_dy\n1,2,2.0,2.0,1.0\n3,4,12.0,4.0,3.0\n"
    assert fine("a = x*2; b = a**2; b*y", "--no-grad") == (
        "x,y,a,b,value\n1,2,2.0,4.0,8.0\n3,4,6.0,36.0,144.0\n"
    )
    assert fine("a = x*2; b = a**2*y").splitlines()[0] == "x,y,a,da_dx,b,db_dx,db_dy"
    assert fine("x*y", "--wrt", "y") == "x,y,value,d_dy\n1,2,2.0,1.0\n3,4,12.0,3.0\n"


def test_second_derivatives() -> None:
    assert fine("g = x**2*y", "--order", "2") == (
        "x,y,g,dg_dx,dg_dy,d2g_dx2,d2g_dxdy,d2g_dy2\n"
        "1,2,2.0,4.0,1.0,4.0,2.0,0.0\n3,4,36.0,24.0,9.0,8.0,6.0,0.0\n"
    )
    assert (
        fine("x*y", "--order", "2").splitlines()[0] == "x,y,value,d_dx,d_dy,d2_dx2,d2_dxdy,d2_dy2"
    )


def test_constants() -> None:
    assert fine("x*k", "--k", "3") == "x,y,value,d_dx\n1,2,3.0,3.0\n3,4,9.0,3.0\n"
    assert fine("x*k", "--k", "3", "--wrt", "k") == "x,y,value,d_dk\n1,2,3.0,1.0\n3,4,9.0,3.0\n"
    assert fine("x*w[1]", "--w", "[1, 2]").endswith("\n3,4,6.0,2.0\n")
    assert fine("x*wrt", "--const", "wrt=2").endswith("\n3,4,6.0,2.0\n")


@pytest.mark.parametrize(
    ("table", "out"),
    [
        ("x,y\r\n1,2\r\n", "x,y,value,d_dx\r\n1,2,2.0,2.0\r\n"),
        ("x,y\n1,2", "x,y,value,d_dx\n1,2,2.0,2.0"),
        ("x,y\n1,2\r\n3,4\n", "x,y,value,d_dx\n1,2,2.0,2.0\r\n3,4,6.0,2.0\n"),
        ("\ufeffx,y\n1,2\n", "\ufeffx,y,value,d_dx\n1,2,2.0,2.0\n"),
        ('"x",y\n"1",2\n', '"x",y,value,d_dx\n"1",2,2.0,2.0\n'),
        ('x,y\n1,"a,""b"""\n', 'x,y,value,d_dx\n1,"a,""b""",2.0,2.0\n'),
        ('x,y\n1,"a\nb"\n2,""\n', 'x,y,value,d_dx\n1,"a\nb",2.0,2.0\n2,"",4.0,2.0\n'),
        ('x,y\n1,5" pipe\n2,6" pipe\n', 'x,y,value,d_dx\n1,5" pipe,2.0,2.0\n2,6" pipe,4.0,2.0\n'),
        ("x,y\n 1 ,  é \n", "x,y,value,d_dx\n 1 ,  é ,2.0,2.0\n"),
        ("x,y\n1,2\n\n3,4\n\n", "x,y,value,d_dx\n1,2,2.0,2.0\n\n3,4,6.0,2.0\n\n"),
        ("x\n1\n\n3\n", "x,value,d_dx\n1,2.0,2.0\n,,\n3,6.0,2.0\n"),
        ("x\ty\n1\t2\n", "x\ty\tvalue\td_dx\n1\t2\t2.0\t2.0\n"),
        ("x;y\n1;2,5\n", "x;y;value;d_dx\n1;2,5;2.0;2.0\n"),
        ("x|y\n1|2\n", "x|y|value|d_dx\n1|2|2.0|2.0\n"),
        ("x,y,y\n1,2,3\n", "x,y,y,value,d_dx\n1,2,3,2.0,2.0\n"),
        ("x,y\n", "x,y,value,d_dx\n"),
        ("x,y", "x,y,value,d_dx"),
        ("x,y\n1,\x01\n", "x,y,value,d_dx\n1,\x01,2.0,2.0\n"),
    ],
)
def test_what_stood_there_is_untouched(table: str, out: str) -> None:
    assert fine("x*2", stdin=table) == out


def test_text_in_another_encoding_is_untouched(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,\xff\n1,\xe9\n")
    assert mapped("x*2", str(path), "-o", str(tmp_path / "o.csv")).code == 0
    assert (tmp_path / "o.csv").read_bytes() == b"x,\xff,value,d_dx\n1,\xe9,2.0,2.0\n"


def test_other_decimals() -> None:
    table = "x;y\n1,5;2\n-3;4,25\n"
    out = "x;y;value;d_dx;d_dy\n1,5;2;3,0;2,0;1,5\n-3;4,25;-12,75;4,25;-3,0\n"
    assert fine("x*y", "--decimal", ",", stdin=table) == out
    quoted = 'x,y\n"1,5",2\n'
    out = 'x,y,value,d_dx,d_dy\n"1,5",2,"3,0","2,0","1,5"\n'
    assert fine("x*y", "--decimal", ",", "--sep", ",", stdin=quoted) == out
    done = mapped("x*y", "--decimal", ",", stdin="x;y\n1.5;2\n")
    assert (done.code, done.err.partition("line ")[2]) == (1, "2, column x: '1.5' is no number\n")


def test_no_header() -> None:
    assert fine("$1*$2", "--no-header", stdin="1,2\n3,4") == "1,2,2.0,2.0,1.0\n3,4,12.0,4.0,3.0"
    assert fine("$1", "--no-header", stdin="\ufeff1\n") == "\ufeff1,1.0,1.0\n"
    done = mapped("$1*$3", "--no-header", stdin="1,2\n")
    assert done.code == 2
    assert done.err.startswith("error: there is no column $3\n  --> expression, column 4\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("`flow rate`*2", "4.0"),
        ("exp(exp) + max*2", "14.38905609893065"),
        ("max(max, exp)", "3.0"),
        ("t*2", "10.0"),
        ("`lambda` + `1st`", "13.0"),
        ("pi", "9.0"),
    ],
)
def test_names_of_columns(text: str, value: str) -> None:
    table = "flow rate,exp,max,t,lambda,1st,pi\n2,2,3.5,5,6,7,9\n"
    table = table.replace("3.5", "3") if "max(" in text else table
    assert fine(text, "--no-grad", stdin=table).split("\n")[1].rpartition(",")[2] == value


def test_derivatives_of_quoted_names() -> None:
    table = 'a b,"c,d"\n2,3\n'
    assert fine("`a b`*`c,d`", stdin=table) == (
        'a b,"c,d",value,d_da b,"d_dc,d"\n2,3,6.0,3.0,2.0\n'
    )


def test_empty_cells() -> None:
    table = "x,y\n1,\n,4\n5,6\n"
    assert fine("x*y", "--no-grad", stdin=table) == "x,y,value\n1,,\n,4,\n5,6,30.0\n"
    assert fine("a = x; b = y", "--no-grad", stdin=table) == (
        "x,y,a,b\n1,,1.0,\n,4,,4.0\n5,6,5.0,6.0\n"
    )
    table = "x,y\n1,NA\n3,nan\n5,6\n"
    assert fine("x*y", "--no-grad", "--null", "NA,nan", stdin=table) == (
        "x,y,value\n1,NA,\n3,nan,\n5,6,30.0\n"
    )
    done = mapped("x*y", "--no-grad", stdin=table)
    assert (done.code, done.out) == (1, "x,y,value\n1,NA,\n3,nan,nan\n5,6,30.0\n")


BAD = "x,y\n1,2\n1,abc\n3,4\n1_0,4\n"


def test_bad_cells() -> None:
    done = mapped("x*y", "--no-grad", stdin=BAD)
    assert done == (
        1,
        "x,y,value\n1,2,2.0\n1,abc,\n3,4,12.0\n1_0,4,\n",
        "error: 2 rows have no result, the first in line 3, column y: 'abc' is no number\n",
    )
    done = mapped("x*y", "--no-grad", "--on-error", "stop", stdin=BAD)
    assert done == (1, "x,y,value\n1,2,2.0\n", "error: line 3, column y: 'abc' is no number\n")
    assert fine("x*y", "--no-grad", "--on-error", "skip", stdin=BAD) == (
        "x,y,value\n1,2,2.0\n3,4,12.0\n"
    )
    assert fine("x*y", "--no-grad", "--on-error", "null", stdin=BAD) == done_of(BAD)


def done_of(table: str) -> str:
    return mapped("x*y", "--no-grad", stdin=table).out


def test_cells_in_any_script() -> None:
    done = mapped("x", "--no-grad", stdin="x,y\n−1,2\n–,3\n")
    assert (done.code, done.out) == (1, "x,y,value\n−1,2,\n–,3,\n")
    assert "column x: '−1' is no number\n" in done.err
    assert fine("x", "--no-grad", "--null", "–", stdin="x,y\n–,3\n") == "x,y,value\n–,3,\n"


@pytest.mark.parametrize(
    ("table", "out", "where"),
    [
        ("x,y\n1,2,3\n5,6\n", "1,2,3,\n5,6,30.0\n", "line 2, 3 cells, where the header has 2"),
        ("x,y\n5,6\n4\n", "5,6,30.0\n4,,\n", "line 3, 1 cell, where the header has 2"),
        ('x,y\n"a\nb",1\n"a",2\n', '"a\nb",1,\n"a",2,\n', "line 2, column x: 'a\\nb' is no number"),
        ('x,y\n5,"6\n7\n', '5,"6\n7,\n', "line 2, a quote that opens here is never closed"),
        ("x,y\n1,2\r3\n", "1,2\r3,\n", "line 2, column y: '2\\r3' is no number"),
    ],
)
def test_rows_that_are_none(table: str, out: str, where: str) -> None:
    done = mapped("x*y", "--no-grad", stdin=table)
    assert (done.code, done.out.partition("\n")[2]) == (1, out)
    assert done.err.endswith(f"the first in {where}\n")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "standard input is empty\nhint: a table begins with the names of its columns"),
        ("\n1\n", "standard input begins with a blank line"),
        ("x\r1\r", "standard input has lines that end in CR alone"),
        ("x\n1\n".encode("utf-16"), "standard input is no text in UTF-8"),
    ],
)
def test_what_is_no_table(table: str | bytes, message: str) -> None:
    done = mapped("x", stdin=table)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x*z", [], "there is no column z\n  --> expression, column 3"),
        ("`a b`", [], "there is no column `a b`"),
        ("x = x*2", [], "x is the name of a column already"),
        ("y = 2", [], "y is the name of a column already"),
        ("x", ["--k", "3"], "k is given, and the formula does not use it\nhint: it uses x"),
        ("x*k", ["--k", "3", "--x", "2"], "x is given, and a column of the table"),
        ("x", ["--wrt", "y"], "--wrt: the formula does not use y"),
        ("x", ["--order", "3"], "--order must be 1 or 2, not 3"),
        ("x", ["--no-grad", "--wrt", "x"], "--no-grad and --wrt contradict each other"),
        ("x", ["--sep", "ab"], "--sep must be one ASCII character, not 'ab'"),
        ("x", ["--on-error", "go"], "--on-error must be one of stop, skip, null, not go"),
        ("x", ["--from", "xls"], "--from must be one of csv, tsv, jsonl, parquet, not xls"),
        ("x", ["--sigma", "x"], "--sigma needs NAME=UNCERTAINTY, not 'x'"),
        ("x", ["--sigma", "z=1"], "--sigma: there is no column z"),
        ("x", ["--corr", "x,y=1"], "--corr needs uncertainties"),
        ("x", ["--where", "q > 1"], "there is no column q\n  --> --where, line 1, column 1"),
        ("x*w", ["--w", "[1, 2]", "--wrt", "w"], "w is no single number"),
    ],
)
def test_misuse(text: str, options: list[str], message: str) -> None:
    done = mapped(text, *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message}")


def test_columns_that_are_called_alike() -> None:
    done = mapped("x", stdin="x,x\n1,2\n")
    assert done == (2, "", "error: x is the name of columns 1 and 2\nhint: rename one of them\n")
    done = mapped("x", stdin="x,d_dx\n1,2\n")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: d_dx is the name of a column already\n")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("x +", 3, "SyntaxError: unexpected end, expected an expression\n  --> expression"),
        ("`x y` + (", 3, "SyntaxError"),
        ("x*2; y", 3, "SyntaxError: only the last output may have no name"),
        ("foo(x)", 1, "NameError: name 'foo' is not defined\n  --> expression, column 1"),
        ("stack([x, y])", 1, "ValueError: value has shape [2]"),
        ("(x, y)", 1, "TypeError: value is a tuple, and no number"),
        ("x*1j", 1, "ValueError: value is torch.complex128"),
        ("open('a')", 1, "NameError: 'open' is not part of the language"),
        ("x.__class__.__base__", 1, "AttributeError"),
    ],
)
def test_formulas_that_fail(text: str, code: int, message: str) -> None:
    done = mapped(text)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"error: {message}")


def test_names_that_differ_in_case() -> None:
    done = mapped("g = l/T**2", stdin="L,T\n1,2\n")
    assert (done.code, done.err.splitlines()[-1]) == (2, "hint: did you mean 'L'?")


def test_errors_quote_the_text_as_it_was_written() -> None:
    done = mapped("`a b` + foo(x)", stdin="a b,x\n1,2\n")
    assert "  | `a b` + foo(x)\n  |         ^^^\n" in done.err
    done = mapped("`a b` + ) x", stdin="a b,x\n1,2\n")
    assert "  | `a b` + ) x\n" in done.err


def test_an_error_of_one_row() -> None:
    matrix = "inverse(stack([stack([x, y]), stack([y, x])]))[0, 0]"
    done = mapped(matrix, "--no-grad", stdin="x,y\n2,1\n1,1\n1,2\n")
    assert (done.code, done.out.splitlines()[1:]) == (
        1,
        ["2,1,0.6666666666666666", "1,1,", "1,2,-0.3333333333333333"],
    )
    assert "1 row has no result, the first in line 3, _LinAlgError: linalg.inv" in done.err


def test_rows_that_hold() -> None:
    assert fine("x*y", "--no-grad", "--where", "x > 1") == "x,y,value\n3,4,12.0\n"
    assert fine("g = x*y", "--no-grad", "--where", "g < 5") == "x,y,g\n1,2,2.0\n"
    assert fine("x*y", "--no-grad", "--where", "x > 1", "--where", "y > 5") == "x,y,value\n"
    assert fine("x", "--no-grad", "--where", "y > 2", stdin="x,y\n1,\nabc,1\n3,4") == (
        "x,y,value\n3,4,3.0"
    )


def test_a_condition_that_fails_for_a_row() -> None:
    table = "x,y\n1,2\n2,4\n3,6\n"
    done = mapped("x", "--no-grad", "--where", "6/int(x - 1) > 4", stdin=table)
    assert (done.code, done.out) == (1, "x,y,value\n1,2,\n2,4,2.0\n")
    assert done.err == (
        "error: 1 row has no result, the first in line 2, --where: ZeroDivisionError: division by"
        " zero\n"
    )
    done = mapped("x", "--where", "stack([x, y])", stdin=table)
    assert (done.code, done.out) == (1, "")


def test_claims() -> None:
    assert fine("g = x*y", "--no-grad", "--assert", "g > 0").endswith("3,4,12.0\n")
    done = mapped("g = x*y", "--no-grad", "--assert", "g > x + 2")
    assert done == (
        1,
        "x,y,g\n1,2,2.0\n3,4,12.0\n",
        "error: --assert g > x + 2 fails in 1 row, the first in line 2: x = 1.0, g = 2.0\n",
    )


def test_numbers_read_back() -> None:
    table = "x\n" + "".join(
        f"{x!r}\n" for x in (0.1, 1e-5, 1.5e-7, -2e-5, 1e16, 5e-324, 1e300, -0.0)
    )
    out = fine("x*1.0", "--no-grad", stdin=table).splitlines()[1:]
    for line in out:
        given, made = line.split(",")
        assert float(given).hex() == float(made).hex()
        assert len(made) <= len(repr(float(given))) + 20
    assert [line.split(",")[1] for line in out[:5]] == [
        "0.1",
        "0.00001",
        "1.5e-7",
        "-0.00002",
        "1e+16",
    ]
    out = fine("log(x)", "--no-grad", stdin="x\n0\n-1\ninf\n")
    assert out == "x,value\n0,-inf\n-1,nan\ninf,inf\n"


def test_numbers_in_single_precision() -> None:
    made = {"1e12": "1000000000000.0", "1e13": "1e+13", "9.5e-7": "9.5e-7", "2.5e-6": "0.0000025"}
    made |= {"-1e-7": "-1e-7", "0": "0.0", "-inf": "-inf", "0.1": "0.1", "16777216": "16777216.0"}
    table = "\n".join(["x", *made, ""])
    out = fine("x*1.0", "--no-grad", "--dtype", "float32", stdin=table)
    assert out.splitlines()[1:] == [f"{given},{text}" for given, text in made.items()]


def test_results_of_other_types() -> None:
    assert fine("x > 2") == "x,y,value\n1,2,false\n3,4,true\n"
    assert fine("x", "--dtype", "float32", stdin="x\n0.1\n") == "x,value,d_dx\n0.1,0.1,1.0\n"
    assert fine("g = 1 if x > 2 else x*0.5") == "x,y,g,dg_dx\n1,2,0.5,0.5\n3,4,1.0,0.0\n"


def test_the_first_rows_do_not_say_what_later_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SMALL", "_LARGE"):
        monkeypatch.setattr(tables, name, 4)
    out = "x,g,dg_dx\n1,0.0,0.0\n2,0.0,0.0\n3,9.0,6.0\n"
    assert fine("g = 0 if x < 3 else x**2", stdin="x\n1\n2\n3\n") == out


LINES = '{"x": 1, "y": 2}\n{"x": null,"y":3 }\n\n{"x":"NaN","y":2, "z":[1]}\n{}'


def test_json_lines() -> None:
    assert fine("x*y", "--from", "jsonl", "--no-grad", stdin=LINES) == (
        '{"x": 1, "y": 2, "value": 2.0}\n{"x": null,"y":3, "value": null }\n\n'
        '{"x":"NaN","y":2, "z":[1], "value": "NaN"}\n{"value": null}'
    )
    done = mapped("x", "--from", "jsonl", "--no-grad", stdin='{"x": 1}\n[1]\n{bad\n{"x": "a"}\n')
    assert (done.code, done.out) == (
        1,
        '{"x": 1, "value": 1.0}\n[1]\n{bad\n{"x": "a", "value": null}\n',
    )
    assert "3 rows have no result, the first in line 2, holds no object" in done.err


def test_conversions() -> None:
    table = 'x,n\n1,"a,b"\n,007\n'
    assert fine("x*2", "--no-grad", "--to", "jsonl", stdin=table) == (
        '{"x": 1, "n": "a,b", "value": 2.0}\n{"x": null, "n": "007", "value": null}\n'
    )
    assert fine("x*2", "--no-grad", "--to", "tsv", stdin=table) == (
        "x\tn\tvalue\n1\ta,b\t2.0\n\t007\t\n"
    )
    out = fine("x*y", "--no-grad", "--from", "jsonl", "--to", "csv", stdin=LINES)
    assert out == "x,y,z,value\n1,2,,2.0\n,3,,\nNaN,2,[1],nan\n,,,\n"


def test_kinds_are_told_by_contents_where_names_say_nothing() -> None:
    assert fine("x*2", "--no-grad", stdin='{"x": 1}\n') == '{"x": 1, "value": 2.0}\n'
    assert fine("x*2", "--no-grad", "--to", "csv", stdin='{"x": 1}\n') == "x,value\n1,2.0\n"
    assert fine("x*2", "--no-grad", "--to", "csv", stdin="x\ty\n1\ta,b\n") == (
        'x,y,value\n1,"a,b",2.0\n'
    )


def test_parquet(tmp_path: Path, engine: str) -> None:
    path = str(tmp_path / "t.parquet")
    if engine == "python":
        done = mapped("x", "-o", path)
        assert done == (
            2,
            "",
            "error: Parquet needs polars, which is not installed\n"
            "hint: pip install 'gradcli[tables]'\n",
        )
        return
    assert fine("x*y", "-o", path, stdin="x,y,n\n1,2,a\n,4,b\n") == ""
    assert fine("b = x + y", path, "--to", "csv", "--no-grad") == (
        "x,y,n,value,d_dx,d_dy,b\n1,2,a,2.0,2.0,1.0,3.0\n,4,b,,,,\n"
    )
    assert (
        fine("w = x*2", path, "--no-grad", "-o", str(tmp_path / "u.pq"), "--where", "x > 0") == ""
    )
    assert fine("z = y", str(tmp_path / "u.pq"), "--to", "jsonl", "--no-grad") == (
        '{"x": 1, "y": 2, "n": "a", "value": 2.0, "d_dx": 2.0, "d_dy": 1.0, "w": 2.0, "z": 2.0}\n'
    )


def test_output_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("before")
    path.chmod(0o640)
    assert mapped("foo(x)", "-o", str(path)).code == 1
    assert (
        mapped("x", "-o", str(path), "--on-error", "stop", stdin=BAD.replace("1,2", "a,2")).code
        == 1
    )
    assert path.read_text() == "before"
    assert fine("x", "-o", str(path)) == ""
    assert path.read_text() == "x,y,value,d_dx\n1,2,1.0,1.0\n3,4,3.0,1.0\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["o.csv"]
    assert fine("z = x", str(path), "-o", str(path)) == ""
    assert path.read_text().startswith("x,y,value,d_dx,z,dz_dx\n1,2,1.0,1.0,1.0,1.0\n")


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    missing = str(tmp_path / "none" / "o.csv")
    message = f"error: cannot write {missing}: no such file or directory\n"
    assert mapped("nonsense (", "-o", missing) == (2, "", message)
    done = mapped("x", "-o", str(tmp_path))
    assert done == (2, "", f"error: cannot write {tmp_path}: is a directory\n")


def test_notes() -> None:
    done = run("map", "x/max(x)", "--no-grad", stdin=TABLE)
    assert done.code == 0
    note = (
        "note: max(x) is of the row's own number; for whole columns: "
        'gradcli eval "x/max(x)" --x @t.csv:x -g ones\n'
    )
    assert done.err.startswith(note)
    for text in ("softmax(x, 0)", "sum(abs(x))", "torch.quantile(x*y, 0.5)", "x.cumsum(0)"):
        assert f"note: {text} is of the row's own" in run("map", text, stdin=TABLE).err
    assert "note: max(a) is of the row's own" in run("map", "a = x; a/max(a)", stdin=TABLE).err
    for text in ("max(x, 0)", "x.max(y)", "sum([x, y])", "norm(stack([x, y]))", "sum(x*ones(2))"):
        assert "row's own" not in run("map", text, "--no-grad", stdin=TABLE).err


def test_slow_formulas_are_told() -> None:
    table = "x\n" + "".join(f"{k}.5\n" for k in range(1100))
    for text in ("x*x.item()", "x*rand(1)"):
        assert run("map", text, stdin=table).err.count("note: rows are taken one by one") == 1
        assert mapped(text, stdin=table).err == ""
    assert "one by one" not in run("map", "x if x > 3 else -x", stdin=table).err


def test_what_to_install_is_said(engine: str) -> None:
    note = "note: without polars tables take longer: pip install 'gradcli[tables]'\n"
    assert run("map", "x", stdin=TABLE).err == (note if engine == "python" else "")


def test_random_numbers_are_those_of_eval() -> None:
    out = fine("x*rand(())", "--no-grad").splitlines()[1:]
    manual_seed(0)
    first = float(run("eval", "rand(())", "--dtype", "float64", "--precision", "17").out[7:-2])
    assert [float(line.rpartition(",")[2]) for line in out] == [first, 3 * first]


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_pieces_of_any_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SMALL", "_LARGE"):
        monkeypatch.setattr(tables, name, size)
    monkeypatch.setattr(blocks, "ROWS", 3)
    rows = [f'{k},"a\n""{k}"' if k % 5 == 0 else f"{k},b{k}" for k in range(40)]
    out = fine("x*2", "--no-grad", stdin="x,n\n" + "\n".join(rows))
    assert out == "x,n,value\n" + "\n".join(f"{row},{2 * k}.0" for k, row in enumerate(rows))
    done = mapped("x", "--no-grad", stdin="x,n\n" + "\n".join(rows).replace("39,", "q,"))
    assert done.err.endswith("the first in line 49, column x: 'q' is no number\n")


def test_long_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LONGEST", 1000)
    for name in ("_SMALL", "_LARGE"):
        monkeypatch.setattr(tables, name, 100)
    done = mapped("x", stdin='x,n\n1,"' + "a\n" * 1000)
    assert (done.code, done.err.splitlines()[0]) == (
        1,
        "error: standard input has a record of more than 1000 bytes in line 2 or later",
    )


def test_lines_of_json_that_were_made(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a b": 2}\n')
    line = fine("`a b`**2", str(path))
    assert json.loads(line) == {"a b": 2, "value": 4.0, "d_da b": 4.0}
