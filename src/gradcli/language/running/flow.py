"""Ways through a program: whether it may read a global variable before it binds it."""

from __future__ import annotations

from typing import Any

from gradcli.language.running import actions as act
from gradcli.language.running import code as op
from gradcli.language.running import generators
from gradcli.language.running.code import Code


def needs(code: Code, name: str) -> bool:
    """Whether a program may read a global name before it binds it.

    Both ways of a condition are possible, and a block may be left anywhere. A function that reads
    the name needs it where it is made.
    """
    if name in code.reads and name not in code.stores:
        return True
    seen: set[int] = set()
    ways = [0]
    while ways:
        position = ways.pop()
        while position not in seen:
            seen.add(position)
            region = code.region(position)
            if region is not None:
                ways.append(region.handler)
            operation, argument = code.instructions[position]
            if operation == op.STORE_GLOBAL and argument == name:
                break
            if _reads(operation, argument, name):
                return True
            if operation == op.RETURN:
                break
            if operation in (op.JUMP, op.JUMP_BACK):
                position = argument
                continue
            if operation in (op.JUMP_IF_FALSE, op.JUMP_IF_TRUE, op.AND_JUMP, op.OR_JUMP):
                ways.append(argument)
            elif operation in (op.NEXT, op.SEND):
                ways.append(argument[1])
            position += 1
    return False


def _reads(operation: int, argument: Any, name: str) -> bool:
    """Whether an instruction reads a global name, or makes a function that does."""
    waiting = [(operation, argument)]
    while waiting:
        operation, argument = waiting.pop()
        if operation == op.GLOBAL and argument == name:
            return True
        if operation != op.OTHER:
            continue
        action, given = argument
        if action is generators.make_function or action is generators.make_generator:
            waiting += given[0].instructions
        elif action is act.delete_global or action is act.declare:
            target = given if action is act.delete_global else given[2]  # the name of a dtype
            if target == name:
                return True
    return False
