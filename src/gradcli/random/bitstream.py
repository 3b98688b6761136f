"""The stream of random bits: MT19937 (Matsumoto and Nishimura 1998), seeded as PyTorch seeds it."""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self, SupportsIndex, TypeAlias

import numpy as np

from gradcli.tensor.clock import clock
from gradcli.tensor.graph import mode
from gradcli.tensor.public import word_of

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

    Words: TypeAlias = NDArray[np.uint32]

_BLOCK: Final = 624  # words that MT19937 makes at a time
_NO_WORDS: Final[Words] = np.empty(0, np.uint32)
_DEFAULT_SEED: Final = 67280421310721

# The layout of PyTorch's CPUGeneratorImplState, 5056 bytes.
_STATE: Final = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "key", "normal", "has_normal"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", _BLOCK), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


@lru_cache(maxsize=16)
def _seeded_key(seed: int) -> tuple[int, ...]:
    """The state that a 32 bit seed starts from (`init_genrand` of the 2002 reference code)."""
    key = [seed]
    for position in range(1, _BLOCK):
        seed = (1812433253 * (seed ^ (seed >> 30)) + position) & 0xFFFFFFFF
        key.append(seed)
    return tuple(key)


def _engine(key: Iterable[int], position: int) -> Random:
    """Python's own MT19937 in a given state: as fast as NumPy's, and imported 10 ms sooner."""
    from random import Random

    engine = Random(0)
    engine.setstate((3, (*key, position), None))
    return engine


class BitStream:
    """The bits of PyTorch's CPU generator, and its state."""

    __slots__ = ("_engine", "_next", "_normal", "_seed", "_words")

    def __init__(self) -> None:
        self._restart(_DEFAULT_SEED)

    def _restart(self, seed: int) -> None:
        self._seed = seed
        self._engine: Random | None = None  # seeded at the first draw; many seeds are never used
        self._words = _NO_WORDS  # the current block, or nothing before the first draw
        self._next = 0  # the first word of the block that was not taken yet
        self._normal: float | None = None  # the second value of the last pair of normals

    def manual_seed(self, seed: SupportsIndex) -> Self:
        """Starts the stream of `seed`, an integer from -2**63 to 2**64 - 1.

        Negative seeds count from 2**64 down; the stream depends on the lowest 32 bits only. Raises
        RuntimeError for anything but an integer, ValueError for one out of range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {word_of(seed)}")
        value = operator.index(seed)
        if not -(2**63) <= value < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._restart(value % 2**64)
        return self

    def seed(self) -> int:
        """Starts a stream that nobody can foresee, and returns its seed."""
        self._restart(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed of the current stream, from 0 to 2**64 - 1."""
        return self._seed

    def get_state(self) -> NDArray[np.uint8]:
        """The state as PyTorch lays it out, 5056 bytes."""
        state = np.zeros(1, _STATE)
        state["seed"] = self._seed
        state["seeded"] = 1
        state["next"] = self._next
        state["left"] = _BLOCK + 1 - self._next if self._words.size else 1
        if self._engine is None:
            state["key"] = _seeded_key(self._seed & 0xFFFFFFFF)
        else:
            state["key"] = self._engine.getstate()[1][:_BLOCK]
        if self._normal is not None:
            state["normal"] = self._normal
            state["has_normal"] = 1
        return state.view(np.uint8)

    def set_state(self, state: NDArray[np.uint8]) -> Self:
        """Continues from what `get_state` of this or of PyTorch's generator returned.

        Raises TypeError unless the elements are bytes, RuntimeError if they are no state.
        """
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input "
                f"RNG state size to be {state.size}"
            )
        fields = np.frombuffer(state.tobytes(), _STATE)[0]
        left, position = int(fields["left"]), int(fields["next"])
        if not (fields["seeded"] and 0 < left <= _BLOCK and position <= _BLOCK):
            raise RuntimeError("Invalid mt19937 state")
        key = (fields["key"] & np.uint64(0xFFFFFFFF)).tolist()
        self._restart(int(fields["seed"]))
        if left == 1 and position == 0:  # seeded, nothing drawn
            self._engine = _engine(key, _BLOCK)
        else:
            self._engine = _engine(key, 0)
            self._words = self._generate(_BLOCK)
            self._next = position
        if fields["has_normal"]:
            self._normal = float(fields["normal"])
        return self

    def _generate(self, count: int) -> Words:
        """The next `count` words of the engine, a multiple of the block."""
        if self._engine is None:
            self._engine = _engine(_seeded_key(self._seed & 0xFFFFFFFF), _BLOCK)
        chunk = 32 * _BLOCK
        parts = []
        for start in range(0, count, chunk):
            clock.check(count - start)
            data = self._engine.randbytes(4 * min(chunk, count - start))
            parts.append(np.frombuffer(data, "<u4"))
        words = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return words if sys.byteorder == "little" else words.astype(np.uint32)

    def _take(self, count: int) -> Words:
        """The next `count` words of the stream; the array may be read-only."""
        if mode.drawing is not None:
            mode.drawing()
        start = self._next
        end = start + count
        if end <= self._words.size:
            self._next = end
            return self._words[start:end]
        rest = self._words[start:]
        missing = count - rest.size
        fresh = self._generate(-(-missing // _BLOCK) * _BLOCK)
        self._words = fresh[-_BLOCK:].copy()
        self._next = missing - (fresh.size - _BLOCK)
        return np.concatenate((rest, fresh[:missing])) if rest.size else fresh[:missing]

    def random32(self, count: int) -> Words:
        """The next `count` raw integers of 32 bits."""
        return self._take(count).copy()

    def random64(self, count: int) -> NDArray[np.uint64]:
        """The next `count` raw integers of 64 bits, two words each."""
        return _join64(self._take(2 * count))

    def _uniform32(self, count: int) -> NDArray[np.float32]:
        """Uniforms on [0, 1) of 24 bits, one word each."""
        words = self._take(count) & np.uint32(0xFFFFFF)
        return words.astype(np.float32) * np.float32(2.0**-24)

    def _uniform64(self, count: int) -> NDArray[np.float64]:
        """Uniforms on [0, 1) of 53 bits, two words each."""
        bits = _join64(self._take(2 * count)) & np.uint64(2**53 - 1)
        return bits.astype(np.float64) * 2.0**-53


def _join64(words: Words) -> NDArray[np.uint64]:
    """Integers of 64 bits from pairs of words, high one first."""
    return (words[0::2].astype(np.uint64) << np.uint64(32)) | words[1::2]
