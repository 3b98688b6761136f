"""Numbers that tell objects apart and are no addresses.

`id(x)`, `hash(x)` and `<... object at 0x...>` would tell a program where the process keeps its
memory. An address is enciphered with a key of the process instead: the same number for the same
object while it lives, different ones for different objects, and nothing to be learnt from either.
"""

from __future__ import annotations

import os
import re
from types import FunctionType
from typing import Any, Final

_KEYS: Final = tuple(os.urandom(16) for _ in range(6))
_HALF: Final = (1 << 24) - 1
_SHOWN: Final = re.compile(r"\bat 0x([0-9a-fA-F]+)(?=>)")


def number_of(value: Any) -> int:
    """The number of an object."""
    return enciphered(id(value))


def enciphered(address: int) -> int:
    """A permutation of the numbers below 2**48 (a Feistel network over SipHash); what an address
    has beyond those bits stays.
    """
    left, right = address >> 24 & _HALF, address & _HALF
    for key in _KEYS:
        left, right = right, left ^ (hash(key + right.to_bytes(3, "big")) & _HALF)
    return address >> 48 << 48 | left << 24 | right


def hash_of(value: Any) -> int:
    """`hash(value)`, without an address of the value or of anything inside it.

    Raises:
        TypeError: the value cannot be hashed.
    """
    if isinstance(value, tuple):
        return hash(tuple([hash_of(item) for item in value]))
    if type(value) is frozenset:
        return hash(frozenset(map(hash_of, value)))
    if type(value) is slice:
        return hash((hash_of(value.start), hash_of(value.stop), hash_of(value.step)))
    try:
        found = hash(value)
    except TypeError as error:
        raise TypeError(str(error)) from None
    kind = type(value)
    if kind in _BY_VALUE:
        return found
    # What a class of ours computes is no address, but for tensors, which are told apart by theirs.
    if type(kind.__hash__) is FunctionType and found != id(value):
        return found
    return hash(number_of(value))


_BY_VALUE: Final = frozenset((bool, int, float, complex, str, range))


def without_addresses(text: str) -> str:
    """The text of a value that is no text itself: addresses in it become numbers (see `id`)."""
    if " 0x" not in text:
        return text
    return _SHOWN.sub(lambda found: f"at {enciphered(int(found[1], 16)):#x}", text)
