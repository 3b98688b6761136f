"""How much memory there is to take: one budget for tensors and for what the language makes.

Whatever is much larger than what it is made of asks here before memory is taken, and what NumPy
could not allocate is told in PyTorch's words.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Sequence
from typing import Final

from gradcli.process import allow_memory_kept
from gradcli.tensor.guard import final

LARGE: Final = 1 << 26
"""Bytes asked for between two looks at what is left: looking costs more than small requests do."""

COLLECTED: Final = 4
"""Looks after which cycles are collected, unless the last time found none."""

TENSOR_SIZE: Final = 256
"""Bytes that a tensor takes beside its elements."""

NUMBER_SIZE: Final = 8
"""Bytes of a list for each number, at the least."""

MAX_BYTES: Final = (1 << 63) - 1

_FALLBACK: Final = 1 << 34  # where the system does not tell how much it has

_TOO_DEEP: Final = (
    "maximum supported dimension for an ndarray is currently",
    "number of dimensions must be within",
)

_UNCOUNTABLE: Final = (
    "array is too big",
    "Maximum allowed dimension exceeded",
    "Maximum allowed size exceeded",
    "iterator is too large",
    "cannot fit 'int' into an index-sized integer",
)
"""How NumPy's messages begin about sizes that no memory can hold."""


class Budget:
    """The bytes that one process may take; `limit` is None until somebody asks or sets it, which
    `is_set` tells apart.

    Requests add up to `LARGE` before what the process has taken is looked at: many small ones fill
    a computer as well as a large one.

    A few large tensors in a cycle of references are few objects, and Python's garbage collector,
    which counts objects, leaves them. So where that is slow to come (`collects`), it is called
    after requests for some hundred megabytes; if it finds nothing, the next time after twice that.
    """

    __slots__ = ("asked", "collects", "interval", "is_set", "limit", "looks")

    def __init__(self) -> None:
        self.limit: int | None = None
        self.is_set = False
        self.asked = 0
        self.collects = False
        self.interval = COLLECTED
        self.looks = 0

    def left(self) -> int:
        """How many bytes may still be taken."""
        if self.limit is None:
            self.limit = capacity()
        return self.limit - taken()

    def allows(self, count: int) -> bool:
        """Whether `count` more bytes may be taken."""
        self.asked += count
        if self.asked < LARGE:
            return True
        self.asked = 0
        if self.collects:
            self._collect()
        return count <= self.left()

    def _collect(self) -> None:
        self.looks += 1
        if self.looks >= self.interval:
            self.looks = 0
            self.interval = COLLECTED if gc.collect() else 2 * self.interval


budget: Final = Budget()
"""The process's own."""


def capacity() -> int:
    """What the computer can give: memory and swap, or what the process or its group may have."""
    bounds = [_FALLBACK]
    try:
        pages = os.sysconf("SC_PHYS_PAGES")
        bounds = [pages * os.sysconf("SC_PAGE_SIZE") + _swap()]
    except (AttributeError, OSError, ValueError):
        pass
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            bounds.append(limit)
    except ImportError:
        pass
    group = _read("/sys/fs/cgroup/memory.max").strip()
    if group.isdigit():
        bounds.append(int(group))
    return min(bounds)


def limit_memory(size: int) -> None:
    """Limits what this process may take from now on, in bytes; more of it is a `MemoryError`."""
    import resource

    allow_memory_kept(False)
    _warm_up()
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    budget.limit, budget.is_set = taken() + size, True
    if hard != resource.RLIM_INFINITY:
        budget.limit = min(budget.limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (budget.limit, hard))


def _warm_up() -> None:
    """Lets the linear algebra libraries of NumPy and SciPy take the memory that they keep: one that
    cannot get it ends the process, or asks for ever.
    """
    import numpy as np
    from scipy.linalg.blas import dgemm

    square = np.ones((256, 256))
    np.matmul(square, square)
    dgemm(1.0, square, square)


def taken() -> int:
    """The bytes that the process has taken; 0 where the system does not tell."""
    fields = _read("/proc/self/statm").split()
    # The sixth field counts the pages of data and stack, touched or not.
    return int(fields[5]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 5 else 0


def _swap() -> int:
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("SwapTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def reserve(shape: Sequence[int], itemsize: int) -> None:
    """Asks for an array of a shape.

    Raises:
        RuntimeError: there is not so much memory, or no number for so many bytes.
    """
    count = math.prod(shape) * itemsize
    if count > MAX_BYTES:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")
    if not budget.allows(count):
        raise no_memory(count)


def no_memory(count: int) -> RuntimeError:
    """The error of PyTorch's allocator; a program cannot catch it where it has a limit."""
    error = RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        f"you tried to allocate {count} bytes. Error code 12 (Cannot allocate memory)"
    )
    return final(error) if budget.is_set else error


def wanted(error: MemoryError) -> int | None:
    """The bytes of the array that NumPy could not allocate; None where no array was wanted."""
    shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
    return None if shape is None or dtype is None else math.prod(shape) * dtype.itemsize


def refuse_giant(error: BaseException) -> None:
    """Says in PyTorch's words what NumPy says about an array that it could not allocate.

    Raises:
        RuntimeError: `error` is of that kind.
    """
    if isinstance(error, MemoryError):
        size = wanted(error)
        if size is None:
            raise RuntimeError("DefaultCPUAllocator: not enough memory") from None
        raise no_memory(size) from None
    if str(error).startswith(_TOO_DEEP):
        count = str(error).rpartition(" ")[2]
        raise RuntimeError(f"a tensor of {count} dimensions: there may be 64 at most") from None
    if str(error).startswith(_UNCOUNTABLE):
        raise RuntimeError(f"Storage size calculation overflowed: {error}") from None
