# An operator of one's own: what its backward pass needs is saved on the context.
import torch
from torch.autograd import Function, gradcheck


class Softsign(Function):
    """x / (1 + |x|), whose derivative is 1 / (1 + |x|)**2."""

    @staticmethod
    def forward(ctx, x):
        below = 1 + x.abs()
        ctx.save_for_backward(below)
        return x / below

    @staticmethod
    def backward(ctx, grad):
        (below,) = ctx.saved_tensors
        return grad / below**2


x = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
y = Softsign.apply(x)
print(y)
y.sum().backward()
print(x.grad)
print(gradcheck(Softsign.apply, (x,)))

try:
    y.sum().backward()
except RuntimeError as error:
    print("again:", str(error)[:50])
