"""PyTorch's random stream itself: its seeds and its state (`gradcli.random.generator`)."""

from __future__ import annotations

from typing import Any

from gradcli.ops.algebra.creation import check_device
from gradcli.random.bounds import whole_number
from gradcli.random.generator import Generator, default_generator
from gradcli.table.declare import composite, free
from gradcli.tensor.public import REGISTRY
from gradcli.tensor.tensor import Tensor, wrap


@free("Generator", untested="a stream has no value")
def new_generator(device: Any = "cpu") -> Generator:
    """A new random stream."""
    check_device(device)
    return Generator()


@composite("manual_seed", untested="a stream has no value")
def manual_seed(seed: Any) -> Generator:
    """Starts the random stream anew from a seed.

    Raises:
        TypeError, ValueError, OverflowError: it is no number; in Python's words for `int(seed)`.
    """
    return default_generator.manual_seed(whole_number(seed))


@composite("seed", untested="nobody foresees its answer")
def seed() -> int:
    """Starts the random stream anew from a number that nobody foresees."""
    return default_generator.seed()


@composite("initial_seed", samples=lambda r: [()])
def initial_seed() -> int:
    """The seed that the random stream started from."""
    return default_generator.initial_seed()


@composite("get_rng_state", samples=lambda r: [()])
def get_rng_state() -> Tensor:
    """The state of the random stream, as bytes."""
    return wrap(default_generator.get_state())


@composite("set_rng_state", samples=lambda r: [(Generator().manual_seed(7).get_state(),)])
def set_rng_state(new_state: Any) -> None:
    """Puts the random stream back into a state."""
    if not isinstance(new_state, Tensor):
        raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
    default_generator.set_state(new_state._array)


def _get_state(generator: Generator) -> Tensor:
    """`generator.get_state()`."""
    return wrap(generator.get_state())


def _set_state(generator: Generator, new_state: Any) -> Generator:
    """`generator.set_state(new_state)`."""
    if not isinstance(new_state, Tensor):
        raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
    return generator.set_state(new_state._array)


REGISTRY[Generator].guards.update(get_state=_get_state, set_state=_set_state)
