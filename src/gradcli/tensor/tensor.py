"""The tensor: a NumPy array, a version counter and its place in the graph.

Operators, methods and printing are attached from outside (`gradcli.ops`, `gradcli.autograd`,
`gradcli.views`); this module only holds what a tensor *is*. Names with an underscore are the
engine's; everything else bears PyTorch's name and meaning.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np

from gradcli.tensor import dtypes
from gradcli.tensor.conversions import Conversions
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import CPU, Device
from gradcli.tensor.graph import (
    INFERENCE,
    Birth,
    Handle,
    InferenceCounter,
    Node,
    detached_counter,
    mode,
    started,
)
from gradcli.tensor.integers import index64
from gradcli.tensor.leaf import (
    AccumulateGrad,
    Extras,
    accumulator,
    add_hook,
    add_post_accumulate_hook,
    batched_of,
    check_flag_attribute,
    check_grad,
    grad_dtype_of,
    grad_of,
    is_parameter,
    looked_at,
    set_flag,
    set_grad_dtype,
    shadow_of,
)
from gradcli.tensor.memory import NUMBER_SIZE, reserve
from gradcli.tensor.public import REGISTRY, public, word_of
from gradcli.tensor.shadow import IN_TRANSFORM, NO_DATA, RETAINED_IN_TRANSFORM
from gradcli.tensor.shapes import Size, contiguous_strides, length_along
from gradcli.tensor.warn import NO_LEAF, warn


class View:
    """That a tensor shares memory with `base`, and how it came to.

    `version` is the counter at which the tensor's `_grad_fn` was right: a later in-place change
    of the base or of another view makes it stale. `creation` is `"default"`, `"multi"` (one
    of several views of one call), `"custom"` (an output of a custom Function), `"no_grad"` or
    `"inference"`: PyTorch forbids some in-place changes for the latter ones.
    """

    __slots__ = ("base", "creation", "version")

    def __init__(self, base: Tensor, version: int, creation: str) -> None:
        self.base = base
        self.version = version
        self.creation = creation


@public(
    "_base _is_view _version data device dim dtype element_size grad grad_dtype grad_fn "
    "is_complex is_contiguous is_cuda is_floating_point is_leaf is_sparse item itemsize nbytes "
    "ndim nelement numel numpy output_nr register_hook register_post_accumulate_grad_hook "
    "requires_grad requires_grad_ retain_grad retains_grad shape size stride tolist",
    writes="data grad grad_dtype requires_grad",
    deletes="grad",
    finds=lambda name: name[0] != "_" and find_method(name),
    holder="torch._C.TensorBase",
    name="Tensor",
    label="torch.Tensor",
)
class Tensor(Conversions):
    """An n-dimensional array that remembers how it was computed.

    `Tensor(data)` is PyTorch's legacy constructor (always the default dtype); the engine itself
    makes tensors with `wrap`. `_versions` is a list of one int, shared by all tensors that
    share memory and increased by in-place changes; None stands for a counter at zero that nobody
    shares yet (see `versions_of`). A result that is one single or double number is kept as `_value`
    (NumPy's scalar; None otherwise) and becomes `_array` when somebody asks for that (see `hold`).
    A batched tensor has neither (see `gradcli.tensor.shadow`).
    """

    __slots__ = (
        "__weakref__",
        "_accumulator",
        "_array",
        "_extras",
        "_grad",
        "_grad_fn",
        "_nr",
        "_requires_grad",
        "_value",
        "_versions",
        "_view",
    )

    _array: np.ndarray[Any, Any]
    _value: Any
    _requires_grad: bool
    _grad_fn: Node | None
    _nr: int
    _grad: Any
    _versions: list[int] | None
    _view: View | None
    _extras: Extras | None
    _accumulator: weakref.ref[AccumulateGrad] | None

    _resolvers: ClassVar[list[Callable[[str], Any]]] = []
    """Ask these for a method that the class does not have yet, in turn."""
    _construct: ClassVar[Callable[..., Tensor]]
    """The legacy constructor, printing and the renewal of a stale view's history live above this
    layer and are put here by it: by what cannot be missing when they are needed."""
    _represent: ClassVar[Callable[[Tensor], str]] = lambda tensor: f"tensor({tensor._array})"
    _renew: ClassVar[Callable[[Tensor], None]] = lambda tensor: None

    # NumPy must leave `array + tensor` to the tensor.
    __array_ufunc__ = None

    def __new__(cls, *data: Any, **options: Any) -> Tensor:
        return Tensor._construct(*data, **options)

    def __init__(self, *data: Any, **options: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name == "_array":
            node, value = self._grad_fn, self._value
            if value is None:
                return shadow_of(self)
            hold(self, value if node is None else node.memory(value))
            return self._array
        if find_method(name):
            return getattr(self, name)
        raise AttributeError(f"'Tensor' object has no attribute '{name}'")

    @property
    def dtype(self) -> DType:
        return dtypes.of(self._array)

    @property
    def shape(self) -> Size:
        return _size(self._array.shape)

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def dim(self) -> int:
        return self._array.ndim

    def numel(self) -> int:
        return self._array.size

    nelement = numel

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        if dim is None:
            return self.shape
        return length_along(self._array.shape, index64(dim))

    def stride(self, dim: int | None = None) -> Any:
        """Steps in memory per dimension, in elements."""
        strides = contiguous_strides(self._array)
        return strides if dim is None else length_along(strides, index64(dim))

    def is_contiguous(self) -> bool:
        return bool(self._array.flags.c_contiguous)

    def element_size(self) -> int:
        return self._array.itemsize

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    @property
    def device(self) -> Device:
        return CPU

    @property
    def is_cuda(self) -> bool:
        return False

    @property
    def is_sparse(self) -> bool:
        return False

    def is_floating_point(self) -> bool:
        return self._array.dtype.kind in dtypes.FLOATS

    def is_complex(self) -> bool:
        return bool(self._array.dtype.kind == "c")

    @property
    def requires_grad(self) -> bool:
        # A view of what requires a gradient requires one, also where no history leads there.
        return self._requires_grad or (self._view is not None and self._view.base._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        check_flag_attribute(self, value, self.grad_fn is None)
        set_flag(self, value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Asks for gradients (or no longer): only of a floating or complex leaf."""
        if mode.transforms:
            raise RuntimeError(IN_TRANSFORM)
        set_flag(self, requires_grad)
        return self

    @property
    def grad_fn(self) -> Node | None:
        if self._view is not None:
            Tensor._renew(self)
        return self._grad_fn

    @property
    def is_leaf(self) -> bool:
        # PyTorch does not look at the base of a view here either.
        return self._grad_fn is None

    @property
    def output_nr(self) -> int:
        if self._view is not None:
            Tensor._renew(self)
        return self._nr

    @property
    def retains_grad(self) -> bool:
        """Whether this non-leaf keeps its gradient (see `retain_grad`)."""
        node = self.grad_fn
        if node is None or node.hooks is None:
            return False
        kept = node.hooks.retain.get(self._nr)
        return kept is not None and kept() is self

    @property
    def grad(self) -> Any:
        if self._grad is None and self.grad_fn is not None and not self.retains_grad:
            warn(NO_LEAF)
        return grad_of(self)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    "assigned grad expected to be a Tensor or None but got grad of type "
                    f"{word_of(value)}"
                )
            check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_dtype(self) -> DType | None:
        """The type of a leaf's gradient: the leaf's own unless set; None allows any."""
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
        return grad_dtype_of(self)

    @grad_dtype.setter
    def grad_dtype(self, dtype: DType | None) -> None:
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be set on leaf tensors.")
        set_grad_dtype(self, dtype)

    @property
    def data(self) -> Tensor:
        """The same memory without history and with a version counter of its own."""
        if batched_of(self) is not None:
            raise RuntimeError(NO_DATA)
        made = wrap(self._array)
        made._versions = detached_counter(self._versions)
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {word_of(value)}")
        if batched_of(self) is not None or batched_of(value) is not None:
            raise RuntimeError(NO_DATA)
        if self.requires_grad and value._array.dtype.kind not in dtypes.INEXACT:
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex "
                "dtype"
            )
        if value._array.dtype != self._array.dtype:
            self._accumulator = None  # the old graph's sink takes gradients of the old type
        hold(self, value._array)

    @property
    def _version(self) -> int:
        if self._versions is INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return 0 if self._versions is None else self._versions[0]

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    def retain_grad(self) -> None:
        """Keeps the gradient of a non-leaf in its `grad`; does nothing to a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if mode.transforms:
            raise RuntimeError(RETAINED_IN_TRANSFORM)
        node = None if self.is_leaf else self.grad_fn
        if node is not None:
            node.node_hooks().retain[self._nr] = weakref.ref(self)

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Calls `hook(grad)` with this tensor's gradient; what it returns replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        batched = batched_of(self)
        if batched is not None:
            hook = batched.owner.hooked(hook)
        node, number = edge_of(self)
        if node is None or self._grad_fn is None:
            return add_hook(self, hook)
        return Handle(node.node_hooks().tensor.setdefault(number, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[..., Any]) -> Handle:
        """Calls `hook(tensor)` after a leaf's `grad` was updated."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._grad_fn is not None:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        return add_post_accumulate_hook(self, hook)

    def tolist(self) -> Any:
        """The elements as (nested lists of) Python numbers."""
        reserve(self._array.shape, NUMBER_SIZE)
        return looked_at(self).tolist()

    def numpy(self, force: bool = False) -> Any:
        """The NumPy array behind a tensor; it shares memory, which nothing may record meanwhile."""
        if self.requires_grad and mode.enabled and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        if self._array.dtype.kind == "V":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return np.asarray(looked_at(self))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        looked_at(self)
        return Tensor._represent(self)

    def __format__(self, spec: str) -> str:
        if is_parameter(self):
            if spec:
                raise TypeError("unsupported format string passed to Parameter.__format__")
        elif self._array.ndim == 0:
            return format(self.item(), spec)
        if spec:
            raise TypeError("unsupported format string passed to Tensor.__format__")
        return str(self)


def find_method(name: str) -> bool:
    """Whether operators have a method of that name, which is the class's from now on."""
    if name.startswith("__"):
        return False
    for resolve in Tensor._resolvers:
        method = resolve(name)
        if method is not None:
            setattr(Tensor, name, method)
            if name[0] != "_":
                REGISTRY[Tensor].reads.add(name)
            return True
    return False


_new = object.__new__
_size = partial(tuple.__new__, Size)


def wrap(
    array: Any, requires_grad: bool = False, grad_fn: Node | None = None, output: int = 0
) -> Tensor:
    """A tensor of an ndarray (not copied) or a NumPy scalar."""
    tensor = _new(Tensor)
    kind = type(array)
    if kind is np.ndarray:
        tensor._array = array
        tensor._value = None
    elif kind is np.float32 or kind is np.float64:
        tensor._value = array
    else:
        tensor._array = np.asarray(array)
        tensor._value = None
    tensor._requires_grad = requires_grad
    tensor._grad_fn = grad_fn
    tensor._nr = output
    tensor._grad = None
    tensor._versions = mode.fresh
    tensor._view = None
    tensor._extras = None
    tensor._accumulator = None
    return tensor


def hold(tensor: Tensor, array: Any) -> None:
    """Makes an array (or a NumPy scalar) the tensor's memory."""
    tensor._array = np.asarray(array)
    tensor._value = None


def raw(value: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return value._array if type(value) is Tensor else value


def bare(tensor: Tensor) -> Any:
    """The array, or NumPy's scalar where that has no dimensions: it computes several times faster
    than an array."""
    if tensor._value is not None:
        return tensor._value
    array = tensor._array
    return array if array.ndim else array[()]


def constant(array: Any, like: Any) -> Any:
    """An array as what `like` is: a tensor without history, or an array."""
    return wrap(array) if type(like) is Tensor else array


def versions_of(tensor: Tensor) -> list[int]:
    """The tensor's version counter, from now on a real one."""
    if tensor._versions is None or type(tensor._versions) is Birth:
        node = tensor._grad_fn
        tensor._versions = started(tensor._versions) if node is None else node.counter(tensor)
    return tensor._versions


def edge_of(tensor: Tensor) -> tuple[Node | None, int]:
    """Where the gradient of a tensor goes."""
    if tensor._view is not None:
        Tensor._renew(tensor)
    if tensor._grad_fn is not None:
        return tensor._grad_fn, tensor._nr
    return (accumulator(tensor), 0) if tensor._requires_grad else (None, 0)


def share(tensor: Tensor, array: Any, differentiable: bool = True, several: bool = False) -> Tensor:
    """A tensor over `array`, which shares the memory and so the version counter of `tensor`.

    `differentiable` makes it a view in PyTorch's sense, whose in-place changes flow to the base.
    """
    made = wrap(array)
    made._versions = versions_of(tensor)
    if differentiable and made._versions is not INFERENCE:
        base, creation = tensor, "default"
        if tensor._view is not None:
            base, creation = tensor._view.base, tensor._view.creation
        if mode.inference:
            creation = "inference"
        elif not mode.enabled:
            creation = "no_grad"
        elif several:
            creation = "multi"
        made._view = View(base, made._versions[0], creation)
    return made


def detached(tensor: Tensor) -> Tensor:
    """The same memory, and changes of it, without history."""
    made = share(tensor, tensor._array, differentiable=False)
    made._versions = detached_counter(tensor._versions) or made._versions
    return made


def is_inference(tensor: Tensor) -> bool:
    """Whether a tensor stems from inference mode, so that no node may save it."""
    return type(tensor._versions) is InferenceCounter
