"""What rows and compositions have in common: names, a signature, documentation, samples."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, NamedTuple, cast

from gradcli.table.schema import (
    Signature,
    by_position,
    outline,
    parameters_of,
    split_signature,
)
from gradcli.tensor.graph import mode
from gradcli.tensor.shadow import Unbatchable


class InPlace(NamedTuple):
    """How an operator may change its first operand, as `x.sin_()` and `torch.sin_(x)` do.

    `method` and `functions` say which of the two there are (of an operator with several names,
    `functions` may list some of them); `node` renames the node that PyTorch's in-place operator
    has; `underived` is what messages call the operator where only the in-place one lacks a
    derivative. `rearranges`: it changes how the tensor looks at its memory, not what is there.
    `coincide`: it may write to elements that lie at one place. `erases`: the result does not depend
    smoothly on the old value, whose history ends. `apart`: no operand may share the tensor's
    memory, not even all of it. Not `smooth`: no gradient is expected, so that leaves that require
    grad may be changed. `c_types`: messages call types as C does.
    """

    method: bool = True
    functions: bool | tuple[str, ...] = False
    node: str = ""
    underived: str = ""
    rearranges: bool = False
    coincide: bool = False
    apart: bool = False
    erases: bool = False
    smooth: bool = True
    c_types: bool = False

    def allows(self, name: str, method: bool) -> bool:
        """Whether there is a method, or a function, that changes in place what `name` computes."""
        if method:
            return self.method
        return self.functions if isinstance(self.functions, bool) else name in self.functions


_ANY_KEYWORDS: Final = 0x08  # the flag of code that takes `**kwargs`

METHOD: Final = InPlace()
APART: Final = InPlace(apart=True)
BOTH: Final = InPlace(functions=True)
NEITHER: Final = InPlace(method=False)


class Entry:
    """Something callable under a signature: a row or a composition of rows.

    Where the signature is names only, `function` is the `def` that tells the rest: its head the
    parameters, its docstring what is computed, unless `doc` does. `kink` says which gradient
    there is where there is none or several, `module` where the entry is declared.
    `pytorch` says how PyTorch spells a call, where that has no function of the entry's name that
    takes the same arguments: `torch.pow`, or an expression of their names and of `torch` and
    `aten`. `untested` says why PyTorch cannot be asked at all.
    """

    __slots__ = (
        "_definition",
        "_doc",
        "_parameters",
        "_signature",
        "_tensors_only",
        "inplace",
        "kink",
        "module",
        "names",
        "pytorch",
        "samples",
        "untested",
    )

    def __init__(
        self,
        signature: str,
        function: Callable[..., Any] | None,
        module: str,
        doc: str,
        kink: str,
        samples: Any,
        inplace: InPlace = NEITHER,
    ) -> None:
        self.names, self._parameters = split_signature(signature)
        self._definition: FunctionType | None = None
        if self._parameters is None:
            self._definition = cast(FunctionType, function)
            doc = doc or self._definition.__doc__ or ""
        self._signature: Signature | None = None
        self._tensors_only = -2
        self._doc = doc
        self.kink = kink
        self.module = module
        self.inplace = inplace
        self.samples = samples
        self.pytorch = ""
        self.untested = ""

    @property
    def stem(self) -> str:
        """The first name without its space: `pow` of `aten.pow`."""
        return self.names[0].rpartition(".")[2]

    @property
    def doc(self) -> str:
        """What is computed, in words."""
        return " ".join(self._doc.split())

    @property
    def signature(self) -> Signature:
        """Parsed when first needed: most rows are never called in one run."""
        if self._signature is None:
            self._signature = Signature(name_in_messages(self.names[0]), self.parameters)
        return self._signature

    @property
    def parameters(self) -> str:
        """The signature's text between its brackets."""
        if self._parameters is None:
            assert self._definition is not None
            self._parameters = parameters_of(self._definition)
        return self._parameters

    @property
    def outlined(self) -> list[tuple[str, str]]:
        """The types and names of the parameters, as far as declaring a row needs them."""
        return outline(self._definition or self.parameters)

    @property
    def tensors_only(self) -> int:
        """How many tensors make a complete call, or -1 where the arguments need checking."""
        if self._tensors_only == -2:
            parameters = self.signature.parameters
            required = [parameter for parameter in parameters if parameter.required]
            plain = all(parameter.is_tensor for parameter in required)
            if isinstance(self, Composite) and len(required) < len(parameters):
                plain = False  # bodies are given every argument
            self._tensors_only = len(required) if plain and required else -1
        return self._tensors_only

    @property
    def is_method(self) -> bool:
        if self._definition is not None:
            return self._definition.__code__.co_varnames[:1] == ("self",)
        return self.parameters.split(",")[0].endswith(" self")

    def takes_positions(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The entry's function as it is called, with every argument by position."""
        return function if self._definition is None else by_position(self._definition)

    def positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """A call with keywords as one without."""
        index, defaults = self.signature.index, self.signature.defaults
        last = max(index[name] for name in kwargs)
        values = list(args) + list(defaults[len(args) : last + 1])
        for name, value in kwargs.items():
            values[index[name]] = value
        return tuple(values)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def of_tensors(self, count: int) -> Callable[..., Any]:
        """What answers a call of so many tensors and nothing else."""
        return self


class Composite(Entry):
    """An operator that is a composition of others, as in PyTorch: it has no node of its own."""

    __slots__ = ("body",)

    def __init__(
        self,
        signature: str,
        body: Callable[..., Any],
        doc: str,
        kink: str,
        samples: Any,
        inplace: InPlace = NEITHER,
    ) -> None:
        doc = doc or body.__doc__ or ""
        super().__init__(signature, body, body.__module__, doc, kink, samples, inplace)
        self.body = self.takes_positions(body)

    @property
    def takes_keywords(self) -> bool:
        """Whether the body has a parameter for keywords of any name."""
        return bool(cast(FunctionType, self.body).__code__.co_flags & _ANY_KEYWORDS)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.body(*args, **kwargs)
        except Unbatchable:
            if mode.level is None:
                raise
            if kwargs:
                args = self.positional(args, kwargs)
            return mode.level.compose(self, args)


def name_in_messages(name: str) -> str:
    """`linalg.norm` -> `linalg_norm`, `nn.functional.relu` -> `relu`."""
    joined = name.partition(".")[0] in ("linalg", "special", "fft")
    return name.replace(".", "_") if joined else name.rsplit(".", 1)[-1]
