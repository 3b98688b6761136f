"""What the patterns of `match` do when they are tried."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.builtins import is_instance
from gradcli.language.allowed.limits import check_hashable
from gradcli.language.allowed.modules.collections import Deque
from gradcli.language.allowed.operators import COMPARISONS
from gradcli.language.running.functions import Runner
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.guard import is_final
from gradcli.tensor.nesting import plain

Values = list[Any]
"""Of the expressions in a pattern, by their places."""

Found = dict[str, Any]
"""What a pattern binds."""

SEQUENCES: Final = (list, tuple, range, Deque)
WHOLE: Final = frozenset(
    token_of(kind) for kind in (bool, dict, float, frozenset, int, list, set, str, tuple)
)
"""Classes whose one positional pattern is for the object itself."""


class Plan:
    """A pattern."""

    __slots__ = ()

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        """Whether a value is as the pattern says."""
        raise NotImplementedError


class Same(Plan):
    """`None`, `True`, `False`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        return subject is self.value


class Equal(Plan):
    """A literal, or a name with a dot."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        return bool(COMPARISONS["=="](subject, values[self.place]))


class Capture(Plan):
    """`name`, `_`, `pattern as name`; without a name nothing is bound."""

    __slots__ = ("inner", "name")

    def __init__(self, inner: Plan | None, name: str) -> None:
        self.inner = inner
        self.name = name

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        if self.inner is not None and not self.inner.fits(subject, values, found):
            return False
        if self.name:
            found[self.name] = subject
        return True


class Either(Plan):
    """`pattern | pattern`."""

    __slots__ = ("plans",)

    def __init__(self, plans: tuple[Plan, ...]) -> None:
        self.plans = plans

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        return any(plan.fits(subject, values, found) for plan in self.plans)


class Sequence(Plan):
    """`[pattern, *name, pattern]`: `star` is the place of the rest, or -1."""

    __slots__ = ("name", "plans", "star")

    def __init__(self, plans: tuple[Plan, ...], star: int, name: str) -> None:
        self.plans = plans
        self.star = star
        self.name = name

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        items = plain(subject)
        if not isinstance(items, SEQUENCES):
            return False
        count, needed, star = len(items), len(self.plans), self.star
        if count < needed or (star < 0 and count > needed):
            return False
        before = needed if star < 0 else star
        places = [*range(before), *range(count - needed + before, count)]
        for place, plan in zip(places, self.plans, strict=True):
            if not plan.fits(items[place], values, found):
                return False
        if self.name:
            found[self.name] = [items[place] for place in range(before, count - needed + before)]
        return True


class Mapping(Plan):
    """`{key: pattern, **rest}`."""

    __slots__ = ("keys", "plans", "rest")

    def __init__(self, keys: tuple[int, ...], plans: tuple[Plan, ...], rest: str) -> None:
        self.keys = keys
        self.plans = plans
        self.rest = rest

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        items = plain(subject)
        if not isinstance(items, dict):
            return False
        keys = [values[place] for place in self.keys]
        for key, plan in zip(keys, self.plans, strict=True):
            check_hashable(key)
            if key not in items or not plan.fits(dict.__getitem__(items, key), values, found):
                return False
        if self.rest:
            found[self.rest] = {key: item for key, item in items.items() if key not in keys}
        return True


class Kind(Plan):
    """`Class(pattern, name=pattern)`."""

    __slots__ = ("class_", "given", "named")

    def __init__(
        self, class_: int, given: tuple[Plan, ...], named: tuple[tuple[str, Plan], ...]
    ) -> None:
        self.class_ = class_
        self.given = given
        self.named = named

    def fits(self, subject: Any, values: Values, found: Found) -> bool:
        class_ = values[self.class_]
        if not isinstance(class_, Class):
            raise TypeError("called match pattern must be a type")
        if not is_instance(subject, class_):
            return False
        named = self.named
        if self.given and (class_ in WHOLE or any(map(class_.derives, WHOLE))):
            if len(self.given) > 1:
                raise too_many(class_, 1, len(self.given))
            if not self.given[0].fits(subject, values, found):
                return False
        elif self.given:
            names = match_args(class_)
            if len(names) < len(self.given):
                raise too_many(class_, len(names), len(self.given))
            named = (*zip(names, self.given, strict=False), *named)
        for name, plan in named:
            try:
                part = attribute(subject, name)
            except AttributeError as error:
                if is_final(error):
                    raise
                return False
            if not plan.fits(part, values, found):
                return False
        return True


def match_args(class_: Class) -> tuple[str, ...]:
    """The attributes for which positional patterns stand."""
    try:
        names = attribute(class_, "__match_args__")
    except AttributeError:
        return ()
    if not isinstance(names, tuple):
        raise TypeError(f"{class_.__name__}.__match_args__ must be a tuple")
    for name in names:
        if not isinstance(name, str):
            raise TypeError("__match_args__ elements must be strings")
    return names


def too_many(class_: Class, count: int, given: int) -> TypeError:
    """Python's error for positional patterns that stand for nothing."""
    plural = "" if count == 1 else "s"
    return TypeError(
        f"{class_.__name__}() accepts {count} positional sub-pattern{plural} ({given} given)"
    )


def match(
    machine: Runner,
    stack: list[Any],
    variables: list[Any],
    argument: tuple[Plan, tuple[int, tuple[str, ...]]],
) -> None:
    """Whether the value on the stack fits, above the values of a pattern's expressions; below the
    answer is what it binds, if it does.
    """
    plan, (count, names) = argument
    subject = stack.pop()
    values = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    found: Found = {}
    fits = plan.fits(subject, values, found)
    if fits:
        stack.extend(found[name] for name in reversed(names))
    stack.append(fits)
