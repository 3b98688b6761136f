"""Programs of views and in-place changes, drawn from seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

Shape = tuple[int, ...]

_UNARY_WORDS = "abs cos exp log1p neg reciprocal relu sigmoid sin sqrt square tanh"
_UNARY = _UNARY_WORDS.split()


class Writer:
    """Writes one random program: tensors are made, viewed, changed and differentiated."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.lines: list[str] = []
        self.shapes: dict[str, Shape] = {}
        self.made: list[str] = []

    def program(self) -> str:
        choose = self.random.choice
        shape = choose([(4,), (2, 3), (3, 3), (2, 2, 2)])
        for leaf in "xw":
            self.shapes[leaf] = shape
            numbers = [round(self.random.uniform(0.2, 1.5), 2) for _ in range(_count(shape))]
            self.lines.append(
                f"{leaf} = torch.tensor({numbers}, dtype=torch.float64).reshape({shape})"
                ".requires_grad_()"
            )
        if self.random.random() < 0.25:
            self.make(shape, f"torch.ones({shape}, dtype=torch.float64)")
        self.make(shape, choose(["x * 2", "x * w", "x + w", "x.exp()", "x.clone()", "x * 1"]))
        for _ in range(self.random.randint(3, 9)):
            self.step()
        self.end()
        return "\n".join(self.lines)

    def make(self, shape: Shape, expression: str, guarded: bool = False) -> None:
        made = f"t{len(self.made)}"
        self.add(f"{made} = {expression}", guarded)
        self.shapes[made] = shape
        self.made.append(made)

    def add(self, line: str, guarded: bool) -> None:
        self.lines += ["with torch.no_grad():", f"    {line}"] if guarded else [line]

    def step(self) -> None:
        random = self.random
        t = random.choice(self.made)
        shape, kind = self.shapes[t], random.random()
        other = random.choice([u for u, s in self.shapes.items() if s == shape])
        if kind < 0.34:
            made, expression = random.choice(list(self.views(t, shape)))
            self.make(made, expression, random.random() < 0.08)
        elif kind < 0.48:
            self.make(
                shape,
                random.choice(
                    [
                        f"{t} * {other}",
                        f"{t} + {other}",
                        f"{t}.{random.choice(_UNARY)}()",
                        f"{t} * 0.5",
                        f"torch.where({t} > 0.6, {t}, {other})",
                    ]
                ),
            )
        elif kind < 0.91:
            line = random.choice(list(self.changes(t, shape, other)))
            self.add(line, random.random() < 0.1)
        elif kind < 0.96:
            self.lines.append(
                random.choice(
                    [
                        f"{t}.retain_grad() if {t}.requires_grad else None",
                        f"{t}.data.mul_(1.1)",
                        f"print({t}._version, name({t}), {t}.is_leaf, {t}.requires_grad)",
                    ]
                )
            )
        else:
            self.lines.append(f"{t}.sum().backward(retain_graph={random.random() < 0.7})")
            self.lines.append("print(x.grad, w.grad)")

    def views(self, t: str, shape: Shape) -> Iterator[tuple[Shape, str]]:
        random = self.random
        yield (_count(shape),), f"{t}.reshape(-1)"
        yield (*shape, 1), f"{t}.unsqueeze(-1)"
        yield shape, f"{t}.view_as({t})"
        yield (2, *shape), f"{t}.expand({(2, *shape)})"
        yield shape, f"{t}.detach()"
        if shape:
            dim = random.randrange(len(shape))
            rest = shape[dim + 1 :]
            yield (*shape[:dim], *rest), f"{t}.select({dim}, {random.randrange(shape[dim])})"
            yield shape[1:], f"{t}[{random.randrange(shape[0])}]"
            if shape[dim] > 1:
                start = random.randrange(shape[dim] - 1)
                stop = random.randint(start + 1, shape[dim])
                part = ":, " * dim + f"{start}:{stop}"
                yield (*shape[:dim], stop - start, *rest), f"{t}[{part}]"
            if shape[0] > 1:
                yield shape[1:], f"{t}.unbind()[{random.randrange(shape[0])}]"
                yield (1, *shape[1:]), f"{t}.split(1)[{random.randrange(shape[0])}]"
        if len(shape) > 1:
            yield (shape[1], shape[0], *shape[2:]), f"{t}.transpose(0, 1)"
            yield (*shape[2:], min(shape[:2])), f"{t}.diagonal()"
        if 1 in shape:
            yield tuple(n for n in shape if n != 1), f"{t}.squeeze()"

    def changes(self, t: str, shape: Shape, other: str) -> Iterator[str]:
        yield from (
            f"{t}.mul_({other})",
            f"{t}.add_({other})",
            f"{t}.{self.random.choice(_UNARY)}_()",
            f"{t} *= 1.5",
            f"{t} += {other}",
            f"{t}.copy_({other})",
            f"{t}.sub_(0.3)",
            f"{t}.div_({other})",
            f"{t}.pow_(2)",
            f"{t}.clamp_(0.5, 1.2)",
            f"{t}.masked_fill_({t} > 0.9, 0.7)",
            f"{t}.zero_()",
            f"{t}.fill_(0.4)",
            f"{t}.addcmul_({other}, {other})",
        )
        if shape:
            k = self.random.randrange(shape[0])
            yield from (
                f"{t}[{k}] = 0.8",
                f"{t}[{k}] = {other}[{(k + 1) % shape[0]}]",
                f"{t}[[{k}]] = 0.3",
                f"{t}[{k}] *= 2",
                f"{t}[{t} > 0.8] = 0.25",
                f"{t}.index_fill_(0, torch.tensor([{k}]), 0.6)",
                f"{t}[{k}:] += 0.1",
                f"{t}[..., 0] = {other}[..., -1]",
            )

    def end(self) -> None:
        random = self.random
        self.lines += [
            f"for t in [{', '.join(self.made)}]:",
            "    print(t, name(t), t._version, t.is_leaf, t.requires_grad, t._is_view())",
        ]
        last = random.choice(self.made)
        terms = [f"({last} * {last}).sum()"]
        terms += [f"{t}.sum()" for t in random.sample(self.made, min(2, len(self.made)))]
        total = " + ".join(terms)
        if random.random() < 0.3:
            self.lines += [
                f"g = torch.autograd.grad({total}, [x, w], create_graph=True, allow_unused=True)",
                "print(g)",
                "s = sum((q * q).sum() for q in g if q is not None)",
                "if s.requires_grad: print(torch.autograd.grad(s, [x, w], allow_unused=True))",
            ]
        else:
            self.lines += [f"({total}).backward()", "print(x.grad, w.grad)"]
            self.lines.append(f"for t in [{', '.join(self.made)}]:")
            self.lines.append("    if t.requires_grad and t.retains_grad: print(t.grad)")


def _count(shape: Shape) -> int:
    count = 1
    for length in shape:
        count *= length
    return count


def programs(seeds: Iterable[int]) -> list[str]:
    """A program for each seed."""
    return [Writer(seed).program() for seed in seeds]
