"""Anomaly detection: which call of the forward pass a nan of the backward pass comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.observers import Observer
from gradcli.table.node import HINT
from gradcli.tensor.graph import Node, mode
from gradcli.tensor.public import public
from gradcli.tensor.tensor import raw
from gradcli.tensor.warn import warn

ENABLED: Final = (
    "Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
    "enabled for debugging."
)
PLACE: Final = "traceback_"
"""Where a node's metadata say which call recorded it."""

LUCK: Final = (
    "Hint: the backtrace further above shows the operation that failed to compute its gradient. "
    "The variable in question was changed in there or anywhere later. Good luck!"
)


class Detecting(Observer):
    """Notes of every node which call recorded it."""

    def __init__(self) -> None:
        self.check_nan = True

    @property
    def enabled(self) -> bool:
        return mode.detector is self

    def switch(self, enabled: bool, check_nan: bool) -> None:
        """Turns detection on or off."""
        if enabled and not self.enabled:
            self.enter()
            mode.detector = self
        elif self.enabled and not enabled:
            self.leave()
            mode.detector = None
        self.check_nan = check_nan

    def ran(self, row: Any, args: tuple[Any, ...], found: Any) -> None:
        for output in found if type(found) is tuple else (found,):
            self._note(output._grad_fn)

    def opaque(self, name: str, node: Node | None, call: Any = None) -> None:
        self._note(node)
        super().opaque(name, node, call)

    def _note(self, node: Node | None) -> None:
        if node is not None:
            node.metadata.setdefault(PLACE, mode.where())

    def failed(self, node: Node, error: RuntimeError) -> RuntimeError:
        """What is raised where the pass failed at a node."""
        self._tell(node)
        message = str(error)
        if message.endswith(HINT):
            return RuntimeError(message.removesuffix(HINT) + LUCK)
        return error

    def check(self, node: Node, gradients: Sequence[Any]) -> None:
        """Refuses gradients with a nan, if it shall.

        Raises:
            RuntimeError: there is one.
        """
        if not self.check_nan:
            return
        for number, gradient in enumerate(gradients):
            if gradient is not None and np.isnan(raw(gradient)).any():
                self._tell(node)
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {number}th output."
                )

    def _tell(self, node: Node) -> None:
        place = node.metadata.get(PLACE)
        if place is None:
            rest = (
                "No forward pass information available. Enable detect anomaly during forward pass "
                "for more information."
            )
        else:
            rest = f"Traceback of forward call that caused the error:\n{place}"
        warn(f"Error detected in {node.name()}. {rest}")


detecting: Final = Detecting()


@public(
    name="set_detect_anomaly", label="torch.autograd.anomaly_mode.set_detect_anomaly", calls=True
)
class set_detect_anomaly:
    """Switches detection at once; as a context manager until its end.

    With `check_nan` a gradient with a nan is an error.
    """

    __slots__ = ("_before",)

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = detecting.enabled, detecting.check_nan
        detecting.switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        detecting.switch(*self._before)


@public(name="detect_anomaly", label="torch.autograd.anomaly_mode.detect_anomaly", calls=True)
class detect_anomaly:
    """Detection inside; see `set_detect_anomaly`."""

    __slots__ = ("_before", "_check_nan")

    def __init__(self, check_nan: bool = True) -> None:
        warn(ENABLED)
        self._before = detecting.enabled, detecting.check_nan
        self._check_nan = check_nan

    def __enter__(self) -> None:
        self._before = detecting.enabled, detecting.check_nan
        detecting.switch(True, self._check_nan)

    def __exit__(self, *_: object) -> None:
        detecting.switch(*self._before)


def is_anomaly_enabled() -> bool:
    """Whether detection is on."""
    return detecting.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether a nan is an error while detection is on."""
    return detecting.check_nan
