"""`torch.autograd.Function` for programs to derive from."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Any, Final

from gradcli.autograd.custom import NO_BACKWARD, NO_FORWARD, NO_JVP, NO_VMAP, apply
from gradcli.autograd.function import LEGACY, NO_CONTEXT, bind
from gradcli.language.running import root  # noqa: F401 - what all classes have
from gradcli.language.running.descriptors import ClassMethod, StaticMethod
from gradcli.language.running.functions import Function
from gradcli.language.running.methods import Builtin
from gradcli.language.running.objects import ABSENT, ProgramClass, bound, native


class OfProgram:
    """A program's class as what the engine calls."""

    __slots__ = ("class_", "name")

    def __init__(self, class_: ProgramClass) -> None:
        self.class_ = class_
        self.name = class_.__name__

    def find(self, name: str) -> Any:
        found = self.class_.find(name)
        if found is ABSENT or found is FUNCTION.find(name):
            return None
        return bound(found, None, self.class_)

    def bind(
        self, args: tuple[Any, ...], named: dict[str, Any], without_context: bool
    ) -> tuple[Any, ...]:
        forward = self.find("forward")
        if type(forward) is not Function:
            return (*args, *named.values())
        return bind(signature_of(forward), args, named, without_context)


def signature_of(function: Function) -> Signature:
    """The parameters of a program's function, as Python describes them."""
    code, empty = function.code, Parameter.empty
    required = len(code.positional) - len(function.defaults)
    made = [
        Parameter(
            name,
            Parameter.POSITIONAL_ONLY
            if place < code.positional_only
            else Parameter.POSITIONAL_OR_KEYWORD,
            default=empty if place < required else function.defaults[place - required],
        )
        for place, name in enumerate(code.positional)
    ]
    if code.rest:
        made.append(Parameter(code.rest, Parameter.VAR_POSITIONAL))
    made += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=function.named_defaults.get(name, empty))
        for name in code.keyword_only
    ]
    if code.keywords:
        made.append(Parameter(code.keywords, Parameter.VAR_KEYWORD))
    return Signature(made)


def _refusing(name: str, message: str) -> StaticMethod:
    """A static method that is yet to be written."""

    def refuse(*arguments: Any, **named: Any) -> Any:
        raise NotImplementedError(message)

    return StaticMethod(Builtin(refuse, name, "Function"))


def _apply(class_: ProgramClass, /, *arguments: Any, **named: Any) -> Any:
    return apply(OfProgram(class_), arguments, named)


def _legacy(self: Any, /, *arguments: Any, **named: Any) -> Any:
    raise RuntimeError(LEGACY)


def _accept(self: Any, /, *arguments: Any, **named: Any) -> None:
    """An object of the class serves for nothing."""


_BACKWARD: Final = _refusing("backward", NO_BACKWARD)

FUNCTION: Final = native(
    "Function",
    {
        "__init__": _accept,
        "__call__": _legacy,
        "apply": ClassMethod(Builtin(_apply, "apply", "Function")),
        "forward": _refusing("forward", NO_FORWARD),
        "setup_context": _refusing("setup_context", NO_CONTEXT),
        "backward": _BACKWARD,
        "vjp": _BACKWARD,
        "jvp": _refusing("jvp", NO_JVP),
        "vmap": _refusing("vmap", NO_VMAP),
        "generate_vmap_rule": False,
    },
    module="torch.autograd.function",
)
