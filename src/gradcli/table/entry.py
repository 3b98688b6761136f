"""What rows and compositions have in common: names, a signature, documentation, samples."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar

from gradcli.table.schema import Signature, split_signature


class Entry:
    """Something callable under a signature: a row or a composition of rows.

    ``doc`` says what it computes, ``kink`` which gradient it has where it has none or several.
    """

    _frames: ClassVar[int] = 3

    __slots__ = (
        "_parameters",
        "_signature",
        "_tensors_only",
        "doc",
        "kink",
        "module",
        "names",
        "samples",
    )

    def __init__(self, signature: str, doc: str, kink: str, samples: Any) -> None:
        # The module that calls row(), or whose decorator composite() runs.
        self.module: str = sys._getframe(self._frames).f_globals["__name__"]
        self.kink = kink
        self.names, self._parameters = split_signature(signature)
        self._signature: Signature | None = None
        self._tensors_only = -2
        self.doc = doc
        self.samples = samples

    @property
    def signature(self) -> Signature:
        """Parsed when first needed: most rows are never called in one run."""
        if self._signature is None:
            self._signature = Signature(name_in_messages(self.names[0]), self._parameters)
        return self._signature

    @property
    def tensors_only(self) -> int:
        """How many tensors make a complete call, or -1 where the arguments need checking."""
        if self._tensors_only == -2:
            parameters = self.signature.parameters
            required = [parameter for parameter in parameters if parameter.required]
            plain = all(parameter.is_tensor for parameter in required)
            if isinstance(self, Composite) and len(required) < len(parameters):
                plain = False  # bodies are given every argument
            self._tensors_only = len(required) if plain and required else -1
        return self._tensors_only

    @property
    def parameters(self) -> str:
        """The signature's text between its brackets."""
        return self._parameters

    @property
    def is_method(self) -> bool:
        return self._parameters.split(",")[0].endswith(" self")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


class Composite(Entry):
    """An operator that is a composition of others, as in PyTorch: it has no node of its own."""

    __slots__ = ("body",)

    def __init__(
        self, signature: str, body: Callable[..., Any], doc: str, kink: str, samples: Any
    ) -> None:
        super().__init__(signature, doc, kink, samples)
        self.body = body

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.body(*args, **kwargs)


def name_in_messages(name: str) -> str:
    """``linalg.norm`` -> ``linalg_norm``, ``nn.functional.relu`` -> ``relu``."""
    joined = name.partition(".")[0] in ("linalg", "special", "fft")
    return name.replace(".", "_") if joined else name.rsplit(".", 1)[-1]
