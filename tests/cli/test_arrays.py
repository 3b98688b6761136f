"""Array files: what is not understood is an error that says where, and nothing is left out."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gradcli.cli.arrays import FileContentError, read_array
from gradcli.tensor.memory import budget


def npy(array: np.ndarray) -> bytes:
    """The bytes of a `.npy` file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    """The bytes of a `.npy` file that says `text` about itself."""
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text.encode() + data


def packed(data: bytes, kind: int = zipfile.ZIP_DEFLATED, times: int = 1) -> bytes:
    """The bytes of an archive with a member x.npy."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive, archive.open("x.npy", "w") as member:
        for _ in range(times):
            member.write(data)
    return file.getvalue()


FOUR = npy(np.arange(4.0))
GIANT = header("{'descr': '|u1', 'fortran_order': False, 'shape': (40000000000,)}\n", b"\0" * 1000)
BROKEN = bytearray(packed(FOUR, zipfile.ZIP_STORED))
BROKEN[BROKEN.index(b"\x93NUMPY") + 130] ^= 255


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("a.csv", "x1,x2\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a.csv", ",a\n0,1\n2,3\n", [[0, 1], [2, 3]]),
        ("a.csv", "1;2\n3;4\n", [[1, 2], [3, 4]]),
        ("a.csv", '"long\nname";b\n1;2\n3;4\n', [[1, 2], [3, 4]]),
        ("a.csv", "1\t2\n", [1, 2]),
        ("a.tsv", "a\tb\n1\t2\n", [1, 2]),
        ("a.csv", "a,b\r1,2\r3,4", [[1, 2], [3, 4]]),
        ("a.csv", '\ufeff"a",b\n1,2\n', [1, 2]),
        ("A.CSV", "\ufeff1,2\n", [1, 2]),
        ("a.csv", "inf,-inf\n1,2\n", [[np.inf, -np.inf], [1, 2]]),
        ("a.json", "\ufeff[1, 2]", [1, 2]),
        ("a", "1 2\n3\t4\r\n", [[1, 2], [3, 4]]),
        ("a", "1 2\t3\n", [1, 2, 3]),
        ("a", "x\ty\n1\t2\n", [1, 2]),
        ("a", "# one, two\n\n x y\n1 2\n# end\n", [1, 2]),
        ("a", "# one, two\n1 2\n", [1, 2]),
        ("a", "x; y\n1; 2\n", [1, 2]),
        ("a.csv.txt", "1,2\n", [1, 2]),
        ("a", " [[1], [2]]", [[1], [2]]),
        ("a", "7", [7]),
    ],
)
def test_text(tmp_path: Path, name: str, text: str, value: list[float]) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert read_array(str(path)).tolist() == value


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("1,2\n-3,+4\n", np.int64),
        ("1,2\n3,4.\n", np.float32),
        ("1.,2\n3,4\n", np.float32),
        ("1,12345678901234567890\n", np.float32),
    ],
)
def test_dtype_of_a_table_is_inferred(tmp_path: Path, text: str, dtype: type) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert read_array(str(path)).dtype == dtype


def test_integers_of_a_table_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("9007199254740993\n1\n")
    assert read_array(str(path)).tolist() == [9007199254740993, 1]


@pytest.mark.parametrize(
    ("name", "text", "column", "value"),
    [
        ("a.csv", "day,speed\nMon,1\nTue,2\n", "speed", [1, 2]),
        ("a.csv", "year,2020,2021\n7,1,2\n", "2021", [2]),
        ("a.csv", '"a:b", c \n1,2\n', "a:b", [1]),
        ("a.csv", '"a:b", c \n1,2\n', "c", [2]),
        ("a", "day speed\nMon 1\nTue 2\n", "speed", [1, 2]),
        ("a:b.csv", "x,y\n1,2\n", "y", [2]),
    ],
)
def test_column(tmp_path: Path, name: str, text: str, column: str, value: list[float]) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_array(f"{path}:{column}").tolist() == value


def test_colon_that_belongs_to_a_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x y\n1 2\n")
    (tmp_path / "a:y").write_text("3 4\n")
    assert read_array(f"{tmp_path}/a:y").tolist() == [3, 4]


@pytest.mark.parametrize("name", ["a", "a.npy"])
def test_array_in_a_pipe_that_is_read_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(FOUR,))
    writer.start()
    assert read_array(str(path)).tolist() == [0, 1, 2, 3]
    writer.join()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "1.O,2\n3,4\n", ", line 1, column 1: '1.O' is no number"),
        ("a.csv", "1.O\n3\n", ", line 1, column 1: '1.O' is no number"),
        ("a.csv", "NA,NA\n1,2\n", ", line 1, column 1: 'NA' is no number"),
        ("a.csv", "a,b\nc,d\n1,2\n", ", line 2, column 1: 'c' is no number"),
        ("a.csv", "1 2\n3 4\n", ", line 1, column 1: '1 2' is no number"),
        (
            "a.csv",
            "1,5;2,5\n1;2\n",
            ", line 1, column 1: '1,5' is no number: decimals are written with a point",
        ),
        ("a.csv", '"long\nname",b\n1,2\n3,x\n', ", line 4, column 2: 'x' is no number"),
        ("a.csv", "a,b\n1,2,3\n", ", line 2: 3 cells, where the header has 2"),
        ("a.csv", "1,2\n,\n3,4\n", ", line 2, column 1: the cell is empty"),
        ("a.csv", "1,,3\n", ", line 1, column 2: the cell is empty"),
        ("a.csv", '1,2\n"3,4\n5,6\n', ", line 2: unexpected end of data"),
        ("a.csv", "a,b\n", " holds no numbers"),
        ("a", "1 2\n3 x\n", ", line 2, column 2: 'x' is no number"),
        ("a", "1 2\n\n# c\n3\n", ", line 4: 1 number, where the rows before have 2"),
        ("a", "x y\n3\n", ", line 2: 1 number, where the header has 2"),
        ("a", "# nothing\n", " holds no numbers"),
        ("a", "[1,\n 2,,3]", ", line 2, column 4: not valid JSON: expecting value"),
        ("a.json", "[1,\n 2,,3]", ", line 2, column 4: not valid JSON: expecting value"),
    ],
)
def test_bad_text(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    with pytest.raises(FileContentError) as caught:
        read_array(str(path))
    assert str(caught.value) == f"{path}{message}"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.npy", FOUR + FOUR, "[4] of float64 are 32 bytes, and it holds 192"),
        ("a.npy", FOUR[:-5], "[4] of float64 are 32 bytes, and it holds 27"),
        ("a.npy", GIANT, "[40000000000] of uint8 are 40000000000 bytes, and it holds 1000"),
        ("a.npy", b"\x93NUMPY\x02\0\xff\xff\xff\xff", "its header has 4294967295 bytes"),
        ("a.npy", header("{'descr': ((((\n"), "is no array: "),
        ("a.npy", header("{[]: 1}\n"), "is no array: "),
        ("a.npy", header("{'descr': '|O', 'fortran_order': False, 'shape': ()}\n"), "unpickled"),
        ("a.npz", packed(GIANT), "are 40000000000 bytes, and it holds 1000"),
        ("a.npz", packed(FOUR, zipfile.ZIP_LZMA), "compressed in a way that NumPy does not"),
        ("a.npz", bytes(BROKEN), "is no archive of arrays: Bad CRC-32"),
        ("a.npz", packed(FOUR)[:-30], "is no archive of arrays: "),
    ],
)
def test_bad_array(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FileContentError) as caught:
        read_array(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_archive_that_unpacks_to_more_than_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(packed(npy(np.zeros(5_000_000))))
    monkeypatch.setattr(budget, "limit", 1)
    with pytest.raises(FileContentError, match="is too large: 40000000 bytes"):
        read_array(str(path))
