"""What Python's own code finds on an object of a program's class.

There is one class of Python for all these objects, so it has every method that Python asks for.
Each looks among the names of the object's own class, and where that has none answers as Python
does for a class without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from gradcli.language.running.functions import Function
from gradcli.language.running.methods import Builtin, invoke
from gradcli.language.running.sequences import BackwardIterator, SequenceIterator
from gradcli.tensor.public import word_of

WORD: Final = "program object"
"""What Python calls the class of an object in messages; there it becomes the class's name."""


class Refused:
    """The class whose object was the last to decline an operation, for Python's words about it."""

    name = WORD


NO_INTEGER: Final = "object cannot be interpreted as an integer"
SEQUENCES: Final[dict[type, str]] = {
    str: "string indices must be integers, not '{}'",
    list: "list indices must be integers or slices, not {}",
    tuple: "tuple indices must be integers or slices, not {}",
}


def named(error: BaseException, what: str, used: list[Any]) -> None:
    """Put the name of an object's class into Python's own words about it.

    Args:
        what: the symbol of an operator, "[]", or anything else that was at work.
        used: what it worked on.
    """
    text = error.args[0] if error.args else None
    if type(text) is not str:
        return
    if text.endswith(NO_INTEGER) and what in ("[]", "*"):
        # Python asks first whether a class has `__index__`.
        problem = SEQUENCES.get(type(used[0])) or SEQUENCES.get(type(used[-1]))
        given = [value for value in used if isinstance(value, Operators)]
        if problem is not None and len(given) == 1:
            multiplied = "can't multiply sequence by non-int of type '{}'"
            chosen = problem if what == "[]" else multiplied
            error.args = (chosen.format(word_of(given[0])),)
        return
    if WORD not in text:
        return
    found = {word_of(value) for value in flattened(used) if isinstance(value, Operators)}
    name = found.pop() if len(found) == 1 else Refused.name
    error.args = (text.replace(WORD, name), *error.args[1:])


def flattened(values: list[Any]) -> Iterator[Any]:
    """The values, and those in lists and tuples among them."""
    for value in values:
        yield value
        if type(value) in (list, tuple):
            yield from value[:100]


def special(value: Any, name: str) -> Any:
    """A method that an object's class has, or None."""
    return value._class.special(name)


def run(value: Any, method: Any, *arguments: Any) -> Any:
    """Call a method that was found in the class of an object."""
    if type(method) is Function:
        return method.machine.run_function(method, (value, *arguments), {})
    if type(method) is Builtin:
        return method.function(value, *arguments)
    return invoke(value._class.bind(method, value), *arguments)


def whole(answer: Any, name: str, kind: type) -> Any:
    """What a conversion gives, which must be of one type."""
    if not isinstance(answer, kind):
        what = "string" if kind is str else kind.__name__
        raise TypeError(f"{name} returned non-{what} (type {word_of(answer)})")
    return answer


def unsupported(symbol: str, left: Any, right: Any) -> TypeError:
    """Python's error for operands that an operator does not take."""
    return TypeError(
        f"unsupported operand type(s) for {symbol}: '{word_of(left)}' and '{word_of(right)}'"
    )


def both(left: Any, right: Any, name: str, symbol: str, prefix: str = "") -> Any:
    """An arithmetic operator between two objects of programs' classes."""
    mine, other = left._class, right._class
    if prefix:
        method = mine.special(f"__{prefix}{name}__")
        if method is not None:
            answer = run(left, method, right)
            if answer is not NotImplemented:
                return answer
    method, reflected = mine.special(f"__{name}__"), None
    if other is not mine:
        reflected = other.special(f"__r{name}__")
        first = reflected is not None and other.derives(mine)
        if first and mine.special(f"__r{name}__") is not reflected:
            answer = run(right, reflected, left)
            if answer is not NotImplemented:
                return answer
            reflected = None
    if method is not None:
        answer = run(left, method, right)
        if answer is not NotImplemented:
            return answer
    if reflected is not None:
        answer = run(right, reflected, left)
        if answer is not NotImplemented:
            return answer
    raise unsupported(symbol, left, right)


def direct(name: str, symbol: str) -> Callable[..., Any]:
    """`__add__` and its kind."""
    own = f"__{name}__"

    def operate(self: Any, other: Any, *modulus: Any) -> Any:
        if isinstance(other, Operators):
            return both(self, other, name, symbol)
        method = self._class.special(own)
        if method is None:
            Refused.name = self._class.__name__
            return NotImplemented
        answer = run(self, method, other, *modulus)
        if answer is NotImplemented:
            Refused.name = self._class.__name__
        return answer

    return operate


def reflected(name: str) -> Callable[..., Any]:
    """`__radd__` and its kind: the left operand is none of a program's objects."""
    own = f"__r{name}__"

    def operate(self: Any, other: Any, *modulus: Any) -> Any:
        Refused.name = self._class.__name__
        method = self._class.special(own)
        answer = NotImplemented if method is None else run(self, method, other, *modulus)
        Refused.name = self._class.__name__
        return answer

    return operate


def in_place(name: str, symbol: str) -> Callable[..., Any]:
    """`__iadd__` and its kind."""
    own = f"__i{name}__"

    def operate(self: Any, other: Any) -> Any:
        if isinstance(other, Operators):
            return both(self, other, name, symbol, "i")
        method = self._class.special(own)
        return NotImplemented if method is None else run(self, method, other)

    return operate


def prefix(name: str, problem: str) -> Callable[..., Any]:
    """`__neg__` and its kind."""
    own = f"__{name}__"

    def operate(self: Any) -> Any:
        method = self._class.special(own)
        if method is None:
            raise TypeError(problem.format(self._class.__name__))
        return run(self, method)

    return operate


def comparing(name: str, mirrored: str, symbol: str) -> Callable[..., Any]:
    """`__lt__` and its kind."""
    own, theirs = f"__{name}__", f"__{mirrored}__"

    def operate(self: Any, other: Any) -> Any:
        answer = compared(self, other, own)
        if not isinstance(other, Operators):
            Refused.name = self._class.__name__
            return answer
        if answer is NotImplemented or other._class.derives(self._class):
            first = NotImplemented
            if other._class is not self._class or answer is NotImplemented:
                first = compared(other, self, theirs)
            answer = answer if first is NotImplemented else first
        if answer is NotImplemented:
            raise TypeError(
                f"'{symbol}' not supported between instances of '{word_of(self)}' and "
                f"'{word_of(other)}'"
            )
        return answer

    return operate


def compared(left: Any, right: Any, own: str) -> Any:
    """What the class of `left` alone says to a comparison."""
    method = left._class.special(own)
    return NotImplemented if method is None else run(left, method, right)


def _equal(self: Any, other: Any) -> Any:
    theirs = isinstance(other, Operators)
    if theirs and other._class is not self._class and other._class.derives(self._class):
        self, other = other, self
    answer = compared(self, other, "__eq__")
    if not theirs:
        return self is other or NotImplemented if answer is NotImplemented else answer
    if answer is NotImplemented:
        answer = compared(other, self, "__eq__")
    return self is other if answer is NotImplemented else answer


def _unequal(self: Any, other: Any) -> Any:
    for left, right in ((self, other), (other, self)):
        if not isinstance(left, Operators):
            return NotImplemented
        answer = compared(left, right, "__ne__")
        if answer is NotImplemented:
            answer = compared(left, right, "__eq__")
            answer = answer if answer is NotImplemented else not answer
        if answer is not NotImplemented:
            return answer
    return self is not other


class Operators:
    """The methods that Python asks for; those of operators are added below."""

    __slots__ = ()

    _class: Any

    def __repr__(self) -> str:
        method = special(self, "__repr__")
        if method is None:
            return f"<{self._class.label} object at {id(self):#x}>"
        return str(whole(run(self, method), "__repr__", str))

    def __str__(self) -> str:
        method = special(self, "__str__")
        if method is None:
            method = special(self, "__repr__")
        if method is None:
            return repr(self)
        return str(whole(run(self, method), "__str__", str))

    def __format__(self, spec: str) -> str:
        method = special(self, "__format__")
        if method is not None:
            answer = run(self, method, spec)
            if not isinstance(answer, str):
                raise TypeError(f"__format__ must return a str, not {word_of(answer)}")
            return answer
        if spec:
            name = self._class.__name__
            raise TypeError(f"unsupported format string passed to {name}.__format__")
        return str(self)

    def __hash__(self) -> int:
        class_ = self._class
        method = class_.special("__hash__")
        if method is None:
            if class_.find("__hash__") is None:
                raise TypeError(f"unhashable type: '{class_.__name__}'")
            return id(self)
        answer = run(self, method)
        if not isinstance(answer, int):
            raise TypeError("__hash__ method should return an integer")
        return answer

    def __bool__(self) -> bool:
        method = special(self, "__bool__")
        if method is not None:
            answer = run(self, method)
            if answer is not True and answer is not False:
                raise TypeError(f"__bool__ should return bool, returned {word_of(answer)}")
            return answer
        return special(self, "__len__") is None or len(self) != 0

    def __len__(self) -> int:
        method = special(self, "__len__")
        if method is None:
            raise TypeError(f"object of type '{self._class.__name__}' has no len()")
        return run(self, method)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        method = special(self, "__iter__")
        name = self._class.__name__
        if method is None:
            if special(self, "__getitem__") is None or self._class.find("__iter__") is None:
                raise TypeError(f"'{name}' object is not iterable")
            return SequenceIterator(self)
        answer = run(self, method)
        if isinstance(answer, Operators) and special(answer, "__next__") is None:
            raise TypeError(f"iter() returned non-iterator of type '{word_of(answer)}'")
        return answer

    def __next__(self) -> Any:
        method = special(self, "__next__")
        if method is None:
            raise TypeError(f"'{self._class.__name__}' object is not an iterator")
        return run(self, method)

    def __reversed__(self) -> Any:
        method = special(self, "__reversed__")
        if method is not None:
            return run(self, method)
        if special(self, "__getitem__") is None:
            raise TypeError(f"'{self._class.__name__}' object is not reversible")
        return BackwardIterator(self)

    def __contains__(self, item: Any) -> bool:
        method = special(self, "__contains__")
        if method is not None:
            return bool(run(self, method, item))
        name = self._class.__name__
        if special(self, "__iter__") is None and special(self, "__getitem__") is None:
            raise TypeError(f"argument of type '{name}' is not iterable")
        try:
            values = iter(self)
        except TypeError:
            raise TypeError(f"argument of type '{name}' is not iterable") from None
        return any(each is item or each == item for each in values)

    def __getitem__(self, key: Any) -> Any:
        return self._item("__getitem__", None, "is not subscriptable", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        other = special(self, "__delitem__")
        self._item("__setitem__", other, "does not support item assignment", key, value)

    def __delitem__(self, key: Any) -> None:
        other = special(self, "__setitem__")
        self._item("__delitem__", other, "doesn't support item deletion", key)

    def _item(self, name: str, other: Any, problem: str, *arguments: Any) -> Any:
        method = special(self, name)
        if method is None and other is not None:
            raise AttributeError(name)
        if method is None:
            raise TypeError(f"'{self._class.__name__}' object {problem}")
        return run(self, method, *arguments)

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        method = special(self, "__call__")
        if method is None:
            raise TypeError(f"'{self._class.__name__}' object is not callable")
        if type(method) is Function:
            return method.machine.run_function(method, (self, *arguments), named)
        return invoke(self._class.bind(method, self), *arguments, **named)

    def __enter__(self) -> Any:
        problem = f"'{self._class.__name__}' object does not support the context manager protocol"
        method = special(self, "__enter__")
        if method is None:
            raise TypeError(problem)
        if special(self, "__exit__") is None:
            raise TypeError(f"{problem} (missed __exit__ method)")
        return run(self, method)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        return run(self, special(self, "__exit__"), kind, error, trace)

    def __int__(self) -> int:
        for name in ("__int__", "__index__", "__trunc__"):
            method = special(self, name)
            if method is not None:
                return int(whole(run(self, method), name, int))
        raise TypeError(
            "int() argument must be a string, a bytes-like object or a real number, not "
            f"'{self._class.__name__}'"
        )

    def __float__(self) -> float:
        name = self._class.__name__
        method = special(self, "__float__")
        if method is not None:
            return float(whole(run(self, method), f"{name}.__float__", float))
        if special(self, "__index__") is not None:
            return float(self.__index__())
        raise TypeError(f"float() argument must be a string or a real number, not '{name}'")

    def __complex__(self) -> complex:
        method = special(self, "__complex__")
        if method is not None:
            return complex(whole(run(self, method), "__complex__", complex))
        try:
            return complex(self.__float__())
        except TypeError as error:
            raise TypeError(
                str(error)
                .replace("float() argument", "complex() first argument")
                .replace("a real number", "a number")
            ) from None

    def __index__(self) -> int:
        method = special(self, "__index__")
        if method is None:
            name = self._class.__name__
            raise TypeError(f"'{name}' object cannot be interpreted as an integer")
        return int(whole(run(self, method), "__index__", int))

    def __round__(self, *digits: Any) -> Any:
        return self._rounded("round", *digits)

    def __trunc__(self) -> Any:
        return self._rounded("trunc")

    def __floor__(self) -> Any:
        return self._rounded("floor")

    def __ceil__(self) -> Any:
        return self._rounded("ceil")

    def _rounded(self, name: str, *digits: Any) -> Any:
        method = special(self, f"__{name}__")
        if method is None:
            what = f"type {self._class.__name__}"
            raise TypeError(f"{what} doesn't define __{name}__ method")
        return run(self, method, *digits)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle '{self._class.__name__}' object")


ARITHMETIC: Final = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "matmul": "@",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "** or pow()",
    "lshift": "<<",
    "rshift": ">>",
    "and": "&",
    "xor": "^",
    "or": "|",
}
COMPARISONS: Final = {
    "lt": ("gt", "<"),
    "gt": ("lt", ">"),
    "le": ("ge", "<="),
    "ge": ("le", ">="),
}
PREFIXES: Final = {
    "neg": "bad operand type for unary -: '{}'",
    "pos": "bad operand type for unary +: '{}'",
    "invert": "bad operand type for unary ~: '{}'",
    "abs": "bad operand type for abs(): '{}'",
}

METHODS: Final[dict[str, Callable[..., Any]]] = {"__eq__": _equal, "__ne__": _unequal}
"""The operators' methods of all objects."""
for _name, _symbol in (*ARITHMETIC.items(), ("divmod", "divmod()")):
    METHODS[f"__{_name}__"] = direct(_name, _symbol)
    METHODS[f"__r{_name}__"] = reflected(_name)
for _name, _symbol in ARITHMETIC.items():
    METHODS[f"__i{_name}__"] = in_place(_name, f"{_symbol.partition(' ')[0]}=")
for _name, (_mirrored, _symbol) in COMPARISONS.items():
    METHODS[f"__{_name}__"] = comparing(_name, _mirrored, _symbol)
for _name, _problem in PREFIXES.items():
    METHODS[f"__{_name}__"] = prefix(_name, _problem)
for _name, _method in METHODS.items():
    setattr(Operators, _name, _method)
