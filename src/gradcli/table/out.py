"""Which functions take `out=`, tensors that the results are written to.

Rows whose operands are brought to one type do (`takes` knows them by that); of the others PyTorch
decides one by one. What is written is cast where a kernel casts at all.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from gradcli.table.entry import Entry
from gradcli.table.row import NONE, Row

FREELY: Final = 2
"""How a result of one type is written to a tensor of another: always; where PyTorch casts results
in place; not at all."""
KINDLY: Final = 1
NEVER: Final = 0

_FREE: Final = """
    arange cumprod cumsum empty eye full linspace logspace nansum ones prod rand randint randn
    randperm range sum zeros
"""
_KIND: Final = """
    abs absolute all any bernoulli bitwise_not cat ceil clamp clamp_max clamp_min clip
    column_stack concat concatenate conj_physical div divide dstack fix float_power floor frac
    heaviside hstack isneginf isposinf lerp logical_not mean nan_to_num nanmean neg negative normal
    pow round row_stack sgn sign signbit special.ndtr special.round square stack std true_divide
    trunc var vstack where
"""
_KEEPING: Final = """
    addbmm addmm addmv alias_copy amax amin aminmax argmax argmin argsort baddbmm bmm bucketize
    cholesky cholesky_inverse cholesky_solve complex cross cummax cummin diag diagonal_copy diff dot
    expand_copy fft.fft fft.fft2 fft.fftfreq fft.fftn fft.hfft fft.hfft2 fft.hfftn fft.ifft
    fft.ifft2 fft.ifftn fft.ihfft fft.ihfft2 fft.ihfftn fft.irfft fft.irfft2 fft.irfftn fft.rfft
    fft.rfft2 fft.rfftfreq fft.rfftn frexp gather geqrf ger histc histogram index_add index_copy
    index_reduce index_select inner inverse isin kron kthvalue linalg.cholesky linalg.cholesky_ex
    linalg.cond linalg.cross linalg.det linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh
    linalg.householder_product linalg.inv linalg.inv_ex linalg.ldl_factor linalg.ldl_factor_ex
    linalg.ldl_solve linalg.lstsq linalg.lu linalg.lu_factor linalg.lu_factor_ex linalg.lu_solve
    linalg.matmul linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.multi_dot
    linalg.norm linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.solve_ex linalg.svd
    linalg.svdvals linalg.tensorinv linalg.tensorsolve linalg.vecdot linalg.vector_norm log_softmax
    logcumsumexp lu lu_solve lu_unpack masked_select matmul matrix_power max median min mm mode
    msort multinomial mv nanmedian nanquantile narrow_copy nonzero norm nuclear_norm orgqr ormqr
    outer permute_copy polar qr quantile renorm scatter scatter_add scatter_reduce searchsorted
    select_copy slice_copy slice_scatter slogdet softmax sort split_copy split_with_sizes_copy
    squeeze_copy svd t_copy take take_along_dim tensordot topk transpose_copy triangular_solve tril
    triu unbind_copy unfold_copy unsqueeze_copy vdot view_as_complex_copy view_as_real_copy
    view_copy
"""
_NOT: Final = frozenset({"dist", "relu", "rsub"})


@cache
def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def takes(name: str, entry: Entry) -> bool:
    """Whether the function `torch.NAME`, of which an entry is an overload, takes `out=`."""
    return name in _names(_KEEPING) or casting_of(name, entry) != NEVER


def casting_of(name: str, entry: Entry) -> int:
    """`FREELY`, `KINDLY` or `NEVER`: whether what `torch.NAME` computes changes its type."""
    if name in _names(_FREE):
        return FREELY
    promoted = isinstance(entry, Row) and entry.promote != NONE
    if name in _names(_KIND) or (promoted and name not in _NOT and not name.startswith("nn.")):
        return KINDLY
    return NEVER
