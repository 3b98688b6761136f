"""Programs of transforms of functions that are nested in each other, drawn from seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

Shape = tuple[int, ...]

NAMES = """\
grad, grad_and_value, hessian = torch.func.grad, torch.func.grad_and_value, torch.func.hessian
jacfwd, jacrev, jvp = torch.func.jacfwd, torch.func.jacrev, torch.func.jvp
linearize, vjp, vmap = torch.func.linearize, torch.func.vjp, torch.vmap"""
"""Not imported: `torch` is whichever engine answers."""

VECTORS = (
    "torch.sin(a) * w",
    "a * a.sum()",
    "torch.tanh(m @ a)",
    "a.exp() / (1 + a.exp().sum())",
    "torch.softmax(a, 0)",
    "torch.stack([a.prod(), a[0] * a[1], a.max()])",
    "torch.cat([a[1:] ** 2, a[:2].cumsum(0)])",
    "torch.where(a > 0.5, a**3, w * a)",
    "a.sort()[0] * w",
    "torch.outer(a, w).mean(0) + a.roll(1)",
    "torch.logsumexp(m * a, 1)",
    "(a * a).sum().sqrt() * torch.sigmoid(a)",
    "a.clamp(0.4, 0.9).sqrt() + a.flip(0)",
    "torch.linalg.inv(m + a.diag()) @ w",
)
"""Functions of a vector `a` of three elements, and of a vector `w` and a matrix `m` around."""
INNER = (
    "torch.sin({})",
    "({})**2",
    "({}) * a.sum()",
    "({}).sum() * a",
    "({}) - ({}).mean()",
)
"""What may be done with the value of a function before the next transform."""
MOST = 500
"""Elements of a value."""


class Function(NamedTuple):
    """A function by name, and the shapes of its argument and of its value."""

    name: str
    taken: Shape
    given: Shape


class Writer:
    """Writes one random program: a function, transforms of it, and the value of the last one."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.lines = [NAMES]
        self.count = 0

    def program(self) -> str:
        for name, shape in (("w", (3,)), ("m", (3, 3))):
            self.tensor(name, shape)
        body = self.random.choice(VECTORS)
        given = (4,) if body.startswith("torch.cat") else (3,)
        function = self.define(f"lambda a: {body}", (3,), given)
        # PyTorch's `linearize` cannot be nested.
        linear = self.random.random() < 0.05
        for _ in range(0 if linear else self.random.randint(1, 3)):
            function = self.step(function)
        self.tensor("x", function.taken)
        value = f"linearize({function.name}, x)[1](x + 1)" if linear else f"{function.name}(x)"
        # Sums of what cancels out differ in their last digits, and in the sign of zero.
        self.lines.append(f"print({value}.round(decimals=5) + 0)")
        return "\n".join(self.lines)

    def tensor(self, name: str, shape: Shape) -> None:
        numbers = [round(self.random.uniform(0.2, 1.2), 2) for _ in range(math.prod(shape))]
        self.lines.append(f"{name} = torch.tensor({numbers}, dtype=torch.float64).reshape({shape})")

    def define(self, text: str, taken: Shape, given: Shape) -> Function:
        function = Function(f"f{self.count}", taken, given)
        self.lines.append(f"{function.name} = {text}")
        self.count += 1
        return function

    def step(self, f: Function) -> Function:
        if self.random.random() < 0.3:
            body = self.random.choice(INNER)
            f = self.define(f"lambda a: {body.format(*[f'{f.name}(a)'] * 2)}", f.taken, f.given)
            if ".sum() * a" in body:
                f = f._replace(given=f.taken)
        ways: list[Callable[[Function], Function]] = [
            self.matrix,
            self.matrix,
            self.pushed,
            self.pulled,
            self.mapped,
            self.mapped,
        ]
        if f.given and math.prod(f.given) > 1:
            ways += [self.gradient] * 3
        return self.random.choice(ways)(f)

    def gradient(self, f: Function) -> Function:
        total = self.define(f"lambda a: ({f.name}(a)**2).sum()", f.taken, ())
        if self.random.random() < 0.25:
            text = f"lambda a: grad_and_value({total.name})(a)[0]"
        elif self.random.random() < 0.3 and math.prod(f.taken) ** 2 <= MOST:
            return self.define(f"hessian({total.name})", f.taken, f.taken + f.taken)
        else:
            text = f"grad({total.name})"
        return self.define(text, f.taken, f.taken)

    def matrix(self, f: Function) -> Function:
        if math.prod(f.taken) * math.prod(f.given) > MOST:
            return self.pulled(f)
        kind = self.random.choice(["jacrev", "jacfwd"])
        options = ", chunk_size=2" if kind == "jacrev" and self.random.random() < 0.2 else ""
        return self.define(f"{kind}({f.name}{options})", f.taken, f.given + f.taken)

    def pushed(self, f: Function) -> Function:
        text = self.random.choice(
            [
                "lambda a: jvp({0}, (a,), (a.cos(),))[1]",
                "lambda a: jvp({0}, (a,), (torch.ones_like(a),))[0]",
            ]
        )
        return self.define(text.format(f.name), f.taken, f.given)

    def pulled(self, f: Function) -> Function:
        text = f"lambda a: (lambda value, pull: pull(value.detach() + 1)[0])(*vjp({f.name}, a))"
        return self.define(text, f.taken, f.taken)

    def mapped(self, f: Function) -> Function:
        if 2 * math.prod(f.given) > MOST:
            return self.pulled(f)
        place = self.random.randint(0, len(f.taken))
        out = self.random.randint(0, len(f.given))
        options = f", in_dims={place}" if place else ""
        options += f", out_dims={out}" if out else ""
        options += ", chunk_size=1" if self.random.random() < 0.1 else ""
        return self.define(f"vmap({f.name}{options})", _with(f.taken, place), _with(f.given, out))


def _with(shape: Shape, place: int) -> Shape:
    return (*shape[:place], 2, *shape[place:])


def programs(seeds: Iterable[int]) -> list[str]:
    """A program for each seed."""
    return [Writer(seed).program() for seed in seeds]
