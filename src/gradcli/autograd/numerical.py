"""`gradcheck` and `gradgradcheck`: gradients compared with differences of values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.passes import grad
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

    The other ways to check that PyTorch can be asked for (`fast_mode`, `check_forward_ad`,
    `check_batched_grad`) examine the same formulas, so they add nothing here.

    Raises:
        GradcheckError: they do not, unless `raise_exception` is off.
        ValueError: no input requires grad.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    call = handed_in(func)
    try:
        _check(call, _as_tuple(inputs), eps, (rtol, atol), nondet_tol, check_undefined_grad)
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
    inputs: Tensors,
    eps: float,
    tolerance: tuple[float, float],
    nondet_tol: float,
    check_undefined_grad: bool,
) -> None:
    _check_inputs(inputs)
    values = _as_tuple(func(*inputs))
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
