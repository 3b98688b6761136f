"""What lark's LALR(1) tables say to do for a stretch of tokens, by their kinds alone.

Which rules are reduced depends on the kinds of tokens and not on their texts. So the tables are
walked once for all lines such as `y = y * 2 + x`, and what is left to do for each of them is a list
of steps: which texts become values, and which values a node is built of.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from gradcli.language.reading.builder import ACTIONS
from gradcli.language.reading.expressions import Action, Reader
from gradcli.language.reading.tables import ACCEPT, Lazy, Rule, Tables
from gradcli.tensor.bounded import Bounded

TEXT: Final = -1
"""Size of the step that makes a token's text a value."""

LEAF: Final = -2
"""Size of the step that builds a node of a token's text."""

LONGEST: Final = 200
"""Tokens of a stretch whose recipe is remembered."""

LIMIT: Final = 4 << 20
"""Bytes of recipes that are remembered."""

PER_TOKEN: Final = 500

SMALLEST: Final = 1000

Step = tuple[int, Action | None, Callable[[list[Any]], list[Any]] | None, int, int]
"""How many values are taken, what is built of them, what is done to them before, where None leaves
them as they are, and the first and last token of the rule's text, counted from the stretch's first.
With something to be done before, every symbol of the rule has a value, and the place is the first
one's.
"""


class Recipe(NamedTuple):
    """The steps for a stretch of tokens.

    Attributes:
        dropped: how many states go from the top of those before it.
        states: those that come in their place.
        failed: which token has no action, counted from the stretch's first; -1 if all have.
        accepted: whether the text ends with it.
    """

    steps: list[Step]
    dropped: int
    states: list[int]
    failed: int
    accepted: bool


class Reduction(NamedTuple):
    """What a rule does.

    Attributes:
        crossed: whether it stands for its only child.
        keep: which children stay where that is all there is to it, else None.
        collect: takes all children, and gives those that stay.
    """

    origin: str
    size: int
    build: Action
    crossed: bool
    keep: tuple[int, ...] | None
    collect: Callable[[list[Any]], list[Any]]


class Recipes:
    """The recipes of a grammar."""

    def __init__(self, tables: Tables) -> None:
        self.actions = tables.actions
        self.gotos = tables.gotos
        self.rules = Lazy(lambda number: reduction(tables.rules[number]))
        self.crossings: dict[tuple[int, int, str], int] = {}
        self.known: Bounded[Recipe] = Bounded(LIMIT)

    def find(self, states: list[int], kinds: list[str], first: int, stop: int) -> Recipe:
        """The recipe for the tokens `first` to `stop`, in these states, up to what is reduced
        because of the token after them.
        """
        if stop - first > LONGEST:
            return self.make(states, kinds[first : stop + 1], stop - first)
        # What goes further down the states depends on more of them, and is not remembered.
        key = (*states[-2:], *kinds[first : stop + 1])
        recipe = self.known.get(key)
        if recipe is None:
            recipe = self.make(states, kinds[first : stop + 1], stop - first)
            if recipe.failed < 0 and recipe.dropped <= 1:
                self.known.add(key, recipe, SMALLEST + PER_TOKEN * (stop - first))
        return recipe

    def make(self, before: list[int], kinds: list[str], count: int) -> Recipe:
        """Walk the tables: `count` tokens are shifted, one may stand after them."""
        actions, gotos, rules = self.actions, self.gotos, self.rules
        states = before.copy()
        # For each state the step that makes its symbol a value, if it is a token's, and the
        # symbol's first token, if the stretch has it.
        symbols = [(-1, -1)] * len(states)
        steps: list[Step | None] = []
        lowest, last = len(states), -1
        failed, accepted = -1, False
        for index, kind in enumerate(kinds):
            while True:
                action = actions[states[-1]].get(kind)
                if action is None:
                    failed = index if index < count else -1
                    break
                if action >= 0:
                    if action == ACCEPT:
                        accepted = index < count
                    elif index < count:
                        states.append(action)
                        symbols.append((len(steps), index))
                        steps.append((TEXT, None, None, index, index))
                        last = index
                    break
                rule = rules[~action]
                if rule.crossed:
                    states[-1] = self.cross(states[-2], states[-1], kind)
                    lowest = min(lowest, len(states) - 1)
                    continue
                size = rule.size
                parts = symbols[len(symbols) - size :]
                del symbols[len(symbols) - size :], states[len(states) - size :]
                lowest = min(lowest, len(states))
                symbols.append((-1, reduce(steps, rule, parts, last)))
                states.append(gotos[states[-1]][rule.origin])
            if failed >= 0:
                break
        dropped = len(before) - lowest
        return Recipe([step for step in steps if step], dropped, states[lowest:], failed, accepted)

    def cross(self, below: int, state: int, kind: str) -> int:
        """The state after all reductions that stand for their only child, from `state` above
        `below`.
        """
        key = (below, state, kind)
        reached = self.crossings.get(key)
        if reached is None:
            reached = state
            while True:
                action = self.actions[reached].get(kind)
                if action is None or action >= 0 or not self.rules[~action].crossed:
                    break
                reached = self.gotos[below][self.rules[~action].origin]
            self.crossings[key] = reached
        return reached


def reduce(
    steps: list[Step | None], rule: Reduction, parts: list[tuple[int, int]], last: int
) -> int:
    """Add the step that reduces symbols by a rule; their first token, or -1.

    Tokens that do not stay need no value, where nothing but that is done to the children.
    """
    first = parts[0][1] if parts else -1
    if rule.keep is None or first < 0:
        steps.append((rule.size, rule.build, rule.collect, first, last))
        return first
    text = parts[0][0]
    if rule.keep == (0,) and rule.size == 1 and text >= 0:
        steps[text] = (LEAF, rule.build, None, first, first)
        return first
    for position, (text, _) in enumerate(parts):
        if text >= 0 and position not in rule.keep:
            steps[text] = None
    steps.append((len(rule.keep), rule.build, None, first, last))
    return first


def reduction(rule: Rule) -> Reduction:
    """What reducing a rule does."""
    build = ACTIONS.get(rule.action)
    if build is None:
        build = all_of if rule.action == "*" else first_of
    crossed = rule.size == 1 and (rule.action == "" or (rule.action == "*" and one_list(rule)))
    keep = simple_keep(rule.keep, rule.absent)
    return Reduction(rule.origin, rule.size, build, crossed, keep, partial(collect, rule))


def one_list(rule: Rule) -> bool:
    """Whether a list is what its only child is."""
    return rule.keep == ((0, True, 0),) and not rule.absent


def all_of(reader: Reader, children: list[Any], start: int, end: int) -> Any:
    """A list to be spliced."""
    return children


def first_of(reader: Reader, children: list[Any], start: int, end: int) -> Any:
    """The child that a rule stands for."""
    return children[0]


def simple_keep(keep: tuple[tuple[int, bool, int], ...], absent: int) -> tuple[int, ...] | None:
    """The indices that stay, where nothing is spliced or missing."""
    if absent or any(spliced or missing for _, spliced, missing in keep):
        return None
    return tuple(index for index, _, _ in keep)


def collect(rule: Rule, children: list[Any]) -> list[Any]:
    """The children that stay, lists spliced; the first list grows in place, so that long lists take
    linear time.
    """
    kept: list[Any] = []
    for index, spliced, missing in rule.keep:
        if missing:
            kept.extend([None] * missing)
        if not spliced:
            kept.append(children[index])
        elif kept:
            kept.extend(children[index])
        else:
            kept = children[index]
    if rule.absent:
        kept.extend([None] * rule.absent)
    return kept
