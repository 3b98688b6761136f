"""The operators that copy what a view would show: `torch.view_copy` and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra import complex as complex_parts
from gradcli.ops.algebra import parts, sums, views
from gradcli.ops.selecting import splitting
from gradcli.table.declare import row
from gradcli.table.row import Row
from gradcli.table.samples import fixed
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

# Of these, PyTorch derives complex results of the views only.
_REAL = {"select", "slice", "view_as_complex"}


def _copy_of(name: str, view: Row) -> None:
    """Enters `NAME_copy`, whose node and gradient are those of the view."""

    def forward(self: Array, *args: Any) -> Any:
        shown = view.forward(np.array(self, order="C"), *args)
        if isinstance(shown, tuple):
            return tuple(part.copy() for part in shown)
        return np.ascontiguousarray(shown).reshape(shown.shape)

    row(
        f"{name}_copy({view.parameters})",
        forward,
        halves=False,
        node=f"{view.node_name}_copy",
        linear="self",
        elementwise=view.elementwise,
        samples=view.samples if name != "view_as_complex" else lambda r: [(fixed(r(3, 2)),)],
        doc=f"A copy of what {name} would show.",
        complex_gradient=name not in _REAL,
        self=view.formulas[0][1],
    )


for _name, _views in _VIEWS.items():
    for _view in _views:
        _copy_of(_name, _view)
