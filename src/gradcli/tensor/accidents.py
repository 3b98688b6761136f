"""Which errors nobody foresaw: Python's and NumPy's inside the engine, not raised on purpose."""

from __future__ import annotations

from opcode import opmap
from os.path import dirname, join
from types import TracebackType
from typing import Final, TypeGuard

_ROOT: Final = dirname(dirname(__file__))
_PYTHON: Final = (
    join(_ROOT, "language"),
    join(_ROOT, "tensor", "classes.py"),
    join(_ROOT, "tensor", "public.py"),
)
"""Where gradcli calls Python's functions for a program: their words are what Python would say."""
_RAISE: Final = opmap["RAISE_VARARGS"]


def is_accident(error: BaseException) -> TypeGuard[Exception]:
    """Whether an error came out of the engine without being raised there on purpose."""
    if not isinstance(error, Exception):
        return False
    last: TracebackType | None = None
    traceback = error.__traceback__
    ours: TracebackType | None = None
    while traceback is not None:
        last = traceback
        if traceback.tb_frame.f_code.co_filename.startswith(_ROOT):
            ours = traceback
        traceback = traceback.tb_next
    if ours is None or ours.tb_frame.f_code.co_filename.startswith(_PYTHON):
        return False
    if ours.tb_frame.f_code.co_name == "__format__":  # the words are about the program's own format
        return False
    return ours is not last or ours.tb_frame.f_code.co_code[ours.tb_lasti] != _RAISE
