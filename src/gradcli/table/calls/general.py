"""The functions of `torch` that PyTorch writes in Python; see `gradcli.table.calls.wrong`."""

from __future__ import annotations

from typing import Any

from gradcli.table.calls.parsed import Parsed, Written
from gradcli.tensor.tensor import Tensor

torch = Parsed("")
written = Written()


def _joined(*tensors: Any) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


@written
def atleast_1d(*tensors: Any) -> None:
    torch.atleast_1d(_joined(*tensors))


@written
def atleast_2d(*tensors: Any) -> None:
    torch.atleast_2d(_joined(*tensors))


@written
def atleast_3d(*tensors: Any) -> None:
    torch.atleast_3d(_joined(*tensors))


@written
def block_diag(*tensors: Any) -> None:
    torch.block_diag(tensors)


@written
def broadcast_tensors(*tensors: Any) -> None:
    torch.broadcast_tensors(tensors)


@written
def cartesian_prod(*tensors: Any) -> None:
    torch.cartesian_prod(tensors)


@written
def chain_matmul(*matrices: Any, out: Any = None) -> None:
    torch.chain_matmul(matrices)


@written
def meshgrid(*tensors: Any, indexing: Any = None) -> None:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if indexing is None:
        torch.meshgrid(tensors)
    else:
        torch.meshgrid(tensors, indexing=indexing)


@written
def cdist(
    x1: Any,
    x2: Any,
    p: Any = 2.0,
    compute_mode: Any = "use_mm_for_euclid_dist_if_necessary",
) -> None:
    modes = {
        "use_mm_for_euclid_dist_if_necessary": None,
        "use_mm_for_euclid_dist": 1,
        "donot_use_mm_for_euclid_dist": 2,
    }
    if not isinstance(compute_mode, str) or compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    torch.cdist(x1, x2, p, modes[compute_mode])


@written
def einsum(*args: Any) -> None:
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if isinstance(args[0], Tensor):
        return
    operands: Any = args[1:]
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        einsum(args[0], *operands[0])
    else:
        torch.einsum(args[0], operands)


@written
def norm(
    input: Any,
    p: Any = "fro",
    dim: Any = None,
    keepdim: Any = False,
    out: Any = None,
    dtype: Any = None,
) -> None:
    input.layout  # noqa: B018 - which is what may fail
    dims = [dim] if isinstance(dim, int) else dim
    options = {} if out is None else {"out": out}
    if not isinstance(p, str):
        p = 2.0 if p is None else p
        torch.linalg_vector_norm(input, p, dims, keepdim, dtype=dtype, **options)
    elif p == "fro" and (dim is None or isinstance(dim, int) or len(dim) <= 2):
        torch.linalg_vector_norm(input, 2, dims, keepdim, dtype=dtype, **options)
    else:
        dims = list(range(input.ndim)) if dims is None else dims
        torch.linalg_matrix_norm(input, p, dims, keepdim, dtype=dtype, **options)


@written
def split(tensor: Any, split_size_or_sections: Any, dim: Any = 0) -> None:
    if isinstance(tensor, Tensor):
        _split(tensor, split_size_or_sections, dim)
    else:
        tensor.split(split_size_or_sections, dim)


def _split(tensor: Any, size: Any, dim: Any) -> None:
    if isinstance(size, Tensor) and size.numel() == 1:
        size = int(size)
    if isinstance(size, int):
        torch.split(tensor, size, dim)
    else:
        torch.split_with_sizes(tensor, size, dim)


@written
def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> None:
    if not isinstance(dims, (tuple, list, Tensor, int)):
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] "
            f"containing two lists, but got dims={dims}"
        )
    pair: Any = ([], [])
    if isinstance(dims, (tuple, list)):
        first, second = dims
        pair = (first, second)
    elif isinstance(dims, Tensor):
        if dims.numel() > 1:
            if dims.size()[0] != 2:
                raise AssertionError(
                    f"dims tensor must have size 2 in first dimension, got {dims.size()[0]}"
                )
            pair = tuple(dims.tolist())
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    options = {} if out is None else {"out": out}
    torch.tensordot(a, b, *pair, **options)


def _return_output(
    input: Any,
    sorted: Any = True,
    return_inverse: Any = False,
    return_counts: Any = False,
    dim: Any = None,
) -> None:
    bool(return_inverse)
    flags = {"sorted": sorted, "return_inverse": return_inverse, "return_counts": return_counts}
    if dim is None:
        torch._unique2(input, **flags)
    else:
        torch.unique_dim(input, dim, **flags)


def _consecutive_return_output(
    input: Any, return_inverse: Any = False, return_counts: Any = False, dim: Any = None
) -> None:
    bool(return_inverse)
    torch.unique_consecutive(
        input, return_inverse=return_inverse, return_counts=return_counts, dim=dim
    )


@written
def is_tensor(obj: Any, /) -> None:
    pass


@written
def manual_seed(seed: Any) -> None:
    int(seed)


@written
def seed() -> None:
    pass


@written
def initial_seed() -> None:
    pass


@written
def get_rng_state() -> None:
    pass


@written
def set_rng_state(new_state: Any) -> None:
    pass


@written
def set_default_dtype(d: Any, /) -> None:
    pass


@written
def set_default_tensor_type(t: Any, /) -> None:
    pass


@written
def unravel_index(indices: Any, shape: Any) -> None:
    pass


@written
def broadcast_shapes(*shapes: Any) -> None:
    pass


def _lu_no_infos(A: Any, pivot: Any = True, get_infos: Any = False, out: Any = None) -> None:
    torch._lu_with_info(A, pivot=pivot, check_errors=True)


written.like(_return_output, "unique", "_return_output")
written.like(_consecutive_return_output, "unique_consecutive", "_consecutive_return_output")
written.like(_lu_no_infos, "lu", "_lu_no_infos")


@written
def get_num_threads() -> None:
    pass


@written
def set_num_threads(number: Any, /) -> None:
    pass


@written
def get_num_interop_threads() -> None:
    pass


@written
def set_num_interop_threads(number: Any, /) -> None:
    pass


@written
def use_deterministic_algorithms(mode: Any, *, warn_only: Any = False) -> None:
    pass


@written
def are_deterministic_algorithms_enabled() -> None:
    pass


@written
def set_float32_matmul_precision(precision: Any) -> None:
    pass


@written
def get_float32_matmul_precision() -> None:
    pass


@written
def get_default_device() -> None:
    pass


@written
def set_default_device(device: Any) -> None:
    pass
