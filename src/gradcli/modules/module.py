"""`torch.nn.Module`: parameters by name, and a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcli.autograd.modes import no_grad
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.leaf import is_parameter
from gradcli.tensor.own_names import OWN_NAMES
from gradcli.tensor.public import missing_name, public, word_of
from gradcli.tensor.tensor import Tensor, hold


@public(
    "buffers children double eval float forward load_state_dict modules named_buffers "
    "named_children named_modules named_parameters parameters register_buffer register_parameter "
    "requires_grad_ state_dict train training zero_grad",
    model=OWN_NAMES,
    name="Module",
    label="torch.nn.modules.module.Module",
    calls=True,
)
class Module:
    """A function with parameters.

    Parameters, buffers and modules that are set as attributes are registered under their names.
    """

    def __init__(self) -> None:
        keep = object.__setattr__
        keep(self, "_parameters", {})
        keep(self, "_buffers", {})
        keep(self, "_modules", {})
        keep(self, "_attributes", {"training": True})

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.forward(*args, **named)

    def forward(self, *args: Any, **named: Any) -> Any:
        """What a call computes.

        Raises:
            NotImplementedError: the class does not say it.
        """
        raise NotImplementedError(
            f'Module [{word_of(self)}] is missing the required "forward" function'
        )

    def _groups(self) -> tuple[dict[str, Any], ...]:
        values: dict[str, Any] = self.__dict__
        return values["_parameters"], values["_buffers"], values["_modules"], values["_attributes"]

    def own_names(self) -> dict[str, Any]:
        """Parameters, buffers, modules and further attributes by name."""
        return {name: value for group in self._groups() for name, value in group.items()}

    def __getattr__(self, name: str) -> Any:
        for group in self._groups():
            if name in group:
                return group[name]
        raise missing_name(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        parameters, buffers, modules, attributes = self._groups()
        if isinstance(value, Tensor) and is_parameter(value):
            attributes.pop(name, None)
            self.register_parameter(name, value)
        elif name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_kind(value)}' as parameter '{name}' (torch.nn.Parameter or "
                    "None expected)"
                )
            parameters[name] = None
        elif isinstance(value, Module):
            modules[name] = value
        elif name in buffers:
            buffers[name] = value
        else:
            attributes[name] = value

    def __delattr__(self, name: str) -> None:
        for group in self._groups():
            if name in group:
                del group[name]
                return
        raise missing_name(self, name)

    def register_parameter(self, name: str, param: Tensor | None) -> None:
        """Adds a parameter, or with None the place of one."""
        self._groups()[0][name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that belongs to the state and wants no gradient."""
        self._groups()[1][name] = tensor

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside, with dotted names."""
        yield prefix, self
        for name, module in self._groups()[2].items():
            yield from module.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes."""
        yield from self._groups()[2].items()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """All parameters, with dotted names; each once."""
        return self._named(0, prefix)

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """All buffers, with dotted names; each once."""
        return self._named(1, prefix)

    def _named(self, group: int, prefix: str) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix):
            for name, tensor in module._groups()[group].items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield f"{path}.{name}" if path else name, tensor

    def modules(self) -> Iterator[Module]:
        """This module and all inside."""
        return (module for _, module in self.named_modules())

    def children(self) -> Iterator[Module]:
        """The modules that are attributes."""
        return (module for _, module in self.named_children())

    def parameters(self) -> Iterator[Tensor]:
        """All parameters."""
        return (tensor for _, tensor in self.named_parameters())

    def buffers(self) -> Iterator[Tensor]:
        """All buffers."""
        return (tensor for _, tensor in self.named_buffers())

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, without history and over the same memory."""
        both = (*self.named_parameters(), *self.named_buffers())
        return {name: tensor.detach() for name, tensor in both}

    def load_state_dict(self, state_dict: dict[str, Tensor], strict: bool = True) -> None:
        """Copies values into parameters and buffers.

        Raises:
            RuntimeError: names are missing or unknown (if `strict`), or shapes differ.
        """
        own = dict((*self.named_parameters(), *self.named_buffers()))
        faults = []
        if strict:
            faults += _listed("Unexpected", [name for name in state_dict if name not in own])
            faults += _listed("Missing", [name for name in own if name not in state_dict])
        for name in own.keys() & state_dict.keys():
            here, there = own[name].shape, state_dict[name].shape
            if here != there:
                faults.append(
                    f"size mismatch for {name}: copying a param with shape {there!r} from "
                    f"checkpoint, the shape in current model is {here!r}."
                )
        if faults:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {word_of(self)}:\n\t" + "\n\t".join(faults)
            )
        with no_grad():
            for name in own.keys() & state_dict.keys():
                own[name].copy_(state_dict[name])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters, or makes them zero."""
        for tensor in self.parameters():
            if set_to_none or tensor.grad is None:
                tensor.grad = None
            else:
                tensor.grad.detach_().zero_()

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Asks for gradients of all parameters, or no longer."""
        for tensor in self.parameters():
            tensor.requires_grad_(requires_grad)
        return self

    def train(self, mode: bool = True) -> Module:
        """Sets `training` here and inside."""
        for module in self.modules():
            module._groups()[3]["training"] = mode
        return self

    def eval(self) -> Module:
        """`train(False)`."""
        return self.train(False)

    def double(self) -> Module:
        """Makes parameters and buffers of floating types float64."""
        return self._cast(dtypes.float64)

    def float(self) -> Module:
        """Makes parameters and buffers of floating types float32."""
        return self._cast(dtypes.float32)

    def _cast(self, dtype: DType) -> Module:
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.is_floating_point():
                tensor._accumulator = None
                hold(tensor, tensor._array.astype(dtype.np))
        return self

    def extra_repr(self) -> str:
        """What stands in brackets where the module is printed."""
        return ""

    def __repr__(self) -> str:
        lines = []
        for name, module in self.named_children():
            lines.append(f"({name}): " + repr(module).replace("\n", "\n  "))
        extra = self.extra_repr()
        if not lines:
            return f"{word_of(self)}({extra})"
        return f"{word_of(self)}(\n  " + "\n  ".join([*([extra] if extra else []), *lines]) + "\n)"


def _kind(value: Any) -> str:
    """What `value.type()` says of a tensor, and the class of anything else."""
    return dtypes.type_word(value.dtype) if isinstance(value, Tensor) else word_of(value)


def _listed(what: str, names: list[str]) -> list[str]:
    if not names:
        return []
    quoted = ", ".join(f'"{name}"' for name in names)
    return [f"{what} key(s) in state_dict: {quoted}. "]
