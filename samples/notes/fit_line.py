# A line through noisy points by steps of gradient descent, on batches that a generator makes.
import random
from dataclasses import dataclass

import numpy as np
import torch


@dataclass
class Line:
    slope: torch.Tensor
    shift: torch.Tensor

    def __call__(self, x):
        return self.slope * x + self.shift

    def step(self, rate):
        with torch.no_grad():
            for number in (self.slope, self.shift):
                number -= rate * number.grad
                number.grad = None


def batches(points, size):
    random.shuffle(points)
    for start in range(0, len(points), size):
        yield torch.tensor(points[start : start + size]).T


random.seed(1)
np.random.seed(1)
noise = np.random.normal(0, 0.1, 20).tolist()
points = [(x, 3 * x - 1 + noise.pop()) for x in np.linspace(-1, 1, 20).tolist()]

line = Line(*[torch.zeros(1, requires_grad=True) for _ in range(2)])
for epoch in range(30):
    for x, y in batches(points, size=5):
        loss = ((line(x) - y) ** 2).mean()
        loss.backward()
        line.step(rate=0.2)
    if epoch % 10 == 9:
        x, y = torch.tensor(points).T
        print(f"epoch {epoch + 1}: {((line(x) - y) ** 2).mean().item():.5f}")
print(line)
