"""What programs find in `numpy.fft`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.language.allowed.modules.numpy_calls import (
    Sizes,
    by_shape,
    by_transform,
    face,
    together,
)

FUNCTIONS: Final[dict[Sizes, str]] = {
    by_transform: "fft fft2 fftn hfft ifft ifft2 ifftn ihfft irfft irfft2 irfftn rfft rfft2 rfftn",
    by_shape: "fftfreq rfftfreq",
    together: "fftshift ifftshift",
}

MEMBERS: Final[dict[str, Any]] = {
    name: face(name, getattr(np.fft, name), size)
    for size, names in FUNCTIONS.items()
    for name in names.split()
}
"""By name."""
