"""What programs find in `numpy.linalg`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.language.allowed.modules.numpy_calls import face

FUNCTIONS: Final = (
    "cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_power matrix_rank norm pinv qr "
    "slogdet solve svd"
)

MEMBERS: Final[dict[str, Any]] = {
    name: face(name, getattr(np.linalg, name)) for name in FUNCTIONS.split()
}
"""By name."""
