"""Bytes as text: UTF-8, without the byte-order mark that some editors put before it."""

from __future__ import annotations

import codecs
from typing import Final

_MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",  # begins as the mark of UTF-16 does
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class EncodingError(ValueError):
    """Bytes are not UTF-8; `line` and `column` of the first wrong one count from 1.

    `encoding` is what they are instead, where a byte-order mark tells.
    """

    def __init__(self, message: str, line: int, column: int, encoding: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.encoding = encoding


def without_mark(data: bytes) -> bytes:
    """The same bytes without a byte-order mark of UTF-8."""
    return data.removeprefix(codecs.BOM_UTF8)


def decode_utf8(data: bytes) -> str:
    """The text of bytes.

    Raises:
        EncodingError: they are not UTF-8.
    """
    data = without_mark(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = error.start
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            raise EncodingError(f"not UTF-8 but {encoding}", 1, 1, encoding)
    line_start = data.rfind(b"\n", 0, start) + 1
    raise EncodingError(
        f"not UTF-8: byte 0x{data[start]:02x}",
        data.count(b"\n", 0, start) + 1,
        len(data[line_start:start].decode("utf-8", "replace")) + 1,
    )
