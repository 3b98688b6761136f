"""Compiles what guards blocks, and what leaves them: `try`, `with`, `raise`, `yield`.

A block with something to do at its end (`finally`, `with`, the end of `except ... as name`) is left
by way of that: `return`, `break` and `continue` note in a slot that it was they, and go on from
there once it is done. So it is compiled once.
"""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.compiling.emitter import Guarded, Label, Loop
from gradcli.language.compiling.expressions import ExpressionCompiler
from gradcli.language.reading import ast
from gradcli.language.running import code as op
from gradcli.language.running import exceptions as act
from gradcli.language.running import generators
from gradcli.language.running.code import Region
from gradcli.language.telling.diagnostics import Refusal

EXITS: Final = ("return", "break", "continue")
"""What leaves a block; the slot of a guarded one holds the place of the word here."""

OUTSIDE: Final = {
    "break": "'break' outside loop",
    "continue": "'continue' not properly in loop",
}
"""What is wrong with a word that leaves nothing."""


class HandlingCompiler(ExpressionCompiler):
    """The part of the compiler for blocks that are guarded."""

    def leave(self, word: str, node: ast.Node) -> None:
        """Leave the blocks that `word` leaves; what is returned is on the stack."""
        around = self.unit.around
        for place in range(len(around) - 1, -1, -1):
            block = around[place]
            if type(block) is Guarded:
                self.leave_by_way_of(block, word, node)
                return
            assert type(block) is Loop
            if word == "continue":
                self.emit(op.JUMP_BACK, block.continued, node)
                return
            outer = any(type(other) is Guarded for other in around[:place])
            if block.slot >= 0 and (word == "break" or outer):
                self.emit(op.OTHER, (act.forget, block.slot), node)
            if word == "break":
                self.emit(op.JUMP, block.broken, node)
                return
        if word in OUTSIDE:
            raise Refusal(OUTSIDE[word], node.start, node.end)
        self.emit(op.RETURN, None, node)

    def leave_by_way_of(self, block: Guarded, word: str, node: ast.Node) -> None:
        """Go to the end of a guarded block, and on from there as `word` says."""
        if word == "return":
            if block.value < 0:
                block.value = self.take_slot()
            self.emit(op.STORE_LOCAL, block.value, node)
        block.exits.setdefault(word, node)
        self.constant(EXITS.index(word), node)
        self.emit(op.STORE_LOCAL, block.why, node)
        self.emit(op.JUMP, block.ending, node)

    def go_on(self, block: Guarded, node: ast.Node) -> None:
        """After the end of a guarded block, go on as the word says by which it was left."""
        for word, place in block.exits.items():
            other = Label()
            self.emit(op.OTHER, (act.left_by, (block.why, EXITS.index(word))), node)
            self.emit(op.JUMP_IF_FALSE, other, node)
            if word == "return":
                self.emit(op.LOCAL, block.value, node)
            self.leave(word, place)
            other.position = len(self.unit.code.instructions)
        self.give_slot(block.why)
        if block.value >= 0:
            self.give_slot(block.value)

    def enter_region(self, region: Region) -> None:
        """From here on, errors go to the region's handler."""
        region.start = len(self.unit.code.instructions)
        region.hidden = (len(self.unit.taken),)

    def leave_region(self, region: Region) -> None:
        """Up to here."""
        code = self.unit.code
        region.end = len(code.instructions)
        region.hidden = tuple({*self.unit.taken[region.hidden[0] :]})
        code.regions.append(region)

    def begin_handling(self, region: Region, handles: Region) -> None:
        """From here on, the error in the region's slot is being handled."""
        region.handler = handles.start = len(self.unit.code.instructions)

    def end_handling(self, handles: Region) -> None:
        """Up to here."""
        code = self.unit.code
        handles.end = len(code.instructions)
        code.handling.append(handles)

    def well(self, block: Guarded, node: ast.Node) -> None:
        """Note that a guarded block came to its end."""
        self.constant(None, node)
        self.emit(op.STORE_LOCAL, block.why, node)

    def well_if_asked(self, block: Guarded, node: ast.Node) -> None:
        """The same where only words that leave the block ask."""
        if block.exits:
            self.well(block, node)

    def visit_try(self, node: ast.Try) -> None:
        inner = (self.catching, node) if node.clauses else node.body
        if node.final is None:
            self.push(inner)
        else:
            self.guard(inner, node.final, node)

    def guard(self, inner: Any, final: Any, node: ast.Node) -> None:
        """Do `inner`, then `final`, however `inner` is left."""
        block = Guarded(self.take_slot())
        region, handles = Region(block.why), Region(block.why)
        self.push(
            (self.enter_region, region),
            (self.unit.around.append, block),
            inner,
            (self.unit.around.pop,),
            (self.leave_region, region),
            (self.well, block, node),
            block.ending,
            (self.begin_handling, region, handles),
            final,
            (op.OTHER, (act.reraise, block.why), node),
            (self.end_handling, handles),
            (self.go_on, block, node),
        )

    def catching(self, node: ast.Try) -> None:
        """`try` with `except`, without its `finally`."""
        slot = self.take_slot()
        region, handles, end = Region(slot), Region(slot), Label()
        items: list[Any] = [
            (self.enter_region, region),
            node.body,
            (self.leave_region, region),
        ]
        if node.otherwise is not None:
            items.append(node.otherwise)
        items += [(op.JUMP, end, node), (self.begin_handling, region, handles)]
        for clause in node.clauses:
            other = Label()
            if clause.kind is not None:
                items += [
                    clause.kind,
                    (op.OTHER, (act.matches, slot), clause.kind),
                    (op.JUMP_IF_FALSE, other, clause.kind),
                ]
            if clause.name is None:
                items.append(clause.body)
            else:
                items += [
                    (op.OTHER, (act.push_error, slot), clause),
                    (self.store_name, clause.name, clause),
                    (self.guard, clause.body, (self.unbind, clause), clause),
                ]
            items += [(op.OTHER, (act.forget, slot), clause), (op.JUMP, end, clause), other]
        items += [
            (op.OTHER, (act.reraise, slot), node),
            (self.end_handling, handles),
            end,
            (self.give_slot, slot),
        ]
        self.push(*items)

    def unbind(self, clause: ast.Except) -> None:
        """Unset the name of an `except` clause, which its block may have unset."""
        assert clause.name is not None
        name = ast.Name(clause.start, clause.end, clause.name)
        self.constant(None, clause)
        self.store_name(clause.name, clause)
        self.delete(name)

    def visit_raise(self, node: ast.Raise) -> None:
        if node.error is None:
            self.emit(op.OTHER, (act.raise_again, None), node)
            return
        items: list[Any] = [node.error]
        if node.cause is not None:
            items.append(node.cause)
        self.push(*items, (op.OTHER, (act.raise_error, node.cause is not None), node))

    def visit_with(self, node: ast.With) -> None:
        self.within(node, 0)

    def within(self, node: ast.With, number: int) -> None:
        """`with` from an item on."""
        item = node.items[number]
        leaves, block, end = self.take_slot(), Guarded(self.take_slot()), Label()
        region, handles = Region(block.why, leaves), Region(block.why)
        inner = node.body if number + 1 == len(node.items) else (self.within, node, number + 1)
        drop = (op.POP, None, item) if item.target is None else (self.store, item.target)
        place = item.context
        self.push(
            place,
            (op.OTHER, (act.enter_context, leaves), place),
            (self.enter_region, region),
            (self.unit.around.append, block),
            drop,
            inner,
            (self.unit.around.pop,),
            (self.leave_region, region),
            (self.well_if_asked, block, place),
            block.ending,
            (op.OTHER, (act.leave_context, leaves), place),
            (self.go_on, block, place),
            (op.JUMP, end, place),
            (self.begin_handling, region, handles),
            (op.OTHER, (act.leave_with_error, (leaves, block.why)), place),
            (op.JUMP_IF_TRUE, end, place),
            (op.OTHER, (act.reraise, block.why), place),
            (self.end_handling, handles),
            end,
            (self.give_slot, leaves),
        )

    def generates(self, node: ast.Node) -> None:
        """Note that the function is a generator.

        Raises:
            Refusal: there is none, or a comprehension between it and here.
        """
        unit = self.unit
        if self.scope.kind == "inline" or unit.code.positional == [".0"]:
            raise Refusal("'yield' inside a comprehension", node.start, node.end)
        if unit.code is self.program:
            raise Refusal("'yield' outside function", node.start, node.end)
        unit.code.yields = True

    def visit_yield(self, node: ast.Yield) -> None:
        self.hand_out(node, True)

    def hand_out(self, node: ast.Yield, comes_back: bool) -> None:
        """`yield`; `comes_back`: something is done with what is sent."""
        self.generates(node)
        value = ast.Constant(node.start, node.end, None) if node.value is None else node.value
        self.push(value, (op.YIELD, comes_back, node))

    def visit_yield_from(self, node: ast.YieldFrom) -> None:
        self.generates(node)
        slot, again, end = self.take_slot(), Label(), Label()
        none = ast.Constant(node.start, node.end, None)
        self.push(
            node.value,
            (op.OTHER, (generators.begin_delegation, None), node),
            (op.STORE_LOCAL, slot, node),
            none,
            again,
            (op.SEND, (slot, end), node),
            (op.YIELD, True, node),
            (self.delegated, slot, end),
            (op.JUMP_BACK, again, node),
            end,
            (self.give_slot, slot),
        )

    def delegated(self, slot: int, end: Label) -> None:
        """Note that what comes back here is for the iterator in a slot."""
        self.unit.delegations[len(self.unit.code.instructions)] = slot, end
