"""Runs compiled programs, on a stack of its own.

A call of a program's function takes no Python frame, so deep recursion ends in Python's
`RecursionError`, not in a crash, and deep expressions cost nothing but memory. Every failure gets
the place of the instruction that failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from os.path import dirname
from types import FrameType
from typing import Any, Final

from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.builtins import is_pythons, printer
from gradcli.language.allowed.exceptions import Carrier
from gradcli.language.allowed.limits import check_hashable
from gradcli.language.allowed.namespace import Namespace, default_namespace
from gradcli.language.allowed.streams import writing
from gradcli.language.running.actions import unset
from gradcli.language.running.code import (
    AND_JUMP,
    BINARY,
    CALL,
    CELL,
    CONSTANT,
    GLOBAL,
    JUMP_BACK,
    JUMP_IF_FALSE,
    JUMP_IF_TRUE,
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
    YIELD,
    Code,
)
from gradcli.language.running.exceptions import abandon, raise_error, settled, stopped
from gradcli.language.running.failures import THROWN, Failures, unset_cell
from gradcli.language.running.functions import Function, bind
from gradcli.language.running.generators import Generator, advance
from gradcli.language.running.methods import Method
from gradcli.tensor.classes import Class
from gradcli.tensor.clock import LimitError, clock, limited
from gradcli.tensor.guard import is_final
from gradcli.tensor.public import CALLABLE, admit

MAX_DEPTH = 1000
"""Calls of a program's functions inside each other, as in Python."""

STEPS_BETWEEN_CLOCKS = 256
"""Loop turns and calls between two looks at the clock."""

NOTHING: Final[list[Any]] = []

_LANGUAGE: Final = dirname(dirname(__file__))
_MISSING: Any = object()


class Machine(Failures):
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
        self.instead: dict[str, Any] = {}
        """Leaves that variables get instead of those that their declarations in the text make."""
        self.write = sys.stdout.write if write is None else write
        self.print = printer(self.write)
        self.tables: dict[bool, dict[str, Any]] = {}
        """What names mean that are no variables, as far as was asked: in expressions (True), in
        programs (False)."""
        self.deleted: set[str] = set()
        """Variables that were deleted, whose names mean nothing from then on that Python lacks."""
        self.starred: list[str] = []
        """Modules all of whose names were imported."""
        self.max_steps = max_steps
        self.timeout = timeout
        self.steps = 0
        self.depth = 0
        self.next_check = 0
        self.going = False
        self.waiting: list[Generator] = []
        """Generators that are to be closed."""
        self.ending: BaseException | None = None
        """What ends the program, and was raised where nothing may be."""

    def run(self, code: Code, goes_on: bool = False) -> Any:
        """Run a program; the value of its last statement if that is an expression
        (`code.ends_in_expression`), else None. `goes_on`: steps before it count, too.

        Raises:
            Exception: whatever the program raised, with its place (see `diagnose`).
            LimitError: `max_steps` or `timeout` is exceeded.
        """
        if not goes_on:
            self.steps = 0
        self.next_check = self.following_check()
        outer, self.going = self.going, True
        with limited(self.timeout), writing(self.write):
            try:
                return self.execute(code, [UNBOUND] * len(code.slots))
            except Carrier as error:
                if type(error.carried) is SystemExit and error.carried.code in (None, 0):
                    return None
                raise
            finally:
                self.going = outer

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

    def resume(
        self, generator: Generator, sent: Any = None, thrown: BaseException | None = None
    ) -> Any:
        """Go on in a generator that is stopped, with what is sent or raised there, until it yields.

        Raises:
            StopIteration: it ended; with what it returned.
        """
        self.enter()
        position, generator.position = generator.position, -1
        generator.running = True
        if generator.comes_back and thrown is None:
            generator.stack.append(sent)
        try:
            value = self.execute(generator.code, generator.variables, position, generator, thrown)
        except StopIteration as error:
            raise stopped(error) from error
        finally:
            generator.running = False
            self.depth -= 1
            if generator.position < 0:
                generator.finish()
        if generator.position < 0:
            raise StopIteration if value is None else StopIteration(value)
        return value

    def dispose(self, generator: Generator) -> None:
        """Close a generator that nobody holds any more, once the program is at a place for that.

        It does not fail: what it raises is lost, as in Python.
        """
        if not self.going:
            abandon(generator.code, generator.variables, generator.position - 1)
        elif not in_language(sys._getframe(2)):
            self.waiting.append(generator)
            self.next_check = 0
        else:
            self.close(generator)

    def close(self, generator: Generator) -> None:
        """Close a generator; what ends the program does so at the next look at the limits."""
        try:
            generator.close()
        except BaseException as error:
            if is_final(error):
                self.ending = error
                self.next_check = 0

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
        """Stop a program that ran too long, and close generators that wait for it."""
        if self.ending is not None:
            ending, self.ending = self.ending, None
            raise ending
        while self.waiting:
            self.close(self.waiting.pop())
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
            if name in self.deleted and not is_pythons(name):
                raise NameError(f"name '{name}' is not defined")
            value = self.namespace.resolve(name, self.globals)
        names[name] = value
        return value

    def variable(self, name: str) -> Any:
        """What a name means outside all functions.

        Raises:
            NameError: nothing.
        """
        value = self.globals.get(name, _MISSING)
        if value is _MISSING:
            names = self.names()
            value = names.get(name, _MISSING)
            if value is _MISSING:
                value = self.look_up(name, names)
        return value

    def import_all(self, module: str) -> None:
        """`from module import *`: names are looked up there first, when they are needed.

        Raises:
            ModuleNotFoundError: there is no such module.
        """
        self.starred.append(self.namespace.module(module).name)
        for names in (self.globals, *self.tables.values()):
            self.forget(names, module)

    def note_deleted(self, name: str) -> None:
        """A global variable was deleted."""
        self.deleted.add(name)
        for names in self.tables.values():
            names.pop(name, None)

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
        thrown: BaseException | None = None,
    ) -> Any:
        """Run instructions from `position` on until the code returns, or the generator yields; or
        raise what is thrown there.
        """
        stack: list[Any] = [] if generator is None else generator.stack
        pop, push = stack.pop, stack.append
        callers: list[tuple[Code, list[Any], int, int]] = []
        outer_depth = self.depth
        global_values, names = self.globals, self.names(code.mathematics)
        instructions, constants = code.instructions, code.constants
        direct = CALLABLE
        operation, right = POP, None
        argument: Any = None
        arguments: list[Any] = []
        function: Any
        error: BaseException | None
        failure: BaseException | None = None
        while True:
            try:
                if thrown is not None:
                    operation, argument = OTHER, THROWN
                    error, thrown = thrown, None
                    raise error
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
                        if kind is Method:
                            arguments = [function.__self__, *arguments]
                            given += 1
                            stack[-1] = function = function.__func__
                            kind = type(function)
                        if kind is Function:
                            pop()
                            if keywords is None and given == function.arity:
                                arguments += function.template
                            else:
                                arguments = bind(function, arguments, keywords or {})
                            depth = self.depth
                            steps = self.steps + 1
                            if depth >= MAX_DEPTH or steps >= self.next_check:
                                self.enter()
                            else:
                                self.steps = steps
                                self.depth = depth + 1
                            callers.append((code, variables, position, len(stack)))
                            code, variables, position = function.code, arguments, 0
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
                        arguments = function = NOTHING  # nothing of the call is kept alive
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
                        code, variables, position, _ = callers.pop()
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
                    elif operation == YIELD:
                        assert generator is not None
                        generator.position = position
                        generator.comes_back = argument
                        return pop()
                    else:  # SEND
                        slot, end = argument
                        try:
                            stack[-1] = advance(variables[slot], stack[-1])
                        except StopIteration as stop:
                            stack[-1] = stop.value
                            variables[slot] = None
                            position = end
            except BaseException as caught:
                index = position - 1
                what, used = self.at_fault(operation, argument, stack, right, arguments)
                if isinstance(caught, TypeError):
                    self.name_classes(caught, operation, what, used, stack, right)
                raised = argument if operation == OTHER and argument[0] is raise_error else None
                error = self.failed(caught, code, variables, index, callers, raised, what, used)
                used = arguments = NOTHING
                region = self.handler(error, code, variables, index)
                while region is None and callers:
                    code, variables, position, _ = callers.pop()
                    self.depth -= 1
                    region = self.handler(error, code, variables, position - 1)
                if region is None:
                    self.depth = outer_depth
                    variables = NOTHING
                    stack.clear()
                    if error is caught:
                        error = None  # else the error would hold the frame that holds it
                        raise
                    failure = error
                else:
                    variables[region.slot] = settled(error)
                    for slot in region.hidden:
                        variables[slot] = None
                    del stack[callers[-1][3] if callers else 0 :]
                    position = region.handler
                    instructions, constants = code.instructions, code.constants
                error = None
            if failure is not None:
                try:
                    raise failure  # here it gets no context of Python's own
                finally:
                    failure = None


Machine.loop = Machine.execute.__code__


def in_language(frame: FrameType | None) -> bool:
    """Whether a frame of Python's belongs to the language, not to the engine."""
    return frame is not None and frame.f_code.co_filename.startswith(_LANGUAGE)
