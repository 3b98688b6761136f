"""What is told about a call that the table refuses.

PyTorch decides by its own signatures (`overloads`, `parser`). What it writes in Python itself is
written here again, as far as the first thing that refuses an argument (`general`, `functional`,
`layers`, `methods`): Python's own errors about arguments and attributes are then PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

from gradcli.table.calls import functional, general, layers, methods
from gradcli.table.calls.overloads import signatures_of
from gradcli.table.calls.parser import refuse
from gradcli.tensor.public import word_of

_FUNCTIONAL: Final = "nn.functional."
_PARSED: Final = ("", "fft", "linalg", "special")
"""Modules whose functions PyTorch parses, unless they are written in Python."""
_WRITTEN: Final[dict[str, Callable[..., None]]] = {
    **general.written,
    **{_FUNCTIONAL + name: head for name, head in (functional.written | layers.written).items()},
}


def written_in_python(name: str, method: bool) -> Callable[..., None] | None:
    """What stands here for a function or method that PyTorch writes in Python."""
    return (vars(methods.Tensor) if method else _WRITTEN).get(name)


def known_signatures(name: str, short: str, method: bool) -> list[str]:
    """The overloads of what PyTorch parses."""
    module = name.rpartition(".")[0]
    if module == "nn.functional":
        return signatures_of(f"nn.{short}", False) or signatures_of(short, False)
    return signatures_of(short, method) if module in _PARSED else []


def refuse_call(
    name: str, short: str, args: Sequence[Any], kwargs: dict[str, Any], method: bool
) -> None:
    """Raises what PyTorch raises where it refuses the arguments of a call.

    `short` is the function in messages. The tensor before the dot is the first of a method's
    `args`.
    """
    python = written_in_python(name, method)
    if python is not None:
        try:
            python(*args, **kwargs)
        except Exception as error:
            if isinstance(error, AttributeError) and error.name is not None:
                holder = word_of(error.obj)
                error = AttributeError(f"'{holder}' object has no attribute '{error.name}'")
            # Raised here, on purpose: Python's own words are those of PyTorch.
            raise error.with_traceback(None) from None
        return
    signatures = known_signatures(name, short, method)
    given = args[1:] if method else args
    if signatures in (["()"], ["(/)"]):
        _refuse_unparsed(short, len(signatures[0]) - 2, len(given), kwargs, method)
    elif signatures:
        refuse(short, signatures, given, kwargs)


def _refuse_unparsed(
    name: str, takes: int, given: int, kwargs: dict[str, Any], method: bool
) -> None:
    """Of a function that takes nothing, or one argument: Python's words about it."""
    holder = "TensorBase" if method else "torch._VariableFunctionsClass" if takes else "torch"
    if kwargs:
        raise TypeError(f"{holder}.{name}() takes no keyword arguments")
    if given != takes:
        count = "exactly one argument" if takes else "no arguments"
        raise TypeError(f"{holder}.{name}() takes {count} ({given} given)")


def refuse_own(
    short: str,
    signatures: Iterable[str],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    method: bool,
) -> NoReturn:
    """Raises TypeError in the same words, about signatures of the table."""
    if method:
        signatures = [f"({text.partition(', ')[2]}".rstrip(")") + ")" for text in signatures]
        args = args[1:]
    refuse(short, signatures, args, kwargs)
    shown = ", ".join([*map(word_of, args), *(f"{key}=" for key in kwargs)])
    raise TypeError(f"{short}() does not take these arguments: ({shown})")
