# A vector needs a seed: here a one for each of its elements.
import torch

x = torch.ones(4, requires_grad=True)
z = x + 2
z.backward(torch.ones_like(z))
print(x.grad)
