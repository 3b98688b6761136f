"""The words of a command line, sorted: options, positional words, variables.

Variables are flags of names that the text has, `--x 3`, so they cannot be declared; what is sorted
here is what Typer reads, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from gradcli.cli.report import UsageError

# A flag for a variable; `--x==3` is a comparison of the doubly negated x.
_VARIABLE: Final = r"(?s)--([^\W\d]\w*)(?:=(?!=)(.*))?"
_OPTION: Final = r"(?s)--([^\W\d][\w-]*)(?:=(?!=).*)?"


class Words:
    """The words of a command line: options with their values, positional ones, variables.

    `doubtful` holds words that look like options and are none, or lack a value, with what is to be
    said about each.
    """

    def __init__(self) -> None:
        self.options: list[str] = []
        self.positional: list[str] = []
        self.variables: list[tuple[str, str]] = []
        self.doubtful: list[tuple[str, UsageError]] = []


def sort_words(words: Sequence[str], takes_value: dict[str, bool], takes_negations: bool) -> Words:
    """Sorts the words of a command.

    Args:
        takes_value: the options of the command, each with whether a value follows it.
        takes_negations: whether what begins with `-` and is no option is positional.
    """
    found = Words()
    position = 0
    while position < len(words):
        word, following = words[position], words[position + 1 : position + 2]
        position += 1
        name, equals, _ = word.partition("=")
        variable = re.fullmatch(_VARIABLE, word)
        if word == "--":
            found.positional.extend(words[position:])
            break
        negates = takes_negations and _is_negation(word, words, position, found)
        if word in ("", "-") or word[0] != "-" or negates:
            found.positional.append(word)
        elif takes_value.get(word):
            if following:
                found.options.extend((word, *following))
                position += 1
            else:
                found.doubtful.append((word, UsageError(f"{word} needs a value")))
        elif word in takes_value or (equals and name.startswith("--") and name in takes_value):
            found.options.append(word)
        elif variable and variable[2] is not None:
            found.variables.append((variable[1], variable[2]))
        elif variable and following and not _is_flag(following[0], takes_value):
            found.variables.append((variable[1], following[0]))
            position += 1
        elif variable:
            found.doubtful.append((word, _without_value(word, following, takes_value)))
        elif re.fullmatch(_OPTION, word):
            hint = suggest_option(name, takes_value) or _underscored(name)
            found.doubtful.append((word, UsageError(f"no such option: {name}", hint)))
        elif takes_negations:
            found.positional.append(word)
        else:
            found.options.append(word)  # Typer says that it is none
    if found.doubtful and not found.positional and takes_negations:
        # An expression may begin with minus signs.
        found.positional.append(found.doubtful.pop(0)[0])
    return found


def _is_flag(word: str, options: Iterable[str]) -> bool:
    return word in options or (word[:2] == "--" and re.fullmatch(_OPTION, word) is not None)


def _is_negation(word: str, words: Sequence[str], position: int, found: Words) -> bool:
    """Whether what looks like a short option is minus a variable: `-g`, with a `--g` after it."""
    if len(word) != 2 or found.positional:
        return False
    return any(f"{other}=".startswith(f"-{word}=") for other in words[position:])


def _underscored(option: str) -> str:
    """A hint for a variable's name that was written with hyphens, as options are."""
    name = option[2:].replace("-", "_")
    return f"a variable is written as in the expression: --{name}" if name.isidentifier() else ""


def _without_value(word: str, following: Sequence[str], options: Iterable[str]) -> UsageError:
    hint = suggest_option(word, options)
    if hint:
        return UsageError(f"no such option: {word}", hint)
    hint = f"write {word}={following[0]} if that is its value" if following else ""
    return UsageError(f"{word} needs a value", hint)


def suggest_option(option: str, candidates: Iterable[str]) -> str:
    """A hint such as "did you mean --json?", or ""."""
    from gradcli.language.telling.suggest import suggestions

    names = sorted(name.removeprefix("--") for name in candidates if name.startswith("--"))
    near = [f"--{name}" for name in suggestions(option.removeprefix("--"), names)]
    return f"did you mean {' or '.join(near)}?" if near else ""
