"""What PyTorch's process is told and asked: threads, devices, exactness. gradcli remembers it."""

from __future__ import annotations

from typing import Any

from gradcli.ops.algebra.creation import check_device
from gradcli.table.declare import composite
from gradcli.table.typenames import type_name
from gradcli.tensor.formats import CPU, Device
from gradcli.tensor.settings import settings


def _count(name: str, number: Any) -> int:
    if type(number) is not int:
        raise RuntimeError(f"{name} expects an int, but got {type_name(number)}")
    if number < 1:
        raise RuntimeError(f"{name} expects a positive integer")
    return number


@composite("get_num_threads", untested="the machine decides it")
def get_num_threads() -> int:
    """The number of threads that operators would use; they use one."""
    return settings.threads


@composite("set_num_threads", untested="it only changes what `get_num_threads` says")
def set_num_threads(number: Any) -> None:
    """Sets the number of threads; it is only remembered."""
    settings.threads = _count("set_num_threads", number)


@composite("get_num_interop_threads", untested="the machine decides it")
def get_num_interop_threads() -> int:
    """The number of threads that would run operators side by side."""
    return settings.interop_threads


@composite("set_num_interop_threads", untested="it only changes what its twin says")
def set_num_interop_threads(number: Any) -> None:
    """Sets that number; it is only remembered."""
    settings.interop_threads = _count("set_num_interop_threads", number)


@composite("use_deterministic_algorithms", untested="it only changes what its twin says")
def use_deterministic_algorithms(mode: Any, *, warn_only: bool = False) -> None:
    """Asks for the same answer every time, which gradcli gives anyway."""
    settings.deterministic = bool(mode)


@composite("are_deterministic_algorithms_enabled", samples=lambda r: [()])
def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was asked for."""
    return settings.deterministic


@composite("set_float32_matmul_precision", untested="it only changes what its twin says")
def set_float32_matmul_precision(precision: str) -> None:
    """Sets how exact products of matrices may be; they are always exact."""
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(
            f"Invalid float32 matmul precision: {precision}. Valid options are 'highest', 'high', "
            "and 'medium'"
        )
    settings.precision = precision


@composite("get_float32_matmul_precision", samples=lambda r: [()])
def get_float32_matmul_precision() -> str:
    """How exact products of matrices may be."""
    return settings.precision


@composite("get_default_device", untested="a device has no value")
def get_default_device() -> Device:
    """The device of new tensors."""
    return CPU


@composite("set_default_device", untested="it refuses every device but the CPU")
def set_default_device(device: Device | None) -> None:
    """Sets the device of new tensors, which is the CPU.

    Raises:
        AssertionError, RuntimeError: there is no such device.
    """
    check_device(device)
