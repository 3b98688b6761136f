"""What programs find in Python's `functools`, with what knows their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.modules import functools
from gradcli.language.running.descriptors import CACHED_PROPERTY
from gradcli.language.running.methods import Builtin
from gradcli.language.running.objects import OBJECT, Instance, ProgramClass
from gradcli.language.running.protocols import compared
from gradcli.tensor.public import word_of

Answer = Callable[[bool, Any, Any], Any]

NOT: Final[Answer] = lambda answer, left, right: not answer
OR_EQUAL: Final[Answer] = lambda answer, left, right: answer or left == right
AND_OTHER: Final[Answer] = lambda answer, left, right: answer and left != right
NOR_EQUAL: Final[Answer] = lambda answer, left, right: not answer and left != right
NOT_OR_EQUAL: Final[Answer] = lambda answer, left, right: not answer or left == right

ORDERINGS: Final[dict[str, dict[str, Answer]]] = {
    "__lt__": {"__gt__": NOR_EQUAL, "__le__": OR_EQUAL, "__ge__": NOT},
    "__le__": {"__ge__": NOT_OR_EQUAL, "__lt__": AND_OTHER, "__gt__": NOT},
    "__gt__": {"__lt__": NOR_EQUAL, "__ge__": OR_EQUAL, "__le__": NOT},
    "__ge__": {"__le__": NOT_OR_EQUAL, "__gt__": AND_OTHER, "__lt__": NOT},
}
"""What follows from a comparison for the others; the first that a class has counts."""


def total_ordering(cls: Any, /) -> Any:
    """`functools.total_ordering`: a class with all comparisons, of which it has one.

    Raises:
        ValueError: it has none.
    """
    if not isinstance(cls, ProgramClass) or cls.fixed:
        raise TypeError(f"total_ordering() takes a class of the program, not {word_of(cls)}")
    own = [name for name in ORDERINGS if cls.find(name) is not OBJECT.find(name)]
    if not own:
        raise ValueError("must define at least one ordering operation: < > <= >=")
    for name, answer in ORDERINGS[own[0]].items():
        if name not in own:
            method = Builtin(following(own[0], answer), name, cls.__name__, cls.has)
            cls.change(name, method)
    return cls


def following(own: str, answer: Answer) -> Callable[..., Any]:
    """The comparison that follows from the one that a class has."""

    def compare(self: Instance, other: Any, /) -> Any:
        found = compared(self, other, own)
        return found if found is NotImplemented else answer(found, self, other)

    return compare


present(total_ordering, "total_ordering")

MEMBERS: Final[dict[str, Any]] = {
    **functools.MEMBERS,
    "cached_property": CACHED_PROPERTY,
    "total_ordering": total_ordering,
}
"""By name."""
