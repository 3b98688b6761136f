"""The methods of tensors that PyTorch writes in Python; see `gradcli.table.calls.wrong`."""

from __future__ import annotations

from typing import Any

from gradcli.table.calls import general
from gradcli.table.calls.parsed import Parsed

base = Parsed("", methods=True)


class Tensor:
    """`torch.Tensor`, whose name Python's messages about a method have."""

    def norm(
        self, p: Any = "fro", dim: Any = None, keepdim: Any = False, dtype: Any = None
    ) -> None:
        general.norm(self, p, dim, keepdim, dtype=dtype)

    def split(self, split_size: Any, dim: Any = 0) -> None:
        general.split(self, split_size, dim)

    def unflatten(self, dim: Any, sizes: Any) -> None:
        if not sizes:
            raise RuntimeError("unflatten: sizes must be non-empty")
        base.unflatten(dim, sizes)

    def unique(
        self,
        sorted: Any = True,
        return_inverse: Any = False,
        return_counts: Any = False,
        dim: Any = None,
    ) -> None:
        general._return_output(self, sorted, return_inverse, return_counts, dim)

    def unique_consecutive(
        self, return_inverse: Any = False, return_counts: Any = False, dim: Any = None
    ) -> None:
        general._consecutive_return_output(self, return_inverse, return_counts, dim)

    def lu(self, pivot: Any = True, get_infos: Any = False) -> None:
        pass

    def register_hook(self, hook: Any) -> None:
        pass

    def register_post_accumulate_grad_hook(self, hook: Any) -> None:
        pass

    def share_memory_(self) -> None:
        pass
