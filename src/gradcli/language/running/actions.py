"""What the rarer instructions do.

Each takes the machine, its stack of values, the variables of the running call, and the
instruction's argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from gradcli.language.allowed import attributes
from gradcli.language.allowed.limits import (
    bounded,
    check_hashable,
    check_items,
    check_nesting,
    check_printable,
    check_text,
    check_width,
    hashable_pairs,
    is_programs_mapping,
    mapping_keys,
)
from gradcli.language.running.code import UNBOUND, Cell
from gradcli.language.running.functions import Function, Runner
from gradcli.language.running.methods import Method
from gradcli.tensor.classes import Class
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.public import has_model, supports, word_of

Stack = list[Any]
_MISSING: Any = object()


def type_name(value: Any) -> str:
    """The name of a value's type, as errors spell it."""
    return word_of(value)


def duplicate(machine: Runner, stack: Stack, variables: Stack, count: int) -> None:
    stack.extend(stack[-count:])


def swap(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    stack[-1], stack[-2] = stack[-2], stack[-1]


def rotate(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    """The top goes under the two values below it."""
    stack.insert(-2, stack.pop())


def drop_second(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    del stack[-2]


def compare_and_keep(machine: Runner, stack: Stack, variables: Stack, compare: Any) -> None:
    """Compare, and keep the right operand below the answer for the chain's next comparison."""
    left, right = stack[-2], stack[-1]
    answer = compare(left, right)
    stack[-2] = right
    stack[-1] = answer


def delete_global(machine: Runner, stack: Stack, variables: Stack, name: str) -> None:
    if name not in machine.globals:
        raise NameError(f"name '{name}' is not defined")
    del machine.globals[name]
    machine.note_deleted(name)


def delete_local(
    machine: Runner, stack: Stack, variables: Stack, argument: tuple[int, str]
) -> None:
    slot, name = argument
    if variables[slot] is UNBOUND:
        raise unset(name)
    variables[slot] = UNBOUND


def delete_cell(machine: Runner, stack: Stack, variables: Stack, argument: tuple[int, str]) -> None:
    slot, name = argument
    if variables[slot].value is UNBOUND:
        raise unset(name)
    variables[slot].value = UNBOUND


def load_name(machine: Runner, stack: Stack, variables: Stack, name: str) -> None:
    """Push what a body has bound to a name, or the global variable."""
    value = variables[0].get(name, _MISSING)
    stack.append(machine.variable(name) if value is _MISSING else value)


def define_name(machine: Runner, stack: Stack, variables: Stack, name: str) -> None:
    variables[0][name] = stack.pop()


def delete_name(machine: Runner, stack: Stack, variables: Stack, name: str) -> None:
    if name not in variables[0]:
        raise NameError(f"name '{name}' is not defined")
    del variables[0][name]


def unset(name: str) -> UnboundLocalError:
    """The error for a local variable without a value."""
    return UnboundLocalError(
        f"cannot access local variable '{name}' where it is not associated with a value"
    )


def fresh_cell(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    variables[slot] = Cell()


def take(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    """Push what a hidden slot holds and clear it."""
    stack.append(variables[slot])
    variables[slot] = None


def store_attribute(machine: Runner, stack: Stack, variables: Stack, name: str) -> None:
    target = stack.pop()
    attributes.set_attribute(target, name, stack.pop())


def delete_attribute(machine: Runner, stack: Stack, variables: Stack, name: str) -> None:
    attributes.delete_attribute(stack.pop(), name)


def store_subscript(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    index = stack.pop()
    target = stack.pop()
    value = stack.pop()
    if type(index) is slice and type(target) is list and iterable(value):
        value = bounded(value)
        if hasattr(value, "__len__"):
            check_items(len(target) + len(value))
    elif type(target) is dict:
        check_hashable(index)
    target[index] = value


def delete_subscript(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    index = stack.pop()
    target = stack.pop()
    if type(target) is dict:
        check_hashable(index)
    del target[index]


def build_slice(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    step = stack.pop()
    upper = stack.pop()
    for bound in (stack[-1], upper, step):
        if type(bound) is slice:
            check_nesting(bound, slice)
    stack[-1] = slice(stack[-1], upper, step)


def build_list(machine: Runner, stack: Stack, variables: Stack, count: int) -> None:
    if count:
        items = stack[-count:]
        del stack[-count:]
        stack.append(items)
    else:
        stack.append([])


def build_tuple(machine: Runner, stack: Stack, variables: Stack, count: int) -> None:
    if count:
        items = tuple(stack[-count:])
        del stack[-count:]
        stack.append(items)
    else:
        stack.append(())


def build_set(machine: Runner, stack: Stack, variables: Stack, count: int) -> None:
    for item in stack[len(stack) - count :]:
        check_hashable(item)
    items = set(stack[len(stack) - count :])
    del stack[len(stack) - count :]
    stack.append(items)


def build_dict(machine: Runner, stack: Stack, variables: Stack, argument: int) -> None:
    stack.append({})


def list_to_tuple(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    stack[-1] = tuple(stack[-1])


def list_to_set(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    stack[-1] = set(stack[-1])


def append(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    value = stack.pop()
    stack[-1].append(value)


def extend(machine: Runner, stack: Stack, variables: Stack, display: str) -> None:
    values = stack.pop()
    if not iterable(values) and display != "set":
        raise TypeError(f"Value after * must be an iterable, not {type_name(values)}")
    stack[-1].extend(bounded(values))
    check_items(len(stack[-1]))


def add_item(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    value = stack.pop()
    key = stack.pop()
    check_hashable(key)
    stack[-1][key] = value


def merge(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    other = stack.pop()
    if not is_mapping(other):
        raise TypeError(f"'{type_name(other)}' object is not a mapping")
    stack[-1].update(hashable_pairs(other))


def collect(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    result = variables[slot]
    result.append(stack.pop())
    if not len(result) & 0xFFFFF:
        check_items(len(result))


def collect_in_set(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    result = variables[slot]
    value = stack.pop()
    check_hashable(value)
    result.add(value)
    if not len(result) & 0xFFFFF:
        check_items(len(result), "set")


def collect_item(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    value = stack.pop()
    result = variables[slot]
    key = stack.pop()
    check_hashable(key)
    result[key] = value
    if not len(result) & 0xFFFFF:
        check_items(len(result), "dict")


def iterable(value: Any) -> bool:
    """Whether `iter(value)` can work."""
    return supports(value, "__iter__") or supports(value, "__getitem__")


def is_mapping(value: Any) -> bool:
    """Whether a value can be unpacked with `**`."""
    return isinstance(value, Mapping) or is_programs_mapping(value)


def get_iterator(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    stack[-1] = iter(stack[-1])


def unpack(machine: Runner, stack: Stack, variables: Stack, count: int) -> None:
    value = stack.pop()
    if type(value) is tuple or type(value) is list:
        items = value
        surplus = len(items) > count
    else:
        if not iterable(value):
            raise TypeError(f"cannot unpack non-iterable {type_name(value)} object")
        items = []
        surplus = False
        for item in value:
            if len(items) == count:
                surplus = True
                break
            items.append(item)
    if surplus:
        raise ValueError(f"too many values to unpack (expected {count})")
    if len(items) < count:
        raise ValueError(f"not enough values to unpack (expected {count}, got {len(items)})")
    stack.extend(items[::-1])


def unpack_starred(machine: Runner, stack: Stack, variables: Stack, shape: tuple[int, int]) -> None:
    before, after = shape
    value = stack.pop()
    if not iterable(value):
        raise TypeError(f"cannot unpack non-iterable {type_name(value)} object")
    iterator = iter(value)
    first = list(islice(iterator, before))
    items = [*first, *bounded(iterator)] if len(first) == before else first
    if len(items) < before + after:
        raise ValueError(
            f"not enough values to unpack (expected at least {before + after}, got {len(items)})"
        )
    middle = items[before : len(items) - after]
    tail = items[len(items) - after :] if after else []
    stack.extend(reversed([*items[:before], middle, *tail]))


def join_strings(machine: Runner, stack: Stack, variables: Stack, count: int) -> None:
    parts = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    check_text(sum(map(len, parts)))
    stack.append("".join(parts))


def convert(value: Any, conversion: str) -> Any:
    """A value after `!r`, `!s` or `!a`."""
    check_printable(value)
    if not conversion:
        return value
    text = repr(value) if conversion == "r" else (str if conversion == "s" else ascii)(value)
    return text if type(value) is str else without_addresses(text)


def formatted(value: Any, spec: str) -> str:
    """`format(value, spec)`, without addresses."""
    text = format(value, spec)
    return text if type(value) is str else without_addresses(text)


def format_plain(machine: Runner, stack: Stack, variables: Stack, conversion: str) -> None:
    value = stack[-1]
    if conversion or type(value) is not str:
        stack[-1] = formatted(convert(value, conversion), "")


def format_with(machine: Runner, stack: Stack, variables: Stack, conversion: str) -> None:
    spec = stack.pop()
    check_width(spec)
    stack[-1] = formatted(convert(stack[-1], conversion), spec)


def called(function: Any) -> str:
    """What messages call a function that is called, "" where it has no name."""
    name = getattr(function, "__qualname__", "") or getattr(function, "__name__", "")
    return f"{name.rpartition('.')[2]}()" if isinstance(name, str) and name else ""


def function_name(function: Any) -> str:
    """A function as errors about its arguments spell it."""
    if type(function) is Method:
        function = function.__func__
    if isinstance(function, Function):
        return f"__main__.{function.__qualname__}()"
    if isinstance(function, Class):
        own = has_model(function)
        return f"{function.label if own else function.__name__}()"
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        return called(function) or without_addresses(f"{function!r}")
    module = getattr(function, "__module__", None)
    return f"{name}()" if module in (None, "builtins") else f"{module}.{name}()"


def extend_arguments(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    values = stack.pop()
    if not iterable(values):
        name = function_name(stack[-2])
        raise TypeError(f"{name} argument after * must be an iterable, not {type_name(values)}")
    stack[-1].extend(bounded(values))
    check_items(len(stack[-1]))


def merge_arguments(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    other = stack.pop()
    if not is_mapping(other):
        name = function_name(stack[-3])
        raise TypeError(f"{name} argument after ** must be a mapping, not {type_name(other)}")
    for key in other if isinstance(other, Mapping) else mapping_keys(other):
        if not isinstance(key, str):
            raise TypeError("keywords must be strings")
        if key in stack[-1]:
            name = function_name(stack[-3])
            raise TypeError(f"{name} got multiple values for keyword argument '{key}'")
        stack[-1][key] = other[key]


def add_argument(machine: Runner, stack: Stack, variables: Stack, key: str) -> None:
    value = stack.pop()
    if key in stack[-1]:
        raise TypeError(
            f"{function_name(stack[-3])} got multiple values for keyword argument '{key}'"
        )
    stack[-1][key] = value


def call_unpacked(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    stack[-3] = machine.call(stack[-3], *stack[-2], **stack[-1])
    del stack[-2:]


def at_work(handler: Any, stack: Stack, argument: Any) -> tuple[str, list[Any]]:
    """What a rarer instruction that failed was about to do, with which values of a call."""
    if handler is call_unpacked:
        return called(stack[-3]), [*stack[-2], *stack[-1].values()]
    if handler is store_attribute:
        return f"setting {argument}", []
    if handler in (format_plain, format_with):
        return "format()", []
    return "", []


def fail_assertion(machine: Runner, stack: Stack, variables: Stack, message: bool) -> None:
    if message:
        text = stack.pop()
        check_printable(text)
        raise AssertionError(text)
    raise AssertionError


def declare(
    machine: Runner, stack: Stack, variables: Stack, argument: tuple[str, str, str]
) -> None:
    kind, name, dtype = argument
    value = stack.pop()
    chosen: Any = dtype or None
    if dtype == ".":
        chosen = stack.pop()
    elif dtype in machine.globals:
        chosen = machine.globals[dtype]
    tensor = machine.instead.get(name)
    if tensor is None:
        tensor = machine.namespace.declare(kind, value, chosen)
    machine.declared[name] = tensor
    stack.append(tensor)


def import_module(
    machine: Runner, stack: Stack, variables: Stack, argument: tuple[str, bool]
) -> None:
    module, renamed = argument
    found = machine.namespace.module(module)
    stack.append(found if renamed else machine.namespace.module(module.partition(".")[0]))


def import_name(machine: Runner, stack: Stack, variables: Stack, argument: tuple[str, str]) -> None:
    module, name = argument
    stack.append(machine.namespace.import_name(module, name))


def import_all(machine: Runner, stack: Stack, variables: Stack, module: str) -> None:
    machine.import_all(module)
