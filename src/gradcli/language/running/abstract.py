"""What programs find in Python's `abc`."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.builtins import present
from gradcli.language.running.classes import ABSTRACT
from gradcli.language.running.descriptors import ClassMethod, Property, StaticMethod
from gradcli.language.running.functions import Function
from gradcli.language.running.models import ABSTRACT_TYPE
from gradcli.language.running.objects import native


def mark_abstract(function: Any, /) -> Any:
    """`abc.abstractmethod(function)`."""
    inner = function
    while isinstance(inner, StaticMethod | ClassMethod):
        inner = inner.__func__
    if isinstance(inner, Property):
        inner = inner.fget
    if isinstance(inner, Function):
        ABSTRACT.add(inner)
    return function


present(mark_abstract, "abstractmethod")
ABC: Final = native("ABC", {}, module="abc")
ABC.checked = True
MEMBERS: Final[dict[str, Any]] = {
    "ABC": ABC,
    "ABCMeta": ABSTRACT_TYPE,
    "abstractmethod": mark_abstract,
}
"""By name."""
