"""What programs find in Python's `contextlib`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.builtins import is_instance, present
from gradcli.language.allowed.exceptions import raisable, told
from gradcli.tensor.classes import token_of
from gradcli.tensor.guard import is_final
from gradcli.tensor.public import admit, public, word_of


@public(name="_GeneratorContextManager", label="contextlib._GeneratorContextManager", calls=True)
class GeneratorContext:
    """The context that a generator makes: its one `yield` is the block."""

    __slots__ = ("arguments", "function", "generator", "named")

    def __init__(self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.function = function
        self.arguments = arguments
        self.named = named
        self.generator = function(*arguments, **named)

    def __enter__(self) -> Any:
        self.arguments, self.named = (), {}
        try:
            return next(self.generator)
        except StopIteration:
            raise RuntimeError("generator didn't yield") from None

    def __exit__(self, kind: Any, error: Any, traceback: None) -> bool:
        if error is None:
            try:
                next(self.generator)
            except StopIteration:
                return False
            raise RuntimeError("generator didn't stop")
        raise_in = getattr(type(self.generator), "raise_in", None)
        if raise_in is None:
            name = word_of(self.generator)
            raise AttributeError(f"'{name}' object has no attribute 'throw'")
        thrown = raisable(error)
        try:
            raise_in(self.generator, thrown)
        except StopIteration as stop:  # one that the block raised is no end of the generator's
            return stop is not error
        except RuntimeError as failure:
            wrapped = isinstance(error, StopIteration) and failure.__cause__ is error
            if failure is not error and not wrapped:
                raise
            return False
        except Exception as failure:
            if told(failure) is not error:
                raise
            return False
        try:
            raise RuntimeError("generator didn't stop after throw()")
        finally:
            self.generator.close()

    def __call__(self, function: Any, /) -> Any:
        """The context as a decorator: around each call, anew."""
        return Decorated(self, admit(function))

    def abandon(self) -> None:
        """Nothing goes on in it: the program ends."""
        self.generator = None


@public("__name__", name="function", calls=True)
class Decorated:
    """A function each of whose calls is inside a context of its own."""

    __slots__ = ("__name__", "context", "function")

    def __init__(self, context: GeneratorContext, function: Callable[..., Any]) -> None:
        self.context = context
        self.function = function
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        made = self.context
        context = GeneratorContext(made.function, made.arguments, made.named)
        context.__enter__()
        try:
            value = self.function(*arguments, **named)
        except Exception as error:
            if is_final(error) or not context.__exit__(None, told(error), None):
                raise
            return None
        context.__exit__(None, None, None)
        return value


def context_manager(function: Any, /) -> Maker:
    """`contextlib.contextmanager(function)`."""
    return Maker(admit(function))


@public("__name__", name="function", calls=True)
class Maker:
    """A function that makes contexts of what a generator function makes."""

    __slots__ = ("__name__", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, /, *arguments: Any, **named: Any) -> GeneratorContext:
        return GeneratorContext(self.function, arguments, named)


@public(name="suppress", label="contextlib.suppress")
class Suppress:
    """`contextlib.suppress(kinds)`."""

    __slots__ = ("kinds",)

    def __init__(self, /, *kinds: Any) -> None:
        self.kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: None) -> bool:
        return error is not None and is_instance(error, self.kinds)


@public("thing", name="closing", label="contextlib.closing")
class Closing:
    """`contextlib.closing(thing)`."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __enter__(self) -> Any:
        return self.thing

    def __exit__(self, *_: Any) -> None:
        admit(attribute(self.thing, "close"))()

    def abandon(self) -> None:
        """The program ends: nothing of it is run."""


@public("enter_result", name="nullcontext", label="contextlib.nullcontext")
class NullContext:
    """`contextlib.nullcontext(enter_result)`."""

    __slots__ = ("enter_result",)

    def __init__(self, enter_result: Any = None) -> None:
        self.enter_result = enter_result

    def __enter__(self) -> Any:
        return self.enter_result

    def __exit__(self, *_: Any) -> None:
        pass


present(context_manager, "contextmanager")

MEMBERS: Final[dict[str, Any]] = {
    "closing": token_of(Closing, Closing),
    "contextmanager": context_manager,
    "nullcontext": token_of(NullContext, NullContext),
    "suppress": token_of(Suppress, Suppress),
}
"""By name."""
