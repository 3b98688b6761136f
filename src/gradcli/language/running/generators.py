"""Generators: calls that stop at a `yield` and go on when they are asked.

What a call needs to go on, its variables, its stack and its position, is kept in an object, so that
the machine's loop takes it up from wherever it is asked: by the program, or by Python's own code
that goes through the generator.
"""

from __future__ import annotations

from typing import Any, Protocol

from gradcli.language.allowed.exceptions import (
    Carrier,
    is_exception,
    is_exception_class,
    raisable,
    told,
)
from gradcli.language.running.code import UNBOUND, Cell, Code
from gradcli.language.running.exceptions import stopped
from gradcli.language.running.functions import Function, Runner, bind
from gradcli.tensor.public import public, word_of

Stack = list[Any]


class Resumer(Runner, Protocol):
    """What generators ask of the machine."""

    def resume(
        self, generator: Generator, sent: Any = None, thrown: BaseException | None = None
    ) -> Any:
        """Go on until the generator yields or ends, with what is sent or raised there."""

    def dispose(self, generator: Generator) -> None:
        """Close a generator that nobody holds any more."""


@public("send throw close __name__ gi_running", name="generator")
class Generator:
    """A call of a generator function, or a generator expression.

    Attributes:
        position: where it goes on; 0 before its start, -1 while it runs and after its end.
        comes_back: whether its stack waits for what is sent.
    """

    __slots__ = (
        "__weakref__",
        "code",
        "comes_back",
        "machine",
        "position",
        "running",
        "stack",
        "variables",
    )

    def __init__(self, machine: Resumer, code: Code, variables: list[Any]) -> None:
        self.machine = machine
        self.code = code
        self.variables = variables
        self.stack: list[Any] = []
        self.position = 0
        self.comes_back = False
        self.running = False

    @property
    def __name__(self) -> str:
        return self.code.name

    @property
    def gi_running(self) -> bool:
        """Whether it is being asked at this moment."""
        return self.running

    def __iter__(self) -> Generator:
        return self

    def __next__(self) -> Any:
        if self.running:
            raise ValueError("generator already executing")
        if self.position < 0:
            raise StopIteration
        return self.machine.resume(self)

    def send(self, value: Any, /) -> Any:
        """Go on with the value of the `yield`; the next value.

        Raises:
            StopIteration: there is none; with what the generator returned.
        """
        if self.running:
            raise ValueError("generator already executing")
        if self.position < 0:
            raise StopIteration
        if self.position == 0 and value is not None:
            raise TypeError("can't send non-None value to a just-started generator")
        return self.machine.resume(self, value)

    def throw(self, kind: Any, value: Any = None, traceback: None = None, /) -> Any:
        """Raise an error where the generator stopped; the next value."""
        return self.raise_in(raisable(self._thrown(kind, value)))

    def _thrown(self, kind: Any, value: Any) -> Any:
        if is_exception_class(kind):
            if value is None:
                return self.machine.call(kind)
            if is_exception(value):
                return value
            return self.machine.call(kind, *(value if isinstance(value, tuple) else (value,)))
        if not is_exception(kind):
            raise TypeError(
                "exceptions must be classes or instances deriving from BaseException, not "
                f"{word_of(kind)}"
            )
        if value is not None:
            raise TypeError("instance exception may not have a separate value")
        return kind

    def raise_in(self, error: BaseException) -> Any:
        """The same with what Python raises."""
        if self.running:
            raise ValueError("generator already executing")
        if self.position <= 0:
            begun = self.position < 0
            self.finish()
            if begun or not isinstance(error, StopIteration):
                raise error
            raise stopped(error) from error
        inner = self.delegate()
        if inner is None:
            return self.machine.resume(self, thrown=error)
        slot, end = self.code.delegations[self.position]
        self.running = True
        try:
            if isinstance(told(error), GeneratorExit):
                close(inner)
            elif (throw := thrower(inner)) is not None:
                return throw(error)
            failure = error
        except StopIteration as stop:
            self.variables[slot] = None
            self.position, self.comes_back = end, True
            self.running = False
            return self.machine.resume(self, stop.value)
        except Exception as another:
            failure = another
        finally:
            self.running = False
        return self.machine.resume(self, thrown=failure)

    def close(self) -> None:
        """End it where it stopped.

        Raises:
            RuntimeError: it yields once more.
        """
        if self.running:
            raise ValueError("generator already executing")
        if self.position <= 0 or not self.unfinished():
            self.finish()
            return
        try:
            self.raise_in(Carrier(GeneratorExit()))
        except StopIteration:
            return
        except Carrier as error:
            if not isinstance(error.carried, GeneratorExit):
                raise
            error.__traceback__ = None  # frames that hold the error
            return
        raise RuntimeError("generator ignored GeneratorExit")

    def delegate(self) -> Any:
        """The iterator of the `yield from` in which it stopped, or None."""
        found = self.code.delegations.get(self.position)
        return None if found is None else self.variables[found[0]]

    def unfinished(self) -> bool:
        """Whether something is left to do for a generator that is stopped."""
        return self.code.region(self.position - 1) is not None or self.delegate() is not None

    def finish(self) -> None:
        """Nothing comes any more."""
        self.position = -1
        self.variables, self.stack = [], []

    def __del__(self) -> None:
        if self.position > 0 and self.unfinished():
            self.machine.dispose(self)

    def __repr__(self) -> str:
        return f"<generator object {self.code.qualified_name} at {id(self):#x}>"


def close(iterator: Any) -> None:
    """Close what a `yield from` goes through, where it can be closed."""
    if type(iterator) is Generator:
        iterator.close()


def thrower(iterator: Any) -> Any:
    """What raises an error where an iterator stopped, or None."""
    return iterator.raise_in if type(iterator) is Generator else None


def advance(iterator: Any, value: Any) -> Any:
    """The next value of what a `yield from` goes through, to which a value was sent.

    Raises:
        StopIteration: there is none.
        AttributeError: nothing can be sent to it.
    """
    if value is None:
        return next(iterator)
    if type(iterator) is not Generator:
        raise AttributeError(f"'{word_of(iterator)}' object has no attribute 'send'")
    return iterator.send(value)


def begin_delegation(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    stack[-1] = iter(stack[-1])


@public("__name__", name="function", calls=True)
class GeneratorFunction(Function):
    """A function that yields: a call makes a generator."""

    __slots__ = ()

    machine: Resumer

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        return Generator(self.machine, self.code, bind(self, arguments, named))


def make_function(
    machine: Runner,
    stack: Stack,
    variables: Stack,
    argument: tuple[Code, int, tuple[str, ...], list[int]],
) -> None:
    code, count, names, cells = argument
    named: dict[str, Any] = {}
    if names:
        named = dict(zip(names, stack[-len(names) :], strict=True))
        del stack[-len(names) :]
    defaults: tuple[Any, ...] = ()
    if count:
        defaults = tuple(stack[-count:])
        del stack[-count:]
    kind = GeneratorFunction if code.yields else Function
    stack.append(kind(machine, code, defaults, named, [variables[slot] for slot in cells]))


def make_generator(
    machine: Resumer, stack: Stack, variables: Stack, argument: tuple[Code, list[int]]
) -> None:
    code, cells = argument
    own = [stack.pop(), *[variables[slot] for slot in cells]]
    own += [UNBOUND] * (len(code.slots) - len(own))
    for slot in code.cells:
        own[slot] = Cell(own[slot])
    stack.append(Generator(machine, code, own))
