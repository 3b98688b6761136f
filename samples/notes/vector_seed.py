# The same seed from torch.tensor, which keeps the type of its numbers.
import torch

x = torch.ones(4, requires_grad=True)
z = x + 2
z.backward(torch.tensor([1.0, 2.0, 3.0, 4.0]))
print(x.grad)
