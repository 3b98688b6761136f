"""What programs find in `numpy.testing`."""

from __future__ import annotations

from typing import Any, Final

import numpy.testing as testing

from gradcli.language.allowed.modules.numpy_calls import face

FUNCTIONS: Final = (
    "assert_allclose assert_almost_equal assert_array_almost_equal assert_array_equal "
    "assert_array_less assert_equal"
)

MEMBERS: Final[dict[str, Any]] = {
    name: face(name, getattr(testing, name)) for name in FUNCTIONS.split()
}
"""By name."""
