"""`functionalize`: without a compiler behind it, a function is what it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from gradcli.tensor.public import handed_in


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function itself: PyTorch takes in-place changes out of what it hands to compilers.

    Raises:
        RuntimeError: at a call, `remove` names nothing that can be taken out.
    """

    @wraps(func, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if remove not in ("mutations", "mutations_and_views"):
            raise RuntimeError(
                f"functionalize(f, remove='mutations'): received invalid argument for remove="
                f"{remove}. Valid options are:\n"
                "     remove='mutations': all inplace and out= operators will be removed from the "
                "program, and replaced with their out-of-place equivalents.\n"
                "     remove='mutations_and_views': In addition to the above, all aliasing "
                "operators {view} will be replaced with their non-aliasing counterparts, "
                "{view}_copy.\n"
            )
        return handed_in(func)(*args, **kwargs)

    return wrapped
