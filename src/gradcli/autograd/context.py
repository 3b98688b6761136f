"""What the passes of a custom Function share."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.classes import token
from gradcli.tensor.own_names import OWN_NAMES
from gradcli.tensor.public import missing_name, public
from gradcli.tensor.tensor import Tensor


@public(
    "mark_dirty mark_non_differentiable needs_input_grad save_for_backward "
    "save_for_forward saved_tensors saved_variables set_materialize_grads",
    model=OWN_NAMES,
    name=lambda context: context._label,
    label=lambda context: f"torch.autograd.function.{context._label}",
)
class Context:
    """What the passes of one call share: `ctx`.

    Attributes of any other name may be set.
    """

    __slots__ = (
        "_attributes",
        "_dirty",
        "_fixed",
        "_forward",
        "_label",
        "_materialize",
        "_node",
        "_saved",
        "_shown",
        "needs_input_grad",
    )

    def __init__(self, name: str, needs: tuple[bool, ...]) -> None:
        keep = object.__setattr__
        keep(self, "_label", f"{name}Backward")
        keep(self, "_attributes", {})
        keep(self, "needs_input_grad", needs)
        keep(self, "_saved", ())
        keep(self, "_forward", ())
        keep(self, "_shown", None)
        keep(self, "_dirty", ())
        keep(self, "_fixed", ())
        keep(self, "_materialize", True)
        keep(self, "_node", None)

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors, or None, for the backward pass; the last call counts."""
        self._keep("_saved", tensors)

    def save_for_forward(self, *tensors: Any) -> None:
        """Keeps tensors for `jvp`."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save "
                    "non-tensors as attributes on ctx."
                )
        self._keep("_forward", tensors)

    def mark_dirty(self, *tensors: Any) -> None:
        """Says which inputs the forward pass changed in place."""
        self._keep("_dirty", tensors)

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Says which outputs have no gradient."""
        self._keep("_fixed", tensors)

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the backward pass gets zeros (else None) for outputs without a gradient."""
        self._keep("_materialize", bool(value))

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What was saved, as it stands in the graph.

        Raises:
            RuntimeError: the graph was freed, or a tensor was changed in place since.
        """
        if self._shown is not None:
            return self._shown  # type: ignore[no-any-return]
        node = None if self._node is None else self._node()
        return () if node is None else node.saved_tensors

    saved_variables = saved_tensors

    def _keep(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def own_names(self) -> dict[str, Any]:
        """What was set, by name."""
        return self._attributes  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name not in self._attributes:
            raise missing_name(self, name)
        return self._attributes[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._attributes[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._attributes:
            raise missing_name(self, name)
        del self._attributes[name]


FunctionCtx: Final = token("torch.autograd.function.FunctionCtx", Context)
"""The class of contexts as programs know it."""
FunctionCtx.wide = True
