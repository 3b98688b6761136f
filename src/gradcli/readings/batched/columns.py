"""The rows of a table as samples: an evaluation goes on where it looks at what all rows agree on.

`vmap` refuses `if x > 0`: samples may differ. Here they are asked. Where all rows hold the same,
each of them would take the way that is taken now; where they do not, the evaluation is given up,
and what it saw says which rows can be taken together in another one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.readings.batched import rules
from gradcli.readings.batched.level import Level
from gradcli.typing import Array


class Apart(BaseException):
    """Rows differ in what an evaluation looked at: `groups` holds the numbers of those that agree.

    It is no error of the text, so nothing that handles these sees it.
    """

    def __init__(self, groups: list[Array]) -> None:
        super().__init__()
        self.groups = groups


class Columns(Level):
    """A mapping over so many rows of a table, while it runs."""

    __slots__ = ()

    def __init__(self, rows: int) -> None:
        super().__init__(rows, "error", rules)

    def seen(self, physical: Any, refusal: str) -> Any:
        """The elements that all rows have.

        Raises:
            Apart: they differ.
            RuntimeError: there is no row, or this is no table's own mapping.
        """
        if type(physical) is not np.ndarray or not self.alive or not self.size:
            raise RuntimeError(refusal)
        bits = np.ascontiguousarray(physical.reshape(self.size, -1))
        if not bits.size:
            return physical[0]
        # Bytes tell nan from numbers and -0. from 0., as the text may.
        keys = bits.view(np.dtype((np.void, bits.itemsize * bits.shape[1]))).ravel()
        if (bits.view(np.uint8) == bits.view(np.uint8)[0]).all():
            return physical[0]
        _, group = np.unique(keys, return_inverse=True)
        order = np.argsort(group, kind="stable")
        ends = np.flatnonzero(np.diff(group[order])) + 1
        raise Apart(np.split(order, ends))
