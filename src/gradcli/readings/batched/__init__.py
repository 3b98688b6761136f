"""The batched reading: rows on values with a hidden batch axis, and `torch.vmap` on top of it."""

from gradcli.readings import wrappers
from gradcli.readings.batched.mapping import vmap

wrappers.install()

__all__ = ["vmap"]
