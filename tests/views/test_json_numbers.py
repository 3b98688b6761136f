"""Numbers in JSON: what is written, that it reads back to the same, and what is refused."""

import json
import math
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.views.jsonout import (
    JsonSyntaxError,
    decode_array,
    decode_leaf,
    dumps,
    encode_array,
    loads,
)

FLOAT_DTYPES = ("float16", "float32", "float64")

repeatable = settings(derandomize=True, deadline=None)


def significant_digits(text: str) -> int:
    mantissa = text.lstrip("-").split("e")[0].replace(".", "").strip("0")
    return max(1, len(mantissa))


@pytest.mark.parametrize(
    ("value", "dtype_name", "text"),
    [
        (0.1, "float32", "0.1"),
        (0.1, "float16", "0.1"),
        (0.1, "float64", "0.1"),
        (1 / 3, "float32", "0.33333334"),
        (10, "float32", "10.0"),
        (-0.0, "float32", "-0.0"),
        (1024, "float16", "1024.0"),
        (1e-4, "float32", "0.0001"),
        (1e20, "float32", "1e+20"),
        (math.nan, "float32", '"NaN"'),
        ([math.inf, -math.inf, 1], "float64", '["Infinity", "-Infinity", 1.0]'),
        ([[1, 2], [3, 4]], "int64", "[[1, 2], [3, 4]]"),
        ([[True], [False]], "bool", "[[true], [false]]"),
        (1 + 2j, "complex64", '{"re": 1.0, "im": 2.0}'),
        ([complex(0.1, math.nan)], "complex64", '[{"re": 0.1, "im": "NaN"}]'),
        (np.zeros((2, 0)), "float32", "[[], []]"),
        (np.zeros((0, 2)), "complex64", "[]"),
        (np.arange(8).reshape(2, 2, 2)[::-1], "uint8", "[[[4, 5], [6, 7]], [[0, 1], [2, 3]]]"),
    ],
)
def test_array_text(value: Any, dtype_name: str, text: str) -> None:
    array = np.asarray(value, dtype_name)
    assert encode_array(array) == text
    assert dumps(array) == text


@repeatable
@given(st.integers(0, 2**32 - 1), st.sampled_from(FLOAT_DTYPES))
def test_every_float_reads_back_to_itself(bits: int, dtype_name: str) -> None:
    width = np.dtype(dtype_name).itemsize
    raw = (bits * 0x100000001).to_bytes(8, "little")[:width]
    value = np.frombuffer(raw, dtype_name)
    text = encode_array(value)
    again = decode_array(loads(text), dtype_name)
    assert again.dtype == value.dtype
    np.testing.assert_array_equal(again, value)
    assert np.isnan(value).any() or np.signbit(again) == np.signbit(value)


@repeatable
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_no_float32_has_a_shorter_text(number: float) -> None:
    value = np.float32(number)
    digits = significant_digits(encode_array(np.asarray(value)))
    assert digits == 1 or np.float32(f"{float(value):.{digits - 2}e}") != value


def test_objects_keep_the_order_of_their_keys() -> None:
    record = {
        "id": None,
        "ok": True,
        "value": np.float32(0.1),
        "nested": {"z": [1, (2.5, np.int8(3))], "a": {}},
        "grads": {"x": np.ones(2, np.float32), "empty": []},
        "big": 2**70,
        "complex": 1j,
        "flag": np.bool_(False),
        "unbounded": -math.inf,
    }
    assert dumps(record) == (
        '{"id": null, "ok": true, "value": 0.1, "nested": {"z": [1, [2.5, 3]], "a": {}}, '
        '"grads": {"x": [1.0, 1.0], "empty": []}, "big": 1180591620717411303424, '
        '"complex": {"re": 0.0, "im": 1.0}, "flag": false, "unbounded": "-Infinity"}'
    )


@repeatable
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        # Lone surrogates included.
        | st.text(st.characters(exclude_categories=())),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=15,
    )
)
def test_any_json_value_reads_back(value: Any) -> None:
    text = dumps(value)
    assert text.encode().splitlines() == [text.encode()]
    assert text.splitlines() == [text]
    # Two escaped surrogates in a row read back as the character that they encode.
    normal = json.loads(json.dumps(value))
    assert loads(text) == json.loads(text) == normal


def test_strings_keep_their_characters() -> None:
    assert dumps("é😀∂") == '"é😀∂"'
    assert dumps('a"\\\n\t\x00') == '"a\\"\\\\\\n\\t\\u0000"'
    assert dumps("\ud800 \u2028") == '"\\ud800 \\u2028"'


def test_depth_does_not_matter_to_the_writer() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    assert dumps(value) == "[" * 5000 + "1" + "]" * 5000


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: 2}, "a JSON key must be a string, not int"),
        ([{1, 2}], "a set cannot be written as JSON"),
        (np.array(["a"]), "an array of <U1 cannot be written as JSON"),
    ],
)
def test_what_cannot_be_written(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dumps(value)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("NaN", 'not valid JSON: write "NaN", with quotes, for NaN', None),
        ('{"a": [1, -Infinity]}', 'write "-Infinity", with quotes', None),
        ("[1,]", "not valid JSON: ", 4),
        ("", "not valid JSON: expecting value", 1),
        ("1 2", "not valid JSON: extra data", 3),
        ("{'a': 1}", "not valid JSON: expecting property name", 2),
        ('"\t"', "not valid JSON: invalid control character", 2),
        ("[" * 200_000, "not valid JSON: nested too deeply", None),
        ("1" * 5000, "not valid JSON: an integer has too many digits", None),
    ],
)
def test_what_is_no_json(text: str, message: str, column: int | None) -> None:
    with pytest.raises(JsonSyntaxError) as caught:
        loads(text)
    assert message in str(caught.value)
    assert column is None or caught.value.column == column


def test_the_last_of_equal_keys_counts() -> None:
    assert loads('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("value", "dtype_name", "expected"),
    [
        (3, "int64", 3),
        (3.5, "float32", 3.5),
        (True, "bool", True),
        ([True, 2], "int64", [1, 2]),
        ([True, 2.5], "float32", [1, 2.5]),
        ([[1, 2], [3, "NaN"]], "float32", [[1, 2], [3, math.nan]]),
        (["Infinity", "-Infinity"], "float32", [math.inf, -math.inf]),
        ({"re": 1, "im": "-Infinity"}, "complex64", complex(1, -math.inf)),
        ([1, {"re": 0, "im": 1}, True], "complex64", [1, 1j, 1]),
        ([2**64, 1.0], "float32", [2.0**64, 1.0]),
        ([], "float32", []),
        ([[], []], "float32", np.zeros((2, 0))),
        ([1e999], "float32", [math.inf]),
    ],
)
def test_inferred_dtype(value: Any, dtype_name: str, expected: Any) -> None:
    array = decode_array(value)
    assert array.dtype == dtype_name
    np.testing.assert_array_equal(array, np.asarray(expected, dtype_name))
    assert array.shape == np.shape(expected)


@pytest.mark.parametrize(
    ("value", "expected"), [(1.5, "float64"), ([{"re": 1, "im": 2}], "complex128"), (1, "int64")]
)
def test_inferred_dtype_follows_the_default(value: Any, expected: str) -> None:
    assert decode_array(value, default_dtype_name="float64").dtype == expected


@pytest.mark.parametrize(
    ("value", "dtype_name", "expected"),
    [
        ([0.1], "torch.float64", np.array([0.1])),
        ([1], "double", np.array([1.0])),
        ([1e40], "float32", np.array([np.inf], np.float32)),
        ([1.7, -1.7], "int64", np.array([1, -1])),
        ([-127.9], "int8", np.array([-127], np.int8)),
        ([-1], "uint8", np.array([255], np.uint8)),
        # Exact, though a double would not hold it.
        ([2**53 + 1, 0.5], "int64", np.array([2**53 + 1, 0])),
        # Rounded to a double first, which makes a tie that float32 then rounds to even.
        ([2**53 + 2**29 + 1], "float32", np.array([2**53], np.float32)),
        ([0.5, 0, "NaN"], "bool", np.array([True, False, True])),
        ([2**70], "bool", np.array([True])),
        ([1], "complex64", np.array([1], np.complex64)),
        (True, "float32", np.array(1, np.float32)),
        ([[]], "int32", np.zeros((1, 0), np.int32)),
    ],
)
def test_given_dtype(value: Any, dtype_name: str, expected: Any) -> None:
    array = decode_array(value, dtype_name)
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)


NUMBER = 'expected a number, "NaN", "Infinity", "-Infinity" or {"re": …, "im": …}, got '


@pytest.mark.parametrize(
    ("value", "dtype_name", "message"),
    [
        ([[1, 2], [3, 4, 5]], None, "expected sequence of length 2 at dim 1 (got 3)"),
        ([[1], []], None, "expected sequence of length 1 at dim 1 (got 0)"),
        ([[], [1]], None, "expected sequence of length 0 at dim 1 (got 1)"),
        # As PyTorch does, the inner list that comes first is named, not the outer one.
        ([[[1, 2], [3]], [[1, 2]]], None, "expected sequence of length 2 at dim 2 (got 1)"),
        ([[1, 2], 3], None, "expected sequence of length 2 at dim 1 (got 3, which is no list)"),
        ([1, [2]], None, NUMBER + "a list at [1]"),
        ([[1, 2], [3, None]], None, NUMBER + "null at [1][1]"),
        ("nan", None, NUMBER + '"nan"'),
        (["x" * 100], None, NUMBER + '"' + "x" * 38 + "… at [0]"),
        ({"re": 1}, None, NUMBER + "an object"),
        ({"re": True, "im": 1}, None, NUMBER + "an object"),
        ([2**63], None, "Overflow when unpacking long long"),
        ([2**63], "int32", "Overflow when unpacking long long"),
        ([10**400], "float32", "int too large to convert to float"),
        ([{"re": 10**400, "im": 0}], None, "int too large to convert to float"),
        ([300], "uint8", "value cannot be converted to type uint8 without overflow"),
        ([-256], "uint8", "value cannot be converted to type uint8 without overflow"),
        ([-1.0], "uint8", "value cannot be converted to type uint8 without overflow"),
        (["NaN"], "int64", "value cannot be converted to type int64 without overflow"),
        ([{"re": 1, "im": 0}], "float32", "must be real number, not complex"),
        (
            [{"re": 1, "im": 0}],
            "int64",
            "'complex' object cannot be interpreted as an integer",
        ),
    ],
)
def test_what_is_no_tensor(value: Any, dtype_name: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode_array(value, dtype_name)


def test_more_dimensions_than_an_array_has() -> None:
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        decode_array(json.loads("[" * 65 + "]" * 65))


def test_an_unknown_dtype_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='unknown dtype "flaot32": one of float32, '):
        decode_array(1, "flaot32")


@pytest.mark.parametrize(
    ("value", "dtype_name", "shape", "requires_grad"),
    [
        (3, "float32", (), True),
        ([True, 2], "float32", (2,), True),
        (2**63, "float32", (), True),
        ({"re": 1, "im": 2}, "complex64", (), True),
        ({"data": [1, 2]}, "float32", (2,), True),
        ({"data": [1, 0], "dtype": "int64", "shape": [2]}, "int64", (2,), False),
        ({"data": [1, 2], "requires_grad": False}, "int64", (2,), False),
        ({"data": [1.0], "dtype": "float64", "requires_grad": False}, "float64", (1,), False),
        ({"data": [1, 2, 3, 4], "dtype": "float64", "shape": [2, 2]}, "float64", (2, 2), True),
        ({"data": [], "shape": [0, 3]}, "float32", (0, 3), True),
        ({"data": [[], []], "shape": [2, 0, 5]}, "float32", (2, 0, 5), True),
        ({"data": 7, "shape": [1, 1], "dtype": None}, "float32", (1, 1), True),
        ({"data": {"re": 0, "im": 1}}, "complex64", (), True),
    ],
)
def test_leaf(value: Any, dtype_name: str, shape: tuple[int, ...], requires_grad: bool) -> None:
    leaf = decode_leaf(value)
    assert leaf.array.dtype == dtype_name
    assert leaf.array.shape == shape
    assert leaf.requires_grad is requires_grad


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, 'a variable given as an object needs "data"'),
        (
            {"data": 1, "type": "float32"},
            'unknown key "type": a variable has data, dtype, shape and requires_grad',
        ),
        ({"data": 1, "dtype": 3}, "dtype must be a string, not 3"),
        ({"data": 1, "requires_grad": "yes"}, 'requires_grad must be true or false, not "yes"'),
        (
            {"data": 1, "dtype": "int64", "requires_grad": True},
            "Only Tensors of floating point and complex dtype can require gradients",
        ),
        ({"data": [1, 2, 3], "shape": [2, 2]}, "shape '[2, 2]' is invalid for input of size 3"),
        ({"data": [[1, 2]], "shape": [2, 1]}, "data is nested as [1, 2], but shape is [2, 1]"),
        ({"data": [1], "shape": 1}, "shape must be a list of sizes"),
        ({"data": [1], "shape": [-1]}, "shape must be a list of sizes"),
        ({"data": [1], "shape": [True]}, "shape must be a list of sizes"),
        ({"data": [], "shape": [0, 2**64]}, "shape must be a list of sizes"),
    ],
)
def test_what_is_no_leaf(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode_leaf(value)


def test_numbers_are_written_without_the_json_package() -> None:
    program = (
        "import sys, numpy\n"
        "from gradcli.views.jsonout import encode_array\n"
        "encode_array(numpy.ones(3, 'float32'))\n"
        "sys.exit('json' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.oracle
@pytest.mark.parametrize(
    "value",
    [3, [1.5, 2], [True, False], [[1, 2], [3, 4]], [], [[], []], [2**40], [True, 2], [0.1, 1e300]],
)
@pytest.mark.parametrize("dtype_name", [None, "float32", "float64", "int32", "bool", "complex64"])
def test_agrees_with_torch(value: Any, dtype_name: str | None) -> None:
    torch = pytest.importorskip("torch")
    dtype = None if dtype_name is None else getattr(torch, dtype_name)
    try:
        expected = torch.tensor(value, dtype=dtype).numpy()
    except RuntimeError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            decode_array(value, dtype_name)
        return
    array = decode_array(value, dtype_name)
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)
