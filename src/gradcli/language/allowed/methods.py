"""Methods of Python's types that could make giants or reach where a program may not: written again,
with care.
"""

from __future__ import annotations

from _string import formatter_field_name_split, formatter_parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable
from typing import Any, Final

from gradcli.language.allowed.limits import (
    bounded,
    by_compared_key,
    check_comparable,
    check_hashable,
    check_items,
    check_printable,
    check_text,
    check_width,
    compared,
    hashable_pairs,
    hashables,
    joined_length,
    len_of,
)
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.nesting import COMPOUND, is_compound, plain


def padded(name: str) -> Callable[..., str]:
    """`str.center` and its kind."""
    method = getattr(str, name)

    def pad(text: str, width: Any, *fill: str) -> str:
        if isinstance(width, int):
            check_text(width)
        return method(text, width, *map(plain, fill))  # type: ignore[no-any-return]

    return pad


def of_texts(name: str) -> Callable[..., Any]:
    """A method of strings that takes strings, or objects that keep one."""
    method = getattr(str, name)

    def apply(text: str, *arguments: Any, **named: Any) -> Any:
        if named:
            named = {key: plain(value) for key, value in named.items()}
        return method(text, *map(plain, arguments), **named)

    return apply


def join(text: str, parts: Iterable[Any]) -> str:
    """`str.join`."""
    listed = [plain(part) for part in bounded(parts)]
    check_text(joined_length(text, listed))
    return text.join(listed)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """`str.replace`."""
    old, new = plain(old), plain(new)
    if isinstance(old, str) and isinstance(new, str) and len(new) > len(old):
        times = text.count(old)
        if isinstance(count, int) and count >= 0:
            times = min(times, count)
        check_text(len(text) + times * (len(new) - len(old)))
    return text.replace(old, new, count)


def translate(text: str, table: Any) -> str:
    """`str.translate`, by what has items or is a dict."""
    if type(table) not in (dict, list, tuple, str):
        raise TypeError(f"'{type(table).__name__}' object is not subscriptable")
    length = 0
    for character in set(text):
        try:
            found = table[ord(character)]
        except LookupError:
            continue
        if isinstance(found, str):
            length += text.count(character) * len(found)
    check_text(len(text) + length)
    return text.translate(table)


def expandtabs(text: str, tabsize: int = 8) -> str:
    """`str.expandtabs`."""
    if isinstance(tabsize, int) and tabsize > 0:
        check_text(len(text) + text.count("\t") * tabsize)
    return text.expandtabs(tabsize)


def extend(values: list[Any], more: Any) -> None:
    """`list.extend`."""
    values.extend(bounded(more))
    check_items(len(values))


def sort(values: list[Any], /, *, key: Any = None, reverse: Any = False) -> None:
    """`list.sort`."""
    if key is None:
        for value in values if is_compound(values) else ():
            compared(value)
    values.sort(key=None if key is None else by_compared_key(key), reverse=reverse)


def fromkeys(kind: Any, keys: Any, value: Any = None) -> dict[Any, Any]:
    """`dict.fromkeys`, of a dict or of the type."""

    return dict.fromkeys(hashables(keys, "dict"), value)


def update(values: dict[Any, Any], *others: Any, **named: Any) -> None:
    """`dict.update`."""
    values.update(*map(hashable_pairs, others), **named)


def search(name: str) -> Callable[..., int]:
    """`range.index` and `range.count`: of what is no whole number, not one by one."""
    method = getattr(range, name)

    def find(values: range, item: Any, /) -> int:
        if type(item) not in (int, bool):
            check_items(len_of(values), "range")
        return method(values, item)  # type: ignore[no-any-return]

    return find


def by_item(kind: type, name: str) -> Callable[..., Any]:
    """A method of a list or tuple that compares its first argument with what they hold."""
    method = getattr(kind, name)

    def guarded_by_size(values: Any, *arguments: Any) -> Any:
        if arguments and type(arguments[0]) in COMPOUND:
            check_comparable(arguments[0], values, len(values))
        return method(values, *arguments)

    return guarded_by_size


def by_key(kind: type, name: str) -> Callable[..., Any]:
    """A method of a dict or set whose first argument is hashed."""
    method = getattr(kind, name)

    def guarded_by_depth(values: Any, *arguments: Any) -> Any:
        if arguments:
            check_hashable(arguments[0])
        return method(values, *arguments)

    return guarded_by_depth


def with_iterables(names: str) -> dict[str, Callable[..., Any]]:
    """`set.union` and its kind, whose arguments are iterables."""

    def guard(name: str) -> Callable[..., Any]:
        def apply(values: Any, *others: Any) -> Any:
            return getattr(values, name)(*map(hashables, others))

        return apply

    return {name: guard(name) for name in names.split()}


class Formatter:
    """`str.format`; attributes inside the braces go through `attribute`, the language's rule."""

    __slots__ = ("attribute",)

    def __init__(self, attribute: Callable[[Any, str], Any]) -> None:
        self.attribute = attribute

    def format(self, text: str, *arguments: Any, **named: Any) -> str:
        """`text.format(*arguments, **named)`."""
        result, _ = self.fill(text, arguments, named, 2, 0)
        return result

    def fill(
        self,
        text: str,
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        levels: int,
        automatic: int | None,
    ) -> tuple[str, int | None]:
        """The text with its fields filled, and the number of the next unnumbered field (None:
        fields carry numbers).
        """
        if levels < 1:
            raise ValueError("Max string recursion exceeded")
        parts: list[str] = []
        length = 0
        for literal, field, spec, conversion in formatter_parser(text):
            parts.append(literal)
            length += len(literal)
            if field is None:
                continue
            value, automatic = self.value(field, arguments, named, automatic)
            if conversion is not None:
                converters: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}
                if conversion not in converters:
                    raise ValueError(f"Unknown conversion specifier {conversion}")
                check_printable(value)
                converted = converters[conversion](value)
                value = converted if type(value) is str else without_addresses(converted)
            if spec:
                spec, automatic = self.fill(spec, arguments, named, levels - 1, automatic)
            check_width(spec)
            check_printable(value)
            filled = format(value, spec)
            parts.append(filled if type(value) is str else without_addresses(filled))
            length += len(parts[-1])
            check_text(length)
        return "".join(parts), automatic

    def value(
        self,
        field: str,
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        automatic: int | None,
    ) -> tuple[Any, int | None]:
        """What `name`, `name.attribute` or `name[key]` means inside the braces of a format."""
        first, rest = formatter_field_name_split(field)
        if first == "":
            if automatic is None:
                raise ValueError(
                    "cannot switch from manual field specification to automatic field numbering"
                )
            first, automatic = automatic, automatic + 1
        elif isinstance(first, int):
            if automatic:
                raise ValueError(
                    "cannot switch from automatic field numbering to manual field specification"
                )
            automatic = None
        if isinstance(first, int):
            if first >= len(arguments):
                raise IndexError(
                    f"Replacement index {first} out of range for positional args tuple"
                )
            value = arguments[first]
        else:
            value = named[first]
        for is_attribute, key in rest:
            value = self.attribute(value, key) if is_attribute else value[key]
        return value, automatic


TAKING_TEXTS: Final = (
    "count endswith find index lstrip partition removeprefix removesuffix rfind rindex rpartition "
    "rsplit rstrip split startswith strip"
)
METHODS: Final[dict[type, dict[str, Callable[..., Any]]]] = {
    str: {
        "center": padded("center"),
        "ljust": padded("ljust"),
        "rjust": padded("rjust"),
        "zfill": padded("zfill"),
        "expandtabs": expandtabs,
        "join": join,
        "replace": replace,
        "translate": translate,
        **{name: of_texts(name) for name in TAKING_TEXTS.split()},
    },
    list: {
        "extend": extend,
        "sort": sort,
        **{name: by_item(list, name) for name in ("count", "index", "remove")},
    },
    tuple: {name: by_item(tuple, name) for name in ("count", "index")},
    range: {"index": search("index"), "count": search("count")},
    dict: {
        "fromkeys": fromkeys,
        "update": update,
        **{name: by_key(dict, name) for name in ("get", "pop", "setdefault")},
    },
    set: {name: by_key(set, name) for name in ("add", "discard", "remove")}
    | with_iterables(
        "difference difference_update intersection intersection_update issubset issuperset "
        "symmetric_difference symmetric_difference_update union update"
    ),
    frozenset: with_iterables(
        "difference intersection issubset issuperset symmetric_difference union"
    ),
}
"""Replacements, by type and name; they take the value first."""


def guarded(attribute: Callable[[Any, str], Any]) -> dict[type, dict[str, Callable[..., Any]]]:
    """All replacements; `attribute` looks up what a format names behind a dot."""
    return {**METHODS, str: {**METHODS[str], "format": Formatter(attribute).format}}
