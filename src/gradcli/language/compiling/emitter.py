"""What the compiler stands on: its list of work, the code it emits, and where variables live."""

from __future__ import annotations

from typing import Any

from gradcli.language.allowed.operators import BINARY, Operator
from gradcli.language.compiling.scopes import Scope, Scopes
from gradcli.language.reading import ast
from gradcli.language.running import actions as act
from gradcli.language.running import code as op
from gradcli.language.running.code import Code


def operators(mathematics: bool) -> dict[str, Operator]:
    """The binary operators of programs, or those of expressions."""
    if not mathematics:
        return BINARY
    from gradcli.language.allowed.mathematics import OPERATORS

    return OPERATORS


def constant_key(value: object) -> tuple[type, Any]:
    """What tells literals apart: 0.0 and -0.0, 1 and True are two."""
    return type(value), repr(value) if isinstance(value, float | complex) else value


class Label:
    """A place in the code that jumps name before it is known."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position = -1


class Loop:
    """A loop, as `break` and `continue` see it; `slot` holds the iterator, or is -1."""

    __slots__ = ("broken", "continued", "slot")

    def __init__(self, broken: Label, continued: Label, slot: int = -1) -> None:
        self.broken = broken
        self.continued = continued
        self.slot = slot


class Guarded:
    """A block with something to do at its end, however it is left.

    Attributes:
        ending: where that is done.
        why: the slot that says how the block was left: None at its end, an error, or a number of
            `EXITS`.
        value: the slot of what is returned meanwhile, or -1.
        exits: the words that leave the block, each with a place where one stands.
    """

    __slots__ = ("ending", "exits", "value", "why")

    def __init__(self, why: int) -> None:
        self.ending = Label()
        self.why = why
        self.value = -1
        self.exits: dict[str, ast.Node] = {}


class Unit:
    """A piece of code that is being compiled: the program or a function."""

    __slots__ = ("around", "code", "delegations", "free_slots", "kept", "scope", "taken")

    def __init__(self, code: Code, scope: Scope) -> None:
        self.code = code
        self.scope = scope
        self.around: list[Loop | Guarded] = []
        self.free_slots: list[int] = []
        self.taken: list[int] = []
        """Hidden slots in the order in which they were taken."""
        self.delegations: dict[int, tuple[int, Label]] = {}
        self.kept: dict[tuple[type, Any], int] = {}


class Emitter:
    """Emits the code of one tree.

    `work` holds what is left to do, last in, first out: nodes to compile, instructions to emit
    (operation, argument, node), labels to place, and calls to make (function, arguments).
    """

    def __init__(
        self, text: str, origin: str, tree: ast.Block, scoped: bool, mathematics: bool
    ) -> None:
        self.text = text
        self.origin = origin
        self.program = Code("<module>", text, origin, mathematics=mathematics)
        self.operators = operators(mathematics)
        self.scopes = Scopes(tree) if scoped else None
        module = self.scopes.module if self.scopes is not None else Scope("module", None)
        self.scope = module
        self.unit = Unit(self.program, module)
        self.work: list[Any] = []
        self.pending: list[tuple[Unit, list[Any]]] = []
        """The functions to compile after this one, each with its `work`."""

    def finish(self) -> None:
        """Put positions in place of labels."""
        code = self.unit.code
        for place, (slot, end) in self.unit.delegations.items():
            code.delegations[place] = slot, end.position
        for index, (operation, argument) in enumerate(code.instructions):
            if type(argument) is Label:
                code.instructions[index] = (operation, argument.position)
            elif operation in (op.NEXT, op.SEND):
                code.instructions[index] = (operation, (argument[0], argument[1].position))

    def finish_function(self, node: ast.Node) -> None:
        """Return None at the end."""
        self.constant(None, node)
        self.emit(op.RETURN, None, node)

    def emit(self, operation: int, argument: Any, node: ast.Node) -> None:
        """Append an instruction that stands for `node`."""
        code = self.unit.code
        code.instructions.append((operation, argument))
        code.starts.append(node.start)
        code.ends.append(node.end)

    def push(self, *items: Any) -> None:
        """Queue work, to be done in the order in which it is written here."""
        self.work.extend(reversed(items))

    def slot(self, name: str) -> int:
        """A new slot."""
        code = self.unit.code
        code.slots.append(name)
        return len(code.slots) - 1

    def take_slot(self) -> int:
        """A hidden slot, for an iterator or an error."""
        free = self.unit.free_slots
        slot = free.pop() if free else self.slot("")
        self.unit.taken.append(slot)
        return slot

    def give_slot(self, slot: int) -> None:
        """The hidden slot is not needed any more."""
        self.unit.free_slots.append(slot)

    def resolve(self, name: str) -> tuple[str, int]:
        """How a name is reached from here: ("global", 0), ("local", slot), ("cell", slot), or, in
        a class's body, ("class", 0).
        """
        if self.scopes is None:
            return "global", 0
        owner, crossed = self.scope.find(name)
        if owner is None:
            return "global", 0
        if crossed:
            return "cell", crossed[0].slots[name + "'"]
        if owner.kind == "class" and name not in owner.captured:
            return "class", 0
        if name not in owner.slots:
            owner.slots[name] = self.slot(name)
        return ("cell" if name in owner.captured else "local"), owner.slots[name]

    def load(self, name: str, node: ast.Node) -> None:
        """Push a variable."""
        kind, slot = self.resolve(name)
        if kind == "global":
            self.program.reads[name] = None
            self.emit(op.GLOBAL, name, node)
        elif kind == "class":
            self.emit(op.OTHER, (act.load_name, name), node)
        else:
            self.emit(op.LOCAL if kind == "local" else op.CELL, slot, node)

    def note_operands(self, *nodes: ast.Node) -> None:
        """In an expression, a global name that is an operand of arithmetic is a variable."""
        if self.program.mathematics:
            for node in nodes:
                if type(node) is ast.Name and self.resolve(node.name)[0] == "global":
                    self.program.operands.add(node.name)

    def store(self, target: ast.Node) -> None:
        """Pop a value into a target."""
        if isinstance(target, ast.Name):
            self.store_name(target.name, target)
        elif isinstance(target, ast.Attribute):
            self.push(target.value, (op.OTHER, (act.store_attribute, target.name), target))
        elif isinstance(target, ast.Subscript):
            self.push(target.value, target.index, (op.OTHER, (act.store_subscript, None), target))
        elif isinstance(target, ast.Tuple | ast.List):
            elements = target.elements
            stars = [n for n, item in enumerate(elements) if isinstance(item, ast.Starred)]
            if stars:
                shape = (stars[0], len(elements) - stars[0] - 1)
                self.emit(op.OTHER, (act.unpack_starred, shape), target)
            else:
                self.emit(op.OTHER, (act.unpack, len(elements)), target)
            for element in reversed(elements):
                inner = element.value if isinstance(element, ast.Starred) else element
                self.work.append((self.store, inner))

    def store_name(self, name: str, node: ast.Node) -> None:
        """Pop a value into a variable."""
        kind, slot = self.resolve(name)
        if kind == "global":
            self.program.stores[name] = None
            self.emit(op.STORE_GLOBAL, name, node)
        elif kind == "class":
            self.emit(op.OTHER, (act.define_name, name), node)
        else:
            self.emit(op.STORE_LOCAL if kind == "local" else op.STORE_CELL, slot, node)

    def delete(self, target: ast.Node) -> None:
        """Unset a target."""
        if isinstance(target, ast.Name):
            kind, slot = self.resolve(target.name)
            if kind == "global":
                self.emit(op.OTHER, (act.delete_global, target.name), target)
            elif kind == "class":
                self.emit(op.OTHER, (act.delete_name, target.name), target)
            else:
                unset = act.delete_local if kind == "local" else act.delete_cell
                self.emit(op.OTHER, (unset, (slot, target.name)), target)
        elif isinstance(target, ast.Attribute):
            self.push(target.value, (op.OTHER, (act.delete_attribute, target.name), target))
        elif isinstance(target, ast.Subscript):
            self.push(target.value, target.index, (op.OTHER, (act.delete_subscript, None), target))
        elif isinstance(target, ast.Tuple | ast.List):
            self.push(*((self.delete, element) for element in target.elements))

    def constant(self, value: object, node: ast.Node) -> None:
        """Push a literal."""
        constants = self.unit.code.constants
        index = self.unit.kept.setdefault(constant_key(value), len(constants))
        if index == len(constants):
            constants.append(value)
        self.emit(op.CONSTANT, index, node)
