"""What nobody foresaw: errors of Python and NumPy inside an operator, in words about the call.

Operators check what they are given and say what is wrong with it. Where one does not, Python or
NumPy finds the fault, and tells it about names that no user has seen. Such an error is the engine's
own until it becomes one of the call: its type stays, its words are about the arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.process import NO_MEMORY
from gradcli.tensor.memory import no_memory, wanted
from gradcli.tensor.public import word_of


def in_words(error: Exception, call: str, values: Sequence[Any]) -> Exception:
    """What a user is told of an accident: an error whose cause is `error`.

    Args:
        error: the accident.
        call: what was called, as `clamp()`; "" where nothing has a name.
        values: what was given to it.
    """
    told = _told(error, f"{call or 'this operation'} does not take", values)
    told.__cause__ = error
    return told


def _told(error: Exception, begin: str, values: Sequence[Any]) -> Exception:
    if isinstance(error, MemoryError):
        size = wanted(error)
        return MemoryError(NO_MEMORY) if size is None else no_memory(size)
    if isinstance(error, RecursionError):
        return RecursionError("maximum recursion depth exceeded")
    if isinstance(error, ArithmeticError):
        return type(error)(str(error))
    given = f"({', '.join(word_of(value) for value in values)})" if values else "what it was given"
    message = f"{begin} {given}"
    if isinstance(error, (TypeError, AttributeError)):
        return TypeError(message)
    if isinstance(error, LookupError):
        return IndexError(f"{message} of these sizes")
    return RuntimeError(f"{message} of these values")
