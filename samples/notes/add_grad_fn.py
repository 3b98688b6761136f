# The sum of two leaves remembers the operation that made it.
import torch

x = torch.tensor(1.0, requires_grad=True)
y = torch.tensor(2.0, requires_grad=True)
z = x + y
print(x, y, z)
