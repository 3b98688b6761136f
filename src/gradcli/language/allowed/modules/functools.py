"""What programs find in Python's `functools`."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import recursive_repr
from typing import Any, Final

from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import bounded, check_printable
from gradcli.tensor.classes import token_of
from gradcli.tensor.public import handed_in, public

_NOTHING: Final[Any] = object()


@public("args func keywords", name="functools.partial", calls=True)
class Partial:
    """A function some of whose arguments are given already.

    Raises:
        TypeError: the function is missing, or nothing that a program may call.
    """

    __slots__ = ("__weakref__", "args", "func", "keywords")

    func: Callable[..., Any]
    args: tuple[Any, ...]
    keywords: dict[str, Any]

    def __init__(self, /, *args: Any, **keywords: Any) -> None:
        if not args:
            raise TypeError("type 'partial' takes at least one argument")
        func, *given = args
        if not callable(func):
            raise TypeError("the first argument must be callable")
        if type(func) is Partial:
            given = [*func.args, *given]
            keywords = {**func.keywords, **keywords}
            func = func.func
        self.func = handed_in(func)
        self.args = tuple(given)
        self.keywords = keywords

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self.func(*self.args, *args, **{**self.keywords, **keywords})

    @recursive_repr()
    def __repr__(self) -> str:
        check_printable((self.args, self.keywords))
        given = [repr(self.func), *map(repr, self.args)]
        given += [f"{name}={value!r}" for name, value in self.keywords.items()]
        return f"functools.partial({', '.join(given)})"


def reduce(function: Any, iterable: Any, initial: Any = _NOTHING, /) -> Any:
    """`functools.reduce(function, iterable, initial)`."""
    call = handed_in(function)
    values = iter(bounded(iterable))
    if initial is _NOTHING:
        initial = next(values, _NOTHING)
        if initial is _NOTHING:
            raise TypeError("reduce() of empty iterable with no initial value")
    for value in values:
        initial = call(initial, value)
    return initial


present(reduce, "reduce")

MEMBERS: Final[dict[str, Any]] = {"partial": token_of(Partial, Partial), "reduce": reduce}
"""By name."""
