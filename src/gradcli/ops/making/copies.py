"""The operators that copy what a view would show: ``torch.view_copy`` and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra import complex as complex_parts
from gradcli.ops.algebra import parts, sums, views
from gradcli.ops.selecting import splitting
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Samples, fixed
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array

_VIEWS = {
    "alias": (views.alias,),
    "expand": (sums.expand,),
    "permute": (views.permute,),
    "t": (views.t,),
    "transpose": (views.transpose,),
    "squeeze": (views.squeeze_all, views.squeeze_dim, views.squeeze_dims),
    "unsqueeze": (views.unsqueeze,),
    "view": (views.view,),
    "select": (parts.select,),
    "slice": (parts.slice_,),
    "unfold": (parts.unfold,),
    "split": (splitting.split_row,),
    "split_with_sizes": (splitting.split_with_sizes,),
    "unbind": (splitting.unbind,),
    "view_as_complex": (complex_parts.view_as_complex,),
    "view_as_real": (complex_parts.view_as_real,),
}

# The samples of those that PyTorch differentiates only where the copy is real.
_REAL_DERIVATIVES: dict[str, Samples] = {
    "select": lambda r: [(r(2, 3), 1, -1), (r.ints(2, 3, high=9), 0, 1)],
    "slice": lambda r: [(r(4, 3), 0, 1, None, 2), (r(2, 3), 1), (r.ints(5, high=9), 0, -3, -1)],
    "view_as_complex": lambda r: [(fixed(r(3, 2)),), (fixed(r(2, 1, 2)),)],
}


def _copy_of(name: str, view: Row) -> None:
    """Enters ``NAME_copy``, whose node and gradient are those of the view."""

    def forward(self: Array, *args: Any) -> Any:
        shown = view.forward(np.array(self, order="C"), *args)
        if isinstance(shown, tuple):
            return tuple(part.copy() for part in shown)
        return np.ascontiguousarray(shown).reshape(shown.shape)

    doc = f"A copy of what {name} would show."
    copied = row(
        f"{'aten.' * (name in _REAL_DERIVATIVES)}{name}_copy({view.parameters})",
        forward,
        node=f"{view.node_name}_copy",
        linear="self",
        samples=_REAL_DERIVATIVES.get(name, view.samples),
        doc=doc,
        self=view.formulas[0][1],
    )
    if name not in _REAL_DERIVATIVES:
        return

    @composite(f"{name}_copy({view.parameters})", samples=_REAL_DERIVATIVES[name], doc=doc)
    def copy(self: Tensor, *args: Any) -> Tensor:
        made: Tensor = copied(self, *args)
        if made.requires_grad and made.is_complex():
            raise RuntimeError(
                f"{name}_copy does not support automatic differentiation for outputs with "
                "complex dtype."
            )
        return made


for _name, _views in _VIEWS.items():
    for _view in _views:
        _copy_of(_name, _view)
