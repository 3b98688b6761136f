"""Exceptions as values of programs.

What Python, PyTorch and the engine raise are Python's own exceptions, and programs hold these. What
Python has no class for that may pass through its frames is carried by a `Carrier`: the exceptions
that are none of its `Exception`s, since those end a process, and the objects of a program's own
exception classes. Programs never see a carrier: `told` gives what it carries.
"""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.classes import Class, token_of, type_of
from gradcli.tensor.public import REGISTRY, Public, has_model, public

EXCEPTIONS: Final[tuple[type[BaseException], ...]] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BaseException,
    BlockingIOError,
    BrokenPipeError,
    BufferError,
    BytesWarning,
    ChildProcessError,
    ConnectionAbortedError,
    ConnectionError,
    ConnectionRefusedError,
    ConnectionResetError,
    DeprecationWarning,
    EOFError,
    EncodingWarning,
    Exception,
    FileExistsError,
    FileNotFoundError,
    FloatingPointError,
    FutureWarning,
    GeneratorExit,
    ImportError,
    ImportWarning,
    IndentationError,
    IndexError,
    InterruptedError,
    IsADirectoryError,
    KeyError,
    KeyboardInterrupt,
    LookupError,
    MemoryError,
    ModuleNotFoundError,
    NameError,
    NotADirectoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    PendingDeprecationWarning,
    PermissionError,
    ProcessLookupError,
    RecursionError,
    ReferenceError,
    ResourceWarning,
    RuntimeError,
    RuntimeWarning,
    StopAsyncIteration,
    StopIteration,
    SyntaxError,
    SyntaxWarning,
    SystemError,
    SystemExit,
    TabError,
    TimeoutError,
    TypeError,
    UnboundLocalError,
    UnicodeDecodeError,
    UnicodeEncodeError,
    UnicodeError,
    UnicodeTranslateError,
    UnicodeWarning,
    UserWarning,
    ValueError,
    Warning,
    ZeroDivisionError,
)
"""Python's, by name."""

READS: Final[dict[type[BaseException], str]] = {
    BaseException: "args add_note __notes__",
    AttributeError: "name",
    ImportError: "name",
    NameError: "name",
    OSError: "errno filename strerror",
    StopIteration: "value",
    SystemExit: "code",
}
"""What programs find on them, beside those of their bases."""

CHAIN: Final = ("__cause__", "__context__", "__suppress_context__")


@public(name="traceback")
class Traceback:
    """Where an error came from; it says nothing to programs."""

    __slots__ = ()


TRACEBACK: Final = Traceback()


class Carrier(Exception):
    """Carries what is no `Exception` of Python from where it is raised to where it is caught.

    Attributes:
        carried: what the program raised.
        given: the `args` of an object of a program's own class.
    """

    given: tuple[Any, ...] = ()

    def __init__(self, carried: Any) -> None:
        super().__init__(carried)
        self.carried = carried

    def __str__(self) -> str:
        return str(self.carried)


def told(error: Any) -> Any:
    """What programs hold of an error that was raised."""
    return error.carried if type(error) is Carrier else error


def is_exception(value: Any) -> bool:
    """Whether a value of a program may be raised."""
    if isinstance(value, BaseException):
        return True
    return has_model(value) and is_exception_class(type_of(value))


def is_exception_class(value: Any) -> bool:
    """Whether a value of a program is a class whose objects may be raised."""
    if not isinstance(value, Class):
        return False
    return issubclass(value.of, BaseException) or value.derives(token_of(BaseException))


def raisable(value: Any) -> BaseException:
    """What Python raises for an exception of a program."""
    if isinstance(value, Exception):
        return value
    carrier = getattr(value, "_native", None)  # an object of a program's class has its own
    return carrier if type(carrier) is Carrier else Carrier(value)


def chained(value: BaseException) -> BaseException:
    """What holds the cause and the context of an exception of a program, or of a carrier."""
    carried = told(value)
    return carried if isinstance(carried, BaseException) else value


def held(error: BaseException) -> dict[str, Any]:
    """The attributes that a program gave an exception of Python's."""
    found: dict[str, Any] = error.__dict__.setdefault("_held", {})
    return found


def with_traceback(error: BaseException, traceback: Any, /) -> BaseException:
    """`error.with_traceback(traceback)`."""
    return error


def entry_of(kind: type[BaseException]) -> Public:
    """What is listed for a class of exceptions; those that nobody entered offer what their bases
    do.
    """
    entry = REGISTRY.get(kind)
    if entry is None:
        names = [word for base in kind.__mro__ for word in READS.get(base, "").split()]
        entry = REGISTRY[kind] = Public(
            names, writes=["args"], held=held, guards={"with_traceback": with_traceback}
        )
    return entry


for _kind in EXCEPTIONS:
    entry_of(_kind)
