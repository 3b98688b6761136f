"""Raising and handling: what `raise` raises, what `except` catches, and what chains the two."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import CodeType, FrameType, MethodType
from typing import Any, Final

from gradcli.language.allowed.builtins import is_instance
from gradcli.language.allowed.exceptions import (
    TRACEBACK,
    chained,
    is_exception,
    is_exception_class,
    raisable,
    told,
)
from gradcli.language.running.code import Code
from gradcli.language.running.functions import Runner
from gradcli.tensor.classes import type_of
from gradcli.tensor.public import has_model, supports, word_of

Stack = list[Any]

MOST_CHAINED: Final = 100
"""Errors of a chain that are gone through in search of a circle."""


class Again(Exception):
    """Stands for the error that is being handled, until the machine has found it."""


def raise_error(machine: Runner, stack: Stack, variables: Stack, has_cause: bool) -> None:
    cause = stack.pop() if has_cause else None
    value = made(machine, stack.pop(), "exceptions must derive from BaseException")
    error = raisable(value)
    error.own = True  # type: ignore[attr-defined]
    if has_cause:
        chain = chained(error)
        if cause is not None:
            cause = made(machine, cause, "exception causes must derive from BaseException")
            cause = raisable(cause)
        chain.__cause__ = cause
        chain.caused = True  # type: ignore[attr-defined]
    raise error


def made(machine: Runner, value: Any, problem: str) -> Any:
    """An exception of a program, which makes one of a class.

    Raises:
        TypeError: it is none, in the words of `problem`.
    """
    if is_exception_class(value):
        value = machine.call(value)
    if not is_exception(value):
        raise TypeError(problem)
    return value


def raise_again(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    raise Again


def reraise(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    """Raise the error in a slot, if there is one."""
    error = variables[slot]
    if isinstance(error, Exception):
        variables[slot] = None
        raise error


def matches(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    """Whether the error in a slot is of the kinds on the stack."""
    kinds = stack.pop()
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if not is_exception_class(kind):
            raise TypeError(
                "catching classes that do not inherit from BaseException is not allowed"
            )
    stack.append(is_instance(told(variables[slot]), kinds))


def push_error(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    stack.append(told(variables[slot]))


def forget(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    variables[slot] = None


def left_by(machine: Runner, stack: Stack, variables: Stack, argument: tuple[int, int]) -> None:
    """Whether a block was left by a word, of whose number its slot tells."""
    slot, number = argument
    left = variables[slot]
    stack.append(type(left) is int and left == number)


def enter_context(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    """Enter a context manager, in its place what that gives; what leaves it goes into a slot."""
    enter, variables[slot] = methods_of(stack[-1])
    stack[-1] = machine.call(enter)


def methods_of(manager: Any) -> tuple[Any, Any]:
    """What enters a context manager, and what leaves it.

    Raises:
        TypeError: it is none.
    """
    problem = f"'{word_of(manager)}' object does not support the context manager protocol"
    if not supports(manager, "__enter__"):
        raise TypeError(problem)
    if not supports(manager, "__exit__"):
        raise TypeError(f"{problem} (missed __exit__ method)")
    if has_model(manager):
        from gradcli.language.running.objects import own_method

        return own_method(manager, "__enter__"), own_method(manager, "__exit__")
    return manager.__enter__, manager.__exit__


def leave_context(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    """Leave a context in which nothing went wrong."""
    machine.call(variables[slot], None, None, None)


def leave_with_error(
    machine: Runner, stack: Stack, variables: Stack, argument: tuple[int, int]
) -> None:
    """Leave a context because of an error, which is in the second slot; push what is answered."""
    leave, slot = argument
    error = told(variables[slot])
    stack.append(machine.call(variables[leave], type_of(error), error, TRACEBACK))
    variables[slot].__traceback__ = None  # frames that hold the error


def chain(error: BaseException, handled: BaseException | None) -> None:
    """Note which error was being handled when another was raised."""
    link = chained(error)
    if handled is None or chained(handled) is link:
        return
    other: BaseException | None = chained(handled)
    for _ in range(MOST_CHAINED):  # an error is not in its own chain
        if other is None:
            break
        inner = other.__context__
        if inner is not None and chained(inner) is link:
            other.__context__ = None
            break
        other = None if inner is None else chained(inner)
    link.__context__ = handled


def settled(error: BaseException) -> BaseException:
    """An error that a program handles, without what that did not put there: the engine's frames,
    and causes.
    """
    error.__traceback__ = None
    link = chained(error)
    if link.__cause__ is not None and not hasattr(link, "caused"):
        link.__cause__ = None
    if link.__cause__ is None and not hasattr(link, "caused"):
        link.__suppress_context__ = False
    return error


def idle() -> RuntimeError:
    """The error of a bare `raise` where nothing is being handled."""
    return RuntimeError("No active exception to reraise")


def stopped(error: StopIteration) -> RuntimeError:
    """The error of a generator out of which one came that means its end."""
    failure = RuntimeError("generator raised StopIteration")
    failure.caused = True  # type: ignore[attr-defined]
    return failure


def abandon(code: Code, variables: list[Any], index: int) -> None:
    """Leave a call that nothing goes on in: only what the engine set for its blocks is put back."""
    for region in code.regions:
        if region.leaves >= 0 and region.start <= index < region.end:
            leave = variables[region.leaves]
            if type(leave) is MethodType:
                let_go = getattr(leave.__self__, "abandon", None)
                with suppress(Exception):
                    leave(None, None, None) if let_go is None else let_go()


def handled_in(code: Code, variables: list[Any], index: int) -> BaseException | None:
    """The error that is being handled at an instruction of a call."""
    for region in code.handling:
        if region.start <= index < region.end:
            error = variables[region.slot]
            if isinstance(error, Exception):
                return error
    return None


def handled_outside(loop: CodeType) -> BaseException | None:
    """The error that is being handled where the machine was called from, whose loop is given."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not loop:
        frame = frame.f_back
    frame = None if frame is None else frame.f_back
    while frame is not None:
        if frame.f_code is loop:
            code, variables, position, callers = seen_in(frame)
            for call in [(code, variables, position), *reversed(callers)]:
                error = handled_in(call[0], call[1], call[2] - 1)
                if error is not None:
                    return error
        frame = frame.f_back
    return None


def seen_in(frame: FrameType) -> tuple[Code, list[Any], int, list[Any]]:
    """What runs in a frame of the machine's loop: its code, variables and position, and the calls
    around it.
    """
    held = frame.f_locals
    seen = held["code"], held["variables"], held["position"], held["callers"]
    if isinstance(held, dict):  # a copy, which would keep everything in it alive
        held.clear()
    return seen
