"""Compiled programs: flat lists of instructions.

An instruction is a pair of an operation (below) and its argument. Values are passed on a stack;
"pushes" and "pops" mean that stack. Jump arguments are indices of instructions.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

CONSTANT: Final = 0  # pushes constants[argument]
LOCAL: Final = 1  # pushes the variable in slot `argument`
GLOBAL: Final = 2  # pushes the global variable, or the language's own name, `argument`
ATTRIBUTE: Final = 3  # replaces a value by its attribute `argument`
BINARY: Final = 4  # replaces two values by argument(left, right)
CALL: Final = 5  # replaces a function and `argument` values by the result
CALL_NAMED: Final = 6  # the same for (positional count, keyword names)
SUBSCRIPT: Final = 7  # replaces a value and an index by the item
STORE_LOCAL: Final = 8  # pops into slot `argument`
STORE_GLOBAL: Final = 9  # pops into the global variable `argument`
POP: Final = 10  # drops a value
JUMP: Final = 11  # goes on at `argument`
JUMP_BACK: Final = 12  # the same, backwards: where steps and time are counted
JUMP_IF_FALSE: Final = 13  # pops; goes to `argument` if false
JUMP_IF_TRUE: Final = 14  # pops; goes to `argument` if true
AND_JUMP: Final = 15  # goes to `argument` if the top is false, else drops it
OR_JUMP: Final = 16  # goes to `argument` if the top is true, else drops it
NEXT: Final = 17  # (slot, end): pushes the next item of the slot's iterator, or goes to the end
RETURN: Final = 18  # pops the result, leaves the function
UNARY: Final = 19  # replaces a value by argument(value)
CELL: Final = 20  # pushes what the cell in slot `argument` holds
STORE_CELL: Final = 21  # pops into the cell in slot `argument`
YIELD: Final = 22  # pops a value and hands it out of a generator; argument: whether one comes back
SEND: Final = 23  # (slot, end): pops a value for the slot's iterator, pushes what that yields, or
# what it returns at the end
OTHER: Final = 24  # (handler, argument): handler(machine, stack, locals, argument)


class Unbound:
    """What an unset variable holds."""

    __slots__ = ()


UNBOUND: Final = Unbound()


class Cell:
    """A variable that outlives its function's call, because an inner function uses it."""

    __slots__ = ("value",)

    def __init__(self, value: Any = UNBOUND) -> None:
        self.value = value


class Moves:
    """Where the offsets of a text are in another that differs in numbers.

    Args:
        starts: of the numbers in the one text, ascending.
        before, after: how the numbers are spelt there, and in the other.
    """

    __slots__ = ("after", "before", "starts")

    def __init__(self, starts: list[int], before: list[str], after: list[str]) -> None:
        self.starts = starts
        self.before = before
        self.after = after

    def moved(self, offset: int) -> int:
        """Where an offset is that is not within a number."""
        passed = bisect_left(self.starts, offset)
        before, after = self.before[:passed], self.after[:passed]
        return offset + sum(map(len, after)) - sum(map(len, before))


class Region:
    """Instructions whose errors go to a handler.

    Attributes:
        start, end: the first of them, and the one after the last.
        handler: where the machine goes on.
        slot: what holds the error there.
        leaves: the slot of what leaves a context manager, where the region is its block, or -1.
        hidden: slots that nobody needs after an error.
    """

    __slots__ = ("end", "handler", "hidden", "leaves", "slot", "start")

    def __init__(self, slot: int, leaves: int = -1) -> None:
        self.start = self.end = self.handler = -1
        self.slot = slot
        self.leaves = leaves
        self.hidden: tuple[int, ...] = ()


class Code:
    """The instructions of a program or of one function.

    The slots of a call's variables are: parameters (positional, keyword-only, `*rest`,
    `**keywords`), cells from outside, other variables, and hidden ones (iterators). Literals are in
    `constants`, apart from the instructions, so that texts that differ in numbers alone have all
    else in common.
    """

    doc: str | None = None
    """The string that a function's body begins with."""

    of_class = False
    """Whether it is the body of a class."""

    def __init__(
        self,
        name: str,
        text: str,
        origin: str,
        within: Code | None = None,
        mathematics: bool = False,
    ) -> None:
        self.name = name
        self.text = text
        self.origin = origin
        self.within = within
        self.inner: list[Code] = []
        """The functions in it."""
        if within is not None:
            within.inner.append(self)
        self.mathematics: bool = mathematics if within is None else within.mathematics
        """Whether names that Python has, too, mean mathematics, as in expressions."""
        self.instructions: list[tuple[int, Any]] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        """For each instruction the span that it stands for (see `span`)."""
        self.regions: list[Region] = []
        """Where errors are handled, the inner before the outer."""
        self.handling: list[Region] = []
        """The instructions that handle the error in a region's slot, the inner before the outer."""
        self.delegations: dict[int, tuple[int, int]] = {}
        """By the position after its `YIELD`, the slot of the iterator of a `yield from`, and where
        it ends."""
        self.yields = False
        """Whether it is a generator's."""
        self.moves: Moves | None = None
        """How the spans lie in `text`, where they are another text's."""
        self.constants: list[Any] = []
        self.positional: list[str] = []
        self.positional_only = 0
        self.keyword_only: list[str] = []
        self.rest = ""
        self.keywords = ""
        self.simple = True
        """No parameters but plain positional ones."""
        self.fixed = 0
        """Slots of parameters."""
        self.outside: list[str] = []
        """Names of the cells that come from outside."""
        self.cells: list[int] = []
        """Slots whose variables live in cells of this function."""
        self.slots: list[str] = []
        """Name of each slot."""
        self.reads: dict[str, None] = {}
        self.stores: dict[str, None] = {}
        self.operands: set[str] = set()
        """Global names that are operands of arithmetic, where that tells what they are."""
        self.declared: dict[str, str] = {}
        """Names that `let` and `const` declare, with which."""
        self.statements = 0
        """How many stand at the top of the program."""
        self.ends_in_expression = False

    def filled(self, text: str, constants: list[Any], moves: Moves) -> Code:
        """The code of a text that differs from this one's in numbers, which are given."""
        code = object.__new__(Code)
        code.__dict__.update(self.__dict__)
        code.text = text
        code.constants = constants
        code.moves = moves
        return code

    def span(self, index: int) -> tuple[int, int]:
        """The offsets in `text` of what an instruction stands for; -1 is the last one."""
        start, end = self.starts[index], self.ends[index]
        if self.moves is None:
            return start, end
        return self.moves.moved(start), self.moves.moved(end)

    def region(self, index: int) -> Region | None:
        """The innermost region that an instruction is in."""
        for region in self.regions:
            if region.start <= index < region.end:
                return region
        return None

    @property
    def qualified_name(self) -> str:
        """The name that errors use: `outer.<locals>.inner`."""
        names = [self.name]
        outer = self.within
        while outer is not None and outer.within is not None:
            names.append(outer.name if outer.of_class else f"{outer.name}.<locals>")
            outer = outer.within
        return ".".join(reversed(names))

    @property
    def read_names(self) -> list[str]:
        """Global names that the program reads and never binds, in order of appearance, known ones
        among them.
        """
        return [name for name in self.reads if name not in self.stores]
