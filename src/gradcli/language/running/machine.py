"""Runs compiled programs, on a stack of its own.

A call of a program's function takes no Python frame, so deep recursion ends in Python's
`RecursionError`, not in a crash, and deep expressions cost nothing but memory. Every failure gets
the place of the instruction that failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.builtins import printer
from gradcli.language.allowed.limits import check_hashable
from gradcli.language.allowed.namespace import Namespace, default_namespace
from gradcli.language.allowed.operators import SYMBOLS
from gradcli.language.running.actions import at_work, called, unset
from gradcli.language.running.code import (
    AND_JUMP,
    ATTRIBUTE,
    BINARY,
    CALL,
    CALL_NAMED,
    CELL,
    CONSTANT,
    ENTER,
    GLOBAL,
    JUMP_BACK,
    JUMP_IF_FALSE,
    JUMP_IF_TRUE,
    LEAVE,
    LOCAL,
    NEXT,
    OTHER,
    POP,
    RETURN,
    STORE_CELL,
    STORE_GLOBAL,
    STORE_LOCAL,
    SUBSCRIPT,
    UNARY,
    UNBOUND,
    Code,
)
from gradcli.language.running.functions import Function, Generator, bind
from gradcli.language.telling.accidents import in_words
from gradcli.language.telling.diagnostics import Place
from gradcli.tensor.accidents import is_accident
from gradcli.tensor.classes import Class
from gradcli.tensor.clock import LimitError, clock, limited
from gradcli.tensor.public import CALLABLE, admit

MAX_DEPTH = 1000
"""Calls of a program's functions inside each other, as in Python."""

MAX_SHAPES = 4
"""Operands' shapes that an error shows."""

STEPS_BETWEEN_CLOCKS = 256
"""Loop turns and calls between two looks at the clock."""

_MISSING: Any = object()


class Machine:
    """The state of a running program: its global variables, what it declared, how far it may go.

    Args:
        globals: variables to begin with.
        write: takes what `print` prints; the standard output by default.
        max_steps: loop turns and function calls after which the program is stopped.
        timeout: seconds after which it is stopped, looked at between loop turns and calls.
    """

    def __init__(
        self,
        globals: dict[str, Any] | None = None,
        write: Callable[[str], object] | None = None,
        max_steps: int | None = None,
        timeout: float | None = None,
        namespace: Namespace | None = None,
    ) -> None:
        self.globals: dict[str, Any] = {"__name__": "__main__"}
        self.globals.update(globals or {})
        self.namespace = default_namespace() if namespace is None else namespace
        self.declared: dict[str, Any] = {}
        """Variables that `let` and `const` declared, in order."""
        self.print = printer(sys.stdout.write if write is None else write)
        self.tables: dict[bool, dict[str, Any]] = {}
        """What names mean that are no variables, as far as was asked: in expressions (True), in
        programs (False)."""
        self.starred: list[str] = []
        """Modules all of whose names were imported."""
        self.max_steps = max_steps
        self.timeout = timeout
        self.steps = 0
        self.depth = 0
        self.next_check = 0

    def run(self, code: Code) -> Any:
        """Run a program; the value of its last statement if that is an expression
        (`code.ends_in_expression`), else None.

        Raises:
            Exception: whatever the program raised, with its place (see `diagnose`).
            LimitError: `max_steps` or `timeout` is exceeded.
        """
        self.steps = 0
        self.next_check = self.following_check()
        with limited(self.timeout):
            return self.execute(code, [UNBOUND] * len(code.slots))

    def call(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function as the program would."""
        if type(function) is Function:
            return self.run_function(function, arguments, named)
        return self.apply(function, arguments, named)

    def run_function(
        self, function: Function, arguments: Sequence[Any], named: dict[str, Any]
    ) -> Any:
        """Run a program's function, called from outside the machine's own loop."""
        variables = bind(function, arguments, named)
        self.enter()
        try:
            return self.execute(function.code, variables)
        finally:
            self.depth -= 1

    def resume(self, generator: Generator) -> Any:
        """The next value of a generator expression.

        Raises:
            StopIteration: there is none.
        """
        self.enter()
        position, generator.position = generator.position, -1
        try:
            value = self.execute(generator.code, generator.variables, position, generator)
        except StopIteration as error:
            raise RuntimeError("generator raised StopIteration") from error
        finally:
            self.depth -= 1
        if generator.position < 0:
            raise StopIteration
        return value

    def enter(self) -> None:
        """Count a call."""
        if self.depth >= MAX_DEPTH:
            raise RecursionError("maximum recursion depth exceeded")
        self.steps += 1
        if self.steps >= self.next_check:
            self.check()
        self.depth += 1

    def following_check(self) -> int:
        """The step at which limits are looked at next."""
        if self.timeout is not None:
            soon = self.steps + STEPS_BETWEEN_CLOCKS
            return soon if self.max_steps is None else min(soon, self.max_steps + 1)
        return sys.maxsize if self.max_steps is None else self.max_steps + 1

    def check(self) -> None:
        """Stop a program that ran too long."""
        if self.max_steps is not None and self.steps > self.max_steps:
            raise LimitError(f"stopped after {self.max_steps} steps")
        clock.check()
        self.next_check = self.following_check()

    def apply(self, function: Any, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """Call what is no function of the program.

        What a class's token runs is called from here, so that an error of Python's own is one of
        the language and none of the engine.
        """
        called = function.builder() if type(function) is Class else admit(function)
        return called(*arguments, **named)

    def names(self, mathematics: bool = False) -> dict[str, Any]:
        """What names mean, as far as is known: in expressions, or in programs."""
        names = self.tables.get(mathematics)
        if names is None:
            names = self.namespace.first_names(mathematics)
            names["print"] = self.print
            self.tables[mathematics] = names
            for module in self.starred:
                self.forget(names, module)
        return names

    def look_up(self, name: str, names: dict[str, Any]) -> Any:
        """What a name means that is neither a variable nor among `names`; it is from now on.

        Raises:
            NameError: nothing.
        """
        for module in reversed(self.starred):
            if self.namespace.offers(module, name):
                value = self.namespace.import_name(module, name)
                break
        else:
            value = self.namespace.resolve(name, self.globals)
        names[name] = value
        return value

    def import_all(self, module: str) -> None:
        """`from module import *`: names are looked up there first, when they are needed.

        Raises:
            ModuleNotFoundError: there is no such module.
        """
        self.starred.append(self.namespace.module(module).name)
        for names in (self.globals, *self.tables.values()):
            self.forget(names, module)

    def forget(self, names: dict[str, Any], module: str) -> None:
        """Leaves out the names that a module offers."""
        for name in [name for name in names if self.namespace.offers(module, name)]:
            del names[name]

    def execute(
        self,
        code: Code,
        variables: list[Any],
        position: int = 0,
        generator: Generator | None = None,
    ) -> Any:
        """Run instructions from `position` on until the code returns, or the generator yields."""
        stack: list[Any] = []
        pop, push = stack.pop, stack.append
        callers: list[tuple[Code, list[Any], int, list[Any], int]] = []
        contexts: list[tuple[Any, int]] = []
        outer_depth = self.depth
        global_values, names = self.globals, self.names(code.mathematics)
        instructions, constants = code.instructions, code.constants
        direct = CALLABLE
        operation, right = POP, None
        argument: Any = None
        arguments: list[Any] = []
        while True:
            try:
                while True:
                    operation, argument = instructions[position]
                    position += 1
                    if operation <= BINARY:
                        if operation == GLOBAL:
                            value = global_values.get(argument, _MISSING)
                            if value is _MISSING:
                                value = names.get(argument, _MISSING)
                                if value is _MISSING:
                                    value = self.look_up(argument, names)
                            push(value)
                        elif operation == LOCAL:
                            value = variables[argument]
                            if value is UNBOUND:
                                raise unset(code.slots[argument])
                            push(value)
                        elif operation == BINARY:
                            right = pop()
                            stack[-1] = argument(stack[-1], right)
                        elif operation == CONSTANT:
                            push(constants[argument])
                        else:  # ATTRIBUTE
                            stack[-1] = attribute(stack[-1], argument)
                    elif operation <= SUBSCRIPT:
                        if operation == SUBSCRIPT:
                            right = pop()
                            if type(right) is tuple and type(stack[-1]) is dict:
                                check_hashable(right)
                            stack[-1] = stack[-1][right]
                            continue
                        if operation == CALL:
                            given, keywords = argument, None
                        else:
                            given, keys = argument
                            values = stack[-len(keys) :]
                            del stack[-len(keys) :]
                            keywords = dict(zip(keys, values, strict=False))
                        if given:
                            arguments = stack[-given:]
                            del stack[-given:]
                        else:
                            arguments = []
                        function = stack[-1]
                        kind = type(function)
                        if kind is Function:
                            pop()
                            if keywords is None and given == function.arity:
                                arguments += function.template
                                inner = arguments
                            else:
                                inner = bind(function, arguments, keywords or {})
                            depth = self.depth
                            steps = self.steps + 1
                            if depth >= MAX_DEPTH or steps >= self.next_check:
                                self.enter()
                            else:
                                self.steps = steps
                                self.depth = depth + 1
                            callers.append((code, variables, position, contexts, len(stack)))
                            code, variables, position, contexts = function.code, inner, 0, []
                            instructions, constants = code.instructions, code.constants
                        elif keywords is None:
                            if kind in direct and kind is not Class:
                                stack[-1] = function(*arguments)
                            else:
                                stack[-1] = self.apply(function, arguments, {})
                        elif kind in direct and kind is not Class:
                            stack[-1] = function(*arguments, **keywords)
                        else:
                            stack[-1] = self.apply(function, arguments, keywords)
                    elif operation <= JUMP_BACK:
                        if operation == STORE_LOCAL:
                            variables[argument] = pop()
                        elif operation == STORE_GLOBAL:
                            global_values[argument] = pop()
                        elif operation == POP:
                            pop()
                        else:
                            if operation == JUMP_BACK:
                                self.steps += 1
                                if self.steps >= self.next_check:
                                    self.check()
                            position = argument
                    elif operation <= NEXT:
                        if operation == NEXT:
                            slot, end = argument
                            value = next(variables[slot], _MISSING)
                            if value is _MISSING:
                                variables[slot] = None
                                position = end
                            else:
                                push(value)
                        elif operation == JUMP_IF_FALSE:
                            if not pop():
                                position = argument
                        elif operation == JUMP_IF_TRUE:
                            if pop():
                                position = argument
                        elif operation == AND_JUMP:
                            if stack[-1]:
                                pop()
                            else:
                                position = argument
                        elif stack[-1]:  # OR_JUMP
                            position = argument
                        else:
                            pop()
                    elif operation == OTHER:
                        argument[0](self, stack, variables, argument[1])
                    elif operation == RETURN:
                        value = pop()
                        if not callers:
                            return value
                        code, variables, position, contexts, _ = callers.pop()
                        instructions, constants = code.instructions, code.constants
                        self.depth -= 1
                        push(value)
                    elif operation == UNARY:
                        stack[-1] = argument(stack[-1])
                    elif operation == CELL:
                        value = variables[argument].value
                        if value is UNBOUND:
                            raise unset_cell(code, argument)
                        push(value)
                    elif operation == STORE_CELL:
                        variables[argument].value = pop()
                    elif operation == ENTER:
                        leave, value = enter_context(stack[-1])
                        contexts.append((leave, argument))
                        stack[-1] = value
                    elif operation == LEAVE:
                        leave = contexts.pop()[0]
                        leave(None, None, None)
                    else:  # YIELD
                        assert generator is not None
                        generator.position = position
                        return pop()
            except BaseException as caught:
                what, used = "", []
                if operation == BINARY and stack:
                    what, used = SYMBOLS.get(argument, ""), [stack[-1], right]
                elif operation in (CALL, CALL_NAMED) and stack:
                    receiver = getattr(stack[-1], "__self__", None)
                    used = [*filter(self.namespace.shape, [receiver]), *arguments]
                    what = called(stack[-1])
                elif operation == ATTRIBUTE:
                    what = argument
                elif operation == OTHER:
                    what, used = at_work(argument[0], stack, argument[1])
                error = self.located(caught, code, position - 1, what, used)
                raised, resumed = leave_contexts(error, contexts)
                while resumed is None and callers:
                    code, variables, position, contexts, _ = callers.pop()
                    self.depth -= 1
                    raised, resumed = leave_contexts(raised, contexts)
                if resumed is None:
                    self.depth = outer_depth
                    if raised is caught:
                        raise
                    raise raised from raised.__cause__
                if not callers:
                    stack.clear()
                else:
                    del stack[callers[-1][4] :]
                position = resumed
                instructions, constants = code.instructions, code.constants

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


def running_place() -> Place | None:
    """Where the innermost program that is running just now stands."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not Machine.execute.__code__:
        frame = frame.f_back
    if frame is None:
        return None
    code, index = frame.f_locals["code"], frame.f_locals["position"] - 1
    start, end = code.span(index)
    return Place(code.text, code.origin, start, end, "")


def unset_cell(code: Code, slot: int) -> NameError:
    """The error for a variable in a cell without a value."""
    if slot in code.cells:
        return unset(code.slots[slot])
    return NameError(
        f"cannot access free variable '{code.slots[slot]}' where it is not associated with a "
        "value in enclosing scope"
    )


def enter_context(manager: Any) -> tuple[Any, Any]:
    """Enter a context manager: what leaves it again, and what entering gives."""
    kind = type(manager)
    if not hasattr(kind, "__enter__"):
        raise TypeError(f"'{kind.__name__}' object does not support the context manager protocol")
    if not hasattr(kind, "__exit__"):
        raise TypeError(
            f"'{kind.__name__}' object does not support the context manager protocol "
            "(missed __exit__ method)"
        )
    leave = manager.__exit__
    return leave, manager.__enter__()


def leave_contexts(
    error: BaseException, contexts: list[tuple[Any, int]]
) -> tuple[BaseException, int | None]:
    """Leave a call's contexts because of an error; the error in force then, and where to go on if
    one swallowed it.
    """
    while contexts:
        leave, end = contexts.pop()
        try:
            if leave(type(error), error, error.__traceback__):
                return error, end
        except BaseException as another:
            error = another
    return error, None
