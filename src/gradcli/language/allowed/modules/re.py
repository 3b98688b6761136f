"""What programs find in Python's `re`: patterns on short texts.

Python's matcher tries what a pattern leaves open one way after the other, and looks at no clock: on
thirty characters, `(a+)+b` takes minutes. Ctrl-C ends it, and so does the process limit of
`--timeout`. What it makes is no giant, because patterns and texts are short.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import check_text
from gradcli.tensor.nesting import too_large
from gradcli.tensor.public import REGISTRY, Public, handed_in, word_of

MAX_PATTERN: Final = 1000
"""Characters of a pattern."""

MAX_SEARCHED: Final = 100_000
"""Characters of a text."""

FLAGS: Final = "A ASCII DOTALL I IGNORECASE M MULTILINE S U UNICODE VERBOSE X"


def check_pattern(pattern: str) -> None:
    """Refuses a long pattern.

    Raises:
        OverflowError: it is long.
    """
    if len(pattern) > MAX_PATTERN:
        raise too_large(f"a regular expression of {len(pattern)} characters")


def compiled(pattern: Any, flags: Any = 0) -> re.Pattern[str]:
    """`re.compile(pattern, flags)`."""
    if isinstance(pattern, re.Pattern):
        if flags:
            raise ValueError("cannot process flags argument with a compiled pattern")
        return pattern
    if type(pattern) is not str:
        raise TypeError("first argument must be string or compiled pattern")
    check_pattern(pattern)
    return re.compile(pattern, int(flags))


def _text(text: Any) -> str:
    """A text that is searched."""
    if type(text) is not str:
        raise TypeError(f"expected string or bytes-like object, got '{word_of(text)}'")
    if len(text) > MAX_SEARCHED:
        raise too_large(f"a search in a text of {len(text)} characters")
    return text


def _plain(name: str) -> Callable[..., Any]:
    method = getattr(re.Pattern, name)

    def search(pattern: re.Pattern[str], string: Any, *bounds: Any) -> Any:
        return method(pattern, _text(string), *bounds)

    present(search, name)
    return search


def _split(pattern: re.Pattern[str], string: Any, maxsplit: Any = 0) -> list[Any]:
    return pattern.split(_text(string), maxsplit)


def _expanded(match: re.Match[str], template: Any) -> str:
    """`match.expand(template)`, if it is no giant."""
    if type(template) is not str:
        raise TypeError("decoding to str: need a bytes-like object, not a template")
    longest = max((len(group or "") for group in (match[0], *match.groups())), default=0)
    check_text(len(template) + template.count("\\") * longest)
    return match.expand(template)


def _subn(pattern: re.Pattern[str], repl: Any, string: Any, count: Any = 0) -> tuple[str, int]:
    """`pattern.subn(repl, string, count)`."""
    text = _text(string)
    call = handed_in(repl) if callable(repl) else None
    length = 0

    def replacement(match: re.Match[str]) -> str:
        nonlocal length
        made = _expanded(match, repl) if call is None else call(match)
        if type(made) is not str:
            raise TypeError(f"expected str instance, {word_of(made)} found")
        length += len(made)
        check_text(length)
        return made

    return pattern.subn(replacement, text, count)


def _sub(pattern: re.Pattern[str], repl: Any, string: Any, count: Any = 0) -> str:
    return _subn(pattern, repl, string, count)[0]


GUARDS: Final[dict[str, Callable[..., Any]]] = {
    **{name: _plain(name) for name in ("findall", "finditer", "fullmatch", "match", "search")},
    "split": _split,
    "sub": _sub,
    "subn": _subn,
}
"""Methods of patterns; they take the pattern first."""

_MATCH: Final = "end endpos group groupdict groups lastgroup lastindex pos re span start string"
REGISTRY[re.Pattern] = Public(("flags", "groups", "pattern"), guards=GUARDS, name="re.Pattern")
REGISTRY[re.Match] = Public(_MATCH.split(), guards={"expand": _expanded}, name="re.Match")
REGISTRY[type(re.compile("a").finditer("a"))] = Public(name="callable_iterator")


def _of_module(name: str, before: int) -> Callable[..., Any]:
    """A function of the module: a pattern, then what the method takes, then flags."""

    def function(pattern: Any, *arguments: Any, flags: Any = 0, **named: Any) -> Any:
        most = before + (name in ("split", "sub", "subn"))
        if len(arguments) > most:
            *arguments_, flags = arguments
            arguments = tuple(arguments_)
        return GUARDS[name](compiled(pattern, flags), *arguments, **named)

    present(function, name)
    return function


def escape(pattern: Any) -> str:
    """`re.escape(pattern)`."""
    return re.escape(_text(pattern))


present(compiled, "compile")
for _name, _guard in GUARDS.items():
    present(_guard, _name)
present(escape, "escape")
REGISTRY[re.RegexFlag] = Public(("name", "value"), name="re.RegexFlag")

MEMBERS: Final[dict[str, Any]] = {
    **{name: getattr(re, name) for name in FLAGS.split()},
    **{name: _of_module(name, 2 if name.startswith("sub") else 1) for name in GUARDS},
    "compile": compiled,
    "escape": escape,
}
"""By name."""
