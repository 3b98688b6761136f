"""Batched tensors: tensors that stand for every sample of a batch at once.

A batched tensor has no array of its own but a *physical* tensor, an ordinary one whose first
dimension runs over the samples. Who asks a batched tensor for its array gets a `Shadow`, which has
the shape and type of one sample and no elements: code that only looks at these runs as it is, and
what would look at elements is refused, so that no sample is ever taken for all.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn, Protocol

from gradcli.tensor.graph import mode

CONTROL: Final = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We "
    "don't support that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
)
ITEM: Final = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, please try to rewrite what you're doing with other operations. If error "
    "is occurring somewhere inside PyTorch internals, please file a bug report."
)
UNKNOWN: Final = (
    "vmap: It looks like you're either (1) calling .item() on a Tensor or (2) attempting to use a "
    "Tensor in some data-dependent control flow or (3) encountering this error in PyTorch "
    "internals. For (1): we don't support vmap over calling .item() on a Tensor, please try to "
    "rewrite what you're doing with other operations. For (2): we don't support data-dependent "
    "control flow in vmap yet, please file an issue at https://github.com/pytorch/pytorch/issues . "
    "For (3): please file an issue."
)
"""What is said where another transform lies between the function and the mapping."""
ESCAPED: Final = (
    "Either your tensor may have escaped from inside a function being vmapped and this is a user "
    "error (see https://pytorch.org/functorch/stable/ux_limitations.html), or there is an internal "
    "functorch error in `gen_vmap_plumbing` Please file an issue if it looks like the latter"
)
IN_TRANSFORM: Final = (
    "You are attempting to call Tensor.requires_grad_() (or perhaps using "
    "torch.autograd.functional.* APIs) inside of a function being transformed by a functorch "
    "transform. This is unsupported, please attempt to use the functorch transforms (e.g. grad, "
    "vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being "
    "transformed instead."
)
RETAINED_IN_TRANSFORM: Final = (
    "You are attempting to call Tensor.retain_grad() inside of a function being transformed by a "
    "functorch transform. This is unsupported, please attempt to use the functorch transforms "
    "(e.g. grad, vjp, jacrev, jacfwd, hessian) or call retain_grad() outside of a function being "
    "transformed instead."
)
NO_DATA: Final = "accessing `data` under vmap transform is not allowed"
NO_STORAGE: Final = "Cannot access data pointer of Tensor that doesn't have storage"


class Unbatchable(RuntimeError):
    """Somebody wants the elements of a batched tensor, which only one sample could have."""


Unbatchable.__name__ = Unbatchable.__qualname__ = "RuntimeError"  # as users see it


class Owner(Protocol):
    """The mapping that a batched tensor belongs to."""

    number: int
    size: int
    alive: bool

    def detached(self, tensor: Any) -> Any:
        """The same samples without history."""

    def hooked(self, hook: Any) -> Any:
        """A hook of gradients of all samples for one of batched gradients."""

    def wrap(self, physical: Any) -> Any:
        """The batched tensor of a physical one."""

    def repeated(self, tensor: Any) -> Any:
        """A tensor of its own for each sample, all with the elements of one."""

    def seen(self, physical: Any, refusal: str) -> Any:
        """The elements of one sample, where they decide what is done next; else the refusal."""


class Batched:
    """What makes a tensor a batched one.

    Attributes:
        owner: the mapping that it belongs to.
        physical: all samples, along the first dimension.
        place: where its first dimension lay there.
    """

    __slots__ = ("_shadow", "owner", "physical", "place")

    def __init__(self, owner: Owner, physical: Any, place: int | None) -> None:
        self.owner = owner
        self.physical = physical
        self.place = place or 0
        self._shadow: Shadow | None = None

    @property
    def shadow(self) -> Shadow:
        if self._shadow is None:
            self._shadow = Shadow(self.owner, self.physical._array)
        return self._shadow


def _no_elements(self: Shadow, *_: Any, **__: Any) -> NoReturn:
    """What needs the elements of one sample."""
    if not self.owner.alive:
        raise RuntimeError(ESCAPED)
    raise Unbatchable(NO_STORAGE)


class _Flags:
    """An array's flags, as far as anybody may know them."""

    __slots__ = ("c_contiguous", "writeable")

    def __init__(self, contiguous: bool) -> None:
        self.c_contiguous = contiguous
        self.writeable = True


class Shadow:
    """What is known of the array of one sample without its elements."""

    __slots__ = ("dtype", "owner", "physical", "shape", "strides")

    def __init__(self, owner: Owner, physical: Any) -> None:
        self.owner = owner
        self.physical = physical
        self.dtype = physical.dtype
        self.shape: tuple[int, ...] = physical.shape[1:]
        self.strides: tuple[int, ...] = physical.strides[1:]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def flags(self) -> _Flags:
        step, contiguous = self.itemsize, True
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            contiguous = contiguous and (length == 1 or stride == step)
            step *= length
        return _Flags(contiguous or not self.size)

    def __bool__(self) -> bool:
        return bool(self._decides(CONTROL))

    def item(self, *_: int) -> Any:
        return self._decides(ITEM).item()

    def tolist(self) -> Any:
        return self._seen(NO_STORAGE).tolist()

    def _decides(self, refusal: str) -> Any:
        return self._seen(UNKNOWN if mode.depth > self.owner.number else refusal)

    def _seen(self, refusal: str) -> Any:
        return self.owner.seen(self.physical, refusal if self.owner.alive else ESCAPED)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and not name.startswith("__array_"):
            raise AttributeError(name)
        _no_elements(self)

    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __setitem__ = __iter__ = (
        __len__
    ) = _no_elements
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = _no_elements
    __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __pow__ = __rpow__ = _no_elements
    __neg__ = __abs__ = __invert__ = __and__ = __or__ = __xor__ = _no_elements
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _no_elements
    __float__ = __int__ = __complex__ = __index__ = __contains__ = _no_elements
    __hash__ = None  # type: ignore[assignment]
