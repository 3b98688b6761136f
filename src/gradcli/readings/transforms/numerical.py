"""`gradcheck` and `gradgradcheck`: gradients compared with differences of values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.readings.transforms.duals import dual_level, make_dual, unpack_dual
from gradcli.tensor.errors import GradcheckError
from gradcli.tensor.public import handed_in, missing_name
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

Function = Callable[..., Any]
Tensors = tuple[Any, ...]
_NONDETERMINISTIC: Final = (
    "\n\nNOTE: If your op relies on non-deterministic operations i.e., it is listed here:\n"
    "https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html\n"
    "this failure might be expected.\n\nIf you are adding a new operator, please file an issue and "
    "then use one of the\nworkarounds. The workaround depends on how your test invokes gradcheck/"
    "gradgradcheck.\nIf the test\n- manually invokes gradcheck/gradgradcheck, then call "
    "gradcheck/gradgradcheck\n  with `nondet_tol=<tol>` as a keyword argument.\n"
)


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of a function agree with central differences of width `eps`.

    `check_backward_ad` compares what backward passes give, `check_forward_ad` what dual tensors do.
    The other ways to check that PyTorch can be asked for (`fast_mode`, `check_batched_grad`)
    examine the same formulas, so they add nothing here.

    Raises:
        GradcheckError: they do not, unless `raise_exception` is off.
        ValueError: no input requires grad.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    call, points, tolerance = handed_in(func), _as_tuple(inputs), (rtol, atol)
    try:
        _check_inputs(points)
        values = _as_tuple(call(*points))
        outputs = _differentiable(values)
        if check_backward_ad:
            _check(call, values, points, eps, tolerance, nondet_tol)
        if check_forward_ad:
            _check_forward(call, values, points, eps, tolerance)
        if check_backward_ad:
            _check_zeros(call, outputs, points, check_undefined_grad)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    gen_non_contig_grad_outputs: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    **options: Any,
) -> bool:
    """`gradcheck` of the gradients themselves, weighted with `grad_outputs` (random if missing)."""
    call, points = handed_in(func), _as_tuple(inputs)
    if grad_outputs is None:
        seeds = tuple(_random_like(output) for output in _differentiable(call(*points)))
    else:
        seeds = _as_tuple(grad_outputs)
    wanted = [_requires_grad(point) for point in points]

    def gradients(*values: Any) -> Tensors:
        arguments = values[: -len(seeds)]
        chosen = [value for value, wants in zip(arguments, wanted, strict=False) if wants]
        weights = list(values[-len(seeds) :])
        outputs = _differentiable(call(*arguments))
        found = grad(outputs, chosen, weights, create_graph=True, allow_unused=True)
        return tuple(slope for slope in found if slope is not None)

    return gradcheck(gradients, points + seeds, **options)


def _random_like(output: Tensor) -> Tensor:
    """A seed between -1 and 1, drawn from the random stream."""
    kind = output._array.dtype
    seed = wrap(np.empty(output._array.shape, kind))
    part = seed.view_as_real() if kind.kind == "c" else seed
    part.uniform_(-1, 1)
    return seed.requires_grad_()


def _check(
    func: Function,
    values: Tensors,
    inputs: Tensors,
    eps: float,
    tolerance: tuple[float, float],
    nondet_tol: float,
) -> None:
    """Compares what backward passes give, of complex outputs by their parts."""
    outputs = _differentiable(values)
    if any(value.is_complex() for value in values):
        numbers = [k for k, output in enumerate(outputs) if output.is_complex()]
        for part, word in (("imag", "imaginary"), ("real", "real")):
            prefix = f"While considering the {word} part of complex outputs only, "
            told = dict.fromkeys(numbers, prefix)
            called = _part_of(func, part)
            _compare(called, called(*inputs), inputs, eps, tolerance, nondet_tol, told)
    else:
        _compare(func, values, inputs, eps, tolerance, nondet_tol, {})


def _check_zeros(
    func: Function, outputs: Tensors, inputs: Tensors, check_undefined_grad: bool
) -> None:
    """Checks what backward passes make of zeros."""
    leaves = [value for value in inputs if _requires_grad(value)]
    if outputs:
        zeros = [wrap(np.zeros_like(output._array)) for output in outputs]
        for slope in grad(outputs, leaves, zeros, allow_unused=True):
            if slope is not None and slope._array.any():
                raise GradcheckError("backward not multiplied by grad_output")
    if check_undefined_grad:
        # A gradient that is not there is none for any formula; PyTorch calls the function again.
        for _ in range(1 + len(outputs) * (len(outputs) > 1)):
            func(*inputs)


def _check_inputs(inputs: Tensors) -> None:
    """Refuses inputs that no difference can be taken at."""
    for number, value in enumerate(inputs):
        if not _requires_grad(value):
            continue
        if value._array.dtype.char not in "dD":
            warnings.warn(
                f"Input #{number} requires gradient and is not a double precision floating point "
                "or complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=4,
            )
        pairs = zip(value.stride(), value._array.shape, strict=True)
        if any(step <= 0 and length > 1 for step, length in pairs):
            raise RuntimeError(
                f"The {number}th input has a dimension with stride 0. gradcheck only supports "
                "inputs that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to "
                "gradcheck."
            )
    if not any(map(_requires_grad, inputs)):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )


def _compare(
    func: Function,
    outputs: Tensors,
    inputs: Tensors,
    eps: float,
    tolerance: tuple[float, float],
    nondet_tol: float,
    prefixes: dict[int, str],
) -> None:
    """Compares all Jacobians of a function with real outputs."""
    numerical = [_numerical(func, outputs, value, inputs, eps) for value in _leaves(inputs)]
    kept = [k for k, output in enumerate(outputs) if output.requires_grad]
    if not kept:
        if any(matrix.any() for matrices in numerical for matrix in matrices):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        return
    for number, position in enumerate(kept):
        first = _analytical(outputs[position], inputs)
        again = _analytical(outputs[position], inputs)
        for one, other in zip(first, again, strict=True):
            if one.size and np.abs(one - other).max() > nondet_tol:
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and "
                    "grad_output multiple times gives different values, although analytical "
                    "gradient matches numerical gradient.The tolerance for nondeterminism was "
                    f"{nondet_tol}.{_NONDETERMINISTIC}"
                )
        for place, (true, matrices) in enumerate(zip(first, numerical, strict=True)):
            found = matrices[position]
            if not np.allclose(true, found, *tolerance):
                raise GradcheckError(
                    f"{prefixes.get(number, '')}Jacobian mismatch for output {number} with respect "
                    f"to input {place},\nnumerical:{wrap(found)}\nanalytical:{wrap(true)}\n"
                )


def _check_forward(
    func: Function,
    outputs: Tensors,
    inputs: Tensors,
    eps: float,
    tolerance: tuple[float, float],
) -> None:
    """Compares how outputs move along each input, of complex ones along both parts, with
    differences.
    """
    kept = [k for k, output in enumerate(outputs) if output.requires_grad]
    leaves = _leaves(inputs)
    several = any(leaf.is_complex() for leaf in leaves)
    for step, part in ((1j, "imaginary"), (1, "real")) if several else ((1, ""),):
        moved = [leaf for leaf in leaves if step == 1 or leaf.is_complex()]
        numerical = [_slopes(func, leaf, step, inputs, eps) for leaf in moved]
        analytical = [_moves(func, leaf, step, inputs) for leaf in moved] if kept else []
        if not kept and any(row.any() for rows in numerical for slopes in rows for row in slopes):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        for number, position in enumerate(kept):
            size = outputs[position]._array.size
            for leaf, true, found in zip(moved, analytical, numerical, strict=True):
                matrices = [
                    np.array([row[position] for row in rows]).reshape(-1, size)
                    for rows in (found, true)
                ]
                if not np.allclose(matrices[1], matrices[0], *tolerance):
                    prefix = f"While considering the {part} part of complex inputs only, "
                    raise GradcheckError(
                        f"{prefix if leaf.is_complex() else ''}Jacobian computed with forward mode "
                        f"mismatch for output {number} with respect to input {_place(leaf, leaves)}"
                        f",\nnumerical:{wrap(matrices[0])}\nanalytical:{wrap(matrices[1])}\n"
                    )


def _place(leaf: Tensor, leaves: Sequence[Tensor]) -> int:
    return next(place for place, other in enumerate(leaves) if other is leaf)


def _slopes(
    func: Function, leaf: Tensor, step: complex, inputs: Tensors, eps: float
) -> list[list[Array]]:
    """For each element of an input, how each output changes with it."""
    array = leaf._array
    places = np.ndindex(array.shape)
    return [_difference(func, array, index, eps * step, inputs, eps) for index in places]


def _moves(func: Function, leaf: Tensor, step: complex, inputs: Tensors) -> list[list[Array]]:
    """The same by dual tensors."""
    return [_pushed(func, leaf, index, step, inputs) for index in np.ndindex(leaf._array.shape)]


def _pushed(
    func: Function, leaf: Tensor, index: tuple[int, ...], step: complex, inputs: Tensors
) -> list[Array]:
    """How each output moves with one element, at the pace `step`."""
    with dual_level():
        duals = []
        for value in inputs:
            if _requires_grad(value):
                tangent = np.zeros_like(value._array)
                if value is leaf:
                    tangent[index] = step
                value = make_dual(value.detach(), wrap(tangent))
            duals.append(value)
        found = []
        for output in _as_tuple(func(*duals)):
            tangent = unpack_dual(output).tangent
            array = np.zeros_like(output._array) if tangent is None else tangent._array
            found.append(array.ravel())
        return found


def _numerical(
    func: Function, outputs: Tensors, value: Tensor, inputs: Tensors, eps: float
) -> list[Array]:
    """Central differences: a matrix per output, of a row per element of one input."""
    array = value._array
    directions = (eps, eps * 1j) if array.dtype.kind == "c" else (eps,)
    rows: list[list[Array]] = []
    for index in np.ndindex(array.shape):
        slopes = [_difference(func, array, index, step, inputs, eps) for step in directions]
        if len(slopes) > 1:
            slopes = [[along + 1j * across for along, across in zip(*slopes, strict=True)]]
        rows.append(slopes[0])
    if not rows:
        return [np.zeros((0, output._array.size)) for output in outputs]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _difference(
    func: Function,
    array: Array,
    index: tuple[int, ...],
    step: complex,
    inputs: Tensors,
    eps: float,
) -> list[Array]:
    """How each output changes with one element, of which the array is left as it was."""
    kept = array[index].copy()
    try:
        array[index] = kept - step
        low = [output.clone() for output in _as_tuple(func(*inputs))]
        array[index] = kept + step
        high = [output.clone() for output in _as_tuple(func(*inputs))]
    finally:
        array[index] = kept
    for before, after in zip(low, high, strict=True):
        for word in ("shape", "dtype"):
            one, other = getattr(before, word), getattr(after, word)
            if one != other:
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {word} when inputs are "
                    f"perturbed on index {index} by {eps}, but got: {word}s {one!r} and {other!r}."
                )
    pairs = zip(low, high, strict=True)
    return [((after._array - before._array) / (2 * eps)).ravel() for before, after in pairs]


def _analytical(output: Tensor, inputs: Tensors) -> list[Array]:
    """The same matrices, of one output and each input, by backward passes."""
    leaves = _leaves(inputs)
    count = output._array.size
    found = [np.zeros((leaf._array.size, count), leaf._array.dtype) for leaf in leaves]
    for number in range(count):
        seed = np.zeros(count, output._array.dtype)
        seed[number] = 1
        slopes = grad(
            [output],
            leaves,
            [wrap(seed.reshape(output._array.shape))],
            retain_graph=True,
            allow_unused=True,
        )
        for matrix, slope in zip(found, slopes, strict=True):
            if slope is not None:
                matrix[:, number] = slope._array.ravel()
    return found


def _part_of(func: Function, part: str) -> Function:
    """A function whose complex outputs are replaced by their `real` or `imag`."""

    def parts(*values: Any) -> Tensors:
        return tuple(getattr(o, part) if o.is_complex() else o for o in _as_tuple(func(*values)))

    return parts


def _requires_grad(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _leaves(values: Sequence[Any]) -> list[Tensor]:
    return [value for value in values if _requires_grad(value)]


def _differentiable(value: Any) -> tuple[Tensor, ...]:
    outputs = _as_tuple(value)
    for output in outputs:
        if not isinstance(output, Tensor):
            raise missing_name(output, "requires_grad")
    return tuple(output for output in outputs if output.requires_grad)


def _as_tuple(value: Any) -> Tensors:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
