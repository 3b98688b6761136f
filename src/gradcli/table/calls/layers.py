"""The layers that PyTorch writes in Python; see `gradcli.table.calls.wrong`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.table.calls.parsed import Parsed, Written, several

torch = Parsed("")
nn = Parsed("nn.")
written = Written()


def _with_defaults(output_size: Any, defaults: Any) -> Any:
    """The lengths of an output, of which those that are None are the input's."""
    if isinstance(output_size, int):
        return output_size
    count = len(output_size)
    if len(defaults) <= count:
        raise ValueError(f"Input dimension should be at least {count + 1}")
    pairs = zip(output_size, defaults[-count:], strict=False)
    return [default if length is None else length for length, default in pairs]


@written
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: Any = False,
    momentum: Any = 0.1,
    eps: Any = 1e-05,
) -> None:
    if training:
        input.size()
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, False)


@written
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: Any = True,
    momentum: Any = 0.1,
    eps: Any = 1e-05,
) -> None:
    if use_input_stats:
        input.size()
    torch.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False
    )


@written
def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-05
) -> None:
    torch.layer_norm(input, normalized_shape, weight, bias, eps, False)


@written
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> None:
    torch.rms_norm(input, normalized_shape, weight, eps)


@written
def group_norm(
    input: Any, num_groups: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-05
) -> None:
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    input.size(0) * input.size(1) // num_groups
    torch.group_norm(input, num_groups, weight, bias, eps, False)


@written
def local_response_norm(
    input: Any, size: Any, alpha: Any = 0.0001, beta: Any = 0.75, k: Any = 1.0
) -> None:
    dim = input.dim()
    if dim < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                          input "
            f"(got {dim} dimensions)"
        )
    size // 2


@written
def normalize(input: Any, p: Any = 2.0, dim: Any = 1, eps: Any = 1e-12, out: Any = None) -> None:
    denom = input.norm(p, dim, keepdim=True)
    if out is None:
        denom.clamp_min(eps)
    else:
        torch.div(input, denom, out=out)


@written
def embedding(
    input: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: Any = 2.0,
    scale_grad_by_freq: Any = False,
    sparse: Any = False,
) -> None:
    if padding_idx is None:
        padding_idx = -1
    elif padding_idx > 0:
        if padding_idx >= weight.size(0):
            raise AssertionError("Padding_idx must be within num_embeddings")
    elif padding_idx < 0:
        if padding_idx < -weight.size(0):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx = weight.size(0) + padding_idx
    if max_norm is not None:
        input.contiguous()
    torch.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


@written
def pad(input: Any, pad: Any, mode: Any = "constant", value: Any = None) -> None:
    nn.pad(input, pad, mode, value)


@written
def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> None:
    pairs = [several(value, 2) for value in (output_size, kernel_size, dilation, padding, stride)]
    nn.col2im(input, *pairs)


@written
def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> None:
    pairs = [several(value, 2) for value in (kernel_size, dilation, padding, stride)]
    nn.im2col(input, *pairs)


@written
def grid_sample(
    input: Any,
    grid: Any,
    mode: Any = "bilinear",
    padding_mode: Any = "zeros",
    align_corners: Any = None,
) -> None:
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    torch.grid_sampler(input, grid, 0, 0, False if align_corners is None else align_corners)


@written
def affine_grid(theta: Any, size: Any, align_corners: Any = None) -> None:
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    len(size)
    torch.affine_grid_generator(theta, size, False if align_corners is None else align_corners)


@written
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: Any = False,
) -> None:
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    dim = input.dim() - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    sizes = None if size is None else several(size, dim)
    scales = None if scale_factor is None else several(scale_factor, dim)
    if recompute_scale_factor or not all(isinstance(size, int) for size in sizes or ()):
        return  # which the operator refuses itself
    if mode == "nearest" and dim in (1, 2, 3):
        getattr(nn, f"upsample_nearest{dim}d")(input, sizes, scales)


@written
def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: Any = None,
) -> None:
    interpolate(input, size, scale_factor, mode, align_corners)


@written
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> None:
    interpolate(input, size, scale_factor, mode="nearest")


@written
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> None:
    interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


@written
def lp_pool1d(
    input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False
) -> None:
    torch.avg_pool1d(input.pow(norm_type), kernel_size, stride or [], 0, ceil_mode)


def _max_pool(check: Callable[..., None]) -> Callable[..., None]:
    def head(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: Any = False,
        return_indices: Any = False,
    ) -> None:
        check(input, kernel_size, [] if stride is None else stride, padding, dilation, ceil_mode)

    return head


def _adaptive_max_pool(check: Callable[..., None], dims: int) -> Callable[..., None]:
    def head(input: Any, output_size: Any, return_indices: Any = False) -> None:
        check(input, output_size if dims == 1 else _with_defaults(output_size, input.size()))

    return head


def _adaptive_avg_pool(check: Callable[..., None]) -> Callable[..., None]:
    def head(input: Any, output_size: Any) -> None:
        check(input, _with_defaults(output_size, input.size()))

    return head


def _lp_pool(check: Callable[..., None], dims: int) -> Callable[..., None]:
    def head(
        input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False
    ) -> None:
        several(kernel_size, dims)
        check(input.pow(norm_type), kernel_size, stride or [], 0, ceil_mode)

    return head


def _max_unpool() -> Callable[..., None]:
    def head(
        input: Any,
        indices: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        output_size: Any = None,
    ) -> None:
        input.size()

    return head


# A function that gives indices, too, is another one; messages name the one that gives none.
written.like(_max_pool(torch.max_pool1d), "max_pool1d", "_max_pool1d")
written.like(_max_pool(torch.max_pool2d), "max_pool2d", "_max_pool2d")
written.like(_max_pool(torch.max_pool3d), "max_pool3d", "_max_pool3d")
written.like(_max_pool(torch.max_pool1d_with_indices), "max_pool1d_with_indices")
written.like(_max_pool(nn.max_pool2d_with_indices), "max_pool2d_with_indices")
written.like(_max_pool(nn.max_pool3d_with_indices), "max_pool3d_with_indices")
for _dims, _check in enumerate(
    (torch.adaptive_max_pool1d, nn.adaptive_max_pool2d, nn.adaptive_max_pool3d), 1
):
    _name = f"adaptive_max_pool{_dims}d"
    written.like(_adaptive_max_pool(_check, _dims), _name, f"_{_name}")
    written.like(_adaptive_max_pool(_check, _dims), f"{_name}_with_indices")
written.like(_adaptive_avg_pool(nn.adaptive_avg_pool2d), "adaptive_avg_pool2d")
written.like(_adaptive_avg_pool(nn.adaptive_avg_pool3d), "adaptive_avg_pool3d")
written.like(_lp_pool(nn.avg_pool2d, 2), "lp_pool2d")
written.like(_lp_pool(nn.avg_pool3d, 3), "lp_pool3d")
for _dims in (1, 2, 3):
    written.like(_max_unpool(), f"max_unpool{_dims}d")


@written
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: Any = None,
    norm_type: Any = 2,
    scale_grad_by_freq: Any = False,
    mode: Any = "mean",
    sparse: Any = False,
    per_sample_weights: Any = None,
    include_last_offset: Any = False,
    padding_idx: Any = None,
) -> None:
    weight.dtype  # noqa: B018 - which is what may fail
    input.dim()
