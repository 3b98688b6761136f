"""PyTorch's random stream itself: its seeds and its state (`gradcli.random.generator`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.ops.algebra.creation import check_device
from gradcli.random.bounds import whole_number
from gradcli.random.generator import Generator, default_generator
from gradcli.table.declare import composite
from gradcli.table.typenames import type_name
from gradcli.tensor.formats import Device
from gradcli.tensor.public import REGISTRY
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array


@composite("Generator", untested="a stream has no value")
def new_generator(device: Device | None = None) -> Generator:
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
    default_generator.set_state(_state_of(new_state))


def _state_of(new_state: Any) -> Array:
    """The bytes of a state that a program gives."""
    if not isinstance(new_state, Tensor):
        raise TypeError(f"expected a torch.ByteTensor, but got {type_name(new_state)}")
    return new_state._array


def _seeded(generator: Generator, seed: Any) -> Generator:
    """`generator.manual_seed(seed)`."""
    if not isinstance(seed, int):
        raise RuntimeError(f"manual_seed expected a long, but got {type_name(seed)}")
    return generator.manual_seed(seed)


def _guard(name: str, count: int, call: Callable[..., Any]) -> None:
    """Enters what a program calls as `generator.NAME`, of `count` arguments."""
    takes = "exactly one argument" if count else "no arguments"

    def method(generator: Generator, *arguments: Any) -> Any:
        if len(arguments) != count:
            raise TypeError(f"Generator.{name}() takes {takes} ({len(arguments)} given)")
        return call(generator, *arguments)

    REGISTRY[Generator].guards[name] = method


_guard("get_state", 0, lambda generator: wrap(generator.get_state()))
_guard("set_state", 1, lambda generator, state: generator.set_state(_state_of(state)))
_guard("manual_seed", 1, _seeded)
_guard("seed", 0, Generator.seed)
_guard("initial_seed", 0, Generator.initial_seed)
