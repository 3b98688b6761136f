"""What programs find in Python's `functools`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cmp_to_key as cmp_to_key_of
from reprlib import recursive_repr
from typing import Any, Final

from gradcli.language.allowed.attributes import attribute, set_attribute
from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import bounded, check_hashable, check_items, check_printable
from gradcli.language.allowed.modules.collections import namedtuple
from gradcli.tensor.classes import token_of
from gradcli.tensor.public import REGISTRY, Public, handed_in, has_model, public

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


def wraps(wrapped: Any, assigned: Any = (), updated: Any = ()) -> Callable[[Any], Any]:
    """`functools.wraps(wrapped)`: a decorator that names a function after another."""
    return lambda function: update_wrapper(function, wrapped)


def update_wrapper(wrapper: Any, wrapped: Any, assigned: Any = (), updated: Any = ()) -> Any:
    """`functools.update_wrapper(wrapper, wrapped)`.

    Functions of the engine keep their own names.
    """
    rename = getattr(type(wrapper), "named_after", None)
    if rename is not None:
        rename(wrapper, wrapped)
    elif has_model(wrapper):
        for name in ("__name__", "__qualname__", "__doc__"):
            with suppress(AttributeError):
                set_attribute(wrapper, name, attribute(wrapped, name))
        set_attribute(wrapper, "__wrapped__", wrapped)
    return wrapper


def cmp_to_key(mycmp: Any) -> Callable[[Any], Any]:
    """`functools.cmp_to_key(mycmp)`."""
    make = cmp_to_key_of(handed_in(mycmp))

    def key(value: Any) -> Any:
        return make(value)

    return key


REGISTRY[type(cmp_to_key_of(lambda left, right: 0)(1))] = Public(name="functools.KeyWrapper")


@public("__name__ cache_clear cache_info", name="functools._lru_cache_wrapper", calls=True)
class Cached:
    """A function that remembers its answers.

    Args:
        function: what answers.
        maxsize: how many answers are remembered; None for all.
        typed: whether equal arguments of different types have answers of their own.
    """

    __slots__ = ("__name__", "answers", "function", "hits", "maxsize", "misses", "typed")

    def __init__(self, function: Any, maxsize: int | None, typed: Any) -> None:
        self.function = handed_in(function)
        self.__name__ = getattr(function, "__name__", "cached")
        self.maxsize = maxsize
        self.typed = bool(typed)
        self.cache_clear()

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        key: Any = (arguments, tuple(named.items()))
        if self.typed:
            key = (key, tuple(map(type, arguments)), tuple(map(type, named.values())))
        check_hashable(key)
        if key in self.answers:
            self.hits += 1
            answer = self.answers[key] = self.answers.pop(key)
            return answer
        self.misses += 1
        answer = self.function(*arguments, **named)
        if self.maxsize is None or self.maxsize > 0:
            check_items(1, "cache")
            self.answers[key] = answer
            if self.maxsize is not None and len(self.answers) > self.maxsize:
                del self.answers[next(iter(self.answers))]
        return answer

    def cache_clear(self) -> None:
        """Forgets all answers."""
        self.answers: dict[Any, Any] = {}
        self.hits = self.misses = 0

    def cache_info(self) -> Any:
        """How often an answer was remembered, and how many are."""
        return CACHE_INFO(self.hits, self.misses, self.maxsize, len(self.answers))


CACHE_INFO: Final = namedtuple("CacheInfo", "hits misses maxsize currsize")


def cache(user_function: Any, /) -> Cached:
    """`functools.cache(user_function)`."""
    return Cached(user_function, None, False)


def lru_cache(maxsize: Any = 128, typed: Any = False) -> Any:
    """`functools.lru_cache(maxsize)`, or of a function itself."""
    if maxsize is None or type(maxsize) is int:
        most = None if maxsize is None else max(0, maxsize)
        return lambda function: Cached(function, most, typed)
    if callable(maxsize) and type(typed) is bool:
        return Cached(maxsize, 128, typed)
    raise TypeError("Expected first argument to be an integer, a callable, or None")


for _function in (reduce, wraps, update_wrapper, cache, lru_cache, cmp_to_key):
    present(_function, _function.__name__)

MEMBERS: Final[dict[str, Any]] = {
    "cache": cache,
    "cmp_to_key": cmp_to_key,
    "lru_cache": lru_cache,
    "partial": token_of(Partial, Partial),
    "reduce": reduce,
    "update_wrapper": update_wrapper,
    "wraps": wraps,
}
"""By name."""
