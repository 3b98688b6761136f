"""What becomes of an error: its place, what was being handled, and which handler it goes to."""

from __future__ import annotations

from types import CodeType
from typing import Any, Final

from gradcli.language.allowed.namespace import Namespace
from gradcli.language.allowed.operators import SYMBOLS
from gradcli.language.running.actions import at_work, called, unset
from gradcli.language.running.code import (
    ATTRIBUTE,
    BINARY,
    CALL,
    CALL_NAMED,
    OTHER,
    SUBSCRIPT,
    Code,
    Region,
)
from gradcli.language.running.exceptions import (
    Again,
    abandon,
    chain,
    handled_in,
    handled_outside,
    idle,
    raise_error,
)
from gradcli.language.telling.accidents import in_words
from gradcli.language.telling.diagnostics import Place
from gradcli.tensor.accidents import is_accident
from gradcli.tensor.guard import is_final

MAX_SHAPES = 4
"""Operands' shapes that an error shows."""

THROWN: Final = (raise_error, False)
"""The argument of the instruction that stands for what a generator is thrown."""


class Failures:
    """The part of the machine for what goes wrong.

    Attributes:
        going: whether a program runs, and nothing has ended it.
        loop: the code of the machine's loop, to tell its frames.
    """

    loop: CodeType
    namespace: Namespace
    going: bool

    def at_fault(
        self, operation: int, argument: Any, stack: list[Any], right: Any, arguments: list[Any]
    ) -> tuple[str, list[Any]]:
        """What an instruction that failed was about to do, with which values."""
        if operation == BINARY and stack:
            return SYMBOLS.get(argument, ""), [stack[-1], right]
        if operation in (CALL, CALL_NAMED) and stack:
            receiver = getattr(stack[-1], "__self__", None)
            used = [*filter(self.namespace.shape, [receiver]), *arguments]
            return called(stack[-1]), used
        if operation == ATTRIBUTE:
            return argument, []
        if operation == OTHER:
            return at_work(argument[0], stack, argument[1])
        return "", []

    def failed(
        self,
        caught: BaseException,
        code: Code,
        variables: list[Any],
        index: int,
        callers: list[Any],
        raised: Any,
        what: str,
        used: list[Any],
    ) -> BaseException:
        """The error that an instruction ended in, with its place and with what was being handled.

        `raised`: how the program raised it, or None. What was raised further in has both already.
        """
        error = caught
        if type(caught) is Again:
            error = self.handled(code, variables, index, callers) or idle()
        if is_final(error):
            self.going = False
            return self.located(error, code, index, what, used)
        fresh = getattr(error, "place", None) is None
        if fresh and raised is None and not hasattr(error, "caused"):
            error.__context__ = None  # that of the engine's own code
        error = self.located(error, code, index, what, used)
        if raised is THROWN:
            chain(error, handled_in(code, variables, index))
        elif fresh or raised is not None:
            chain(error, self.handled(code, variables, index, callers))
        return error

    def handler(
        self, error: BaseException, code: Code, variables: list[Any], index: int
    ) -> Region | None:
        """The region of a call whose handler an error goes to."""
        if not code.regions:
            return None
        if self.going or not is_final(error):
            return code.region(index)
        abandon(code, variables, index)
        return None

    def handled(
        self, code: Code, variables: list[Any], index: int, callers: list[Any]
    ) -> BaseException | None:
        """The error that is being handled at an instruction."""
        error = handled_in(code, variables, index)
        for outer, held, position, _ in reversed(callers):
            if error is not None:
                break
            error = handled_in(outer, held, position - 1)
        return error or handled_outside(self.loop)

    def name_classes(
        self,
        error: TypeError,
        operation: int,
        what: str,
        used: list[Any],
        stack: list[Any],
        right: Any,
    ) -> None:
        """Put the names of programs' classes into Python's words about their objects.

        Args:
            what, used: as of `located`.
            stack, right: in force where the instruction failed.
        """
        from gradcli.language.running.protocols import named

        if operation == SUBSCRIPT and stack:
            named(error, "[]", [stack[-1], right])
        else:
            named(error, what, used or stack[-1:])

    def located(
        self, error: BaseException, code: Code, index: int, what: str, used: list[Any]
    ) -> BaseException:
        """The error with the place where it happened, unless something further in noted that.

        `used` are the values that the instruction worked on; tensors among them are shown. `what`
        did the work: an operator's symbol, or a function's name with brackets.
        """
        if getattr(error, "place", None) is not None or isinstance(error, KeyboardInterrupt):
            return error
        if is_accident(error):
            error = in_words(error, what, used)
        shapes = [text for text in map(self.namespace.shape, used) if text]
        between = ", " if what.endswith(")") else f" {what} "
        label = between.join(shapes[:MAX_SHAPES])
        start, end = code.span(index)
        suggest = self.namespace.suggestion
        place = Place(code.text, code.origin, start, end, label, suggest)
        error.place = place  # type: ignore[attr-defined]
        return error


def unset_cell(code: Code, slot: int) -> NameError:
    """The error for a variable in a cell without a value."""
    if slot in code.cells:
        return unset(code.slots[slot])
    return NameError(
        f"cannot access free variable '{code.slots[slot]}' where it is not associated with a "
        "value in enclosing scope"
    )
